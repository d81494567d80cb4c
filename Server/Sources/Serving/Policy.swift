public import Planning

/// What is served: a description, a queue before the planner, and empty sessions.
public struct Policy: Sendable {
    /// What clients are told.
    public let description: PolicyDescription
    /// Where requests wait for the planner.
    public let queue: PlanQueue
    private let empty: PlanningContext

    /// Serves a planner.
    ///
    /// - Parameters:
    ///   - planner: Who plans.
    ///   - name: The name under which it is served.
    ///   - replanInterval: Actions of a plan that a client is advised to take before the next.
    ///   - limits: How much may wait, and for how long.
    public init(
        _ planner: Planner, name: String, replanInterval: Int = 1,
        limits: PlanQueue.Limits = .init()
    ) {
        description = PolicyDescription(planner, name: name, replanInterval: replanInterval)
        queue = PlanQueue(planner, limits: limits)
        empty = planner.context()
    }

    /// What a new connection remembers: nothing.
    public func session() -> Session {
        Session(context: empty, lanes: queue.limits.together)
    }
}
