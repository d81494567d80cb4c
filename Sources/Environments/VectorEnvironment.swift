public import Episodes
import Tensors

/// Several copies of an environment that step at the same time, on all cores.
///
/// An episode that ends, by a terminal state or by the time limit, is followed by the next one in
/// the same step. Copy `i` starts its episode `k` from the seed `seed + i + k * count`, so what
/// happens does not depend on the number of threads. Belongs to one task at a time.
public final class VectorEnvironment {
    /// What came of one action in each copy.
    public struct Step: Sendable, Equatable {
        /// What each copy is to act on next; where an episode ended, the first observation of the
        /// next.
        public var observations: [[Double]]
        /// Reward of each copy's step.
        public var rewards: [Double]
        /// Whether each copy's episode ended in a terminal state.
        public var isTerminated: [Bool]
        /// Whether each copy's episode was cut by the time limit.
        public var isTruncated: [Bool]
        /// The last observation of each episode that ended, by its copy.
        public var finalObservations: [Int: [Double]]
    }

    /// A copy and its episode; touched by one thread at a time.
    private final class Lane: @unchecked Sendable {
        let environment: any Environment
        var episode: Episode
        var nextSeed: UInt64 = 0
        var last = EnvironmentStep(observation: [], reward: 0, isTerminated: false)
        var isTruncated = false
        var isOver: Bool { last.isTerminated || isTruncated }

        init(_ environment: any Environment) {
            self.environment = environment
            episode = Episode(in: environment, from: [])
        }

        func begin(stride: UInt64) {
            episode = Episode(in: environment, seed: nextSeed)
            nextSeed &+= stride
        }

        func step(_ action: [Double], stride: UInt64) {
            last = episode.take(action)
            // As Gymnasium says it, also of an episode that terminates in the same step.
            isTruncated = episode.steps >= episode.maximumSteps
            if isOver { begin(stride: stride) }
        }
    }

    private let lanes: [Lane]
    private let pool: WorkerPool
    /// What is fixed about the environment.
    public let specification: EnvironmentSpecification
    /// Number of copies.
    public var count: Int { lanes.count }

    /// Makes `count` copies, on `workers` threads, or as many as there are cores.
    ///
    /// - Throws: What `make` throws.
    public init(count: Int, workers: Int? = nil, make: () throws -> any Environment) rethrows {
        precondition(count > 0, "at least one copy is needed, found \(count)")
        lanes = try (0..<count).map { _ in Lane(try make()) }
        specification = lanes[0].environment.specification
        pool = workers.map { WorkerPool(count: min($0, count)) } ?? .shared
    }

    /// Starts an episode in every copy; returns their first observations.
    public func reset(seed: UInt64) -> [[Double]] {
        for (index, lane) in lanes.enumerated() { lane.nextSeed = seed &+ UInt64(index) }
        onAllCores { lanes[$0].begin(stride: UInt64(count)) }
        return lanes.map(\.episode.observation)
    }

    /// Takes one step in every copy; `actions` has one action for each.
    public func step(_ actions: [[Double]]) -> Step {
        precondition(
            actions.count == count, "\(actions.count) actions for \(count) environments")
        onAllCores { lanes[$0].step(actions[$0], stride: UInt64(count)) }
        var final: [Int: [Double]] = [:]
        for (index, lane) in lanes.enumerated() where lane.isOver {
            final[index] = lane.last.observation
        }
        return Step(
            observations: lanes.map(\.episode.observation), rewards: lanes.map(\.last.reward),
            isTerminated: lanes.map(\.last.isTerminated), isTruncated: lanes.map(\.isTruncated),
            finalObservations: final)
    }

    /// Calls `body` once for each copy, whose number it is given.
    private func onAllCores(_ body: (Int) -> Void) {
        pool.run { worker in
            for index in pool.share(of: count, worker: worker) { body(index) }
        }
    }
}
