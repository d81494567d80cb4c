public import Environments
public import Episodes
public import Policies
import RandomNumbers
public import Trajectories

/// Makes the dataset of one of D4RL's AntMazes.
///
/// A robot is sent from a start to a goal, by the task's rule, and walks until the time limit,
/// having arrived or not. Afterwards rewards are given for one goal of evaluation, the same for the
/// whole dataset: 1 in each row after which the robot is within its radius, and such a row ends an
/// episode (relabel_antmaze_rewards.py). So most of a dataset leads elsewhere than a planner is
/// asked to go.
public struct AntMazeCollector: Sendable {
    /// What was made.
    public struct Collection: Sendable {
        /// The episodes, cut at the goal of evaluation.
        public let trajectories: [Trajectory]
        /// The goal that rewards are given for.
        public let evaluationGoal: [Double]
        /// Times that a robot was sent, without one that was cut short.
        public let walks: Int
        /// Share of them in which it got within the radius of where it was sent.
        public let successRate: Double
        /// Mean number of steps until then; nil where it never did.
        public let meanStepsToGoal: Double?
    }

    /// What acts, as `PolicyParser` would name it for the environment of the walker.
    public static let walker = "sample:expert"
    /// The environment in which the walker was trained.
    public static let walkerEnvironment = AntGoalEnvironment.identifier

    private let task: AntMazeTask
    private let navigator: AntNavigator
    private let workers: EpisodeWorkers
    private let seed: UInt64
    private let untilGoal: Bool
    /// Whether to run no further episode.
    private let isStopped: @Sendable () -> Bool

    /// A collector of a task's dataset.
    ///
    /// - Parameters:
    ///   - task: The task.
    ///   - walker: Walks to a goal; a policy for the environment ``walkerEnvironment``.
    ///   - workers: Who simulates, with environments of the task.
    ///   - seed: Decides on starts, goals and noise.
    ///   - untilGoal: Whether an episode ends where the robot was sent.
    ///   - isStopped: Asked before each episode, on several threads: whether to run no further one.
    public init(
        _ task: AntMazeTask, walker: any Policy, workers: EpisodeWorkers, seed: UInt64,
        untilGoal: Bool = false, isStopped: @escaping @Sendable () -> Bool = { false }
    ) {
        self.isStopped = isStopped
        precondition(
            workers.specification.identifier == task.identifier,
            "workers of \(workers.specification.identifier) for \(task.identifier)")
        self.task = task
        self.workers = workers
        self.seed = seed
        self.untilGoal = untilGoal
        navigator = AntNavigator(on: task.map, walker: walker)
    }

    /// Logs exactly `steps` transitions; `progress` is told how many there are.
    ///
    /// - Throws: `ProcessGroupError` when other processes that collect cannot be reached.
    public func collect(
        steps: Int, progress: (Int) -> Void = { _ in }
    ) async throws -> Collection {
        let walks = try await Collector.collect(
            steps: steps, atOnce: workers.totalCount, progress: progress,
            episodes: { try await episodes(from: $0, count: $1) })
        let goal = await workers.map(1) { [seed, task] _, environment in
            var generator = PCG64(seed: seed, UInt64.max)
            return Self.maze(environment).point(near: task.goalCell, using: &generator)
        }[0]
        let radius = 0.5
        var whole = walks.filter { $0.ending != .unfinished }
        if whole.isEmpty { whole = walks }
        let arrivals = whole.compactMap { walk in
            walk.infos["goal"].flatMap {
                walk.firstArrival(at: $0.values.prefix(2), radius: radius)
            }
        }
        return Collection(
            trajectories: walks.flatMap { $0.rewarded(for: goal.map(Float.init), radius: radius) },
            evaluationGoal: goal, walks: whole.count,
            successRate: Double(arrivals.count) / Double(max(1, whole.count)),
            meanStepsToGoal: arrivals.isEmpty
                ? nil : Double(arrivals.reduce(0, +)) / Double(arrivals.count))
    }

    private static func maze(_ environment: any Environment) -> D4RLAntMaze {
        guard let maze = environment as? D4RLAntMaze else {
            preconditionFailure("\(environment.specification.identifier) is no maze of D4RL's")
        }
        return maze
    }

    private func episodes(from first: Int, count: Int) async throws -> [Trajectory] {
        let (seed, navigator, untilGoal) = (seed, navigator, untilGoal)
        let isStopped = isStopped
        return try await workers.mapTogether(count) { index, environment -> Trajectory? in
            if isStopped() { return nil }
            let maze = Self.maze(environment)
            var generator = PCG64(seed: seed, UInt64(first + index))
            let start = maze.resetForData(using: &generator)
            let route = navigator.route(to: maze.goal)
            return Trajectory(of: Episode(in: maze, from: start)) {
                navigator.action(for: $0, along: route, using: &generator)
            } arrive: { _ in
                !(untilGoal && maze.isReached())
            }
        }.beforeFirstNil
    }
}

extension Trajectory {
    /// The place after a row: the first two numbers of what was then observed.
    private func place(after row: Int) -> ArraySlice<Float> {
        if row + 1 < count { return observation(row + 1).prefix(2) }
        return (finalObservation ?? Array(observation(row)))[...].prefix(2)
    }

    private func isNear(_ goal: some Collection<Float>, after row: Int, radius: Double) -> Bool {
        let squares = zip(place(after: row), goal).map { Double($0 - $1) * Double($0 - $1) }
        return squares.reduce(0, +) <= radius * radius
    }

    /// Steps until the agent was within `radius` of `goal`; nil where it never was.
    package func firstArrival(at goal: some Collection<Float>, radius: Double) -> Int? {
        (0..<count).first { isNear(goal, after: $0, radius: radius) }.map { $0 + 1 }
    }

    /// The same rows, paid 1 for being within `radius` of `goal`, which ends an episode.
    package func rewarded(for goal: [Float], radius: Double) -> [Trajectory] {
        let rewards: [Float] = (0..<count).map { isNear(goal, after: $0, radius: radius) ? 1 : 0 }
        let all = with(rewards: rewards)
        var parts: [Trajectory] = []
        var start = 0
        for row in 0..<count where rewards[row] == 1 {
            parts.append(all.rows(start..<(row + 1), ending: .terminal))
            start = row + 1
        }
        if start < count { parts.append(all.rows(start..<count, ending: ending)) }
        return parts
    }
}
