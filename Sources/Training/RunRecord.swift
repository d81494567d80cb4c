import Files
import Tokenization
import Transformer

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The settings of a run, kept as `settings.json` in its folder, so that it is resumed with the
/// same.
enum RunRecord {
    private struct Settings: Codable {
        var training: TrainingOptions
        var tokenization: TokenizedDataset.Settings
        /// Who computes, where that is more than one process.
        var group: Group?
    }

    private struct Group: Codable {
        var processes: Int
    }

    /// Settings that may change between the parts of a run.
    ///
    /// Some matter all the same, and the trainer says so: `steps`, at which the schedule of the
    /// learning rate ends, and `workers` and `processes`, by which sums are rounded.
    private static let free: Set<String> = [
        "training.steps", "training.timeLimit", "training.workers", "training.evaluationInterval",
        "training.checkpointInterval", "training.keepsBest", "training.patience",
        "group.processes",
    ]

    private static func url(_ directory: URL) -> URL {
        directory.appendingPathComponent("settings.json")
    }

    /// Writes the settings into the folder, which is created if need be.
    static func write(
        _ training: TrainingOptions, _ tokenization: TokenizedDataset.Settings,
        processes: Int = 1, in directory: URL
    ) throws(CheckpointError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            let data = try Seal.json(
                Settings(
                    training: training, tokenization: tokenization,
                    group: processes > 1 ? Group(processes: processes) : nil),
                using: encoder)
            try OutputFile.write(data, to: url(directory), followsLinks: false)
        } catch let error as FileError {
            throw CheckpointError(code: .unwritable, file: error.file, detail: error.detail)
        } catch {
            throw CheckpointError(
                code: .unwritable, file: url(directory).path,
                detail: "its settings cannot be written as JSON (\(error))")
        }
    }

    /// The number that a setting of the run in `directory` has, such as `training.steps`.
    static func number(_ setting: String, in directory: URL) -> Int? {
        (try? Data(contentsOf: url(directory))).flatMap { try? flat($0, directory) }
            .flatMap { $0[setting] }.flatMap { Int($0) }
    }

    /// The training options of the run in `directory`; see ``Trainer/recordedOptions(in:)``.
    static func options(in directory: URL) -> TrainingOptions? {
        guard let data = try? Data(contentsOf: url(directory)), Seal.state(of: data) != .broken,
            let kept = try? JSONDecoder().decode([String: PlainJSON].self, from: data)["training"]?
                .members,
            let defaults = try? JSONEncoder().encode(TrainingOptions()),
            var all = try? JSONDecoder().decode([String: PlainJSON].self, from: defaults)
        else { return nil }
        all.merge(kept) { $1 }
        all["timeLimit"] = nil
        return (try? JSONEncoder().encode(all)).flatMap {
            try? JSONDecoder().decode(TrainingOptions.self, from: $0)
        }
    }

    /// Refuses to resume with settings under which the next step would not be the run's.
    static func check(
        _ training: TrainingOptions, _ tokenization: TokenizedDataset.Settings, in directory: URL
    ) throws {
        guard let data = try? Data(contentsOf: url(directory)) else { return }
        var kept = try flat(data, directory)
        // What was not recorded yet was as the defaults are.
        for (key, value) in try flat(
            JSONEncoder().encode(
                Settings(training: TrainingOptions(), tokenization: .init())), directory)
        where kept[key] == nil
            && (key.hasPrefix("training.") || key == "tokenization.goalRule")
        {
            kept[key] = value
        }
        let given = try flat(
            JSONEncoder().encode(Settings(training: training, tokenization: tokenization)),
            directory)
        for key in Set(kept.keys).union(given.keys).subtracting(free).sorted()
        where kept[key] != given[key] {
            throw TrainingError(
                .otherRun, in: directory.path,
                "the run in it has \(key) \(kept[key] ?? "unset"), not "
                    + "\(given[key] ?? "unset"); resume with the same settings")
        }
    }

    /// What differs between two models' configurations, such as `with layerCount 1, not 4`.
    static func difference(
        _ kept: TransformerConfiguration, _ given: TransformerConfiguration
    ) -> String {
        func values(_ configuration: TransformerConfiguration) -> [String: String] {
            let object = (try? JSONEncoder().encode(configuration)).flatMap {
                try? JSONDecoder().decode([String: PlainJSON].self, from: $0)
            }
            return (object ?? [:]).mapValues(\.shown)
        }
        let (own, other) = (values(kept), values(given))
        let key = own.keys.sorted().first { own[$0] != other[$0] }
        return key.map { "with \($0) \(own[$0] ?? ""), not \(other[$0] ?? "unset")" }
            ?? "of another configuration"
    }

    private static func flat(
        _ data: Data, _ directory: URL
    ) throws(CheckpointError) -> [String: String] {
        guard Seal.state(of: data) != .broken,
            let sections = try? JSONDecoder().decode([String: PlainJSON].self, from: data)
        else {
            throw CheckpointError(
                code: .malformed, file: url(directory).path,
                detail: "it is damaged, or was edited by hand (who does, leaves the checksum out); "
                    + "without the file a run is resumed with the settings given")
        }
        var result: [String: String] = [:]
        for (section, values) in sections {
            // Null is written for what is unset, or nothing at all.
            for (key, value) in values.members ?? [:] where value != .null {
                result["\(section).\(key)"] = value.shown
            }
        }
        return result
    }
}
