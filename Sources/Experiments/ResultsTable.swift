import Foundation

/// A table of a page of results.
struct ResultsTable {
    let title: String
    let note: String?
    let header: [String]
    let rows: [[String]]
    /// The names and means of the columns that have one, where there is a row of means.
    let means: [(name: String, value: Double)]

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
        var names: [String] = []
        var table: [[Cell]] = []
        for (index, row) in try experiment.points(over: template.rows).enumerated() {
            names.append(try experiment.fill(template.rows, at: row))
            var cells: [Cell] = []
            for column in template.columns {
                for point in try experiment.points(over: column.name, fixed: row) {
                    if index == 0 { header.append(try experiment.fill(column.name, at: point)) }
                    func number(
                        _ key: Template, at point: Experiment.Point
                    ) throws(ExperimentError) -> Double? {
                        try results.number(
                            try experiment.fill(key, at: point),
                            of: try experiment.fill(column.step, at: point)
                        ).map { $0 * column.scale }
                    }
                    if let axis = column.over {
                        let values = try experiment.values(of: axis).map {
                            value throws(ExperimentError) in
                            try number(column.key, at: point.merging([axis: value]) { $1 })
                        }
                        cells.append(.mean(over: values, digits: column.digits))
                        continue
                    }
                    cells.append(
                        Cell(
                            value: try number(column.key, at: point),
                            error: try column.error.flatMap { key throws(ExperimentError) in
                                try number(key, at: point)
                            }, digits: column.digits))
                }
            }
            table.append(cells)
        }
        if template.hasMean, let first = table.first, table.count > 1 {
            names.append("**mean**")
            let cells = first.indices.map { column in Cell.mean(of: table.map { $0[column] }) }
            table.append(cells)
            means = zip(header.dropFirst(), cells).compactMap { name, cell in
                cell.value.map { (name, $0) }
            }
        } else {
            means = []
        }
        self.header = header
        rows = zip(names, table).map { [$0] + $1.map(\.text) }
    }

    /// A number, with its error where it has one; a dash where it is not there.
    private struct Cell {
        var value: Double?
        var error: Double?
        var digits: Int

        /// The mean of a column's cells, if all have numbers: one of fewer would mislead.
        static func mean(of column: [Cell]) -> Cell {
            let values = column.compactMap(\.value)
            let isWhole = values.count == column.count
            return Cell(
                value: isWhole ? values.reduce(0, +) / Double(values.count) : nil,
                digits: column[0].digits)
        }

        /// The mean of values, if all are there, with its standard error.
        static func mean(over values: [Double?], digits: Int) -> Cell {
            let known = values.compactMap(\.self)
            guard known.count == values.count, !known.isEmpty else {
                return Cell(digits: digits)
            }
            let count = Double(known.count)
            let mean = known.reduce(0, +) / count
            let squares = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return Cell(
                value: mean,
                error: known.count > 1 ? (squares / (count - 1) / count).squareRoot() : nil,
                digits: digits)
        }

        var text: String {
            func text(_ number: Double) -> String {
                // A little less than nothing would read "-0".
                let unit = pow(10, Double(digits))
                return String(format: "%.\(digits)f", (number * unit).rounded() / unit + 0)
            }
            guard let value else { return "–" }
            return text(value) + (error.map { " ± " + text($0) } ?? "")
        }
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
