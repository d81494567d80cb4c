package import Safetensors
import Tokenization
import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Checkpoint {
    /// The JSON file of the checkpoint before the newest.
    static let previousName = "checkpoint-previous.json"

    /// Reads the newest checkpoint in `directory`, or the one before it where that is damaged
    /// (``passedOver`` says so).
    ///
    /// - Throws: ``CheckpointError`` or `SafetensorsError` when it is missing, damaged or
    ///   inconsistent, and there is none before it that is not.
    public init(directory: URL) throws {
        self = try Checkpoint.newest(in: directory) { _ in }.checkpoint
    }

    /// Reads the checkpoint to act with: of a run's folder the one of the smallest held-out loss,
    /// where it was kept, else the newest, and the newest also where `url` is its JSON file.
    ///
    /// - Throws: As ``init(directory:)``.
    public init(at url: URL) throws {
        if url.lastPathComponent == Checkpoint.fileName {
            self = try Checkpoint(directory: url.deletingLastPathComponent())
        } else {
            let best = Checkpoint.bestFolder(in: url)
            self = try Checkpoint(directory: Checkpoint.exists(in: best) ? best : url)
        }
    }

    /// Where the checkpoint of the smallest held-out loss of the run in `directory` lies, if it is
    /// kept.
    package static func bestFolder(in directory: URL) -> URL {
        directory.appendingPathComponent("best")
    }

    /// Reads the newest checkpoint in `directory` with what `more` reads from its description, or
    /// the one before it where either is damaged.
    ///
    /// - Throws: As ``init(directory:)``, and what `more` throws.
    package static func newest<More>(
        in directory: URL, reading more: (Description) throws -> More
    ) throws -> (checkpoint: Checkpoint, more: More) {
        let newest = directory.appendingPathComponent(fileName)
        while true {
            let present = try? Data(contentsOf: newest)
            do {
                return try read(newest, more)
            } catch {
                // A training that runs beside us has written another and removed what this names.
                guard present == (try? Data(contentsOf: newest)) else { continue }
                if let error = error as? CheckpointError, error.code == .missing { throw error }
                let previous = directory.appendingPathComponent(previousName)
                guard var older = try? read(previous, more) else { throw error }
                older.0.passedOver =
                    "\(error); going back to the checkpoint before it, of step "
                    + "\(older.0.description.step)"
                return older
            }
        }
    }

    /// Reads the optimizer's state of a checkpoint.
    ///
    /// - Throws: `SafetensorsError` or ``CheckpointError`` when it is missing or damaged.
    package static func optimizer(
        _ description: Description, in directory: URL
    ) throws -> SafetensorsFile? {
        try description.optimizer.map { try tensors($0, description, directory) }
    }

    /// Makes the checkpoint before the newest, which is damaged, the newest.
    package static func restorePrevious(in directory: URL) throws(CheckpointError) {
        let previous = directory.appendingPathComponent(previousName)
        guard let data = try? Data(contentsOf: previous) else { return }
        try write(data, to: directory.appendingPathComponent(fileName))
    }

    private static func read<More>(
        _ url: URL, _ more: (Description) throws -> More
    ) throws -> (Checkpoint, More) {
        let description = try description(url)
        let weights = try tensors(
            description.weights, description, url.deletingLastPathComponent())
        return (try Checkpoint(description, weights), try more(description))
    }

    /// Reads a tensor file, which must be the one that was written with the description.
    private static func tensors(
        _ name: String, _ description: Description, _ directory: URL
    ) throws -> SafetensorsFile {
        let file = try SafetensorsFile(contentsOf: directory.appendingPathComponent(name))
        if let sum = description.checksums?[name], file.checksum != sum {
            throw CheckpointError(
                code: .mismatch, file: file.name,
                detail: "it is not the file that was written with this checkpoint: its checksum is "
                    + "\(file.checksum ?? "gone"), not \(sum)")
        }
        return file
    }

    /// The bins of what holds for whole episodes, where the settings have some.
    private static func conditions(
        _ description: Description, _ weights: SafetensorsFile
    ) throws -> Conditions? {
        let bins = description.model.binCount
        let returns = description.tokenization.returnLevels.map {
            ReturnLevels(count: $0, binCount: bins)
        }
        guard let columns = description.tokenization.conditionColumns else {
            return returns.map(Conditions.init(returns:))
        }
        guard try weights.shape(of: conditionEdgesName) == [bins + 1, columns.count] else {
            throw CheckpointError(
                code: .mismatch, file: weights.name,
                detail: "the edges of the conditions are not \(bins + 1) × \(columns.count)")
        }
        return Conditions(
            columns: columns,
            discretizer: try Discretizer(
                strategy: .uniform, validating: weights.doubles(conditionEdgesName),
                dimension: columns.count, binCount: bins),
            returns: returns)
    }

    private init(_ description: Description, _ weights: SafetensorsFile) throws {
        self.description = description
        try TransformerParameters.requireShapes(of: weights, description.model)
        let width = description.model.layout.transitionDimension
        let bins = description.model.binCount
        guard try weights.shape(of: Checkpoint.edgesName) == [bins + 1, width] else {
            throw CheckpointError(
                code: .mismatch, file: weights.name,
                detail: "the discretizer's edges are not \(bins + 1) × \(width)")
        }
        discretizer = try Discretizer(
            strategy: description.tokenization.strategy,
            validating: weights.doubles(Checkpoint.edgesName), dimension: width, binCount: bins,
            hiddenColumns: description.tokenization.hiddenColumns(of: description.model.layout))
        conditions = try Checkpoint.conditions(description, weights)
        model = try TrajectoryTransformer(description.model, tensors: weights)
        guard model.values.allSatisfy(\.isFinite) else {
            let names = weights.tensors.keys.sorted()
            let name = names.first { (try? weights.floats($0))?.allSatisfy(\.isFinite) == false }
            throw CheckpointError(
                code: .malformed, file: weights.name,
                detail: "\(name.map { "'\($0)'" } ?? "a weight") holds what is no finite number; "
                    + "train again, or take an older checkpoint")
        }
    }
}
