import Bounds
import Files

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The run's learning curve: one line of `metrics.csv` for each report.
public struct MetricsLog: Sendable {
    /// The file.
    public let url: URL

    private static let header =
        "step,tokens,seconds,loss,held_out_loss,learning_rate,gradient_norm,tokens_per_second,"
        + "held_out_cross_entropy,held_out_action_cross_entropy\n"
    private static let fieldCount = header.split(separator: ",").count
    /// Those that logs of older versions have.
    private static let formerFieldCount = 8

    /// The log of the run in `directory`, cut back to the lines up to `step`.
    ///
    /// - Throws: An error of the file system when the file cannot be written.
    public init(directory: URL, keepingUpTo step: Int) throws {
        url = directory.appendingPathComponent("metrics.csv")
        let lines = (try? String(contentsOf: url, encoding: .utf8))?.split(separator: "\n") ?? []
        let isFormer = lines.first.map { $0 + "\n" != Self.header } ?? false
        let kept = lines.dropFirst().compactMap { line -> String? in
            // A line that a full disk or a kill cut short has fewer fields.
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard let at = Int(fields[0]), at <= step else { return nil }
            switch fields.count {
            case Self.fieldCount: return String(line)
            case Self.formerFieldCount where isFormer: return line + ",,"
            default: return nil
            }
        }
        let text = MetricsLog.header + kept.map { $0 + "\n" }.joined()
        try OutputFile.write(Data(text.utf8), to: url, followsLinks: false)
    }

    /// The learning curve of the run in `directory`, report by report.
    ///
    /// Damaged lines are passed over; the number of steps in all is not in the log and is given as
    /// the last step.
    ///
    /// - Throws: An error of the file system when there is no log.
    public static func read(directory: URL) throws -> [TrainingProgress] {
        let url = directory.appendingPathComponent("metrics.csv")
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").dropFirst()
        let rows = lines.map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        }
        let last = rows.last?.first ?? 0
        func field(_ row: [Double?], _ index: Int) -> Double? {
            row.indices.contains(index) ? row[index] : nil
        }
        return rows.compactMap { row in
            guard row.count == fieldCount || row.count == formerFieldCount, let step = row[0],
                let tokens = row[1],
                let seconds = row[2],
                let loss = row[3], let rate = row[5], let norm = row[6], let speed = row[7]
            else { return nil }
            return TrainingProgress(
                step: Int(step), steps: Int(last ?? 0), tokens: Int(tokens), seconds: seconds,
                loss: loss, heldOutLoss: row[4], heldOutCrossEntropy: field(row, 8),
                heldOutActionCrossEntropy: field(row, 9), learningRate: rate, gradientNorm: norm,
                tokensPerSecond: speed)
        }
    }

    /// Adds a line.
    ///
    /// - Throws: An error of the file system when the file cannot be written.
    public func append(_ progress: TrainingProgress) throws {
        func number(_ value: Double?) -> String {
            value.map { $0.printed("%.6f") } ?? ""
        }
        let fields: [String] = [
            "\(progress.step)", "\(progress.tokens)", progress.seconds.printed("%.2f"),
            progress.loss.printed("%.6f"),
            number(progress.heldOutLoss),
            progress.learningRate.printed("%.4g"),
            progress.gradientNorm.printed("%.4f"),
            progress.tokensPerSecond.printed("%.0f"),
            number(progress.heldOutCrossEntropy), number(progress.heldOutActionCrossEntropy),
        ]
        try FilePart.append(Array((fields.joined(separator: ",") + "\n").utf8), to: url)
    }
}
