import Files
public import Tokenization
public import Trajectories

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Everything planning needs, without the dataset: the model, the discretizer, and how tokens were
/// made.
///
/// On disk a folder with `checkpoint.json` and the tensor file it names. The JSON file is written
/// last and atomically: until it changes, the previous checkpoint is whole. It stays: its JSON file
/// becomes `checkpoint-previous.json`, and is read where the newest turns out to be damaged.
public struct Checkpoint {
    /// What the JSON file holds.
    public var description: Description
    /// The model.
    public var model: TrajectoryTransformer
    /// The bins of every dimension.
    public var discretizer: Discretizer
    /// What of an observation holds for a whole episode, and its bins; nil where nothing is taken
    /// out of the transitions.
    public var conditions: Conditions?
    /// What is wrong with the folder's newest checkpoint, where this is the one before it.
    public internal(set) var passedOver: String?

    /// A checkpoint of a model.
    public init(
        model: TrajectoryTransformer, discretizer: Discretizer, conditions: Conditions? = nil,
        tokenization: TokenizedDataset.Settings, environment: String? = nil,
        observationDimensions: Int? = nil, step: Int = 0, tokens: Int = 0,
        seconds: Double? = nil, seed: UInt64? = nil
    ) {
        self.model = model
        self.discretizer = discretizer
        self.conditions = conditions
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

    /// Whether there are tokens in front of its sequences: of a goal, or of ``conditions``.
    public var takesPrefix: Bool { description.model.goalDimension > 0 }

    /// Which column is which in the data and the environment: the model's layout, with the
    /// ``conditions`` among the observation.
    public var dataLayout: TransitionLayout { description.dataLayout }

    /// Version of the format that is written and read.
    public static let currentFormat = 1

    static let fileName = "checkpoint.json"
    static let edgesName = "discretizer.edges"
    static let conditionEdgesName = "conditions.edges"

    /// Whether there is a checkpoint in `directory`, whole or damaged.
    public static func exists(in directory: URL) -> Bool {
        FileManager.default.fileExists(
            atPath: directory.appendingPathComponent(fileName).path)
    }

    /// Reads the JSON file of the newest checkpoint in `directory`.
    ///
    /// - Throws: ``CheckpointError`` when it is missing or damaged.
    public static func description(in directory: URL) throws(CheckpointError) -> Description {
        try description(directory.appendingPathComponent(fileName))
    }

    /// Reads the JSON file of a checkpoint.
    static func description(_ url: URL) throws(CheckpointError) -> Description {
        guard let data = try? Data(contentsOf: url) else {
            throw CheckpointError(
                code: .missing, file: url.deletingLastPathComponent().path,
                detail: "there is no \(fileName) in it; give the folder of a training run")
        }
        guard Seal.state(of: data) != .broken else {
            throw CheckpointError(
                code: .malformed, file: url.path,
                detail: "it is damaged: it is not the text of which it has the checksum; was it "
                    + "edited by hand? (who does, leaves the checksum out)")
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
            ?? description.tokenization.goalProblem(layout: description.dataLayout)
            ?? description.tokenization.discreteProblem(layout: description.model.layout)
            ?? description.problem
        {
            throw CheckpointError(code: .malformed, file: url.path, detail: problem)
        }
        guard description.tokenization.terminationPenalty != .automatic else {
            throw CheckpointError(
                code: .malformed, file: url.path,
                detail: "its terminationPenalty is undecided; was it edited by hand?")
        }
        let tokenization = description.tokenization
        guard tokenization.prefixCount == description.model.goalDimension else {
            let goals = tokenization.goalColumns?.count ?? 0
            let conditions = tokenization.conditionColumns?.count ?? 0
            throw CheckpointError(
                code: .malformed, file: url.path,
                detail: "its model takes \(description.model.goalDimension) goal tokens, its "
                    + "tokenization has \(goals) goalColumns"
                    + (conditions > 0 ? " and \(conditions) conditionColumns" : "")
                    + (tokenization.returnLevels == nil ? "" : " and returnLevels")
                    + "; was it edited by hand?")
        }
        return description
    }
}
