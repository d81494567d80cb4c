import Bounds
import Environments
import Episodes
public import Foundation
public import Learning
public import Policies

/// Trains a policy that makes data, by soft actor-critic or by augmented random search, and keeps
/// the best one.
///
/// The same settings give the same policy, whatever the number of workers.
public struct BehaviorTrainingJob: Sendable {
    /// How the policy is trained.
    public enum Method: Sendable, Hashable {
        /// Soft actor-critic: a neural, stochastic policy (`GaussianPolicy`).
        case softActorCritic(SoftActorCriticSettings)
        /// Augmented random search: a linear policy (`LinearPolicy`).
        case randomSearch(RandomSearch.Settings)
    }

    /// A measurement of the policy.
    public struct Measurement: Sendable {
        /// Environment steps so far.
        public let steps: Int
        /// Iterations of random search so far; nil for soft actor-critic.
        public let iteration: Int?
        /// The policy's score.
        public let score: PolicyScore
        /// The best mean return so far.
        public let best: Double
        /// Means over the updates since the last measurement; nil for random search.
        public let updates: SoftActorCriticUpdates?
        /// Seconds so far.
        public let seconds: Double
    }

    /// How far soft actor-critic is between two measurements.
    public struct Progress: Sendable {
        /// Environment steps so far, and in all.
        public let steps, total: Int
        /// Mean return of the last episodes of training; nil before one has ended.
        public let meanReturn: Double?
        /// Means over the updates since the last of these reports.
        public let updates: SoftActorCriticUpdates
        /// Updates a second, acting and measuring included.
        public let updatesPerSecond: Double
    }

    /// What the job says while it runs.
    public enum Event: Sendable {
        /// A line for a person that stays true.
        case note(String)
        /// How far training is, every few seconds.
        case progress(Progress)
        /// The policy was measured.
        case measurement(Measurement)
    }

    /// What was learnt.
    public struct Result: Sendable, Codable {
        /// The file of the best policy.
        public var output: String
        /// Mean and standard deviation of its returns.
        public var meanReturn, standardDeviation: Double
        /// The environment steps that it is from.
        public var bestSteps: Int
        /// The iteration of random search that it is from; nil for soft actor-critic.
        public var bestIteration: Int?
        /// Iterations of random search in the whole training; nil for soft actor-critic.
        public var iterations: Int?
        /// Environment steps of the whole training.
        public var steps: Int
        /// Updates of soft actor-critic; nil for random search.
        public var updates: Int?
        /// Wall-clock time, that of a resumed run's earlier parts included.
        public var seconds: Double
    }

    /// Name of the environment.
    public var environment: String
    /// The file, which always holds the best policy measured so far.
    public var output: URL
    /// A folder that also gets every measured policy.
    public var snapshots: URL?
    /// A folder that also gets the learning curve as TensorBoard's events, if any.
    public var tensorBoard: URL?
    /// How the policy is trained.
    public var method = Method.softActorCritic(SoftActorCriticSettings())
    /// Environment steps to train for; of random search about so many, 3 million if nil, and of
    /// soft actor-critic 1 million.
    public var steps: Int?
    /// What lies between measurements: iterations of random search, 10 if nil; steps of soft
    /// actor-critic, 10,000 if nil.
    public var measurementInterval: Int?
    /// Episodes of a measurement.
    public var episodes = 10
    /// Training stops as soon as a measured mean return reaches this.
    public var targetReturn: Double?
    /// Training stops after so many seconds of this call, as if it had all its steps; soft
    /// actor-critic alone.
    public var timeLimit: Double?
    /// Threads that simulate, and that compute where the processor does.
    public var workers = Cores.available
    /// Whether to measure once more and stop.
    public var isStopped: StopQuestion = { false }

    // Of soft actor-critic alone.

    /// What computes the updates; the processor if nil.
    public var engine: SoftActorCriticTrainer.EngineMaker?
    /// What the policy's file calls the device that computed.
    public var device = "cpu"
    /// Whether the run whose files lie beside the output goes on.
    public var resumes = false
    /// Whether the memory is kept beside the output, so that the run can go on exactly.
    public var keepsMemory = false

    /// A job with the published settings.
    public init(environment: String, output: URL) {
        self.environment = environment
        self.output = output
    }

    /// Starts of the measurements, which training, that draws its own at random, practically never
    /// sees.
    static let firstSeed: UInt64 = 1 << 40

    /// Trains; `report` is told every measurement.
    ///
    /// - Throws: ``JobError``, and errors of the environment, the settings and writing.
    public func run(report: (Event) -> Void = { _ in }) async throws -> Result {
        try require(.steps, ["steps": steps, "measurementInterval": measurementInterval])
        try require(.episodes, ["episodes": episodes])
        try require(.workers, ["workers": workers])
        // Known before the work as well as after it.
        try output.requireWritable()
        try snapshots?.requireWritableFolder()
        try tensorBoard?.requireWritableFolder()
        switch method {
        case .softActorCritic(let settings): return try await run(settings, report: report)
        case .randomSearch(let settings):
            guard engine == nil, !resumes, !keepsMemory, timeLimit == nil else {
                throw JobError(
                    .invalidSetting,
                    "random search computes on the processor, keeps no memory and no time limit, "
                        + "and is not resumed; it gives the same policy again when it is run again")
            }
            return try await run(settings, report: report)
        }
    }
}
