public import ArgumentParser
import Tokenization
public import Training
public import Transformer

extension Recipe: ExpressibleByArgument {}
extension TrainingOptions.Optimizer: ExpressibleByArgument {}
extension TransformerStart: ExpressibleByArgument {}

/// How parameters begin and learn.
struct RecipeOptions: ParsableArguments {
    @Option(
        help: "How to train: quick, authors, or paper; batches and length are those given here.")
    var recipe: Recipe?

    @Option(
        help: "What parameters learn by: muon (the blocks' matrices; others by AdamW), or adamw.")
    var optimizer: TrainingOptions.Optimizer?

    @Option(help: "Parameters at first: smooth (neighbouring bins alike), or authors.")
    var start: TransformerStart?

    @Option(help: "The full learning rate (by size and length; authors: 6e-4).")
    var learningRate: Double?

    @Option(help: "Dropout of embedding, attention and residual connections (0; authors: 0.1).")
    var dropout: Float?

    @Option(
        help: "Share of the windows that comes from the best of the data alone, by returns.")
    var bestShare: Double?

    @Option(help: "Which part of the transitions is the best (0.1).")
    var bestFraction: Double?

    @Option(
        help: "Share of the windows that begins in an episode's first transitions.")
    var openingShare: Double?

    @Option(help: "How many transitions are an episode's first (as many as a window has).")
    var openingLength: Int?

    @Option(
        help: "Tell the model which of so many levels of return an episode of the data has.")
    var returnLevels: Int?

    @Option(help: "Begin with the weights of this checkpoint; the model's size is its own.")
    var initial: String?

    /// What the options say.
    var overrides: TrainingOverrides {
        var overrides = TrainingOverrides()
        overrides.set(\.training.optimizer, optimizer)
        overrides.set(\.training.start, start)
        overrides.set(\.training.learningRate, learningRate)
        overrides.set(\.training.bestShare, bestShare)
        overrides.set(\.training.bestFraction, bestFraction)
        overrides.set(\.training.openingShare, openingShare)
        overrides.set(\.training.openingLength, openingLength)
        overrides.set(\.training.initialCheckpoint, initial)
        overrides.set(\.tokenization.returnLevels, returnLevels)
        overrides.set(\.model.dropout, dropout)
        return overrides
    }
}
