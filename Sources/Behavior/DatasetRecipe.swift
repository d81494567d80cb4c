import Environments
public import Episodes
import Foundation
public import Learning
import Policies
public import Trajectories

/// How a dataset of a name like D4RL's is made: `hopper-medium-replay`, `maze2d-large`.
///
/// - `random`: uniformly random actions.
/// - `medium`, `expert`: actions drawn from the level's policy, which soft actor-critic trained.
/// - `medium-expert`: as many transitions of `medium` as of `expert`, in this order.
/// - `medium-replay`, `full-replay`: all that training saw up to the medium, or the expert, policy.
/// - a maze of the point: a noisy PD controller that follows waypoints from goal to goal.
/// - rooms: episodes of a walker that knows the map, and as many of one that strolls.
///
/// `ars-` before a level (`hopper-ars-medium`) is for the linear policies of random search: their
/// actions with a little noise, and every episode of the search.
///
/// The same seed gives the same data, whatever the number of workers.
public struct DatasetRecipe: Sendable, Hashable {
    /// Where the data comes from.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case random, medium, expert
        case mediumReplay = "medium-replay"
        case mediumExpert = "medium-expert"
        case fullReplay = "full-replay"
        case navigation, rooms

        /// Transitions where nothing is said, as many as D4RL's have.
        ///
        /// Of a replay, at most these.
        public var defaultSteps: Int { self == .mediumExpert ? 2_000_000 : 1_000_000 }
    }

    /// The environment's name.
    public let environment: String
    /// Where the data comes from.
    public let kind: Kind
    /// Whether the policies are those of random search rather than soft actor-critic's.
    public let isSearched: Bool

    /// Whether it is what a training saw, seen again.
    public var isReplay: Bool { kind == .mediumReplay || kind == .fullReplay }

    /// Whether that training is soft actor-critic's, which other devices than the processor compute.
    public var isLearntAgain: Bool { isReplay && !isSearched }

    /// Noise of random search's policies: standard deviation in units of half the action range.
    public static let noise = 0.05

    /// Understands a name: an environment, a dash and a kind, or the environment of a maze.
    ///
    /// - Throws: ``BehaviorError`` when the name ends in no kind and is not a maze's.
    public init(named name: String) throws(BehaviorError) {
        let kinds = Kind.allCases.filter { $0 != .navigation && $0 != .rooms }
        // The longest first, for `expert` is also how `medium-expert` ends.
        let suffix = kinds.sorted { $0.rawValue.count > $1.rawValue.count }
            .first { name.hasSuffix("-" + $0.rawValue) }
        // Mazes first: `medium` is one of their maps.
        if name.hasPrefix("pointmaze") || name.hasPrefix("maze2d") {
            environment = name
            kind = .navigation
            isSearched = false
        } else if name == RoomsEnvironment.family {
            environment = RoomsEnvironment.Maps.seen.rawValue
            kind = .rooms
            isSearched = false
        } else if let suffix {
            let rest = name.dropLast(suffix.rawValue.count + 1)
            isSearched = rest.hasSuffix("-ars") && suffix != .random && suffix != .fullReplay
            environment = String(isSearched ? rest.dropLast(4) : rest)
            kind = suffix
        } else {
            throw BehaviorError(
                code: .unknownDataset, subject: name,
                detail: "name it as an environment and one of "
                    + kinds.map(\.rawValue).joined(separator: ", ")
                    + ", as in hopper-medium-replay, or as a maze of the point, as in maze2d-large, or \(RoomsEnvironment.family)"
            )
        }
    }

    /// What acts, as `PolicyParser` would name it where it could.
    public var policy: String {
        switch kind {
        case .random: "random"
        case .medium: acting("medium")
        case .expert: acting("expert")
        case .mediumExpert: "\(acting("medium")), then \(acting("expert"))"
        case .mediumReplay, .fullReplay: "training up to \(replayedLevel)"
        case .navigation: "waypoints by PD control with noise 0.5"
        case .rooms: "half the shortest way with noise \(RoomsCollector.noise), half strolling"
        }
    }

    /// How a level acts, as `PolicyParser` names it.
    private func acting(_ level: String) -> String {
        isSearched ? "ars-\(level)+\(Self.noise)" : "sample:\(level)"
    }

    /// The level up to which training is seen again.
    var replayedLevel: String {
        (isSearched ? "ars-" : "") + (kind == .fullReplay ? "expert" : "medium")
    }

    /// Collects the data.
    ///
    /// - Parameters:
    ///   - steps: Transitions; of a replay, at most as many: the first that soft actor-critic saw,
    ///     or whole episodes spread evenly over random search.
    ///   - seed: Decides on starts and noise; training seen again is always the same.
    ///   - workers: Who simulates, with environments of the name ``environment``.
    ///   - engine: What computes a replay of soft actor-critic; nil for the processor, which no
    ///     other data needs either.
    ///   - untilGoal: Of ``Kind/navigation``, whether an episode ends at its first goal rather than
    ///     going on to the next; no other kind has goals.
    ///   - isStopped: Asked before each episode, on several threads; where it says so, there are
    ///     whole episodes of fewer steps.
    ///   - progress: Told how many steps have been taken, and of how many.
    /// - Returns: The episodes, in the order of their numbers.
    /// - Throws: `PolicyError` when there is no policy of the level for the environment, and
    ///   ``BehaviorError`` when its training cannot be seen again.
    public func collect(
        steps: Int, seed: UInt64, workers: EpisodeWorkers,
        engine: SoftActorCriticTrainer.EngineMaker? = nil, untilGoal: Bool = false,
        until isStopped: @escaping @Sendable () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [Trajectory] {
        let parser = PolicyParser(workers.specification)
        let total = steps
        func collected(_ policy: String, _ steps: Int, _ seed: UInt64, after done: Int = 0)
            async throws -> [Trajectory]
        {
            let collector = Collector(
                try parser.parse(policy), workers: workers, seed: seed, until: isStopped)
            return try await collector.collect(steps: steps) { progress(done + $0, total) }
        }
        switch kind {
        case .random, .medium, .expert: return try await collected(policy, steps, seed)
        case .mediumExpert:
            let half = steps / 2
            let medium = try await collected(acting("medium"), half, seed)
            return try await medium
                + collected(
                    acting("expert"), steps - half, seed &+ 1, after: half)
        case .navigation:
            let collector = NavigationCollector(
                workers: workers, seed: seed, untilGoal: untilGoal, isStopped: isStopped)
            return try await Collector.collect(
                steps: steps, atOnce: workers.totalCount, progress: { progress($0, steps) },
                episodes: { try await collector.episodes(from: $0, count: $1) })
        case .rooms:
            let collector = RoomsCollector(workers: workers, seed: seed, isStopped: isStopped)
            return try await Collector.collect(
                steps: steps, atOnce: workers.totalCount, progress: { progress($0, steps) },
                episodes: { try await collector.episodes(from: $0, count: $1) })
        case .mediumReplay, .fullReplay:
            return try await replay(
                steps: steps, workers: workers, engine: engine, until: isStopped, progress: progress
            )
        }
    }
}
