import ArgumentParser
import Baselines
import Datasets
import Foundation
import Trajectories

/// `trajectory train-dynamics`: the single-step baseline of `trajectory predict`.
struct TrainDynamicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-dynamics",
        abstract: "Train an ensemble of single-step dynamics models.",
        discussion: """
            A probabilistic ensemble (PETS, Chua et al. 2018): each network predicts mean and variance \
            of the next change of the observation, on bootstrapped data. --skip-last leaves the last \
            episodes out, for `trajectory predict` to be measured on.

            Examples:
              trajectory train-dynamics --dataset hopper.hdf5 --output dynamics.safetensors
              trajectory train-dynamics --dataset hopper.hdf5 --skip-last 20 --steps 5000 \
            --output dynamics.safetensors --json

            Keys of the JSON object: output, transitions, episodes, members, steps, loss, seconds.
            """)

    @Option(help: "The trajectories: a D4RL-format HDF5 file or a Minari folder.")
    var dataset: String

    @Option(help: "File for the ensemble (safetensors).")
    var output: String

    @Option(help: "Networks.")
    var members = DynamicsTrainer.Settings().members

    @Option(help: "Steps of each network.")
    var steps = DynamicsTrainer.Settings().steps

    @Option(help: "Transitions in a batch.")
    var batchSize = DynamicsTrainer.Settings().batchSize

    @Option(help: "Learning rate.")
    var learningRate = DynamicsTrainer.Settings().learningRate

    @Option(help: "Episodes at the end of the file that are not trained on.")
    var skipLast = 0

    @Option(help: "Fixes weights, resampling and batches.")
    var seed: UInt64 = 0

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard members > 0, steps > 0, batchSize > 0, learningRate > 0, skipLast >= 0 else {
            throw ValidationError(
                "--members, --steps, --batch-size and --learning-rate must be positive, "
                    + "--skip-last not negative")
        }
    }

    private struct Result: Encodable {
        let output: String
        let transitions, episodes, members, steps: Int
        let loss, seconds: Double
    }

    func run() async throws {
        let url = URL(fileURLWithPath: output)
        try Console.requireFolder(of: url)
        let data = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: dataset), options: reading.options)
        data.notes.forEach(Console.progress)
        let episodes = Array(data.trajectories.dropLast(skipLast))
        var settings = DynamicsTrainer.Settings()
        settings.members = members
        settings.steps = steps
        settings.batchSize = batchSize
        settings.learningRate = learningRate
        settings.seed = seed
        guard let trainer = DynamicsTrainer(episodes, settings: settings) else {
            throw CommandError(
                description: "cannot use '\(dataset)': there is no episode of two transitions or "
                    + "more to train on; give another file or a smaller --skip-last")
        }
        let start = ContinuousClock.now
        var last = 0.0
        let line = ProgressLine()
        let ensemble = trainer.train { progress in
            last = progress.loss
            line.show(
                String(format: "step %d/%d  loss %.4f", progress.step, steps, progress.loss),
                isMilestone: progress.step == steps)
        }
        line.finish()
        var metadata = ["seed": "\(seed)", "steps": "\(steps)"]
        metadata["environment"] = data.attributes["environment"]
        try ensemble.write(to: url, metadata: metadata)
        let result = Result(
            output: output, transitions: episodes.reduce(0) { $0 + $1.count },
            episodes: episodes.count, members: members, steps: steps, loss: last,
            seconds: Console.seconds(ContinuousClock.now - start))
        if json {
            try Console.printJSON(result)
        } else {
            print(
                String(
                    format: "%@: %d networks, loss %.4f after %d steps", output, members, last,
                    steps))
        }
    }
}
