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
    var openingShare: Double?
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

    /// What to train by, before the data are known.
    struct Settings {
        var settings: TrainingSettings
        /// Names of settings that the minutes may not change.
        var settled: Set<String>
        var recipe: Recipe
        /// About how many minutes to train; nil for the settings' steps.
        var minutes: Double?
    }

    /// The recipe's settings, or those of the run that is resumed, replaced by what was given.
    ///
    /// - Throws: ``Failure``.
    func settings(ofRun run: TrainingSettings?) throws(Failure) -> Settings {
        guard minutes == nil || (steps == nil && !resume) else {
            throw Failure(.option, "minutes is for a new run without steps")
        }
        guard hideSeed == nil || hide != nil else {
            throw Failure(.option, "hide_seed is for hide")
        }
        if let minutes, !(minutes > 0 && minutes.isFinite) {
            throw Failure(.option, "minutes must be positive, found \(minutes)")
        }
        // A run without a record is from before there were recipes.
        let chosen: Recipe? = try recipe.map { name throws(Failure) in try choice("recipe", name) }
        let recipe = chosen ?? (resume ? .authors : .quick)
        var settings = run ?? TrainingSettings(recipe)
        if run != nil { chosen?.apply(to: &settings.training, &settings.model) }
        try apply(to: &settings)
        if run == nil, learningRate == nil {
            settings.training.learningRate = recipe.learningRate(
                settings.training, width: settings.model.embeddingWidth)
        }
        if let problem = settings.problem { throw Failure(.option, problem) }
        guard goalRule == nil || settings.tokenization.goalColumns != nil else {
            throw Failure(.option, "goal_rule is for goal_columns; leave it out")
        }
        let given: [(String, Bool)] = [
            ("tokenization.binCount", bins != nil),
            ("tokenization.strategy", discretizer != nil),
            ("training.learningRate", learningRate != nil), ("model.layers", layers != nil),
            ("model.heads", heads != nil), ("model.width", width != nil),
            ("tokenization.windowLength", window != nil), ("tokenization.hiding", hide != nil),
        ]
        let inMinutes = steps == nil && !resume
        return Settings(
            settings: settings, settled: Set(given.filter(\.1).map(\.0)), recipe: recipe,
            minutes: inMinutes ? minutes ?? timeLimit ?? (recipe == .quick ? 5 : nil) : nil)
    }

    private func apply(to settings: inout TrainingSettings) throws(Failure) {
        func set<Value>(_ path: WritableKeyPath<TrainingSettings, Value>, _ value: Value?) {
            if let value { settings[keyPath: path] = value }
        }
        // Else an option that is not given would count as given as nothing.
        func set<Value>(_ path: WritableKeyPath<TrainingSettings, Value?>, _ value: Value?) {
            if let value { settings[keyPath: path] = value }
        }
        if let optimizer { settings.training.optimizer = try choice("optimizer", optimizer) }
        if let start { settings.training.start = try choice("start", start) }
        set(\.training.steps, steps)
        set(\.training.batchSize, batchSize)
        set(\.training.learningRate, learningRate)
        set(\.training.seed, seed)
        set(\.training.timeLimit, timeLimit)
        set(\.training.bestShare, bestShare)
        set(\.training.openingShare, openingShare)
        if let windowOrder {
            settings.training.windowOrder = try choice("windowOrder", windowOrder)
        }
        set(\.training.initialCheckpoint, initial)
        set(\.training.patience, patience)
        set(\.training.keepsBest, keepBest)
        set(\.training.evaluationInterval, evaluationInterval)
        set(\.training.checkpointInterval, checkpointInterval)
        set(\.model.layerCount, layers)
        set(\.model.headCount, heads)
        set(\.model.embeddingWidth, width)
        set(\.model.dropout, dropout)
        set(\.model.actionWeight, actionWeight)
        set(\.tokenization.windowLength, window)
        set(\.tokenization.binCount, bins)
        if let discretizer {
            settings.tokenization.strategy = try choice("discretizer", discretizer)
        }
        set(\.tokenization.goalColumns, goalColumns)
        if let goalRule { settings.tokenization.goalRule = try choice("goalRule", goalRule) }
        set(\.tokenization.discrete, discrete)
        set(\.tokenization.hiding, hide.map { Hiding(probability: $0, seed: hideSeed ?? 0) })
        set(\.tokenization.terminationPenalty, terminationPenalty)
        if keepsTerminalRewards { settings.tokenization.terminationPenalty = .nothing }
    }
}
