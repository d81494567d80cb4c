public import Foundation
public import Safetensors
public import Tokenization
import Trajectories

/// Everything planning needs, without the dataset: the model, the discretizer, and how tokens were
/// made.
///
/// On disk a folder with `checkpoint.json` and the tensor file it names. The JSON file is written
/// last and atomically: until it changes, the previous checkpoint is whole.
public struct Checkpoint {
    /// What the JSON file holds.
    public var description: Description
    /// The model.
    public var model: TrajectoryTransformer
    /// The bins of every dimension.
    public var discretizer: Discretizer

    /// A checkpoint of a model.
    public init(
        model: TrajectoryTransformer, discretizer: Discretizer,
        tokenization: TokenizedDataset.Settings, environment: String? = nil,
        observationDimensions: Int? = nil, step: Int = 0, tokens: Int = 0,
        seconds: Double? = nil, seed: UInt64? = nil
    ) {
        self.model = model
        self.discretizer = discretizer
        description = Description(
            model: model.configuration, tokenization: tokenization, step: step, tokens: tokens)
        description.environment = environment
        description.observationDimensions = observationDimensions
        description.seconds = seconds
        description.seed = seed
    }

    /// Columns of the observation that hold the goal, in the order of the goal's tokens; empty for
    /// a model without goal.
    public var goalColumns: [Int] { description.tokenization.goalColumns ?? [] }

    /// Version of the format that is written and read.
    public static let currentFormat = 1

    private static let fileName = "checkpoint.json"
    private static let edgesName = "discretizer.edges"

    /// Reads the checkpoint in `directory`.
    ///
    /// - Throws: ``CheckpointError`` or `SafetensorsError` when it is missing, damaged or
    ///   inconsistent.
    public init(directory: URL) throws {
        let description = try Checkpoint.description(in: directory)
        self.description = description
        let weights = try SafetensorsFile(
            contentsOf: directory.appendingPathComponent(description.weights))
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
            validating: weights.doubles(Checkpoint.edgesName), dimension: width, binCount: bins)
        model = try TrajectoryTransformer(description.model, tensors: weights)
    }

    /// Whether there is a checkpoint in `directory`, whole or damaged.
    public static func exists(in directory: URL) -> Bool {
        FileManager.default.fileExists(
            atPath: directory.appendingPathComponent(fileName).path)
    }

    /// Reads the JSON file of the checkpoint in `directory`.
    ///
    /// - Throws: ``CheckpointError`` when it is missing or damaged.
    public static func description(in directory: URL) throws(CheckpointError) -> Description {
        let url = directory.appendingPathComponent(fileName)
        guard let data = try? Data(contentsOf: url) else {
            throw CheckpointError(
                code: .missing, file: directory.path,
                detail: "there is no \(fileName) in it; give the folder of a training run")
        }
        let description: Description
        do {
            description = try JSONDecoder().decode(Description.self, from: data)
        } catch {
            throw CheckpointError(
                code: .malformed, file: url.path,
                detail:
                    "it is not a checkpoint description of format \(currentFormat); was it edited "
                    + "by hand?")
        }
        guard description.format == currentFormat else {
            throw CheckpointError(
                code: .malformed, file: url.path,
                detail: "it is of format \(description.format), this version reads format "
                    + "\(currentFormat); train again or use the version that wrote it")
        }
        if let problem = description.model.problem ?? description.tokenization.problem
            ?? description.tokenization.goalProblem(layout: description.model.layout)
            ?? description.problem
        {
            throw CheckpointError(code: .malformed, file: url.path, detail: problem)
        }
        guard description.tokenization.terminationPenalty != .automatic else {
            throw CheckpointError(
                code: .malformed, file: url.path,
                detail: "its terminationPenalty is undecided; was it edited by hand?")
        }
        let columns = description.tokenization.goalColumns ?? []
        guard columns.count == description.model.goalDimension else {
            throw CheckpointError(
                code: .malformed, file: url.path,
                detail: "its model takes \(description.model.goalDimension) goal tokens, its "
                    + "tokenization has \(columns.count) goalColumns; was it edited by hand?")
        }
        return description
    }

    /// Writes the checkpoint into `directory`, which is created if need be.
    ///
    /// - Parameters:
    ///   - directory: The folder.
    ///   - optimizer: The optimizer's state, to resume training from.
    /// - Throws: ``CheckpointError`` or `SafetensorsError` when the folder cannot be written.
    public func write(to directory: URL, optimizer: SafetensorsFile? = nil) throws {
        do {
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true)
        } catch {
            throw CheckpointError(
                code: .unwritable, file: directory.path,
                detail: "the folder cannot be created; check the path and its permissions")
        }
        var description = description
        description.weights = "weights-\(description.step).safetensors"
        description.optimizer = optimizer.map { _ in "optimizer-\(description.step).safetensors" }

        var weights = model.tensors()
        weights.set(
            Checkpoint.edgesName, discretizer.edges,
            shape: [discretizer.binCount + 1, discretizer.dimension])
        weights.metadata["format"] = "trajectory-transformer 1"
        try weights.write(to: directory.appendingPathComponent(description.weights))
        if let optimizer, let name = description.optimizer {
            try optimizer.write(to: directory.appendingPathComponent(name))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let url = directory.appendingPathComponent(Checkpoint.fileName)
        do {
            try encoder.encode(description).write(to: url, options: .atomic)
        } catch {
            throw CheckpointError(
                code: .unwritable, file: url.path, detail: "writing failed; is the disk full?")
        }
        removeOthers(in: directory, keeping: description)
    }

    /// Removes the tensor files of earlier checkpoints, now that none refers to them.
    private func removeOthers(in directory: URL, keeping description: Description) {
        let kept = [description.weights, description.optimizer]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        for name in names where name.hasSuffix(".safetensors") && !kept.contains(name) {
            guard name.hasPrefix("weights-") || name.hasPrefix("optimizer-") else { continue }
            try? FileManager.default.removeItem(at: directory.appendingPathComponent(name))
        }
    }
}
