public import Episodes
import RandomNumbers
public import Trajectories

/// Returns of a policy over some episodes.
public struct PolicyScore: Sendable {
    /// Undiscounted return of each episode.
    public let returns: [Double]
    /// Steps of each episode.
    public let lengths: [Int]

    /// Mean return.
    public var mean: Double { returns.reduce(0, +) / Double(returns.count) }
    /// Standard deviation of the returns (divides by their number).
    public var deviation: Double {
        let mean = mean
        let squares = returns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(returns.count)).squareRoot()
    }
    /// Mean return of the best tenth of the episodes, at least one.
    public var bestTenth: Double {
        let best = returns.sorted(by: >).prefix((returns.count + 9) / 10)
        return best.reduce(0, +) / Double(best.count)
    }
    /// Mean number of steps.
    public var meanLength: Double { Double(lengths.reduce(0, +)) / Double(lengths.count) }

    /// The score of episodes that were logged.
    public init(of trajectories: [Trajectory]) {
        self.init(returns: trajectories.map(\.totalReward), lengths: trajectories.map(\.count))
    }

    package init(returns: [Double], lengths: [Int]) {
        precondition(!returns.isEmpty, "a score needs at least one episode")
        self.returns = returns
        self.lengths = lengths
    }

    /// Runs `episodes` whole episodes, episode `i` from the start of seed `firstSeed + i`.
    public static func measure(
        _ policy: PolicyMixture, episodes: Int, firstSeed: UInt64, workers: EpisodeWorkers
    ) async -> PolicyScore {
        precondition(episodes > 0, "a score needs at least one episode")
        let results = await workers.map(episodes) { index, environment in
            let seed = firstSeed &+ UInt64(index)
            var generator = PCG64(seed: seed, 1)
            let episodePolicy = policy.draw(using: &generator)
            var episode = Episode(in: environment, seed: seed)
            while !episode.isOver {
                episode.take(
                    episodePolicy.action(
                        for: episode.observation, goal: episode.goal, using: &generator))
            }
            return (episode.totalReward, episode.steps)
        }
        return PolicyScore(returns: results.map(\.0), lengths: results.map(\.1))
    }
}
