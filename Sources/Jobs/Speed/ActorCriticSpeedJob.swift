import Bounds
import Foundation
import Learning
import RandomNumbers

/// Times updates of soft actor-critic on the processor, from random transitions: no environment acts.
public struct ActorCriticSpeedJob: Sendable {
    /// How fast it was.
    public struct Result: Sendable, Codable {
        /// Sizes of the observation and the action, and rows of a batch.
        public var observationDimension, actionDimension, batchSize: Int
        /// Threads.
        public var workers: Int
        /// Updates a second, acting and measuring left out.
        public var updatesPerSecond: Double
        /// Billions of operations of an update's matrix products.
        public var gigaflopsPerUpdate: Double
        /// Billions of operations a second that the same threads reach at the largest of these
        /// products alone.
        public var gigaflopsCeiling: Double
        /// Updates a second if an update were nothing but products at that speed.
        public var updatesCeiling: Double
    }

    /// Observations and actions of robots that have been measured.
    public enum Shape: String, Sendable, CaseIterable {
        case hopper, halfcheetah, walker2d, ant, humanoid

        /// Numbers in an observation and an action.
        var sizes: (observation: Int, action: Int) {
            switch self {
            case .hopper: (11, 3)
            case .halfcheetah, .walker2d: (17, 6)
            case .ant: (27, 8)
            case .humanoid: (376, 17)
            }
        }
    }

    /// Whose sizes.
    public var shape = Shape.hopper
    /// Rows of a batch.
    public var batchSize = 256
    /// Threads.
    public var workers = Cores.available
    /// Seconds to measure for; the median of groups of ten updates counts.
    public var seconds = 5.0

    /// A job; see the properties.
    public init() {}

    /// Times the updates.
    ///
    /// - Throws: ``JobError`` and errors of the settings.
    public func run() throws -> Result {
        try require(.batch, ["batchSize": batchSize])
        try require(.workers, ["workers": workers])
        let (observed, acted) = shape.sizes
        var settings = SoftActorCriticSettings()
        settings.batchSize = batchSize
        let state = SoftActorCriticState(
            observationDimension: observed, actionDimension: acted, seed: 0)
        let engine = try CPUSoftActorCritic(state, settings: settings, workers: workers)
        engine.append(Self.rows(100_000, observed, acted))
        _ = try engine.update(10)
        var times: [Double] = []
        let start = ContinuousClock.now
        while times.count < 3 || elapsed(since: start) < seconds {
            let group = ContinuousClock.now
            _ = try engine.update(10)
            times.append(elapsed(since: group) / 10)
        }
        let operations = SoftActorCriticArithmetic.operations(state, batchSize: batchSize)
        let ceiling = SoftActorCriticArithmetic.measuredRate(workers: workers, seconds: 1)
        return Result(
            observationDimension: observed, actionDimension: acted, batchSize: batchSize,
            workers: workers, updatesPerSecond: 1 / median(times),
            gigaflopsPerUpdate: operations * 1e-9, gigaflopsCeiling: ceiling * 1e-9,
            updatesCeiling: ceiling / operations)
    }

    /// Transitions drawn at random.
    private static func rows(_ count: Int, _ observed: Int, _ acted: Int) -> SoftActorCriticRows {
        let (normal, uniform) = (
            CounterNumbers(seed: 0, stream: 100), CounterNumbers(seed: 0, stream: 101)
        )
        var rows = SoftActorCriticRows()
        rows.observations = (0..<(count * observed)).map { normal.normal(UInt64($0)) }
        rows.nextObservations = Array(
            rows.observations.dropFirst(observed) + rows.observations.prefix(observed))
        rows.actions = (0..<(count * acted)).map { 2 * Float(uniform.uniform(UInt64($0))) - 1 }
        rows.rewards = Array(rows.observations.prefix(count))
        rows.terminals = (0..<count).map { $0 % 100 == 99 ? 1 : 0 }
        return rows
    }
}
