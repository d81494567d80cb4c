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

    @Option(help: "Transitions in a window, which is also the model's longest context (10).")
    var window: Int?

    @Option(help: "Layers (4).")
    var layers: Int?

    @Option(help: "Attention heads in a layer (4).")
    var heads: Int?

    @Option(help: "Channels of the residual stream (128).")
    var width: Int?

    @Option(help: "Fixes initial weights, order of the data and dropout.")
    var seed: UInt64 = 0

    @Option(help: "Steps between measurements of the held-out loss.")
    var evaluationInterval = 500

    @Option(help: "Steps between checkpoints.")
    var checkpointInterval = 2000

    @Option(help: "Stop with a checkpoint after so many minutes.")
    var timeLimit: Double?

    func run() async throws {
        let folder = URL(fileURLWithPath: output)
        let resumes = Checkpoint.exists(in: folder)
        var choice = try TrainingChoice(
            overrides, recipe: recipe.recipe, resumes: resumes,
            run: resumes ? TrainingSettings(ofRunIn: folder) : nil, base: TrainingSettings())
        choice.settings.placeInitial()
        if !resumes { _ = try choice.settings.takeInitial(settling: &choice.settled) }
        let file = try TokenFile(contentsOf: URL(fileURLWithPath: tokens))
        let dataset = try TokenizedDataset(file, settings: choice.settings.tokenization)
        choice.settings.tokenization = dataset.settings
        switch device {
        case .cuda:
            let engine = CUDAEngine(device: try card.open(), precision: precision)
            try train(choice.settings, dataset, file, engine, resumes: resumes)
        case .cpu:
            let engine = try CPUEngine(precision: precision)
            try train(choice.settings, dataset, file, engine, resumes: resumes)
        }
    }

    /// What the options say.
    private var overrides: TrainingOverrides {
        var overrides = recipe.overrides
        overrides.set(\.training.steps, steps)
        overrides.set(\.training.batchSize, batchSize)
        overrides.set(\.training.seed, seed)
        overrides.set(\.training.evaluationInterval, evaluationInterval)
        overrides.set(\.training.checkpointInterval, checkpointInterval)
        overrides.set(\.training.timeLimit, timeLimit)
        overrides.set(\.tokenization.windowLength, window)
        overrides.set(\.model.layerCount, layers)
        overrides.set(\.model.headCount, heads)
        overrides.set(\.model.embeddingWidth, width)
        return overrides
    }

    private func train(
        _ settings: TrainingSettings, _ dataset: TokenizedDataset, _ file: TokenFile,
        _ engine: some Engine, resumes: Bool
    ) throws {
        let trainer = try Trainer(
            settings.configuration(layout: dataset.windows.store.layout), dataset: dataset,
            options: settings.training, directory: URL(fileURLWithPath: output),
            environment: file.description.source.environment,
            observationDimensions: file.description.source.observationDimensions,
            resume: resumes, engine: engine)
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
