import Bounds
import Environments
import Episodes
import Foundation
import RandomNumbers

/// Times stepping several copies of an environment on all cores.
///
/// Actions are uniform random numbers drawn beforehand; episodes that end begin anew, which counts
/// into the time.
public struct EnvironmentSpeedJob: Sendable {
    /// How fast it was.
    public struct Result: Sendable, Codable {
        /// Canonical name of the environment.
        public var environment: String
        /// Copies that step at the same time, and threads that step them.
        public var copies, workers: Int
        /// Steps of all copies together.
        public var stepsPerSecond: Double
    }

    /// Name of the environment.
    public var environment = "hopper"
    /// Copies that step at the same time.
    public var copies = 32
    /// Threads.
    public var workers = Cores.available
    /// Seconds to measure for; the median of five parts counts.
    public var seconds = 5.0

    /// A job; see the properties.
    public init() {}

    /// Times the steps.
    ///
    /// - Throws: `EnvironmentError` when there is no such environment.
    public func run() throws -> Result {
        try require(.together, ["copies": copies])
        try require(.workers, ["workers": workers])
        let vector = try VectorEnvironment(count: copies, workers: workers) {
            try EnvironmentRegistry.make(environment)
        }
        var generator = PCG64(seed: 0)
        let actions = (0..<64).map { _ in
            (0..<copies).map { _ in
                vector.specification.actionLimits.map {
                    generator.uniform($0.lowerBound, $0.upperBound)
                }
            }
        }
        _ = vector.reset(seed: 0)
        for step in 0..<32 { _ = vector.step(actions[step % actions.count]) }
        let rates = (0..<5).map { _ in
            let start = ContinuousClock.now
            var steps = 0
            while elapsed(since: start) < seconds / 5 {
                for _ in 0..<8 {
                    _ = vector.step(actions[steps % actions.count])
                    steps += 1
                }
            }
            return Double(steps * copies) / elapsed(since: start)
        }
        return Result(
            environment: vector.specification.identifier, copies: copies, workers: workers,
            stepsPerSecond: median(rates))
    }
}
