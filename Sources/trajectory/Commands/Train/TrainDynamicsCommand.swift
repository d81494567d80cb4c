import ArgumentParser
import Bounds
import Foundation
import Jobs
import Learning
import Signals

/// `trajectory train-dynamics`: the single-step baseline of `trajectory predict`.
struct TrainDynamicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-dynamics",
        abstract: "Train an ensemble of single-step dynamics models.",
        discussion: """
            A probabilistic ensemble (PETS, Chua et al. 2018): each network predicts mean and \
            variance of the next change of the observation, on bootstrapped data. --skip-last \
            leaves the last episodes out, for `trajectory predict` to be measured on.

            Examples:
              trajectory train-dynamics --dataset hopper.hdf5 --output dynamics.safetensors
              trajectory train-dynamics --dataset hopper.hdf5 --skip-last 20 --steps 5000 \
            --output dynamics.safetensors --json

            Keys of the JSON object: output, transitions, episodes, members, steps, loss, seconds.
            """)

    @Option(help: "The trajectories: a file, folder or Minari name; several are joined.")
    var dataset: [String]

    @Option(help: "File for the ensemble (safetensors).")
    var output: String

    @Option(help: "Networks.")
    var members = DynamicsTrainer.Settings().members

    @Option(help: "Hidden layers of a network.")
    var layers = DynamicsTrainer.Settings().learning.hiddenSizes.count

    @Option(help: "Channels of a hidden layer.")
    var width = DynamicsTrainer.Settings().learning.hiddenSizes[0]

    @Option(help: "Steps of each network.")
    var steps = DynamicsTrainer.Settings().learning.steps

    @Option(help: "Transitions in a batch.")
    var batchSize = DynamicsTrainer.Settings().learning.batchSize

    @Option(help: "Learning rate.")
    var learningRate = DynamicsTrainer.Settings().learning.learningRate

    @Option(help: "Episodes at the end of the file that are not trained on.")
    var skipLast = 0

    @Option(help: "Fixes weights, resampling and batches.")
    var seed: UInt64 = 0

    @OptionGroup var hiding: HidingOptions

    @OptionGroup var events: TensorBoardOption

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        try require(.together, ["--members": members])
        try require(.layers, ["--layers": layers])
        try require(.width, ["--width": width])
        try require(.steps, ["--steps": steps])
        try require(.batch, ["--batch-size": batchSize])
        try require(Bound.steps.orNone, ["--skip-last": skipLast])
        try requirePositive(["--learning-rate": learningRate])
    }

    func run() async throws {
        var job = DynamicsTrainingJob(
            dataset: URL(fileURLWithPath: dataset[0]), output: URL(fileURLWithPath: output))
        job.settings.members = members
        job.settings.hiding = hiding.hiding
        job.settings.learning.hiddenSizes = Array(repeating: width, count: layers)
        job.settings.learning.steps = steps
        job.settings.learning.batchSize = batchSize
        job.settings.learning.learningRate = learningRate
        job.settings.learning.seed = seed
        job.skippedEpisodes = skipLast
        job.reading = reading.options(joining: dataset)
        job.tensorBoard = events.folder
        job.isStopped = Signals.watch()
        let line = ProgressLine()
        defer { line.finish() }
        let result = try job.run { event in
            line.show(event, text: \.line)
        }
        try Console.report(
            result, json: json,
            text: String(
                format: "%@: %d networks, loss %.4f after %d steps", output, members, result.loss,
                steps))
    }
}
