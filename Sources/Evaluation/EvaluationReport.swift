public import Agents
import Environments
public import Episodes
public import Planning

/// What came of evaluating a planner: returns, score and time.
public struct EvaluationReport: Sendable, Hashable, Codable {
    /// Canonical name of the environment.
    public var environment: String
    /// Seed of each episode.
    public var seeds: [UInt64]
    /// Undiscounted return of each episode.
    public var returns: [Double]
    /// D4RL score of each episode; nil where no reference scores are agreed.
    public var normalizedScores: [Double]?
    /// Steps of each episode.
    public var lengths: [Int]
    /// Mean of ``returns``.
    public var meanReturn: Double
    /// Standard deviation of ``returns`` (divides by their number).
    public var standardDeviation: Double
    /// D4RL score of the mean return, 0 as the random policy and 100 as the expert; nil where no
    /// reference scores are agreed.
    public var normalizedScore: Double?
    /// Standard error of ``normalizedScore``; nil where there is none, or of a single episode.
    public var normalizedScoreError: Double?
    /// Share of the episodes in which the goal was reached; nil where there is none.
    public var successRate: Double?
    /// Mean number of steps to the goal, of the episodes in which it was reached; nil if it never
    /// was.
    public var meanStepsToGoal: Double?
    /// Metres travelled to the goal, the mean of the episodes in which it was reached; nil if it
    /// never was.
    public var meanPathLength: Double?
    /// Metres of the shortest path through the map to where the goal counts as reached, the mean of
    /// the same episodes; nil where there is no map.
    public var meanShortestPath: Double?
    /// Number of plans made.
    public var plans: Int
    /// Median wall-clock time of a plan; nil if none was made.
    ///
    /// Plans that were searched for together share the time of their search.
    public var millisecondsPerPlan: Double?
    /// Mean wall-clock time of a plan; nil if none was made.
    public var meanMillisecondsPerPlan: Double?
    /// How the times of the plans are spread; nil if none was made.
    public var planMilliseconds: PlanTimes?
    /// Longest search, whoever shared it; nil if none was made.
    public var longestSearchMilliseconds: Double?
    /// Mean number of transitions planned; nil if no plan was made.
    public var meanHorizon: Double?
    /// Mean number of sequences kept; nil if no plan was made.
    public var meanBeamWidth: Double?
    /// Wall-clock time of the whole evaluation, where it was measured.
    public var seconds: Double?
    /// How the planner searched, if a planner acted.
    public var planner: PlannerOptions?

    /// Sums up episodes; at least one.
    public init(
        _ rollouts: [Rollout], in specification: EnvironmentSpecification,
        planner: PlannerOptions? = nil
    ) {
        precondition(!rollouts.isEmpty, "a report needs at least one episode")
        environment = specification.identifier
        seeds = rollouts.map(\.seed)
        returns = rollouts.map(\.totalReward)
        lengths = rollouts.map(\.rewards.count)
        let mean = returns.reduce(0, +) / Double(returns.count)
        meanReturn = mean
        let squares = returns.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardDeviation = (squares / Double(returns.count)).squareRoot()
        normalizedScore = specification.normalizedScore(mean)
        let scores = returns.compactMap(specification.normalizedScore)
        normalizedScores = scores.count == returns.count ? scores : nil
        if returns.count > 1, let normalizedScore {
            let error = (squares / Double(returns.count - 1) / Double(returns.count)).squareRoot()
            normalizedScoreError =
                specification.normalizedScore(mean + error).map { $0 - normalizedScore }
        }
        if rollouts.allSatisfy(\.hasGoal) {
            let reached = rollouts.filter { $0.stepsToGoal != nil }
            func mean(_ number: (Rollout) -> Double?) -> Double? {
                let numbers = reached.compactMap(number)
                guard !numbers.isEmpty, numbers.count == reached.count else { return nil }
                return numbers.reduce(0, +) / Double(numbers.count)
            }
            successRate = Double(reached.count) / Double(rollouts.count)
            meanStepsToGoal = mean { $0.stepsToGoal.map(Double.init) }
            meanPathLength = mean { $0.path.pathLength }
            meanShortestPath = mean(\.shortestPathLength)
        }
        let made = rollouts.flatMap(\.plans)
        let times = made.map { $0.seconds / Double($0.plans) * 1000 }.sorted()
        plans = times.count
        if !times.isEmpty {
            let middle = times.count / 2
            millisecondsPerPlan =
                times.count.isMultiple(of: 2)
                ? (times[middle - 1] + times[middle]) / 2 : times[middle]
            meanMillisecondsPerPlan = times.reduce(0, +) / Double(times.count)
            planMilliseconds = PlanTimes(times)
            longestSearchMilliseconds = made.map { $0.seconds * 1000 }.max()
            meanHorizon = Double(made.reduce(0) { $0 + $1.horizon }) / Double(plans)
            meanBeamWidth = Double(made.reduce(0) { $0 + $1.beamWidth }) / Double(plans)
        }
        self.planner = planner
    }

    /// Evaluates an agent over `episodes` episodes; episode `i` has the seed `seed + i`.
    ///
    /// - Parameters:
    ///   - agent: Who acts.
    ///   - environment: Where.
    ///   - episodes: Number of episodes, at least one.
    ///   - seed: Seed of the first one.
    ///   - planner: How the agent plans, for the record.
    ///   - options: How far episodes go, and what is kept of them.
    ///   - recordedEpisodes: Number of episodes, from the first, whose states are kept.
    ///   - isStopped: Asked after each step; where it says so, the episode is given up.
    ///   - onStep: Called after every step with the episode's number and the episode so far.
    /// - Returns: The report, and the episodes it sums up: those that came to their end.
    /// - Throws: ``EvaluationStopped`` where none did; what the agent throws, such as
    ///   `PlanningError`.
    public static func evaluate(
        _ agent: inout some Agent, in environment: any Environment, episodes: Int, seed: UInt64,
        planner: PlannerOptions? = nil, options: Rollout.Options = .init(),
        recordedEpisodes: Int = 0, until isStopped: () -> Bool = { false },
        onStep: (Int, Rollout) -> Void = { _, _ in }
    ) throws -> (report: EvaluationReport, rollouts: [Rollout]) {
        var rollouts: [Rollout] = []
        for episode in 0..<episodes {
            var options = options
            options.recordsStates = options.recordsStates || episode < recordedEpisodes
            do {
                rollouts.append(
                    try Rollout(
                        of: &agent, in: environment, seed: seed &+ UInt64(episode), options: options
                    ) {
                        onStep(episode, $0)
                        if isStopped() { throw EvaluationStopped() }
                    })
            } catch is EvaluationStopped {
                break
            }
        }
        if rollouts.isEmpty { throw EvaluationStopped() }
        let report = EvaluationReport(
            rollouts, in: environment.specification, planner: planner)
        return (report, rollouts)
    }
}

/// An evaluation that was stopped before its first episode was over.
public struct EvaluationStopped: Error, CustomStringConvertible, Sendable, Hashable {
    /// Nothing came of it.
    public init() {}

    /// One line.
    public var description: String { "stopped before the first episode was over" }
}
