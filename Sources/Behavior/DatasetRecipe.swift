public import Episodes
import Foundation
import Learning
import Policies
public import Trajectories

/// How a dataset of a name like D4RL's is made: `hopper-medium-replay`, `maze2d-large`.
///
/// - `random`: uniformly random actions.
/// - `medium`, `expert`: the level's policy with a little noise.
/// - `medium-replay`: every episode that training saw up to the medium policy.
/// - `medium-expert`: as many transitions of `medium` as of `expert`, in this order.
/// - a maze of the point: a noisy PD controller that follows waypoints from goal to goal.
///
/// The same seed gives the same data, whatever the number of workers.
public struct DatasetRecipe: Sendable, Hashable {
    /// Where the data comes from.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case random, medium, expert
        case mediumReplay = "medium-replay"
        case mediumExpert = "medium-expert"
        case navigation

        /// Transitions where nothing is said, as many as D4RL's have.
        ///
        /// Of a replay, at most these.
        public var defaultSteps: Int { self == .mediumExpert ? 2_000_000 : 1_000_000 }
    }

    /// The environment's name.
    public let environment: String
    /// Where the data comes from.
    public let kind: Kind

    /// Noise of the policies' actions: standard deviation in units of half the action range.
    public static let noise = 0.05

    /// Understands a name: an environment, a dash and a kind, or the environment of a maze.
    ///
    /// - Throws: ``BehaviorError`` when the name ends in no kind and is not a maze's.
    public init(named name: String) throws(BehaviorError) {
        let kinds = Kind.allCases.filter { $0 != .navigation }
        // The longest first, for `expert` is also how `medium-expert` ends.
        let suffix = kinds.sorted { $0.rawValue.count > $1.rawValue.count }
            .first { name.hasSuffix("-" + $0.rawValue) }
        // Mazes first: `medium` is one of their maps.
        if name.hasPrefix("pointmaze") || name.hasPrefix("maze2d") {
            environment = name
            kind = .navigation
        } else if let suffix {
            environment = String(name.dropLast(suffix.rawValue.count + 1))
            kind = suffix
        } else {
            throw BehaviorError(
                code: .unknownDataset, subject: name,
                detail: "name it as an environment and one of "
                    + kinds.map(\.rawValue).joined(separator: ", ")
                    + ", as in hopper-medium-replay, or as a maze of the point, as in maze2d-large")
        }
    }

    /// What acts, as `PolicyParser` would name it where it could.
    public var policy: String {
        switch kind {
        case .random: "random"
        case .medium: "medium+\(Self.noise)"
        case .expert: "expert+\(Self.noise)"
        case .mediumExpert: "medium+\(Self.noise), then expert+\(Self.noise)"
        case .mediumReplay: "training up to medium"
        case .navigation: "waypoints by PD control with noise 0.5"
        }
    }

    /// Collects the data.
    ///
    /// - Parameters:
    ///   - steps: Transitions; of a replay, at most as many, in episodes spread evenly over
    ///     training.
    ///   - seed: Decides on starts and noise; training seen again is always the same.
    ///   - workers: Who simulates, with environments of the name ``environment``.
    ///   - untilGoal: Of ``Kind/navigation``, whether an episode ends at its first goal rather than
    ///     going on to the next; no other kind has goals.
    ///   - progress: Told how many steps have been taken, and of how many.
    /// - Returns: The episodes, in the order of their numbers.
    /// - Throws: `PolicyError` when there is no policy of the level for the environment, and
    ///   ``BehaviorError`` when its training cannot be seen again.
    public func collect(
        steps: Int, seed: UInt64, workers: EpisodeWorkers, untilGoal: Bool = false,
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
            return await collector.collect(steps: steps) { progress(done + $0, total) }
        }
        switch kind {
        case .random, .medium, .expert: return try await collected(policy, steps, seed)
        case .mediumExpert:
            let half = steps / 2
            let medium = try await collected("medium+\(Self.noise)", half, seed)
            return try await medium
                + collected("expert+\(Self.noise)", steps - half, seed &+ 1, after: half)
        case .navigation:
            let collector = NavigationCollector(
                workers: workers, seed: seed, untilGoal: untilGoal, isStopped: isStopped)
            return await Collector.collect(
                steps: steps, atOnce: workers.count, progress: { progress($0, steps) },
                episodes: { await collector.episodes(from: $0, count: $1) })
        case .mediumReplay:
            guard !workers.specification.identifier.contains("@") else {
                throw BehaviorError(
                    code: .unknownDataset, subject: "\(environment)-\(kind.rawValue)",
                    detail: "training held no action for several steps; leave out the @ and what "
                        + "follows it")
            }
            let file = try parser.url(ofLevel: "medium")
            guard let record = RandomSearch.Record(try LinearPolicy.metadata(ofFile: file)) else {
                throw BehaviorError(
                    code: .unrecordedPolicy, subject: file.path,
                    detail: "it does not say how it was trained; train one by random search")
            }
            return try await Self.replay(
                record, steps: steps, workers: workers, until: isStopped, progress: progress)
        }
    }

    /// What a search sees, again; where that is more than `steps`, episodes spread evenly.
    private static func replay(
        _ record: RandomSearch.Record, steps: Int, workers: EpisodeWorkers,
        until isStopped: () -> Bool, progress: (Int, Int) -> Void
    ) async throws -> [Trajectory] {
        var search = try RandomSearch(record.settings, workers: workers)
        var kept: [Trajectory] = []
        var count = 0
        while search.iteration < record.iterations, !isStopped() {
            for episode in await search.advance(recordsEpisodes: true).episodes {
                // An episode is kept whenever less than its share of all that was seen is there.
                let share = min(1, Double(steps) / Double(max(record.steps, 1)))
                let due = Double(search.steps) * share
                guard Double(count + episode.count) <= min(due, Double(steps)) else { continue }
                kept.append(episode)
                count += episode.count
            }
            progress(search.steps, record.steps)
        }
        return kept
    }
}
