public import Planning

/// Something that acts through episodes of an environment and can be evaluated.
public protocol Agent {
    /// Starts an episode; whatever is random in it depends on `seed` alone.
    mutating func reset(seed: UInt64)
    /// The action for an observation.
    mutating func act(on observation: [Double]) throws(PlanningError) -> Controller.Decision
    /// Takes note of what the last action brought.
    mutating func receive(reward: Double)
}

extension Controller: Agent {}
