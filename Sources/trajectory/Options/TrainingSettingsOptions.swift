public import ArgumentParser
import Bounds
import Jobs
import Tokenization
public import Training
public import Trajectories
public import Transformer

extension HindsightGoal: ExpressibleByArgument {}
extension Recipe: ExpressibleByArgument {}
extension TrainingOptions.Optimizer: ExpressibleByArgument {}
extension TransformerStart: ExpressibleByArgument {}
extension WindowOrder: ExpressibleByArgument {}

/// The settings of a training run that options can replace; the help names the defaults.
struct TrainingSettingsOptions: ParsableArguments {
    private static let defaults = TrainingSettings()
    private static let quick = TrainingSettings(Recipe.quick)

    @Option(
        name: [.long, .customLong("preset")],
        help: ArgumentHelp(
            "How to train: quick, authors, authors/DATASET, or paper.",
            discussion: """
                quick is muon, a smooth start, no dropout, a rate that follows size and length; \
                authors the authors' code, and authors/hopper-medium and so on also its batches and \
                its length for a dataset, which are days without a card; paper the paper's \
                appendix A. --steps makes any of them shorter.
                """, valueName: "recipe"))
    var recipe: Recipe?

    @Option(
        help: "What parameters learn by: muon (the blocks' matrices; others by AdamW), or adamw.")
    var optimizer: TrainingOptions.Optimizer?

    @Option(help: "Parameters at first: smooth (neighbouring bins alike), or authors.")
    var start: TransformerStart?

    @Option(
        help: "Training steps (as many as --minutes allows; authors: \(defaults.training.steps)).")
    var steps: Int?

    @Option(
        help:
            "Windows in a batch (\(quick.training.batchSize); authors: \(defaults.training.batchSize))."
    )
    var batchSize: Int?

    @Option(
        help: """
            Layers (\(quick.model.layerCount), with more time \(defaults.model.layerCount), the authors').
            """)
    var layers: Int?

    @Option(help: "Attention heads in a layer (\(defaults.model.headCount)).")
    var heads: Int?

    @Option(
        help: """
            Channels of the residual stream (\(quick.model.embeddingWidth), with more time \
            \(defaults.model.embeddingWidth), the authors').
            """)
    var width: Int?

    @Option(
        help: """
            Transitions in a window, which is also the model's longest context \
            (\(quick.tokenization.windowLength); authors: \(defaults.tokenization.windowLength)).
            """)
    var window: Int?

    @Option(help: "Bins of each dimension (\(defaults.tokenization.binCount)).")
    var bins: Int?

    @Option(
        help: """
            Where the edges of the bins come from: quantile or uniform \
            (\(defaults.tokenization.strategy)).
            """)
    var discretizer: Discretizer.Strategy?

    @Option(
        help: """
            Weight of an action token in the loss, that of an observation token being 1 \
            (\(defaults.model.actionWeight)).
            """)
    var actionWeight: Float?

    @Option(
        help: "Columns of the observation that make up a goal, such as 0,1; none without it.",
        transform: GoalColumnsArgument.parse)
    var goalColumns: [Int]?

    @Option(
        help: ArgumentHelp(
            "Columns of the observation that hold for a whole episode, such as 2-8 for a map.",
            discussion: """
                They are taken out of the transitions and stand once in front of every sequence. A \
                checkpoint keeps it.
                """, valueName: "columns"),
        transform: GoalColumnsArgument.parseRanges)
    var conditionColumns: [Int]?

    @Option(
        help: ArgumentHelp(
            "Tell the model which of so many levels of return an episode of the data has.",
            discussion: """
                10 for tenths of the transitions. The level stands once in front of every sequence; \
                plans act by the highest, or by --return-level. A checkpoint keeps it.
                """, valueName: "count"))
    var returnLevels: Int?

    @OptionGroup var hiding: HidingOptions
    @Option(
        help: """
            Which place of its episode a window's goal is: any later one, or the last \
            (\(defaults.tokenization.goalRule); the paper: last).
            """)
    var goalRule: HindsightGoal?

    @OptionGroup var penalty: PenaltyOptions

    @Option(
        help: """
            Dropout of embedding, attention and residual connections (0; authors: \
            \(defaults.model.dropout)).
            """)
    var dropout: Float?

    @Option(
        help: """
            The full learning rate (by size and length; authors: \
            \(defaults.training.learningRate)).
            """)
    var learningRate: Double?

    @Option(
        help: "Fixes initial weights, order of the data and dropout (\(defaults.training.seed)).")
    var seed: UInt64?

    @Option(
        help: """
            Share of the windows that comes from the best of the data alone, by the returns of \
            their episodes (\(quick.training.bestShare); authors: 0).
            """)
    var bestShare: Double?

    @Option(help: "Which part of the transitions is the best (0.1).")
    var bestFraction: Double?

    @Option(
        help: """
            Share of the windows that begins in an episode's first transitions \
            (\(quick.training.openingShare); authors: 0).
            """)
    var openingShare: Double?

    @Option(help: "How many transitions are an episode's first (as many as a window has).")
    var openingLength: Int?

    @Option(
        help: """
            Order of an epoch's windows: shuffled, or blocks, which reads a token file a megabyte at a \
            time (where it is more than half of the memory, else shuffled).
            """)
    var windowOrder: WindowOrder?

    @Option(
        help: """
            Begin with the weights of this checkpoint, a folder or a name, in place of fresh ones; \
            the model's size and bins are its own, whatever the data.
            """,
        completion: .directory)
    var initial: String?

    @Option(help: "Stop after so many held-out measurements in a row without a smaller loss.")
    var patience: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Keep the checkpoint of the smallest held-out loss (yes; authors: no).")
    var keepBest: Bool?

    @Option(help: "Worker threads; as many as cores when not given.")
    var workers: Int?

    @Option(help: "Stop with a checkpoint after so many minutes.")
    var timeLimit: Double?

    func validate() throws {
        try require(.steps, ["--steps": steps])
        try require(.batch, ["--batch-size": batchSize])
        try require(.layers, ["--layers": layers])
        try require(.heads, ["--heads": heads])
        try require(.width, ["--width": width])
        try require(.transitions, ["--window": window])
        try require(.bins, ["--bins": bins])
        try require(.workers, ["--workers": workers])
        var settings = Self.defaults
        overrides.apply(to: &settings)
        if let problem = settings.training.problem {
            throw ValidationError(Self.named(problem))
        }
    }

    /// The option for a setting that is not called as it is.
    private static let names = [
        "layerCount": "--layers", "headCount": "--heads", "embeddingWidth": "--width",
        "embeddingDropout": "--dropout", "windowLength": "--window", "contextLength": "--window",
        "binCount": "--bins", "goalRule": "--goal-rule", "goalColumns": "--goal-columns",
        "conditionColumns": "--condition-columns", "returnLevels": "--return-levels",
    ]

    /// What is wrong with settings, with the options in the place of their names.
    static func named(_ problem: String) -> String {
        let words = problem.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let settings: Set<String> = [
            "steps", "batchSize", "learningRate", "patience", "timeLimit", "workers",
            "actionWeight", "bestShare", "bestFraction", "openingShare", "openingLength",
            "terminationPenalty",
        ]
        return words.enumerated().map { index, word in
            names[word]
                ?? (index == 0 && settings.contains(word)
                    ? PlannerOptionsGroup.optionName(word) : word)
        }.joined(separator: " ")
    }

    /// What the options say.
    var overrides: TrainingOverrides {
        var overrides = TrainingOverrides()
        overrides.set(\.training.optimizer, optimizer)
        overrides.set(\.training.start, start)
        overrides.set(\.training.steps, steps)
        overrides.set(\.training.batchSize, batchSize)
        overrides.set(\.training.learningRate, learningRate)
        overrides.set(\.training.seed, seed)
        overrides.set(\.training.workers, workers)
        overrides.set(\.training.timeLimit, timeLimit)
        overrides.set(\.training.bestShare, bestShare)
        overrides.set(\.training.bestFraction, bestFraction)
        overrides.set(\.training.openingShare, openingShare)
        overrides.set(\.training.openingLength, openingLength)
        overrides.set(\.training.windowOrder, windowOrder)
        overrides.set(\.training.initialCheckpoint, initial)
        overrides.set(\.training.patience, patience)
        overrides.set(\.training.keepsBest, keepBest)
        overrides.set(\.model.layerCount, layers)
        overrides.set(\.model.headCount, heads)
        overrides.set(\.model.embeddingWidth, width)
        overrides.set(\.model.dropout, dropout)
        overrides.set(\.model.actionWeight, actionWeight)
        overrides.set(\.tokenization.windowLength, window)
        overrides.set(\.tokenization.binCount, bins)
        overrides.set(\.tokenization.strategy, discretizer)
        overrides.set(\.tokenization.goalColumns, goalColumns)
        overrides.set(\.tokenization.conditionColumns, conditionColumns)
        overrides.set(\.tokenization.returnLevels, returnLevels)
        overrides.set(\.tokenization.hiding, hiding.hiding)
        overrides.set(\.tokenization.goalRule, goalRule)
        overrides.set(\.tokenization.terminationPenalty, penalty.penalty)
        return overrides
    }
}
