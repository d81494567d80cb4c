import Evaluation
import Foundation

extension Comparison {
    /// What a person should know before reading the numbers.
    var notes: [String] {
        var notes: [String] = []
        if !leftOut.isEmpty {
            notes.append(
                "left out, since not all methods have it: " + leftOut.joined(separator: ", "))
        }
        if isUneven {
            notes.append(
                "environments have different numbers of \(unit.rawValue): those with more weigh more "
                    + "in IQM, gap and profile")
        }
        return notes
    }

    /// The comparison for a person: methods, environments, profile.
    var text: String {
        let scores = score == .normalized ? "normalized scores" : "returns"
        let intervals = String(
            format: "%g %% intervals, %d draws of %@", 100 * confidence, draws, unit.rawValue)
        let header =
            environments.count == 1 ? environments[0] : "\(environments.count) environments"
        var parts = ["\(header): \(scores), \(intervals)", TextTable.aligned(summary)]
        if environments.count > 1 { parts.append(TextTable.aligned(byEnvironment)) }
        parts.append(TextTable.aligned(profiles))
        return parts.joined(separator: "\n\n")
    }

    private var others: Bool { methods.count > 1 }

    private var summary: [[String]] {
        let first = methods[0].name
        var header = ["method", "runs", "episodes", "IQM", "mean", "median"]
        if score == .normalized { header.append("gap to 100") }
        if others { header += ["better than \(first)", "paired difference"] }
        return [header]
            + methods.map { method in
                var cells = [
                    method.name, "\(method.runs)", "\(method.episodes)",
                    method.interquartileMean.text, method.mean.text, method.median.text,
                ]
                if score == .normalized { cells.append(method.optimalityGap?.text ?? "-") }
                if others {
                    cells.append(method.probabilityOfImprovement?.text("%.2f") ?? "-")
                    cells.append(method.pairedDifference?.text("%+.1f") ?? "-")
                }
                return cells
            }
    }

    private var byEnvironment: [[String]] {
        var rows = [["environment", "method", "runs", "episodes", "mean"]]
        if others { rows[0] += ["paired difference", "pairs"] }
        for (index, environment) in environments.enumerated() {
            for method in methods {
                let here = method.environments[index]
                var cells = [
                    environment, method.name, "\(here.runs)", "\(here.episodes)", here.mean.text,
                ]
                if others {
                    cells.append(here.pairedDifference?.text("%+.1f") ?? "-")
                    cells.append(here.pairedDifference == nil ? "-" : "\(here.pairs)")
                }
                rows.append(cells)
            }
        }
        return rows
    }

    private var profiles: [[String]] {
        [["share above"] + thresholds.map { $0.text("%.0f") }]
            + methods.map { [$0.name] + $0.profile.map { $0.text("%.2f") } }
    }
}

extension Comparison.Estimate {
    /// Such as `61.2 [55.0, 66.4]`.
    var text: String { text("%.1f") }

    /// The same with numbers in another format.
    func text(_ format: String) -> String {
        guard let lower, let upper else { return value.text(format) }
        return "\(value.text(format)) [\(lower.text(format)), \(upper.text(format))]"
    }
}
