import ArgumentParser
import Foundation
import Signals
import Tokenization
import Training
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

/// `trajectory-device train`: from a token file to a checkpoint.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a Trajectory Transformer on a token file.",
        discussion: """
            The run folder is the one that `trajectory train` writes, and either goes on with the \
            other's: weights, discretizer, optimizer, metrics.csv. A run that is there goes on \
            where its last checkpoint left it.
            """)

    /// What computes.
    enum Computer: String, CaseIterable, ExpressibleByArgument {
        case cuda, cpu
    }

    @Argument(help: "The token file, made by `trajectory dataset tokenize`.")
    var tokens: String

    @Option(help: "The run folder.", completion: .directory)
    var output: String

    @Option(help: "What computes: cuda or cpu.")
    var device: Computer = .cuda

    @OptionGroup var card: DeviceOptions

    @Option(help: "How products are computed: exact or fast.")
    var precision: Precision = .exact

    @Option(help: "Training steps.")
    var steps = 20_000

    @Option(help: "Windows in a batch.")
    var batchSize = 256

    @OptionGroup var recipe: RecipeOptions

    @Option(help: "Transitions in a window, which is also the model's longest context.")
    var window = 10

    @Option(help: "Layers.")
    var layers = 4

    @Option(help: "Attention heads in a layer.")
    var heads = 4

    @Option(help: "Channels of the residual stream.")
    var width = 128

    @Option(help: "Fixes initial weights, order of the data and dropout.")
    var seed: UInt64 = 0

    @Option(help: "Steps between measurements of the held-out loss.")
    var evaluationInterval = 500

    @Option(help: "Steps between checkpoints.")
    var checkpointInterval = 2000

    @Option(help: "Stop with a checkpoint after so many minutes.")
    var timeLimit: Double?

    func run() async throws {
        let file = try TokenFile(contentsOf: URL(fileURLWithPath: tokens))
        var settings = TokenizedDataset.Settings()
        settings.windowLength = window
        let dataset = try TokenizedDataset(file, settings: settings)
        var configuration = TransformerConfiguration(
            layout: dataset.windows.store.layout, contextTransitions: window)
        configuration.binCount = dataset.settings.binCount
        configuration.layerCount = layers
        configuration.headCount = heads
        configuration.embeddingWidth = width
        let options = options(&configuration)
        switch device {
        case .cuda:
            let engine = CUDAEngine(device: try card.open(), precision: precision)
            try train(configuration, dataset, file, options, engine)
        case .cpu:
            let engine = try CPUEngine(precision: precision)
            try train(configuration, dataset, file, options, engine)
        }
    }

    /// How it is trained, and with which dropout.
    private func options(_ configuration: inout TransformerConfiguration) -> TrainingOptions {
        var options = recipe.options(
            forRunIn: URL(fileURLWithPath: output), steps: steps, &configuration)
        options.batchSize = batchSize
        options.seed = seed
        options.evaluationInterval = evaluationInterval
        options.checkpointInterval = checkpointInterval
        options.timeLimit = timeLimit
        return options
    }

    private func train(
        _ configuration: TransformerConfiguration, _ dataset: TokenizedDataset, _ file: TokenFile,
        _ options: TrainingOptions, _ engine: some Engine
    ) throws {
        let folder = URL(fileURLWithPath: output)
        let trainer = try Trainer(
            configuration, dataset: dataset, options: options, directory: folder,
            environment: file.description.source.environment,
            observationDimensions: file.description.source.observationDimensions,
            resume: Checkpoint.exists(in: folder), engine: engine)
        print(
            "\(file.description.rowCount) transitions in "
                + "\(file.description.episodeCount) episodes; "
                + "\(trainer.model.parameterCount) parameters; \(engine.name)")
        let end = try trainer.run(until: Signals.watch()) { progress in
            var line =
                "step \(progress.step)/\(progress.steps)  loss \(progress.loss.digits(4))  "
                + "\((progress.tokensPerSecond * 1e-6).digits(3)) M tokens/s"
            if let loss = progress.heldOutLoss { line += "  held out \(loss.digits(4))" }
            print(line)
        }
        guard end.step < end.steps, let number = Signals.received else { return }
        FileHandle.standardError.write(
            Data(
                ("stopped after step \(end.step) of \(end.steps), which is saved in '\(output)'; "
                    + "the same command goes on\n").utf8))
        throw ExitCode(128 + number)
    }
}
