public import Episodes
public import Policies
import RandomNumbers
public import Trajectories

/// Logs episodes of a policy.
///
/// Episode `i` depends on the seed and `i` alone, and episodes are kept in order, so a collection
/// does not depend on the number of workers.
public struct Collector: Sendable {
    private let policy: PolicyMixture
    private let workers: EpisodeWorkers
    private let seed: UInt64
    private let isStopped: @Sendable () -> Bool

    /// A collector of episodes that follow `policy`, until `isStopped` says so before an episode.
    public init(
        _ policy: PolicyMixture, workers: EpisodeWorkers, seed: UInt64,
        until isStopped: @escaping @Sendable () -> Bool = { false }
    ) {
        self.policy = policy
        self.workers = workers
        self.seed = seed
        self.isStopped = isStopped
    }

    /// Logs exactly `steps` transitions; where the last episode does not fit, it is cut and left
    /// unfinished.
    ///
    /// Where the collection is stopped, whole episodes of fewer transitions.
    /// `progress` is called with the number of transitions so far. Actions are rounded to `Float`
    /// before they are taken, so that what is logged is what was done.
    ///
    /// - Throws: `ProcessGroupError` when other processes that collect cannot be reached.
    public func collect(
        steps: Int, progress: (Int) -> Void = { _ in }
    ) async throws -> [Trajectory] {
        precondition(steps > 0, "a collection of \(steps) steps is not one")
        return try await Self.collect(
            steps: steps, atOnce: workers.totalCount, progress: progress,
            episodes: { try await episodes(from: $0, count: $1) })
    }

    /// Takes episodes, in order, until there are exactly `steps` transitions.
    ///
    /// `episodes` gives so many from a number on; at least `atOnce` are asked for each time. Fewer
    /// than asked for end the collection.
    static func collect(
        steps: Int, atOnce: Int, progress: (Int) -> Void,
        episodes: (_ first: Int, _ count: Int) async throws -> [Trajectory]
    ) async rethrows -> [Trajectory] {
        var trajectories: [Trajectory] = []
        var collected = 0
        while collected < steps {
            // About as many as are still needed, so that few are run in vain.
            let needed =
                collected == 0 ? atOnce : (steps - collected) * trajectories.count / collected
            let count = min(max(needed, atOnce), 32 * atOnce)
            let made = try await episodes(trajectories.count, count)
            for var episode in made where collected < steps {
                if collected + episode.count > steps {
                    episode = episode.rows(0..<(steps - collected))
                }
                trajectories.append(episode)
                collected += episode.count
            }
            progress(collected)
            if made.count < count { break }
        }
        return trajectories
    }

    private func episodes(from first: Int, count: Int) async throws -> [Trajectory] {
        let (policy, seed, isStopped) = (policy, seed, isStopped)
        return try await workers.mapTogether(count) { index, environment -> Trajectory? in
            if isStopped() { return nil }
            var generator = PCG64(seed: seed, UInt64(first + index))
            let start = generator.next()
            let policy = policy.draw(using: &generator)
            let goals = environment as? any GoalEnvironment
            return Trajectory(
                of: Episode(in: environment, seed: start),
                decide: { policy.decision(for: $0, goal: goals?.goal, using: &generator) })
        }.beforeFirstNil
    }
}

extension Array where Element == Trajectory? {
    /// The episodes before the first that was not run.
    var beforeFirstNil: [Trajectory] { prefix { $0 != nil }.compactMap(\.self) }
}
