public import Datasets
public import Episodes
public import Rendering
public import Tokenization
import Trajectories

/// The charts of a dataset.
public struct DatasetPicture {
    private let dataset: TrajectoryDataset
    private let summary: DatasetSummary
    private let usage: [TokenUsage]?
    private let specification: EnvironmentSpecification?
    private let name: String

    /// Dimensions up to which each has a chart of its own.
    private static let mostCharts = 60
    private static let chartsInRow = 6

    /// The charts of a dataset that is called `name`.
    ///
    /// - Parameters:
    ///   - dataset: The data.
    ///   - summary: What they hold.
    ///   - usage: The use of bins by each dimension of a transition; nil where it is not known.
    ///   - specification: The environment of the data; nil where it is not known.
    ///   - name: The title.
    public init(
        _ dataset: TrajectoryDataset, summary: DatasetSummary, usage: [TokenUsage]?,
        specification: EnvironmentSpecification?, name: String
    ) {
        self.dataset = dataset
        self.summary = summary
        self.usage = usage
        self.specification = specification
        self.name = name
    }

    /// All charts.
    public var grid: PlotGrid {
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
        if let specification {
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
        guard let usage, let bins = usage.first?.counts.count else { return nil }
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
        for (index, limits) in (specification?.actionLimits ?? []).enumerated() {
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
