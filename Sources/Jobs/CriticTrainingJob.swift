public import Datasets
public import Foundation
public import Learning
import Policies
import Trajectories

/// Learns from a dataset what actions are worth, by implicit Q-learning.
public struct CriticTrainingJob: Sendable {
    /// What was learnt.
    public struct Result: Sendable, Codable {
        /// The file of the critic.
        public var output: String
        /// The file of the policy; nil where none was learnt.
        public var policy: String?
        /// Canonical name of the environment of the data; nil where it is not known.
        public var environment: String?
        /// What was learnt from, and for how long.
        public var transitions, steps: Int
        /// What rewards were multiplied by for learning.
        public var rewardScale: Double
        /// Each loss by its name, the mean over the last steps.
        public var losses: [String: Double]
        /// Wall-clock time.
        public var seconds: Double

        /// Encodes all keys, also of what is nil.
        public func encode(to encoder: any Encoder) throws {
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

    /// The dataset.
    public var dataset: URL
    /// The file of the critic.
    public var output: URL
    /// The file of the policy, which is learnt if this is given.
    public var policy: URL?
    /// Settings of the learning.
    public var settings = ImplicitQLearning.Settings()
    /// Name of the environment of the data; the one that the file names if nil.
    public var environment: String?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// A folder that also gets the learning curve as TensorBoard's events, if any.
    public var tensorBoard: URL?
    /// Whether to keep what was learnt so far and stop.
    public var isStopped: StopQuestion = { false }

    /// A job with the published settings.
    public init(dataset: URL, output: URL) {
        self.dataset = dataset
        self.output = output
    }

    /// Learns and writes the critic, and the policy where one is asked for.
    ///
    /// - Throws: ``JobError``, and errors of reading, learning and writing.
    public func run(
        report: (JobEvent<LearningProgress>) -> Void = { _ in }
    ) throws -> Result {
        for file in [output, policy].compactMap(\.self) { try file.requireWritable() }
        try tensorBoard?.requireWritableFolder()
        let data = try LearningData(dataset, environment: environment, reading: reading) {
            report(.note($0))
        }
        let reports = try LearningReports(eventsIn: tensorBoard)
        let start = ContinuousClock.now
        var settings = settings
        settings.trainsPolicy = policy != nil
        let learner = try ImplicitQLearning(
            data.dataset.trajectories, layout: data.dataset.layout,
            actionLimits: data.actionLimits, settings: settings)
        report(.note("\(learner.transitions.count) transitions"))
        let last = try learner.train(
            report: { reports.take($0, report) }, until: isStopped)
        let record = settings.learning
            .record(method: "iql", dataset: dataset, environment: data.environment)
            .merging(settings.record.merging(["steps": "\(last.step)"]) { $1 }) { $1 }
        var trained = learner.critic
        trained.environment = data.environment
        trained.record = record
        let files = [output, policy].compactMap(\.self).map { last.isWhole ? $0 : $0.partial }
        try trained.write(to: files[0])
        if files.count > 1 { try learner.policy.write(to: files[1], metadata: record) }
        try last.requireWhole(keptIn: files)
        try reports.requireWritten()
        return Result(
            output: output.given, policy: policy?.given, environment: data.environment,
            transitions: learner.transitions.count, steps: last.step,
            rewardScale: learner.rewardScale, losses: last.lossesByName,
            seconds: elapsed(since: start))
    }
}
