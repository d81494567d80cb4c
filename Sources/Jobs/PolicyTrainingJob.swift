public import Datasets
public import Foundation
public import Learning
import Policies
import Trajectories

/// Learns a policy from a dataset, to compare planning with.
public struct PolicyTrainingJob: Sendable {
    /// How the policy is learnt.
    public enum Method: Sendable, Hashable {
        /// By imitating the actions of the data.
        case cloning(BehaviorCloning.Settings)
        /// By implicit Q-learning, whose critic is thrown away; ``CriticTrainingJob`` keeps it.
        case implicitQLearning(ImplicitQLearning.Settings)
        /// By TD3+BC: what a critic prefers, near the actions of the data.
        case td3PlusBC(TD3PlusBC.Settings)

        /// The name in files and on the command line.
        public var name: String {
            switch self {
            case .cloning: "bc"
            case .implicitQLearning: "iql"
            case .td3PlusBC: "td3+bc"
            }
        }
    }

    /// What was learnt.
    public struct Result: Sendable, Codable {
        /// The file of the policy.
        public var output: String
        /// How it was learnt.
        public var method: String
        /// Canonical name of the environment of the data; nil where it is not known.
        public var environment: String?
        /// What was learnt from, and for how long.
        public var transitions, episodes, steps: Int
        /// Each loss by its name, the mean over the last steps.
        public var losses: [String: Double]
        /// Wall-clock time.
        public var seconds: Double
    }

    /// The dataset.
    public var dataset: URL
    /// The file of the policy.
    public var output: URL
    /// How it is learnt.
    public var method: Method
    /// Name of the environment of the data; the one that the file names if nil.
    public var environment: String?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// A folder that also gets the learning curve as TensorBoard's events, if any.
    public var tensorBoard: URL?
    /// Whether to keep what was learnt so far and stop.
    public var isStopped: StopQuestion = { false }

    /// A job; see the properties.
    public init(_ method: Method, dataset: URL, output: URL) {
        self.method = method
        self.dataset = dataset
        self.output = output
    }

    /// Learns and writes the policy.
    ///
    /// - Throws: ``JobError``, and errors of reading, learning and writing.
    public func run(
        report: (JobEvent<LearningProgress>) -> Void = { _ in }
    ) throws -> Result {
        try output.requireWritable()
        try tensorBoard?.requireWritableFolder()
        let data = try LearningData(dataset, environment: environment, reading: reading) {
            report(.note($0))
        }
        let reports = try LearningReports(eventsIn: tensorBoard)
        let start = ContinuousClock.now
        func finish(
            _ policy: NeuralPolicy, _ last: LearningProgress, transitions: Int, episodes: Int,
            _ record: [String: String]
        ) throws -> Result {
            let file = last.isWhole ? output : output.partial
            try policy.write(to: file, metadata: record.merging(["steps": "\(last.step)"]) { $1 })
            try last.requireWhole(keptIn: [file])
            try reports.requireWritten()
            return Result(
                output: output.given, method: method.name, environment: data.environment,
                transitions: transitions, episodes: episodes, steps: last.step,
                losses: last.lossesByName, seconds: elapsed(since: start))
        }
        func record(_ learning: LearningSettings, _ own: [String: String]) -> [String: String] {
            learning.record(method: method.name, dataset: dataset, environment: data.environment)
                .merging(own) { $1 }
        }
        switch method {
        case .cloning(let settings):
            let cloning = try BehaviorCloning(
                data.dataset.trajectories, layout: data.dataset.layout,
                actionLimits: data.actionLimits, settings: settings)
            report(
                .note("\(cloning.rowCount) transitions in \(cloning.episodeCount) episodes"))
            let last = try cloning.train(
                report: { reports.take($0, report) }, until: isStopped)
            return try finish(
                cloning.policy, last, transitions: cloning.rowCount,
                episodes: cloning.episodeCount,
                record(settings.learning, settings.record))
        case .implicitQLearning(let settings):
            let learner = try ImplicitQLearning(
                data.dataset.trajectories, layout: data.dataset.layout,
                actionLimits: data.actionLimits, settings: settings)
            report(.note("\(learner.transitions.count) transitions"))
            let last = try learner.train(
                report: { reports.take($0, report) }, until: isStopped)
            return try finish(
                learner.policy, last, transitions: learner.transitions.count,
                episodes: data.dataset.trajectories.count,
                record(
                    settings.learning,
                    settings.record.merging([
                        "discount": "\(settings.discount)",
                        "reward_scale": "\(learner.rewardScale)",
                    ]) { $1 }))
        case .td3PlusBC(let settings):
            let learner = try TD3PlusBC(
                data.dataset.trajectories, layout: data.dataset.layout,
                actionLimits: data.actionLimits, settings: settings)
            report(.note("\(learner.transitions.count) transitions"))
            let last = try learner.train(
                report: { reports.take($0, report) }, until: isStopped)
            return try finish(
                learner.policy, last, transitions: learner.transitions.count,
                episodes: data.dataset.trajectories.count,
                record(settings.learning, settings.record))
        }
    }
}
