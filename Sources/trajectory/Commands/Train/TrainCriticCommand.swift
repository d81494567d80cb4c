import ArgumentParser
import Foundation
import Jobs
import Signals

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

    @OptionGroup(title: "Learning Options") var learning: LearningOptions

    @OptionGroup(title: "Critic Options") var critic: CriticOptions

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        try GivenOptions.here.refuse(
            ["--temperature"], unless: policy != nil, "is for the policy that --policy asks for")
    }

    func run() async throws {
        var job = CriticTrainingJob(
            dataset: learning.data, output: URL(fileURLWithPath: output))
        job.policy = policy.map { URL(fileURLWithPath: $0) }
        job.settings = critic.settings(learning.settings)
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
            text: "\(output): \(result.steps) steps on \(result.transitions) transitions"
                + (policy.map { "; policy \($0)" } ?? ""))
    }
}
