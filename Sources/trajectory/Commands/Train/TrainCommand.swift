import ArgumentParser
import Foundation
import Tokenization
import Training
import Trajectories
import Transformer

/// `trajectory train`: from a dataset to a checkpoint.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a Trajectory Transformer on a dataset.",
        discussion: """
            The output folder holds the checkpoint (weights, discretizer, optimizer) and metrics.csv. \
            A run that was stopped goes on with --resume, step for step as if it had not been.

            Settings come from the defaults (the paper's), then from --config, then from the options \
            given here. A configuration file has the sections model, training and tokenization; \
            'trajectory train --print-config' shows them; besides, training may have timeLimit \
            (minutes), workers and finalTokens, and tokenization maxPathLength and goalColumns.

            A token file (trajectory dataset tokenize) is mapped into memory as it is needed; it \
            brings the settings with which it was made, and the run is that of the dataset itself.

            With --goal-columns the model is conditioned on a goal: a place to reach, in these columns \
            of the observation. In training a window's goal is where its episode went later.

            Examples:
              trajectory train --dataset hopper.hdf5 --output runs/hopper
              trajectory train --dataset hopper.hdf5 --output runs/small --layers 2 --width 64 --steps 5000
              trajectory train --dataset hopper.hdf5 --output runs/hopper --config Experiments/hopper.yaml --resume
              trajectory train --dataset maze.hdf5 --output runs/maze --goal-columns 0,1 --env pointmaze-umaze
            """)

    @Option(
        help: "The trajectories: a D4RL-format HDF5 file, a Minari folder, or a token file.",
        completion: .file(extensions: ["hdf5", "tokens"]))
    var dataset: String?

    @Option(help: "The run folder.", completion: .directory)
    var output: String?

    @Option(
        help: "A YAML file with settings.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Go on with the run in the output folder.")
    var resume = false

    @Option(help: "Name of the environment the data come from, kept in the checkpoint.")
    var env: String?

    @Option(help: "Training steps (2000).")
    var steps: Int?

    @Option(help: "Windows in a batch (32).")
    var batchSize: Int?

    @Option(help: "Layers (4).")
    var layers: Int?

    @Option(help: "Attention heads in a layer (4).")
    var heads: Int?

    @Option(help: "Channels of the residual stream (128).")
    var width: Int?

    @Option(help: "Transitions in a window, which is also the model's longest context (10).")
    var window: Int?

    @Option(help: "Bins of each dimension (100).")
    var bins: Int?

    @Option(
        help: "Weight of an action token in the loss, that of an observation token being 1 (5).")
    var actionWeight: Float?

    @Option(
        help: "Columns of the observation that make up a goal, such as 0,1; none without it.",
        transform: GoalColumnsArgument.parse)
    var goalColumns: [Int]?

    @Option(help: "Dropout of embedding, attention and residual connections (0.1).")
    var dropout: Float?

    @Option(help: "The full learning rate (6e-4).")
    var learningRate: Double?

    @Option(help: "Fixes initial weights, order of the data and dropout (0).")
    var seed: UInt64?

    @Option(help: "Worker threads; as many as cores when not given.")
    var workers: Int?

    @Option(help: "Stop with a checkpoint after so many minutes.")
    var timeLimit: Double?

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the settings that would be used, as YAML, and do nothing.")
    var printConfig = false

    @Flag(help: "Print where the run ended as JSON.")
    var json = false

    func run() async throws {
        var settings = try config.map(TrainingSettings.init(file:)) ?? TrainingSettings()
        settings.training.steps = steps ?? settings.training.steps
        settings.training.batchSize = batchSize ?? settings.training.batchSize
        settings.training.learningRate = learningRate ?? settings.training.learningRate
        settings.training.seed = seed ?? settings.training.seed
        settings.training.workers = workers ?? settings.training.workers
        settings.training.timeLimit = timeLimit ?? settings.training.timeLimit
        settings.model.layers = layers ?? settings.model.layers
        settings.model.heads = heads ?? settings.model.heads
        settings.model.width = width ?? settings.model.width
        if let dropout { settings.model.dropout = dropout }
        settings.tokenization.windowLength = window ?? settings.tokenization.windowLength
        settings.tokenization.binCount = bins ?? settings.tokenization.binCount
        settings.model.actionWeight = actionWeight ?? settings.model.actionWeight
        settings.tokenization.goalColumns = goalColumns ?? settings.tokenization.goalColumns
        if printConfig { return print(try settings.yaml()) }
        guard let dataset else { throw ValidationError("Missing expected argument '--dataset'") }
        guard let output else { throw ValidationError("Missing expected argument '--output'") }

        let data = try TrainingData(
            URL(fileURLWithPath: dataset), settings: settings.tokenization, reading: reading)
        settings.tokenization = data.tokenized.settings
        let store = data.tokenized.windows.store
        let configuration = settings.configuration(layout: store.layout)
        let trainer = try Trainer(
            configuration, dataset: data.tokenized, options: settings.training,
            directory: URL(fileURLWithPath: output), environment: env ?? data.environment,
            observationDimensions: data.observationDimensions, resume: resume)
        Console.progress(
            "\(store.rowCount) transitions in \(store.episodeCount) episodes; "
                + "\(trainer.model.parameterCount) parameters")
        let progress = ProgressLine()
        let end = try trainer.run { progress.show($0.line, isMilestone: $0.heldOutLoss != nil) }
        progress.finish()
        if json { try Console.printJSON(end) }
    }
}

extension TrainingProgress {
    /// One line for a person.
    fileprivate var line: String {
        var parts = [
            "step \(step)/\(steps)", String(format: "loss %.4f", loss),
            String(format: "%.0f tokens/s", tokensPerSecond),
            String(format: "rate %.2g", learningRate),
        ]
        if let heldOutLoss { parts.insert(String(format: "held out %.4f", heldOutLoss), at: 2) }
        let left = Int(secondsLeft.rounded())
        parts.append(
            left >= 60 ? "\(left / 60) min \(left % 60) s left" : "\(left) s left")
        return parts.joined(separator: "  ")
    }
}
