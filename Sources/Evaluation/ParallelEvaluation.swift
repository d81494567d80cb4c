public import Environments
public import Planning
internal import Synchronization

extension EvaluationReport {
    /// Evaluates over `episodes` episodes, several at a time; episode `i` has the seed `seed + i`.
    ///
    /// Every task has an agent and an environment of its own, and an episode depends on its seed
    /// alone. The number of tasks changes nothing but the time, as long as the agents compute alike.
    ///
    /// - Parameters:
    ///   - episodes: Number of episodes, at least one.
    ///   - parallel: Episodes that run at the same time.
    ///   - seed: Seed of the first one.
    ///   - planner: How the agent plans, for the record.
    ///   - maximumSteps: Ends episodes earlier than the environment's time limit.
    ///   - recordedEpisodes: Number of episodes, from the first, whose states are kept.
    ///   - makeAgent: Who acts.
    ///   - makeEnvironment: Where.
    ///   - onStep: Called after every step with the episode's number and the episode so far, from
    ///     the task that runs it.
    /// - Returns: The report, and the episodes it sums up.
    /// - Throws: What `makeAgent`, `makeEnvironment` and the agent's model throw.
    public static func evaluate(
        episodes: Int, parallel: Int, seed: UInt64, planner: PlannerOptions? = nil,
        maximumSteps: Int? = nil, recordedEpisodes: Int = 0,
        agent makeAgent: @escaping @Sendable () throws -> some Agent & SendableMetatype,
        environment makeEnvironment: @escaping @Sendable () throws -> any Environment,
        onStep: @escaping @Sendable (Int, Rollout) -> Void = { _, _ in }
    ) async throws -> (report: EvaluationReport, rollouts: [Rollout]) {
        let next = Counter()
        let rollouts = try await withThrowingTaskGroup(of: [(Int, Rollout)].self) { group in
            for _ in 0..<max(1, min(parallel, episodes)) {
                group.addTask {
                    var agent = try makeAgent()
                    let environment = try makeEnvironment()
                    var done: [(Int, Rollout)] = []
                    while let episode = next.take(below: episodes), !Task.isCancelled {
                        let rollout = try Rollout(
                            of: &agent, in: environment, seed: seed &+ UInt64(episode),
                            maximumSteps: maximumSteps, recordsStates: episode < recordedEpisodes
                        ) { onStep(episode, $0) }
                        done.append((episode, rollout))
                    }
                    return done
                }
            }
            var all: [(Int, Rollout)] = []
            for try await part in group { all += part }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
        let report = EvaluationReport(
            rollouts, in: try makeEnvironment().specification, planner: planner)
        return (report, rollouts)
    }

    /// Hands out the numbers of episodes.
    private final class Counter: Sendable {
        private let next = Atomic<Int>(0)

        func take(below limit: Int) -> Int? {
            let number = next.add(1, ordering: .relaxed).oldValue
            return number < limit ? number : nil
        }
    }
}
