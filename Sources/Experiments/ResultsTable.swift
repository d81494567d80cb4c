internal import Foundation

/// A table of a page of results.
struct ResultsTable {
    let title: String
    let note: String?
    let header: [String]
    let rows: [[String]]

    /// Fills a table; a number that is not there is a dash.
    init(
        _ template: ExperimentDefinition.TableTemplate, from results: ExperimentResults
    ) throws(ExperimentError) {
        let experiment = results.experiment
        title = template.title
        note = try template.note.map { note throws(ExperimentError) in
            try experiment.fill(note, at: [:])
        }
        var header = [""]
        var rows: [[String]] = []
        /// The numbers of each column, for its mean.
        var numbers: [[Double?]] = []
        for (index, row) in try experiment.points(over: template.rows).enumerated() {
            var cells = [try experiment.fill(template.rows, at: row)]
            var values: [Double?] = []
            for column in template.columns {
                for point in try experiment.points(over: column.name, fixed: row) {
                    if index == 0 { header.append(try experiment.fill(column.name, at: point)) }
                    let step = try experiment.fill(column.step, at: point)
                    func number(_ key: Template) throws(ExperimentError) -> Double? {
                        try results.number(try experiment.fill(key, at: point), of: step)
                            .map { $0 * column.scale }
                    }
                    let value = try number(column.key)
                    let error = try column.error.flatMap { key throws(ExperimentError) in
                        try number(key)
                    }
                    values.append(value)
                    cells.append(Self.cell(value, error, column.digits))
                }
            }
            rows.append(cells)
            numbers.append(values)
        }
        if template.hasMean, let width = numbers.first?.count, numbers.count > 1 {
            let digits = try Self.digits(template, of: experiment)
            let means = (0..<width).map { column in
                let values = numbers.compactMap { $0[column] }
                // A mean over fewer rows than the others' would mislead.
                return values.count == numbers.count
                    ? Self.cell(values.reduce(0, +) / Double(values.count), nil, digits[column])
                    : "–"
            }
            rows.append(["**mean**"] + means)
        }
        self.header = header
        self.rows = rows
    }

    private static func cell(_ value: Double?, _ error: Double?, _ digits: Int) -> String {
        func text(_ number: Double) -> String {
            // A little less than nothing would read "-0".
            let unit = pow(10, Double(digits))
            return String(format: "%.\(digits)f", (number * unit).rounded() / unit + 0)
        }
        guard let value else { return "–" }
        return text(value) + (error.map { " ± " + text($0) } ?? "")
    }

    /// The digits of each column, those of an expanded one repeated.
    private static func digits(
        _ template: ExperimentDefinition.TableTemplate, of experiment: Experiment
    ) throws(ExperimentError) -> [Int] {
        var digits: [Int] = []
        guard let row = try experiment.points(over: template.rows).first else { return [] }
        for column in template.columns {
            let count = try experiment.points(over: column.name, fixed: row).count
            digits += Array(repeating: column.digits, count: count)
        }
        return digits
    }

    /// The table in Markdown.
    var markdown: String {
        func line(_ cells: [String]) -> String {
            "| " + cells.joined(separator: " | ") + " |"
        }
        let rule = "|---|" + String(repeating: "---:|", count: max(0, header.count - 1))
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }
}
