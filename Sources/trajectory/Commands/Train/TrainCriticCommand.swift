import ArgumentParser
import Baselines
import Behavior
import Datasets
import Foundation

/// `trajectory train-critic`: what actions are worth, learnt from a dataset.
struct TrainCriticCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-critic",
        abstract: "Learn from a dataset what actions are worth, to plan by or to compare with.",
        discussion: """
            Implicit Q-learning (Kostrikov, Nair and Levine 2021): values of observations by \
            expectile regression, twin values of actions with target networks. The critic's file \
            holds all three, and its values are in the units of the data's rewards. --policy also \
            learns the policy that prefers what the critic prefers. The same settings give the \
            same critic.

            Examples:
              trajectory train-critic --dataset hopper.hdf5 --output critic.safetensors
              trajectory train-critic --dataset hopper.hdf5 --output critic.safetensors \
            --policy iql.safetensors --steps 300000 --seed 1
              trajectory train-critic --dataset maze.hdf5 --expectile 0.9 --temperature 10 \
            --reward-scale 1 --output critic.safetensors
              trajectory evaluate --checkpoint runs/hopper --env hopper --objective q \
            --critic critic.safetensors

            Keys of the JSON object: output, policy (its file, or null), environment, transitions, \
            steps, reward_scale, losses (by name, the mean over the last steps), seconds.
            """)

    @Option(
        help: "File for the critic (safetensors).", completion: .file(extensions: ["safetensors"]))
    var output: String

    @Option(
        help: "File for the policy, which is learnt if this is given.",
        completion: .file(extensions: ["safetensors"]))
    var policy: String?

    @OptionGroup(title: "Learning Options") var learning: BaselineOptionsGroup

    @OptionGroup(title: "Critic Options") var critic: CriticOptionsGroup

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    private struct Result: Encodable {
        let output: String
        let policy: String?
        let environment: String?
        let transitions: Int
        let steps: Int
        let rewardScale: Double
        let losses: [String: Double]
        let seconds: Double

        enum CodingKeys: String, CodingKey {
            case output, policy, environment, transitions, steps, losses, seconds
            case rewardScale = "reward_scale"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(output, forKey: .output)
            try container.encode(policy, forKey: .policy)
            try container.encode(environment, forKey: .environment)
            try container.encode(transitions, forKey: .transitions)
            try container.encode(steps, forKey: .steps)
            try container.encode(rewardScale, forKey: .rewardScale)
            try container.encode(losses, forKey: .losses)
            try container.encode(seconds, forKey: .seconds)
        }
    }

    func run() async throws {
        let url = URL(fileURLWithPath: output)
        let policyURL = policy.map { URL(fileURLWithPath: $0) }
        for file in [url, policyURL].compactMap(\.self) { try Console.requireFolder(of: file) }
        let data = try BaselineData(learning, reading)
        let start = ContinuousClock.now
        var settings = critic.settings(learning.settings)
        settings.trainsPolicy = policy != nil
        let learner = try ImplicitQLearning(
            data.dataset.trajectories, layout: data.dataset.layout,
            actionLimits: data.actionLimits, settings: settings)
        Console.progress("\(learner.transitions.count) transitions")
        let progress = ProgressLine()
        let last = try learner.train { progress.show($0.line) }
        progress.finish()
        let record = learning.record(method: "iql", environment: data.environment)
            .merging(critic.record) { $1 }
        var trained = learner.critic
        trained.environment = data.environment
        trained.record = record
        try trained.write(to: url)
        if let policyURL { try learner.policy.write(to: policyURL, metadata: record) }
        let result = Result(
            output: output, policy: policy, environment: data.environment,
            transitions: learner.transitions.count, steps: last.step,
            rewardScale: learner.rewardScale, losses: last.lossesByName,
            seconds: Console.seconds(ContinuousClock.now - start))
        if json {
            try Console.printJSON(result)
        } else {
            print(
                "\(output): \(result.steps) steps on \(result.transitions) transitions"
                    + (policy.map { "; policy \($0)" } ?? ""))
        }
    }
}
