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

    /// A collector of episodes that follow `policy`.
    public init(_ policy: PolicyMixture, workers: EpisodeWorkers, seed: UInt64) {
        self.policy = policy
        self.workers = workers
        self.seed = seed
    }

    /// Logs exactly `steps` transitions; where the last episode does not fit, it is cut and left
    /// unfinished.
    ///
    /// `progress` is called with the number of transitions so far. Actions are rounded to `Float`
    /// before they are taken, so that what is logged is what was done.
    public func collect(steps: Int, progress: (Int) -> Void = { _ in }) async -> [Trajectory] {
        precondition(steps > 0, "a collection of \(steps) steps is not one")
        return await Self.collect(
            steps: steps, atOnce: workers.count, progress: progress,
            episodes: { await episodes(from: $0, count: $1) })
    }

    /// Takes episodes, in order, until there are exactly `steps` transitions.
    ///
    /// `episodes` gives so many from a number on; at least `atOnce` are asked for each time.
    static func collect(
        steps: Int, atOnce: Int, progress: (Int) -> Void,
        episodes: (_ first: Int, _ count: Int) async -> [Trajectory]
    ) async -> [Trajectory] {
        var trajectories: [Trajectory] = []
        var collected = 0
        while collected < steps {
            // About as many as are still needed, so that few are run in vain.
            let needed =
                collected == 0 ? atOnce : (steps - collected) * trajectories.count / collected
            let count = min(max(needed, atOnce), 32 * atOnce)
            for var episode in await episodes(trajectories.count, count) where collected < steps {
                if collected + episode.count > steps {
                    episode = episode.rows(0..<(steps - collected))
                }
                trajectories.append(episode)
                collected += episode.count
            }
            progress(collected)
        }
        return trajectories
    }

    private func episodes(from first: Int, count: Int) async -> [Trajectory] {
        let policy = policy
        let seed = seed
        return await workers.map(count) { index, environment in
            var generator = PCG64(seed: seed, UInt64(first + index))
            let start = generator.next()
            let policy = policy.draw(using: &generator)
            let goals = environment as? any GoalEnvironment
            return Trajectory(
                of: Episode(in: environment, seed: start),
                decide: { policy.decision(for: $0, goal: goals?.goal, using: &generator) })
        }
    }
}
