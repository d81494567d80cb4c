import ArgumentParser
import Foundation
import Jobs
import Learning
import Signals

/// `trajectory train-policy`: a policy to compare the planner with, learnt from a dataset.
struct TrainPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-policy",
        abstract: "Learn a policy from a dataset, to compare planning with.",
        discussion: """
            --method bc imitates the actions of the data; with --top-fraction 0.1 those of the \
            best episodes that together hold a tenth of the transitions, and with --goal-columns \
            0,1 what to do on the way to a goal in these columns of the observation: in training, \
            where the episode was later, by --goal-rule, as 'trajectory train' does it. --method iql is implicit \
            Q-learning (Kostrikov, Nair and Levine 2021), which 'trajectory train-critic' does too \
            and keeps the critic. --method td3+bc (Fujimoto and Gu 2021) goes where a critic leads, \
            by --alpha, near the actions of the data. The defaults are the authors' for \
            locomotion, but for --steps, of which they do 1,000,000. The output is a policy file \
            as any other: evaluate it, or collect data with it. The same settings give the same \
            policy.

            Examples:
              trajectory train-policy --method bc --dataset hopper.hdf5 --output bc.safetensors
              trajectory train-policy --method bc --top-fraction 0.1 --dataset hopper.hdf5 \
            --output bc10.safetensors
              trajectory train-policy --method iql --dataset hopper.hdf5 --steps 300000 --seed 1 \
            --output iql.safetensors
              trajectory train-policy --method td3+bc --dataset hopper.hdf5 --steps 1000000 \
            --output td3bc.safetensors
              trajectory train-policy --method bc --dataset maze.hdf5 --goal-columns 0,1 \
            --output goals.safetensors
              trajectory evaluate --policy iql.safetensors --env hopper

            Keys of the JSON object: output, method, environment, transitions, episodes (learnt \
            from), steps, losses (by name, the mean over the last steps), seconds.
            """)

    /// How the policy is learnt.
    enum Method: String, ExpressibleByArgument, CaseIterable {
        case bc, iql
        case td3PlusBC = "td3+bc"
    }

    @Option(
        help:
            "How to learn: bc, behaviour cloning, iql, implicit Q-learning, or td3+bc, TD3 near the data."
    )
    var method: Method

    @Option(
        help: "File for the policy (safetensors).", completion: .file(extensions: ["safetensors"]))
    var output: String

    @Option(help: "With --method bc, share of the transitions to imitate: the best episodes.")
    var topFraction = BehaviorCloning.Settings().topFraction

    @Option(
        help: "With --method bc, columns of the observation that make up a goal, such as 0,1.",
        transform: GoalColumnsArgument.parse)
    var goalColumns: [Int]?

    @Option(
        help: """
            With --goal-columns, which place of its episode a transition's goal is: any later one, \
            or the last.
            """)
    var goalRule = BehaviorCloning.Settings().goalRule

    @OptionGroup(title: "Learning Options") var learning: LearningOptions

    @Option(help: "With --method td3+bc, weight of the critic against imitation.")
    var alpha = TD3PlusBC.Settings().alpha

    @OptionGroup(title: "Options of --method iql, of which td3+bc has --discount")
    var critic: CriticOptions

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard topFraction > 0, topFraction <= 1 else {
            throw ValidationError(
                "--top-fraction must be above 0 and at most 1, found \(topFraction)")
        }
        try GivenOptions.here.refuse(
            ["--top-fraction", "--goal-columns", "--goal-rule"], unless: method == .bc,
            "is for --method bc")
        try GivenOptions.here.refuse(
            ["--goal-rule"], unless: goalColumns != nil, "is for --goal-columns, which is not given"
        )
        try GivenOptions.here.refuse(
            ["--alpha"], unless: method == .td3PlusBC, "is for --method td3+bc")
        try GivenOptions.here.refuse(
            ["--discount"], unless: method != .bc, "is for --method iql and td3+bc")
        try GivenOptions.here.refuse(
            CriticOptions.names.filter { $0 != "--discount" }, unless: method == .iql,
            "is for --method iql")
    }

    func run() async throws {
        let method: PolicyTrainingJob.Method
        switch self.method {
        case .bc:
            var settings = BehaviorCloning.Settings()
            settings.learning = learning.settings
            settings.topFraction = topFraction
            settings.goalColumns = goalColumns ?? []
            settings.goalRule = goalRule
            method = .cloning(settings)
        case .iql:
            method = .implicitQLearning(critic.settings(learning.settings))
        case .td3PlusBC:
            var settings = TD3PlusBC.Settings()
            settings.learning = learning.settings
            settings.alpha = alpha
            settings.discount = critic.discount
            method = .td3PlusBC(settings)
        }
        var job = PolicyTrainingJob(
            method, dataset: learning.data, output: URL(fileURLWithPath: output))
        job.environment = learning.environment.name
        job.reading = reading.options(joining: learning.dataset)
        job.tensorBoard = learning.events.folder
        job.isStopped = Signals.watch()
        let line = ProgressLine()
        defer { line.finish() }
        let result = try job.run { line.show($0, text: \.line) }
        line.finish()
        try Console.report(
            result, json: json,
            text: "\(output): \(result.method), \(result.steps) steps on \(result.transitions) "
                + "transitions in \(result.episodes) episodes")
    }
}
