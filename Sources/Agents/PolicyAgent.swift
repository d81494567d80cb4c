public import Planning
public import Policies
import RandomNumbers

/// A policy as an agent: acts without planning.
///
/// An episode's draws depend on its seed alone and are those of `PolicyScore.measure`.
public struct PolicyAgent: Agent {
    private let mixture: PolicyMixture
    private var generator: PCG64
    private var policy: any Policy
    private var goal: [Double]?

    /// Each episode follows a policy of the mixture.
    public init(_ mixture: PolicyMixture) {
        self.mixture = mixture
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
    public mutating func act(on observation: [Double]) -> Controller.Decision {
        Controller.Decision(
            action: policy.action(for: observation, goal: goal, using: &generator))
    }

    /// Policies do not mind what an action brought.
    public mutating func receive(reward: Double) {}
}
