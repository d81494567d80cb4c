import Foundation
import Tokenization
import Transformer

/// The settings of a run, kept as `settings.json` in its folder, so that it is resumed with the
/// same.
enum RunRecord {
    private struct Settings: Codable {
        var training: TrainingOptions
        var tokenization: TokenizedDataset.Settings
    }

    /// Settings that may change between the parts of a run: none decides what a step computes.
    private static let free: Set<String> = [
        "training.steps", "training.timeLimit", "training.workers", "training.evaluationInterval",
        "training.checkpointInterval",
    ]

    private static func url(_ directory: URL) -> URL {
        directory.appendingPathComponent("settings.json")
    }

    /// Writes the settings into the folder, which is created if need be.
    static func write(
        _ training: TrainingOptions, _ tokenization: TokenizedDataset.Settings, in directory: URL
    ) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(Settings(training: training, tokenization: tokenization))
                .write(to: url(directory), options: .atomic)
        } catch {
            throw CheckpointError(
                code: .unwritable, file: directory.path,
                detail: "the folder cannot be written; check the path and its permissions")
        }
    }

    /// Refuses to resume with settings under which the next step would not be the run's.
    static func check(
        _ training: TrainingOptions, _ tokenization: TokenizedDataset.Settings, in directory: URL
    ) throws {
        guard let data = try? Data(contentsOf: url(directory)) else { return }
        let kept = try flat(data)
        let given = try flat(
            JSONEncoder().encode(Settings(training: training, tokenization: tokenization)))
        for key in Set(kept.keys).union(given.keys).subtracting(free).sorted()
        where kept[key] != given[key] {
            throw TrainingError(
                .otherRun, in: directory.path,
                "the run in it has \(key) \(kept[key] ?? "unset"), not "
                    + "\(given[key] ?? "unset"); resume with the same settings")
        }
    }

    private static func flat(_ data: Data) throws -> [String: String] {
        let sections = try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]]
        var result: [String: String] = [:]
        for (section, values) in sections ?? [:] {
            // Null is written for what is unset, or nothing at all.
            for (key, value) in values where !(value is NSNull) {
                // A list's own text has several lines.
                let text = (value as? [Any])?.map { "\($0)" }.joined(separator: ", ")
                result["\(section).\(key)"] = text ?? "\(value)"
            }
        }
        return result
    }
}
