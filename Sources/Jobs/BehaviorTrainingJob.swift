import Bounds
import Environments
import Episodes
public import Foundation
public import Learning
public import Policies

/// Trains a linear policy that makes data, by augmented random search, and keeps the best one.
///
/// The same settings give the same policy, whatever the number of workers.
public struct BehaviorTrainingJob: Sendable {
    /// A measurement of the policy.
    public struct Measurement: Sendable {
        /// Iterations and environment steps so far.
        public let iteration, steps: Int
        /// The policy's score.
        public let score: PolicyScore
        /// The best mean return so far.
        public let best: Double
        /// Seconds so far.
        public let seconds: Double
    }

    /// What was learnt.
    public struct Result: Sendable, Codable {
        /// The file of the best policy.
        public var output: String
        /// Mean and standard deviation of its returns.
        public var meanReturn, standardDeviation: Double
        /// The iteration that it is from.
        public var bestIteration: Int
        /// Iterations and environment steps of the whole training.
        public var iterations, steps: Int
        /// Wall-clock time.
        public var seconds: Double
    }

    /// Name of the environment.
    public var environment: String
    /// The file, which always holds the best policy measured so far.
    public var output: URL
    /// A folder that also gets every measured policy.
    public var snapshots: URL?
    /// Settings of the search.
    public var settings = RandomSearch.Settings()
    /// Environment steps to train for, about.
    public var steps = 3_000_000
    /// Iterations between measurements.
    public var measurementInterval = 10
    /// Episodes of a measurement.
    public var episodes = 10
    /// Training stops as soon as a measured mean return reaches this.
    public var targetReturn: Double?
    /// Threads that simulate.
    public var workers = ProcessInfo.processInfo.activeProcessorCount

    /// A job with the published settings for Hopper.
    public init(environment: String, output: URL) {
        self.environment = environment
        self.output = output
    }

    /// Starts of the measurements, which training, that draws its own at random, practically never
    /// sees.
    private static let firstSeed: UInt64 = 1 << 40

    /// Trains; `report` is told every measurement.
    ///
    /// - Throws: ``JobError``, and errors of the environment, the settings and writing.
    public func run(report: (Measurement) -> Void = { _ in }) async throws -> Result {
        try require(.steps, ["steps": steps, "measurementInterval": measurementInterval])
        try require(.episodes, ["episodes": episodes])
        let name = environment
        let pool = try EpisodeWorkers(count: workers) { try EnvironmentRegistry.make(name) }
        var search = try RandomSearch(settings, workers: pool)
        if let snapshots {
            try FileManager.default.createDirectory(
                at: snapshots, withIntermediateDirectories: true)
        }
        // Known before the work as well as after it.
        try output.requireFolder()

        let start = ContinuousClock.now
        var best: (score: PolicyScore, iteration: Int)?
        while search.steps < steps {
            let progress = await search.advance()
            guard
                progress.iteration.isMultiple(of: measurementInterval) || progress.steps >= steps
            else { continue }
            let score = await PolicyScore.measure(
                PolicyMixture(search.policy), episodes: episodes, firstSeed: Self.firstSeed,
                workers: pool)
            let metadata = search.record.metadata.merging([
                "environment": pool.specification.identifier,
                "mean_return": String(format: "%.1f", score.mean),
            ]) { $1 }
            if let snapshots {
                let file = String(
                    format: "iteration-%05d-return-%.0f.safetensors", progress.iteration,
                    score.mean)
                try search.policy.write(
                    to: snapshots.appendingPathComponent(file), metadata: metadata)
            }
            if score.mean > best?.score.mean ?? -.infinity {
                best = (score, progress.iteration)
                try search.policy.write(to: output, metadata: metadata)
            }
            report(
                Measurement(
                    iteration: progress.iteration, steps: progress.steps, score: score,
                    best: best?.score.mean ?? score.mean, seconds: elapsed(since: start)))
            if let targetReturn, score.mean >= targetReturn { break }
        }
        guard let best else {
            throw JobError(
                .invalidSetting, "no measured return in '\(environment)' was a number")
        }
        return Result(
            output: output.given, meanReturn: best.score.mean,
            standardDeviation: best.score.deviation, bestIteration: best.iteration,
            iterations: search.iteration, steps: search.steps, seconds: elapsed(since: start))
    }
}
