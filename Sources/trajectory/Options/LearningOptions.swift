import ArgumentParser
import Bounds
import Foundation
import Learning

/// The options of the commands that learn a policy or critic from a dataset.
struct LearningOptions: ParsableArguments {
    @Option(
        help: "The trajectories: a file, folder or Minari name; several are joined.",
        completion: .file())
    var dataset: [String]

    @OptionGroup var environment: EnvironmentOption

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

    @OptionGroup var events: TensorBoardOption

    func validate() throws {
        try require(.steps, ["--steps": steps])
        try require(.batch, ["--batch-size": batchSize])
        try require(.layers, ["--layers": layers])
        try require(.width, ["--width": width])
        try require(.workers, ["--workers": workers])
    }

    /// The dataset, the first of several.
    var data: URL { URL(fileURLWithPath: dataset[0]) }

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
}

/// The options of implicit Q-learning.
struct CriticOptions: ParsableArguments {
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
            discussion: "auto is 1000 over the range of returns, as the authors do for locomotion. "
                + "In AntMaze, whose episodes end at the goal, 100 is the authors' reward of -1 a "
                + "step; give 1 where they go on there, as in the point mazes.",
            valueName: "auto|number"))
    var rewardScale = RewardScale(value: nil)

    /// The names of all.
    static var names: [String] { ["--expectile", "--temperature", "--discount", "--reward-scale"] }

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
