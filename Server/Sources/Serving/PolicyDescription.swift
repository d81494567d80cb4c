public import Planning
import Trajectories
import Transformer

/// What a client is told of a policy when it connects.
public struct PolicyDescription: Sendable, Hashable {
    /// The name under which it is served.
    public var name: String
    /// Numbers of an observation.
    public var observationDimension: Int
    /// Numbers of an action.
    public var actionDimension: Int
    /// Columns of the observation that a goal gives values for; empty without goals.
    public var goalColumns: [Int]
    /// Transitions that a plan has at most.
    public var horizon: Int
    /// Transitions that a plan has at least: fewer than ``horizon`` only under a deadline.
    public var actionHorizon: Int
    /// Actions of a plan to take before the next, as the options of the search have it.
    public var replanInterval: Int
    /// Past transitions that a plan sees.
    public var history: Int
    /// What a plan is best in.
    public var objective: String
    /// Weight of a reward one step later.
    public var discount: Double
    /// Milliseconds within which a plan is made, where there is a deadline.
    public var deadlineMilliseconds: Double?

    /// The policy of a planner.
    ///
    /// - Parameters:
    ///   - planner: Who plans.
    ///   - name: The name under which it is served.
    ///   - replanInterval: Actions of a plan to take before the next.
    public init(_ planner: Planner, name: String, replanInterval: Int) {
        let layout = planner.observedLayout
        let options = planner.options
        self.name = name
        observationDimension = layout.observationDimension
        actionDimension = layout.actionDimension
        goalColumns = planner.goalColumns
        horizon = options.horizon
        actionHorizon = options.deadlineMilliseconds == nil ? options.horizon : 1
        self.replanInterval = replanInterval
        history = options.contextTransitions - 1
        objective = options.objective.rawValue
        discount = options.discount ?? 1
        deadlineMilliseconds = options.deadlineMilliseconds
    }
}
