public import Agents
public import Episodes
public import MuJoCo
public import Planning
public import Trajectories

/// One episode of an agent in an environment.
public struct Rollout: Sendable, Codable {
    /// Seed of the episode's start and of the agent.
    public let seed: UInt64
    /// Reward of each step.
    public internal(set) var rewards: [Double] = []
    /// Whether the episode ended in a terminal state rather than by the time limit.
    public internal(set) var isTerminated = false
    /// Whether the environment has a goal.
    public var hasGoal: Bool { goal != nil }
    /// Steps after which the goal was reached first; nil if it was not, or there is none.
    public internal(set) var stepsToGoal: Int?
    /// Where the goal was at the start: x and y in metres; nil where there is none.
    public internal(set) var goal: [Double]?
    /// Where the agent was before each step and after the last, as ``goal``; empty without one.
    public internal(set) var places: [[Double]] = []
    /// Metres of the shortest path from the start to where the goal counts as reached; nil where
    /// that is not known.
    public internal(set) var shortestPathLength: Double?
    /// Where the first plan was to lead, as ``places``, from where it was made; empty where it is
    /// not observed where the agent is.
    public internal(set) var plannedPlaces: [[Double]] = []
    /// What each plan that was made cost.
    public internal(set) var plans: [PlanStatistics] = []
    /// The episode as data, if asked for; its actions were rounded to `Float` before they were
    /// taken.
    public internal(set) var trajectory: Trajectory?
    /// States before each step and after the last, if asked for and the environment has them.
    public internal(set) var states: [SimulationState] = []

    /// Sum of the rewards, undiscounted.
    public var totalReward: Double { rewards.reduce(0, +) }

    /// ``places`` until the goal was reached first, or all where it was not.
    public var path: [[Double]] { stepsToGoal.map { Array(places.prefix($0 + 1)) } ?? places }

    init(seed: UInt64) {
        self.seed = seed
    }

    /// How far an episode goes, and what is kept of it.
    public struct Options: Sendable, Hashable {
        /// Ends the episode earlier than the environment's time limit.
        public var maximumSteps: Int?
        /// Whether the episode ends when its goal is reached.
        public var untilGoal = false
        /// Whether to keep the states, for a video.
        public var recordsStates = false
        /// Whether to keep the episode as data; actions are then rounded to `Float` before they are
        /// taken, so that what is logged is what was done.
        public var keepsTrajectory = false

        /// Whole episodes, of which nothing is kept but what a report needs, unless told otherwise.
        public init(
            maximumSteps: Int? = nil, untilGoal: Bool = false, recordsStates: Bool = false,
            keepsTrajectory: Bool = false
        ) {
            self.maximumSteps = maximumSteps
            self.untilGoal = untilGoal
            self.recordsStates = recordsStates
            self.keepsTrajectory = keepsTrajectory
        }
    }

    /// Runs one whole episode.
    ///
    /// - Parameters:
    ///   - agent: Who acts.
    ///   - environment: Where.
    ///   - seed: Decides on the start, and on whatever is random in the agent.
    ///   - options: How far it goes, and what is kept of it.
    ///   - onStep: Called after every step with the episode so far.
    /// - Throws: What `onStep` throws, and the agent, such as `PlanningError`.
    public init(
        of agent: inout some Agent, in environment: any Environment, seed: UInt64,
        options: Options = Options(), onStep: (Rollout) throws -> Void = { _ in }
    ) throws {
        let episode = RunningEpisode(in: environment, seed: seed, options: options)
        agent.reset(seed: seed)
        while !episode.isOver {
            if let goal = episode.goal { try agent.pursue(goal: goal) }
            let decision = try agent.act(on: episode.observation)
            try agent.receive(reward: episode.take(decision))
            try onStep(episode.rollout)
        }
        self = episode.rollout
    }
}
