import Files
public import Foundation
import Rendering

/// The page of results of an experiment: tables, charts and pictures, and how they were made.
public struct ResultsPage: Sendable {
    /// What the page is made from.
    public let results: ExperimentResults
    /// The command that makes the results, as a user would type it.
    public let command: String

    /// Creates a page.
    public init(_ results: ExperimentResults, command: String) {
        self.results = results
        self.command = command
    }

    private var experiment: Experiment { results.experiment }
    private var definition: ExperimentDefinition { experiment.definition }

    /// Writes the page `NAME.md`, the results file `NAME.jsonl`, and pictures to `images/NAME-*`.
    ///
    /// - Parameters:
    ///   - directory: Where to.
    ///   - folder: The run folder, whose pictures are copied; those published before are kept.
    /// - Returns: The page.
    /// - Throws: ``ExperimentError`` when a table names what is not there or something cannot be
    ///   written; `RenderingError` when a chart cannot be drawn.
    @discardableResult
    public func write(to directory: URL, picturesOf folder: RunFolder?) throws -> URL {
        let images = directory.appendingPathComponent("images")
        let page = directory.appendingPathComponent(definition.name + ".md")
        let text = try markdown(images: images, folder: folder)
        try results.write(to: directory.appendingPathComponent(definition.name + ".jsonl"))
        try OutputFile.write(Data(text.utf8), to: page)
        return page
    }

    private func markdown(images: URL, folder: RunFolder?) throws -> String {
        var parts = ["# \(definition.title)"]
        if let paper = definition.paper { parts.append("*Janner, Li, Levine 2021, \(paper).*") }
        parts.append(try prose(definition.description))
        for template in definition.tables {
            let table = try ResultsTable(template, from: results)
            parts += ["## \(table.title)", table.markdown]
            if let note = table.note { parts.append(note) }
            if let bars = template.bars, !table.means.isEmpty {
                let file = "\(definition.name)-\(bars)"
                try draw(table, to: images.appendingPathComponent(file))
                parts.append("![\(table.title), the means](images/\(file))")
            }
        }
        for chart in definition.charts {
            let file = "\(definition.name)-\(chart.file)"
            guard try draw(chart, to: images.appendingPathComponent(file)) else { continue }
            parts += ["## \(chart.title)", "![\(chart.title)](images/\(file))"]
        }
        let pictures = try pictures(in: images, folder: folder)
        if !pictures.isEmpty { parts += ["## Pictures"] + pictures }
        if let findings = definition.findings {
            parts += ["## What they say", try prose(findings)]
        }
        parts += ["## How they were made", made, steps]
        return parts.joined(separator: "\n\n") + "\n"
    }

    private func prose(_ text: Template) throws(ExperimentError) -> String {
        try experiment.fill(text, at: [:]).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: - How it was made

    private var made: String {
        let records = experiment.steps.compactMap { results.records[$0.name] }
        func list(_ values: [String]) -> String {
            var seen: Set<String> = []
            return values.filter { seen.insert($0).inserted }.joined(separator: "; ")
        }
        let seconds = records.reduce(0) { $0 + $1.seconds }
        let processor = records.compactMap(\.processorSeconds)
        let missing = experiment.steps.count - records.count
        var lines = [
            "```\n\(command)\n```",
            "\(records.count) steps in \(Self.duration(seconds)) of wall-clock time"
                + (processor.count == records.count
                    ? ", \(Self.duration(processor.reduce(0, +))) of processor time" : "")
                + (missing > 0 ? "; \(missing) were not run, and their results are dashes" : "")
                + ". Machine: \(list(records.map(\.machine))). Commit: "
                + "\(list(records.map(\.commit))).",
        ]
        let settings = definition.settings.sorted { $0.key < $1.key }.map { name, value in
            switch value {
            case .one(let text): "\(name) \(text)"
            case .each(let values):
                "\(name) "
                    + values.sorted { $0.key < $1.key }.map { "\($0.value) (\($0.key))" }
                    .joined(separator: ", ")
            }
        }
        if !settings.isEmpty { lines.append("Settings: " + settings.joined(separator: "; ") + ".") }
        return lines.joined(separator: "\n\n")
    }

    private var steps: String {
        let rows = experiment.steps.map { step in
            let record = results.records[step.name]
            let program = step.program == .trajectory ? "trajectory " : "python "
            let times = [record?.seconds, record?.processorSeconds].map {
                $0.map(Self.duration) ?? "–"
            }
            return "| \(step.name) | \(times[0]) | \(times[1]) | "
                + "`\(program + step.arguments.joined(separator: " "))` |"
        }
        return (["| step | wall clock | processor | command |", "|---|---:|---:|---|"] + rows)
            .joined(
                separator: "\n")
    }

    /// A time such as `1 h 5 min`, `3 min 12 s` or `4 s`.
    public static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return switch whole {
        case 3600...: "\(whole / 3600) h \(whole % 3600 / 60) min"
        case 60...: "\(whole / 60) min \(whole % 60) s"
        default: "\(whole) s"
        }
    }

    // MARK: - Pictures

    /// The pictures that steps made, with their captions; those of the run folder are published.
    private func pictures(in images: URL, folder: RunFolder?) throws -> [String] {
        var parts: [String] = []
        for figure in experiment.steps.flatMap(\.figures) {
            let file = "\(definition.name)-\(figure.file)"
            if let folder { try copy(figure.file, of: folder, to: images, as: file) }
            guard exists(images.appendingPathComponent(file)) else { continue }
            parts.append("![\(figure.caption)](images/\(file))\n\n*\(figure.caption)*")
        }
        return parts
    }

    /// Draws the means of a table, a bar each.
    private func draw(_ table: ResultsTable, to url: URL) throws {
        let most = table.means.map(\.value).max() ?? 0
        let bars = table.means.map { name, value in
            PlotGrid.Bar(
                String(format: "%@ %.1f", name, value), value: value, behind: 0, color: .blue)
        }
        var picture = PlotGrid(
            title: table.title, subtitle: "means over the rows of the table",
            rows: [.init([.init("", content: .bars(bars, limit: max(1.1 * most, 1)))], height: 340)]
        )
        picture.width = 900
        try picture.write(to: url)
    }

    /// Draws a chart; false if there is nothing to draw yet.
    private func draw(_ chart: ExperimentDefinition.ChartTemplate, to url: URL) throws -> Bool {
        var series: [Plot.Series] = []
        for point in try experiment.points(over: chart.series) {
            var line: (x: [Double], y: [Double]) = ([], [])
            for value in definition.axes[chart.x] ?? [] {
                let place = point.merging([chart.x: value]) { $1 }
                guard let x = Double(value) else {
                    throw ExperimentError(
                        code: .definition, subject: definition.name,
                        detail: "the axis '\(chart.x)' of chart '\(chart.title)' has the value "
                            + "'\(value)', which is no number")
                }
                let number = try results.number(
                    try experiment.fill(chart.key, at: place),
                    of: try experiment.fill(chart.step, at: place))
                if let number {
                    line.x.append(x)
                    line.y.append(number)
                }
            }
            if !line.x.isEmpty {
                series.append(
                    .init(try experiment.fill(chart.series, at: point), x: line.x, y: line.y))
            }
        }
        guard !series.isEmpty else { return false }
        var plot = Plot(
            title: chart.title, xLabel: chart.xLabel, yLabel: chart.yLabel, series: series)
        plot.hasLogarithmicX = chart.hasLogarithmicX
        try plot.write(to: url)
        return true
    }

    private func copy(_ file: String, of folder: RunFolder, to images: URL, as name: String) throws
    {
        let source = folder.url.appendingPathComponent(file)
        guard exists(source) else { return }
        try OutputFile.write(Data(contentsOf: source), to: images.appendingPathComponent(name))
    }

    private func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
}
