public import ArgumentParser
import Foundation
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
        help: "Share of the windows that comes from the best tenth of the data alone, by returns.")
    var bestShare: Double?

    @Option(
        help: "Share of the windows that begins in an episode's first transitions.")
    var openingShare: Double?

    @Option(help: "How many transitions are an episode's first (as many as a window has).")
    var openingLength: Int?

    @Option(help: "Begin with the weights of this checkpoint of the same size.")
    var initial: String?

    /// As the options say, else as the run that is there, else as the recipe; `configuration` gets
    /// the dropout.
    func options(
        forRunIn folder: URL, steps: Int, _ configuration: inout TransformerConfiguration
    ) -> TrainingOptions {
        let isThere = Checkpoint.exists(in: folder)
        let run = isThere ? Trainer.recordedOptions(in: folder) : nil
        var options = run ?? TrainingOptions()
        var shape = configuration.shape
        if let present = try? Checkpoint.description(in: folder) {
            shape.dropout = present.model.shape.dropout
        }
        // A run without a record is from before there were recipes.
        let recipe = recipe ?? (run != nil ? nil : isThere ? .authors : .quick)
        recipe?.apply(to: &options, &shape)
        if let optimizer { options.optimizer = optimizer }
        if let start { options.start = start }
        if let bestShare { options.bestShare = bestShare }
        if let openingShare { options.openingShare = openingShare }
        if let openingLength { options.openingLength = openingLength }
        if let initial { options.initialCheckpoint = initial }
        if let dropout { shape.dropout = dropout }
        options.steps = steps
        if let learningRate {
            options.learningRate = learningRate
        } else if let recipe, run == nil {
            options.learningRate = recipe.learningRate(
                options, width: configuration.embeddingWidth)
        }
        configuration.shape = shape
        return options
    }
}
