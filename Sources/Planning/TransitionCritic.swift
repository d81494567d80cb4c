/// Tells what actions are worth, for plans with the objective `q`.
///
/// A planner knows no more of a critic than this; where it comes from is the caller's matter.
public protocol TransitionCritic: Sendable {
    /// The discounted sum of rewards from each observation on, where the action at the same place
    /// is taken; the reward of that action is included.
    func values(observations: [[Double]], actions: [[Double]]) -> [Double]
}

extension PlannerOptions {
    /// Checks that there is a critic where the objective needs one.
    func requireCritic(_ critic: (any TransitionCritic)?) throws(PlannerOptionsError) {
        guard objective == .q, critic == nil else { return }
        throw PlannerOptionsError(
            "objective", "q without a critic", "give a critic, or the objective expectedReturn")
    }
}
