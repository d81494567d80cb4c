import Evaluation
import ArgumentParser
import Datasets
import Environments
import Episodes
import Foundation
import Rendering
import Tokenization
import Trajectories

/// `trajectory dataset plot`: a dataset as a picture.
struct DatasetPlotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw returns, lengths, token usage and every dimension of a dataset.",
        discussion: """
            Token usage is that of the bins that training fits by default: pale, how many hold a \
            value; solid, how many evenly used ones would tell as much. Where a dataset has more \
            than 60 dimensions they are one heat map, each measured in its standard deviations. Dashed \
            lines are the limits of actions, where the environment is known.

            Examples:
              trajectory dataset plot hopper-medium-v2.hdf5 --output hopper.png
              trajectory dataset plot hopper-medium-v2.hdf5 --env hopper --output hopper.svg

            Keys of the JSON object: output, panels.
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var file: String

    @Option(help: "Picture to write (png or svg).", completion: .file(extensions: ["png", "svg"]))
    var output: String

    @Option(
        name: .customLong("env"),
        help: "Environment of the data, such as hopper; the one that the file names if not given.")
    var environment: String?

    @OptionGroup var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard ["png", "svg"].contains(URL(fileURLWithPath: output).pathExtension.lowercased())
        else { throw ValidationError("--output must end in .png or .svg, found \(output)") }
    }

    private struct Result: Encodable {
        let output: String
        let panels: Int
    }

    func run() async throws {
        let url = URL(fileURLWithPath: output)
        try Console.requireFolder(of: url)
        let dataset = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: file), options: reading.options)
        let (specification, warning) = try DatasetEnvironment.specification(
            environment, for: dataset, file: file)
        let picture = DatasetPicture(
            dataset, report: DatasetReport(dataset, specification: specification, warning: warning),
            name: URL(fileURLWithPath: file).lastPathComponent)
        try picture.grid.write(to: url)
        let result = Result(
            output: output, panels: picture.grid.rows.reduce(0) { $0 + $1.panels.count })
        if json {
            try Console.printJSON(result)
        } else {
            print("\(output): \(result.panels) charts")
        }
    }
}

/// The charts of a dataset.
struct DatasetPicture {
    private let dataset: TrajectoryDataset
    private let report: DatasetReport
    private let name: String

    /// Dimensions up to which each has a chart of its own.
    private static let mostCharts = 60
    private static let chartsInRow = 6

    init(_ dataset: TrajectoryDataset, report: DatasetReport, name: String) {
        self.dataset = dataset
        self.report = report
        self.name = name
    }

    /// All charts.
    var grid: PlotGrid {
        let summary = report.summary
        var rows = [PlotGrid.Row([returns, lengths], height: 290)]
        if let tokens { rows.append(PlotGrid.Row([tokens], height: 260)) }
        let layout = dataset.layout
        let count = layout.observationDimension + layout.actionDimension + 1
        if count <= Self.mostCharts {
            let charts = dimensions
            rows += stride(from: 0, to: charts.count, by: Self.chartsInRow).map { first in
                PlotGrid.Row(
                    Array(charts[first..<min(first + Self.chartsInRow, charts.count)]),
                    columns: Self.chartsInRow, height: 150)
            }
        } else {
            rows.append(PlotGrid.Row([heatMap], height: 380))
        }
        var facts = ["\(summary.transitions) transitions", "\(summary.episodes) episodes"]
        if let specification = report.specification {
            facts.insert(specification.identifier, at: 0)
        }
        return PlotGrid(title: name, subtitle: facts.joined(separator: "  ·  "), rows: rows)
    }

    private var returns: PlotGrid.Panel {
        let histogram = Histogram(dataset.trajectories.map(\.totalReward), ranges: 40)
        return PlotGrid.Panel(
            "Returns", xLabel: "return of an episode", yLabel: "episodes",
            content: .histogram(edges: histogram.edges, counts: histogram.counts), color: .green)
    }

    private var lengths: PlotGrid.Panel {
        // From 0, since often all lengths are the same.
        let histogram = Histogram(
            dataset.trajectories.map { Double($0.count) }, ranges: 40, origin: 0)
        return PlotGrid.Panel(
            "Lengths", xLabel: "steps of an episode", yLabel: "episodes",
            content: .histogram(edges: histogram.edges, counts: histogram.counts), color: .violet)
    }

    private var tokens: PlotGrid.Panel? {
        guard let usage = report.usage, let bins = usage.first?.counts.count else { return nil }
        let layout = dataset.layout
        let bars = usage.enumerated().map { index, usage in
            let (label, color): (String, PlotGrid.Color) =
                switch layout.kind(at: index) {
                case .observation: ("o\(index)", .blue)
                case .action: ("a\(index - layout.observationDimension)", .orange)
                case .reward: ("r", .green)
                case .value: ("v", .violet)
                }
            return PlotGrid.Bar(
                label, value: usage.effectiveBins, behind: Double(usage.usedBins), color: color)
        }
        return PlotGrid.Panel(
            "Token usage of each dimension",
            xLabel: "observation (o), action (a), reward (r), value (v)",
            yLabel: "bins of \(bins): used, as even", content: .bars(bars, limit: Double(bins)))
    }

    private var dimensions: [PlotGrid.Panel] {
        let layout = dataset.layout
        func panels(
            _ name: String, _ width: Int, _ color: PlotGrid.Color,
            _ values: (Trajectory) -> [Float]
        ) -> [PlotGrid.Panel] {
            let rows = dataset.trajectories.map(values)
            return (0..<width).map { column in
                let numbers = rows.flatMap { row in
                    stride(from: column, to: row.count, by: width).map { Double(row[$0]) }
                }
                let histogram = Self.evenHistogram(numbers, ranges: 60)
                return PlotGrid.Panel(
                    width == 1 && color == .green ? name : "\(name) \(column)",
                    content: .histogram(edges: histogram.edges, counts: histogram.counts),
                    color: color)
            }
        }
        var actions = panels("action", layout.actionDimension, .orange, \.actions)
        for (index, limits) in (report.specification?.actionLimits ?? []).enumerated() {
            actions[index].marks = [limits.lowerBound, limits.upperBound]
        }
        return panels("observation", layout.observationDimension, .blue, \.observations) + actions
            + panels("reward", 1, .green, \.rewards)
    }

    /// Counts in ranges that exactly span the numbers, since these charts name the ends.
    private static func evenHistogram(_ numbers: [Double], ranges: Int)
        -> (edges: [Double], counts: [Int])
    {
        guard let low = numbers.min(), let high = numbers.max() else { return ([], []) }
        guard low < high else { return ([low - 0.5, low + 0.5], [numbers.count]) }
        let width = (high - low) / Double(ranges)
        var counts = Array(repeating: 0, count: ranges)
        for number in numbers { counts[min(Int((number - low) / width), ranges - 1)] += 1 }
        return ((0...ranges).map { low + Double($0) * width }, counts)
    }

    private var heatMap: PlotGrid.Panel {
        let summary = report.summary
        let (reach, bins) = (3.0, 49)
        func shares(
            _ columns: [ColumnStatistics], _ values: (Trajectory) -> [Float]
        ) -> [[Double]] {
            var counts = Array(
                repeating: Array(repeating: 0.0, count: bins), count: columns.count)
            for trajectory in dataset.trajectories {
                for (index, number) in values(trajectory).enumerated() {
                    let column = columns[index % columns.count]
                    let deviation = column.isConstant ? 1 : column.standardDeviation
                    let position = (Double(number) - column.mean) / deviation
                    let bin = Int(((position + reach) / (2 * reach) * Double(bins)).rounded(.down))
                    counts[index % columns.count][min(max(bin, 0), bins - 1)] += 1
                }
            }
            // Relative to the fullest, so that narrow and wide distributions both show.
            return counts.map { column in
                let largest = column.max() ?? 0
                return column.map { largest > 0 ? $0 / largest : 0 }
            }
        }
        return PlotGrid.Panel(
            "Every dimension: observations, then actions, then reward", xLabel: "dimension",
            yLabel: "standard deviations from the mean",
            content: .heatMap(
                columns: shares(summary.observations, \.observations)
                    + shares(summary.actions, \.actions) + shares([summary.rewards], \.rewards),
                range: -reach...reach))
    }
}
