public import Environments
public import MuJoCo
public import Planning

/// One episode of an agent in an environment.
public struct Rollout: Sendable {
    /// Seed of the episode's start and of the agent.
    public let seed: UInt64
    /// Reward of each step.
    public private(set) var rewards: [Double] = []
    /// Whether the episode ended in a terminal state rather than by the time limit.
    public private(set) var isTerminated = false
    /// Wall-clock time of each plan that was made.
    public private(set) var planSeconds: [Double] = []
    /// States before each step and after the last, if asked for and the environment has them.
    public private(set) var states: [SimulationState] = []

    /// Sum of the rewards, undiscounted.
    public var totalReward: Double { rewards.reduce(0, +) }

    /// Runs one whole episode.
    ///
    /// - Parameters:
    ///   - agent: Who acts.
    ///   - environment: Where.
    ///   - seed: Decides on the start, and on whatever is random in the agent.
    ///   - maximumSteps: Ends the episode earlier than the environment's time limit.
    ///   - recordsStates: Whether to keep the states, for a video.
    ///   - onStep: Called after every step with the episode so far.
    /// - Throws: ``PlanningError`` when the agent's model fails.
    public init(
        of agent: inout some Agent, in environment: any Environment, seed: UInt64,
        maximumSteps: Int? = nil, recordsStates: Bool = false, onStep: (Rollout) -> Void = { _ in }
    ) throws(PlanningError) {
        self.seed = seed
        let simulation = recordsStates ? environment as? any SimulatedEnvironment : nil
        var limit = TimeLimit(environment.specification)
        var observation = environment.reset(seed: seed)
        agent.reset(seed: seed)
        while true {
            if let simulation { states.append(simulation.state) }
            let decision = try agent.act(on: observation)
            if let plan = decision.plan { planSeconds.append(plan.statistics.seconds) }
            let step = environment.step(decision.action)
            agent.receive(reward: step.reward)
            rewards.append(step.reward)
            isTerminated = step.isTerminated
            let isLast = limit.advance() || isTerminated || rewards.count == maximumSteps
            onStep(self)
            if isLast { break }
            observation = step.observation
        }
        if let simulation { states.append(simulation.state) }
    }
}
