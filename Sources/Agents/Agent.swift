public import Planning

/// Something that acts through episodes of an environment and can be evaluated.
public protocol Agent {
    /// Starts an episode; whatever is random in it depends on `seed` alone.
    mutating func reset(seed: UInt64)
    /// Learns the goal of the environment, where it has one, before every action; the default
    /// ignores it.
    mutating func pursue(goal: [Double]) throws
    /// The action for an observation, and the plan behind it where one was made.
    ///
    /// - Throws: Where no action can be had, such as `PlanningError`.
    mutating func act(on observation: [Double]) throws -> Controller.Decision
    /// Takes note of what the last action brought.
    mutating func receive(reward: Double) throws
}

extension Agent {
    /// Ignores the goal.
    public mutating func pursue(goal: [Double]) {}
}

extension Controller: Agent {
    /// Plans for this goal, if the model was trained to reach goals.
    public mutating func pursue(goal: [Double]) throws(PlanningError) {
        if !context.goalColumns.isEmpty { try setGoal(goal) }
    }
}
