import Datasets
import Episodes
import Evaluation
import Foundation
import Jobs
import Tokenization

extension DatasetReport {
    /// The report for a person.
    var text: String {
        ([facts, dimensions, histogram] + (summary.warnings.isEmpty ? [] : [warnings]))
            .joined(separator: "\n\n")
    }

    private var facts: String {
        func spread(_ spread: DatasetSummary.Spread, _ digits: Int) -> String {
            [("min", spread.minimum), ("mean", spread.mean), ("max", spread.maximum)].map {
                "\($0) \($1.text("%.\(digits)f"))"
            }.joined(separator: "   ")
        }
        let endings = summary.endings.sorted { $0.key < $1.key }
            .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        var lines = [
            ("transitions", "\(summary.transitions)"),
            ("episodes", "\(summary.episodes) (\(endings))"),
            (
                "dimensions",
                "observation \(summary.observationDimension)   action \(summary.actionDimension)"
            ),
            ("return", spread(summary.returns, 2)),
        ]
        if let references {
            let low = references.normalizedScore(summary.returns.minimum)
            let mean = references.normalizedScore(summary.returns.mean)
            let high = references.normalizedScore(summary.returns.maximum)
            lines.append(
                ("score", String(format: "min %.2f   mean %.2f   max %.2f", low, mean, high)))
        }
        lines.append(("length", spread(summary.lengths, 1)))
        terminalStates.explanation.map { lines.append(("ends", $0)) }
        lines += summary.attributes.sorted { $0.key < $1.key }
        if let specification, summary.attributes[DatasetEnvironment.attribute] == nil {
            lines.append((DatasetEnvironment.attribute, specification.identifier))
        }
        let width = lines.map(\.0.count).max() ?? 0
        return lines.map { name, text in
            name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + text
        }.joined(separator: "\n")
    }

    private var dimensions: String {
        func number(_ value: Double) -> String { value.text("%.4g") }
        let columns = summary.observations + summary.actions + [summary.rewards]
        let limits =
            summary.observations.map { _ in "" }
            + (specification?.actionLimits.map {
                "\(number($0.lowerBound)) … \(number($0.upperBound))"
            }
                ?? summary.actions.map { _ in "" }) + [""]
        let bins = usage.map { $0.first?.counts.count ?? 0 } ?? 0
        var rows = [["", "min", "mean", "std", "max"]]
        if specification != nil { rows[0].append("limits") }
        if usage != nil { rows[0] += ["bins of \(bins)", "as even", "fullest"] }
        for (index, name) in Self.names(summary).enumerated() {
            var row = [name]
            if index < columns.count {
                let column = columns[index]
                row += [column.minimum, column.mean, column.standardDeviation, column.maximum]
                    .map(number)
                if specification != nil { row.append(limits[index]) }
            } else {
                // The value is not in the file; its tokens are what the model sees.
                row += Array(repeating: "", count: specification == nil ? 4 : 5)
            }
            if let usage {
                row += [
                    "\(usage[index].usedBins)", String(format: "%.1f", usage[index].effectiveBins),
                    String(format: "%.1f %%", 100 * usage[index].largestShare),
                ]
            }
            rows.append(row)
        }
        return TextTable.aligned(rows)
    }

    private var histogram: String {
        let histogram = summary.returnHistogram
        let largest = histogram.counts.max() ?? 0
        let rows = histogram.counts.enumerated().map { index, count in
            [
                index == 0 ? "return" : "", String(format: "%.6g", histogram.edges[index]), "…",
                String(format: "%.6g", histogram.edges[index + 1]), "\(count)",
            ]
        }
        let bars = histogram.counts.map { TextTable.bar(Double($0) / Double(max(1, largest))) }
        return zip(TextTable.aligned(rows).split(separator: "\n"), bars).map {
            $1.isEmpty ? String($0) : "\($0)  \($1)"
        }.joined(separator: "\n")
    }

    private var warnings: String {
        summary.warnings.map { "warning  " + $0 }.joined(separator: "\n")
    }
}
