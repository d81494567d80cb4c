public import Planning
public import Policies
import RandomNumbers
public import Trajectories

/// A policy as an agent: acts without planning.
///
/// An episode's draws depend on its seed alone and are those of `PolicyScore.measure`.
public struct PolicyAgent: Agent, Sendable {
    private let mixture: PolicyMixture
    private var generator: PCG64
    private var policy: any Policy
    private var goal: [Double]?
    private let layout: TransitionLayout

    /// Each episode follows a policy of the mixture, in environments of this layout.
    public init(_ mixture: PolicyMixture, layout: TransitionLayout) {
        self.mixture = mixture
        self.layout = layout
        generator = PCG64(seed: 0, 1)
        policy = mixture.components[0].policy
    }

    /// Starts an episode and draws its policy.
    public mutating func reset(seed: UInt64) {
        generator = PCG64(seed: seed, 1)
        policy = mixture.draw(using: &generator)
        goal = nil
    }

    /// Tells the policy of the goal, if it has use for one.
    public mutating func pursue(goal: [Double]) {
        self.goal = goal
    }

    /// The policy's action.
    ///
    /// - Throws: `PlanningError` when the observation or the action has another length or is not
    ///   finite, as a planner refuses it.
    public mutating func act(on observation: [Double]) throws -> Controller.Decision {
        try PlanningError.require(
            observation, count: layout.observationDimension, "observation")
        let action = policy.action(for: observation, goal: goal, using: &generator)
        try PlanningError.require(action, count: layout.actionDimension, "policy's action")
        return Controller.Decision(action: action)
    }

    /// Policies do not mind what an action brought, as long as it is a number.
    ///
    /// - Throws: `PlanningError` when it is not finite.
    public mutating func receive(reward: Double) throws {
        try PlanningError.require([reward], count: 1, "reward")
    }
}
