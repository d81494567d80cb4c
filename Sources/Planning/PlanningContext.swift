public import Tokenization
public import Trajectories

/// The latest transitions of an episode as tokens: what a planner sees of the past, and the goal
/// where the model takes one.
///
/// Observations are given whole. What of them holds for a whole episode (``conditions``) stands in
/// front; where it changes another episode has begun, whose past is empty.
public struct PlanningContext: Sendable, Equatable {
    /// Which token of a transition is which.
    public let layout: TransitionLayout
    /// Transitions that are kept; older ones are forgotten.
    public let limit: Int
    /// Tokens of the kept transitions, oldest first.
    public private(set) var transitions: [[Int]] = []
    /// Columns of the observation that a goal gives values for; empty for a model without goals.
    public let goalColumns: [Int]
    /// Tokens of the goal; empty while none is set.
    public private(set) var goal: [Int] = []
    /// What of an observation holds for a whole episode; nil where nothing is taken out of it.
    public let conditions: Conditions?
    let discretizer: Discretizer
    /// The conditions' tokens of the kept transitions.
    private var presentConditions: [Int] = []

    /// An empty context that keeps the latest `limit` transitions; goals give values for
    /// `goalColumns` of what is observed, and `conditions` hold for a whole episode.
    public init(
        layout: TransitionLayout, discretizer: Discretizer, limit: Int, goalColumns: [Int] = [],
        conditions: Conditions? = nil
    ) {
        precondition(
            discretizer.dimension == layout.transitionDimension,
            "a discretizer of \(discretizer.dimension) dimensions for transitions of "
                + "\(layout.transitionDimension)")
        precondition(limit >= 0, "a context of \(limit) transitions")
        self.layout = layout
        self.discretizer = discretizer
        self.limit = limit
        self.goalColumns = goalColumns
        self.conditions = conditions
    }

    /// Says what to reach: values for ``goalColumns``, in that order and in the observation's
    /// units.
    ///
    /// Values beyond the data fall into the first or last bin.
    ///
    /// - Throws: ``PlanningError`` when these are not as many finite numbers.
    public mutating func setGoal(_ values: [Double]) throws(PlanningError) {
        try PlanningError.require(values, count: goalColumns.count, "goal")
        goal = zip(values, goalColumns).map {
            discretizer.token(for: $0, dimension: conditions?.restColumn($1) ?? $1)
        }
    }

    /// Adds what happened: an observation, the action taken then, and the reward that followed.
    ///
    /// The value after it is not known yet. Its token is the last bin, as in the authors' code;
    /// any would do, since nothing attends to value tokens.
    ///
    /// - Throws: ``PlanningError`` when these are not as many finite numbers as a transition has.
    public mutating func append(
        observation: [Double], action: [Double], reward: Double
    ) throws(PlanningError) {
        try requireObservation(observation)
        try PlanningError.require(action, count: layout.actionDimension, "action")
        try PlanningError.require([reward], count: 1, "reward")
        if let conditions {
            let present = conditions.tokens(of: observation)
            if present != presentConditions { transitions = [] }
            presentConditions = present
        }
        let known = TransitionRows.numbers(
            observation: rest(of: observation), action: action, reward: reward
        ).enumerated().map { discretizer.token(for: $1, dimension: $0) }
        transitions.append(known + [discretizer.binCount - 1])
        if transitions.count > limit { transitions.removeFirst(transitions.count - limit) }
    }

    /// The tokens to plan from: the kept transitions, then the current observation.
    ///
    /// - Throws: ``PlanningError`` when that is not as many finite numbers as the model observes.
    public func tokens(before observation: [Double]) throws(PlanningError) -> [Int] {
        try requireObservation(observation)
        let past = holds(for: observation) ? transitions : []
        return past.flatMap(\.self)
            + rest(of: observation).enumerated().map { discretizer.token(for: $1, dimension: $0) }
    }

    /// The tokens in front of those to plan from: what holds for the episode, then the goal; none
    /// while a goal is missing.
    ///
    /// - Throws: ``PlanningError`` when that is not as many finite numbers as are observed.
    public func prefix(before observation: [Double]) throws(PlanningError) -> [Int] {
        try requireObservation(observation)
        guard goalColumns.isEmpty || !goal.isEmpty else { return [] }
        return (conditions?.tokens(of: observation) ?? []) + goal
    }

    /// Whether an observation is of the episode that is kept, as far as can be told.
    func holds(for observation: [Double]) -> Bool {
        conditions.map { $0.tokens(of: observation) == presentConditions } ?? true
    }

    private func rest(of observation: [Double]) -> [Double] {
        conditions?.rest(of: observation) ?? observation
    }

    /// A plan from `observation` with whole observations, in which what holds for the episode stays.
    func completed(_ plan: Plan, from observation: [Double]) -> Plan {
        guard let conditions else { return plan }
        var plan = plan
        plan.observations = plan.observations.map { conditions.completed($0, as: observation) }
        return plan
    }

    /// Forgets the past, not the goal.
    public mutating func removeAll() {
        transitions.removeAll()
        presentConditions = []
    }

    /// Refuses an observation that the model cannot have made.
    func requireObservation(_ observation: [Double]) throws(PlanningError) {
        try PlanningError.require(
            observation, count: layout.observationDimension + (conditions?.columns.count ?? 0),
            "observation")
    }
}
