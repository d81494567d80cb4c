import ArgumentParser
import Baselines
import Datasets
import Environments
import Foundation
import Tokenization
import Trajectories

/// The options of the commands that learn a policy or critic from a dataset.
struct BaselineOptionsGroup: ParsableArguments {
    @Option(
        help: "The trajectories: a D4RL-format HDF5 file or a Minari folder.",
        completion: .file(extensions: ["hdf5"]))
    var dataset: String

    @Option(
        name: .customLong("env"),
        help: "Environment of the data, such as hopper; the one that the file names if not given.")
    var environment: String?

    @Option(help: "Updates of each network.")
    var steps = LearningSettings().steps

    @Option(help: "Transitions in a batch.")
    var batchSize = LearningSettings().batchSize

    @Option(help: "Hidden layers.")
    var layers = LearningSettings().hiddenSizes.count

    @Option(help: "Channels of a hidden layer.")
    var width = LearningSettings().hiddenSizes[0]

    @Option(help: "Learning rate of AdamW.")
    var learningRate = LearningSettings().learningRate

    @Option(help: "AdamW's decay of the second moment.")
    var beta2 = LearningSettings().beta2

    @Option(help: "AdamW's weight decay.")
    var weightDecay = LearningSettings().weightDecay

    @Option(help: "Fixes initial weights and the order of the data.")
    var seed = LearningSettings().seed

    @Option(help: "Worker threads; as many as cores when not given.")
    var workers: Int?

    func validate() throws {
        for (option, value) in [
            ("--steps", steps), ("--batch-size", batchSize), ("--layers", layers),
            ("--width", width), ("--workers", workers ?? 1),
        ] where value < 1 {
            throw ValidationError("\(option) must be positive, found \(value)")
        }
    }

    /// The options as the algorithms take them.
    var settings: LearningSettings {
        var settings = LearningSettings()
        settings.steps = steps
        settings.batchSize = batchSize
        settings.hiddenSizes = Array(repeating: width, count: layers)
        settings.learningRate = learningRate
        settings.beta2 = beta2
        settings.weightDecay = weightDecay
        settings.seed = seed
        settings.workers = workers
        return settings
    }

    /// What the data are and how they are learnt from, for the metadata of a file.
    func record(method: String, environment: String?) -> [String: String] {
        var record = [
            "method": method, "dataset": URL(fileURLWithPath: dataset).lastPathComponent,
            "steps": "\(steps)", "seed": "\(seed)", "batch_size": "\(batchSize)",
            "learning_rate": "\(learningRate)",
        ]
        record["environment"] = environment
        return record
    }
}

/// The options of implicit Q-learning.
struct CriticOptionsGroup: ParsableArguments {
    @Option(
        help: "Expectile of the value: 0.5 the data's mean, towards 1 its best; 0.9 for mazes.")
    var expectile = ImplicitQLearning.Settings().expectile

    @Option(help: "How much the policy prefers good actions; 0 imitates, 10 for mazes.")
    var temperature = ImplicitQLearning.Settings().temperature

    @Option(help: "Weight of a reward one step later.")
    var discount = ImplicitQLearning.Settings().discount

    @Option(
        help: ArgumentHelp(
            "Rewards are multiplied by this for learning; a critic's values are not.",
            discussion: "auto is 1000 over the range of returns, as the authors do for locomotion; "
                + "give 1 for mazes.", valueName: "auto|number"))
    var rewardScale = RewardScale(value: nil)

    /// The options as the algorithm takes them.
    func settings(_ learning: LearningSettings) -> ImplicitQLearning.Settings {
        var settings = ImplicitQLearning.Settings()
        settings.learning = learning
        settings.expectile = expectile
        settings.temperature = temperature
        settings.discount = discount
        settings.rewardScale = rewardScale.value
        return settings
    }

    /// The options for the metadata of a file.
    var record: [String: String] {
        ["expectile": "\(expectile)", "temperature": "\(temperature)"]
    }
}

/// A number, or `auto`.
struct RewardScale: ExpressibleByArgument, Sendable {
    let value: Double?

    init(value: Double?) {
        self.value = value
    }

    init?(argument: String) {
        guard let number = Double(argument) else {
            guard argument == "auto" else { return nil }
            self.init(value: nil)
            return
        }
        self.init(value: number)
    }

    var defaultValueDescription: String { value.map { "\($0)" } ?? "auto" }
}

/// A dataset to learn a policy or critic from, and the limits of its actions.
struct BaselineData {
    let dataset: TrajectoryDataset
    /// Canonical name of the environment, where it is known.
    let environment: String?
    let actionLimits: [ClosedRange<Double>]

    /// Reads the dataset that the options name.
    ///
    /// Action limits are the environment's, or where that is unknown the range of the data.
    init(_ options: BaselineOptionsGroup, _ reading: DatasetReadingOptions) throws {
        let url = URL(fileURLWithPath: options.dataset)
        guard !TokenFile.isTokenFile(url) else {
            throw CommandError(
                description: "cannot use the token file '\(url.path)': policies and critics learn "
                    + "from numbers; give the dataset that it was made from")
        }
        dataset = try TrajectoryDataset(contentsOf: url, options: reading.options)
        dataset.notes.forEach(Console.progress)
        let (specification, warning) = try DatasetEnvironment.specification(
            options.environment, for: dataset, file: options.dataset)
        if let warning { Console.progress("warning: \(warning)") }
        environment = specification?.identifier
        actionLimits = specification?.actionLimits ?? Self.range(of: dataset)
        if specification == nil {
            Console.progress(
                "environment unknown: actions are taken to reach as far as in the data; "
                    + "name it with --env")
        }
    }

    private static func range(of dataset: TrajectoryDataset) -> [ClosedRange<Double>] {
        let width = dataset.layout.actionDimension
        var lower = Array(repeating: Double.infinity, count: width)
        var upper = Array(repeating: -Double.infinity, count: width)
        for trajectory in dataset.trajectories {
            for (index, number) in trajectory.actions.enumerated() {
                lower[index % width] = min(lower[index % width], Double(number))
                upper[index % width] = max(upper[index % width], Double(number))
            }
        }
        // An action that never varies still needs a range.
        return zip(lower, upper).map {
            $0 < $1 ? $0...$1 : ($0.isFinite ? ($0 - 1)...($0 + 1) : -1...1)
        }
    }
}

extension LearningProgress {
    /// One line for a person.
    var line: String {
        let left = Duration.seconds(Double(steps - step) / stepsPerSecond)
        return
            (["step \(step)/\(steps)"]
            + losses.map { String(format: "%@ loss %.4g", $0.name, $0.value) }
            + [
                String(format: "%.0f steps/s", stepsPerSecond),
                "\(Console.duration(left)) left",
            ]).joined(separator: "  ")
    }

    /// The losses by name, for JSON.
    var lossesByName: [String: Double] {
        Dictionary(uniqueKeysWithValues: losses.map { ($0.name, $0.value) })
    }
}
