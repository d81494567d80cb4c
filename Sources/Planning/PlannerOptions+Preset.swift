extension PlannerOptions {
    /// A named search.
    public enum Preset: String, Sendable, Hashable, Codable, CaseIterable {
        /// 3 transitions ahead with 16 beams from what happened in the last 7, among all actions that
        /// the model thinks possible, weighed by how likely it thinks them; the plan is followed for
        /// 3 steps. Milliseconds a decision for a small model.
        ///
        /// Of another objective than the return 5 transitions ahead, and all else as in ``paper``.
        case quick
        /// The paper's for Hopper and Walker2d: 15 transitions ahead with 128 beams.
        case paper
    }

    /// The options of a preset for an objective.
    public init(_ preset: Preset, for objective: Objective = .expectedReturn) {
        self.init()
        self.objective = objective
        guard preset == .quick else { return }
        (horizon, beamWidth) = (5, 16)
        guard objective == .expectedReturn else { return }
        horizon = 3
        contextTransitions = Self.quickContext
        replanInterval = 3
        actionCDF = nil
        likelihoodWeight = 0.5
        window = .cached
    }

    /// Transitions that the quick search's model sees, where it can: with those that are planned as
    /// many as the authors train on.
    static let quickContext = 8
}
