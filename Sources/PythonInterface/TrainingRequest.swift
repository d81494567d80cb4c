import Tokenization
import Training
import Trajectories
import Transformer

/// The keyword arguments of a training run, as options of the command line that trains; what is nil
/// was not given.
struct TrainingRequest: Decodable {
    var recipe: String?
    var optimizer: String?
    var start: String?
    var steps: Int?
    var minutes: Double?
    var batchSize: Int?
    var layers: Int?
    var heads: Int?
    var width: Int?
    var window: Int?
    var bins: Int?
    var discretizer: String?
    var actionWeight: Float?
    var goalColumns: [Int]?
    var goalRule: String?
    var conditionColumns: [Int]?
    var returnLevels: Int?
    var discrete: [DiscreteColumn]?
    var hide: Double?
    var hideSeed: UInt64?
    /// A number, `auto`, or `none` as text.
    var terminationPenalty: TerminationPenalty?
    var keepsTerminalRewards: Bool
    var dropout: Float?
    var learningRate: Double?
    var seed: UInt64?
    var bestShare: Double?
    var bestFraction: Double?
    var openingShare: Double?
    var openingLength: Int?
    var windowOrder: String?
    var initial: String?
    /// The folder of the models that the package carries.
    var shipped: String
    var patience: Int?
    var keepBest: Bool?
    var timeLimit: Double?
    var evaluationInterval: Int?
    var checkpointInterval: Int?
    var environment: String?
    /// A folder for TensorBoard's events.
    var tensorboard: String?
    var resume: Bool

    /// The recipe's settings, or those of the run that is resumed, replaced by what was given.
    ///
    /// - Throws: ``Failure``.
    func chosen(ofRun run: TrainingSettings?) throws -> TrainingChoice {
        guard minutes == nil || (steps == nil && !resume) else {
            throw Failure(.option, "minutes is for a new run without steps")
        }
        guard hideSeed == nil || hide != nil else {
            throw Failure(.option, "hide_seed is for hide")
        }
        if let minutes, !(minutes > 0 && minutes.isFinite) {
            throw Failure(.option, "minutes must be positive, found \(minutes)")
        }
        let choice = try TrainingChoice(
            overrides(), recipe: value("recipe", recipe), resumes: resume, run: run,
            minutes: minutes)
        if let problem = choice.settings.problem { throw Failure(.option, problem) }
        guard goalRule == nil || choice.settings.tokenization.goalColumns != nil else {
            throw Failure(.option, "goal_rule is for goal_columns; leave it out")
        }
        return choice
    }

    private func overrides() throws(Failure) -> TrainingOverrides {
        var overrides = TrainingOverrides()
        overrides.set(\.training.optimizer, try value("optimizer", optimizer))
        overrides.set(\.training.start, try value("start", start))
        overrides.set(\.training.steps, steps)
        overrides.set(\.training.batchSize, batchSize)
        overrides.set(\.training.learningRate, learningRate)
        overrides.set(\.training.seed, seed)
        overrides.set(\.training.timeLimit, timeLimit)
        overrides.set(\.training.bestShare, bestShare)
        overrides.set(\.training.bestFraction, bestFraction)
        overrides.set(\.training.openingShare, openingShare)
        overrides.set(\.training.openingLength, openingLength)
        overrides.set(\.training.windowOrder, try value("windowOrder", windowOrder))
        overrides.set(\.training.initialCheckpoint, initial)
        overrides.set(\.training.patience, patience)
        overrides.set(\.training.keepsBest, keepBest)
        overrides.set(\.training.evaluationInterval, evaluationInterval)
        overrides.set(\.training.checkpointInterval, checkpointInterval)
        overrides.set(\.model.layerCount, layers)
        overrides.set(\.model.headCount, heads)
        overrides.set(\.model.embeddingWidth, width)
        overrides.set(\.model.dropout, dropout)
        overrides.set(\.model.actionWeight, actionWeight)
        overrides.set(\.tokenization.windowLength, window)
        overrides.set(\.tokenization.binCount, bins)
        overrides.set(\.tokenization.strategy, try value("discretizer", discretizer))
        overrides.set(\.tokenization.goalColumns, goalColumns)
        overrides.set(\.tokenization.goalRule, try value("goalRule", goalRule))
        overrides.set(\.tokenization.conditionColumns, conditionColumns)
        overrides.set(\.tokenization.returnLevels, returnLevels)
        overrides.set(\.tokenization.discrete, discrete)
        overrides.set(
            \.tokenization.hiding, hide.map { Hiding(probability: $0, seed: hideSeed ?? 0) })
        overrides.set(
            \.tokenization.terminationPenalty,
            keepsTerminalRewards ? .nothing : terminationPenalty)
        return overrides
    }

    /// The value of that name, where one is given.
    private func value<Value: RawRepresentable & CaseIterable>(
        _ option: String, _ name: String?
    ) throws(Failure) -> Value? where Value.RawValue == String {
        guard let name else { return nil }
        return try choice(option, name)
    }
}
