public import Tokenization
public import Trajectories
public import Transformer

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// All settings of a training run.
public struct TrainingSettings: Codable, Hashable, Sendable {
    /// The model's size and regularization; its dimensions come from the data.
    public var model = TransformerConfiguration.Shape()
    /// How it is trained.
    public var training = TrainingOptions()
    /// How data become tokens.
    public var tokenization = TokenizedDataset.Settings()

    /// The defaults: those of the authors' code.
    public init() {}

    /// A recipe's settings: published ones, or those of a small model that learns within minutes.
    public init(_ recipe: Recipe) {
        if recipe == .quick {
            model.layerCount = 2
            model.embeddingWidth = 64
            tokenization.windowLength = 5
            training.batchSize = 64
        }
        recipe.apply(to: &training, &model)
    }

    /// The settings of the run in `folder`; nil where there is none that can be read.
    public init?(ofRunIn folder: URL) {
        guard let description = try? Checkpoint.description(in: folder),
            let training = Trainer.recordedOptions(in: folder)
        else { return nil }
        model = description.model.shape
        self.training = training
        tokenization = description.tokenization
    }

    /// What is wrong with the settings, whatever the data; nil where nothing is.
    public var problem: String? {
        var model = configuration(
            layout: TransitionLayout(observationDimension: 1, actionDimension: 1))
        // Depends on the data.
        model.goalDimension = 0
        return training.problem ?? tokenization.problem ?? model.problem
    }

    /// The model's configuration for transitions of this layout, which is the data's without the
    /// columns that hold for whole episodes.
    public func configuration(layout: TransitionLayout) -> TransformerConfiguration {
        var result = TransformerConfiguration(
            layout: layout, contextTransitions: tokenization.windowLength, shape: model)
        result.goalDimension = tokenization.prefixCount
        result.binCount = tokenization.binCount
        return result
    }

    /// Names the checkpoint with whose weights the run begins by its place, as records do, where it
    /// is found: a run that goes on may be told the name that it was begun with.
    package mutating func placeInitial() {
        guard let initial = training.initialCheckpoint,
            let url = try? Checkpoint.url(named: initial)
        else { return }
        training.initialCheckpoint = url.path
    }

    /// The bins that a run in `folder` has from elsewhere, nil where it fits its own: one that goes on
    /// has its checkpoint's if it took them, one that begins takes those of the checkpoint with whose
    /// weights it begins, and much else (``takeInitial(settling:)``).
    ///
    /// - Throws: `CheckpointError` when a checkpoint cannot be read.
    package mutating func adoptBins(
        resuming: Bool, in folder: URL, settling settled: inout Set<String>
    ) throws -> Discretizer? {
        try resuming ? Trainer.adoptedBins(in: folder) : takeInitial(settling: &settled)
    }

    /// Gives the run the size of model, the window and the reading of rewards of the checkpoint with
    /// whose weights it begins, except for what is `settled`, and settles them; nothing without such
    /// a checkpoint.
    ///
    /// - Returns: The checkpoint's bins, of which its tokens are numbers; nil without one.
    /// - Throws: `CheckpointError` when it cannot be read.
    package mutating func takeInitial(settling settled: inout Set<String>) throws -> Discretizer? {
        guard let initial = training.initialCheckpoint else { return nil }
        let url = try Checkpoint.url(named: initial)
        let checkpoint = try Checkpoint(at: url)
        let description = checkpoint.description
        let shape = description.model.shape
        func take<Value>(
            _ name: String, _ path: WritableKeyPath<TrainingSettings, Value>, _ value: Value
        ) {
            if settled.insert(name).inserted { self[keyPath: path] = value }
        }
        take("model.layers", \.model.layerCount, shape.layerCount)
        take("model.heads", \.model.headCount, shape.headCount)
        take("model.width", \.model.embeddingWidth, shape.embeddingWidth)
        take(
            "tokenization.windowLength", \.tokenization.windowLength,
            description.tokenization.windowLength)
        take("tokenization.binCount", \.tokenization.binCount, description.model.binCount)
        take("tokenization.strategy", \.tokenization.strategy, checkpoint.discretizer.strategy)
        take("tokenization.hiding", \.tokenization.hiding, description.tokenization.hiding)
        take("tokenization.discount", \.tokenization.discount, description.tokenization.discount)
        // What a model begins without it may be given.
        let tokens = description.tokenization
        if let goals = tokens.goalColumns {
            take("tokenization.goalColumns", \.tokenization.goalColumns, goals)
            take("tokenization.goalRule", \.tokenization.goalRule, tokens.goalRule)
        }
        if let columns = tokens.conditionColumns {
            take("tokenization.conditionColumns", \.tokenization.conditionColumns, columns)
        }
        if let levels = tokens.returnLevels {
            take("tokenization.returnLevels", \.tokenization.returnLevels, levels)
        }
        take(
            "tokenization.terminationPenalty", \.tokenization.terminationPenalty,
            description.tokenization.terminationPenalty)
        training.initialCheckpoint = url.path
        return checkpoint.discretizer
    }
}
