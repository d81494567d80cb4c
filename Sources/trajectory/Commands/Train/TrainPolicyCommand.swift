import ArgumentParser
import Baselines
import Behavior
import Datasets
import Foundation

/// `trajectory train-policy`: a policy to compare the planner with, learnt from a dataset.
struct TrainPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-policy",
        abstract: "Learn a policy from a dataset, to compare planning with.",
        discussion: """
            --method bc imitates the actions of the data; with --top-fraction 0.1 those of the \
            best episodes that together hold a tenth of the transitions, and with --goal-columns 0,1 what to \
            do on the way to a goal in these columns of the observation: in training, where the episode \
            was later, as 'trajectory train' does it. --method iql is implicit \
            Q-learning (Kostrikov, Nair and Levine 2021), which 'trajectory train-critic' does too \
            and keeps the critic. The output is a policy file as any other: evaluate it, or \
            collect data with it. The same settings give the same policy.

            Examples:
              trajectory train-policy --method bc --dataset hopper.hdf5 --output bc.safetensors
              trajectory train-policy --method bc --top-fraction 0.1 --dataset hopper.hdf5 \
            --output bc10.safetensors
              trajectory train-policy --method iql --dataset hopper.hdf5 --steps 300000 --seed 1 \
            --output iql.safetensors
              trajectory train-policy --method bc --dataset maze.hdf5 --goal-columns 0,1 \
            --output goals.safetensors
              trajectory evaluate --policy iql.safetensors --env hopper

            Keys of the JSON object: output, method, environment, transitions, episodes (learnt \
            from), steps, losses (by name, the mean over the last steps), seconds.
            """)

    /// How the policy is learnt.
    enum Method: String, ExpressibleByArgument, CaseIterable {
        case bc, iql
    }

    @Option(help: "How to learn: bc, behaviour cloning, or iql, implicit Q-learning.")
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

    @OptionGroup(title: "Learning Options") var learning: BaselineOptionsGroup

    @OptionGroup(title: "Options of --method iql") var critic: CriticOptionsGroup

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard topFraction > 0, topFraction <= 1 else {
            throw ValidationError(
                "--top-fraction must be above 0 and at most 1, found \(topFraction)")
        }
        guard method == .bc || topFraction == 1 else {
            throw ValidationError("--top-fraction is for --method bc")
        }
        guard method == .bc || goalColumns == nil else {
            throw ValidationError("--goal-columns is for --method bc")
        }
    }

    private struct Result: Encodable {
        let output: String
        let method: String
        let environment: String?
        let transitions: Int
        let episodes: Int
        let steps: Int
        let losses: [String: Double]
        let seconds: Double
    }

    func run() async throws {
        let url = URL(fileURLWithPath: output)
        try Console.requireFolder(of: url)
        let data = try BaselineData(learning, reading)
        let start = ContinuousClock.now
        let result: Result
        var metadata = learning.record(method: method.rawValue, environment: data.environment)
        func finish(
            _ policy: NeuralPolicy, _ last: LearningProgress, transitions: Int, episodes: Int
        ) throws -> Result {
            try policy.write(to: url, metadata: metadata)
            return Result(
                output: output, method: method.rawValue, environment: data.environment,
                transitions: transitions, episodes: episodes, steps: last.step,
                losses: last.lossesByName, seconds: Console.seconds(ContinuousClock.now - start))
        }
        let progress = ProgressLine()
        switch method {
        case .bc:
            var settings = BehaviorCloning.Settings()
            settings.learning = learning.settings
            settings.topFraction = topFraction
            settings.goalColumns = goalColumns ?? []
            let cloning = try BehaviorCloning(
                data.dataset.trajectories, layout: data.dataset.layout,
                actionLimits: data.actionLimits, settings: settings)
            Console.progress(
                "\(cloning.rowCount) transitions in \(cloning.episodeCount) episodes")
            let last = try cloning.train { progress.show($0.line) }
            metadata["top_fraction"] = "\(topFraction)"
            result = try finish(
                cloning.policy, last, transitions: cloning.rowCount,
                episodes: cloning.episodeCount)
        case .iql:
            let learner = try ImplicitQLearning(
                data.dataset.trajectories, layout: data.dataset.layout,
                actionLimits: data.actionLimits, settings: critic.settings(learning.settings))
            Console.progress("\(learner.transitions.count) transitions")
            let last = try learner.train { progress.show($0.line) }
            metadata.merge(critic.record) { $1 }
            result = try finish(
                learner.policy, last, transitions: learner.transitions.count,
                episodes: data.dataset.trajectories.count)
        }
        progress.finish()
        if json {
            try Console.printJSON(result)
        } else {
            print(
                "\(output): \(method.rawValue), \(result.steps) steps on \(result.transitions) "
                    + "transitions in \(result.episodes) episodes")
        }
    }
}
