public import Tokenization
public import Trajectories

/// The latest transitions of an episode as tokens: what a planner sees of the past, and the goal
/// where the model takes one.
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
    let discretizer: Discretizer

    /// An empty context that keeps the latest `limit` transitions; goals give values for
    /// `goalColumns`.
    public init(
        layout: TransitionLayout, discretizer: Discretizer, limit: Int, goalColumns: [Int] = []
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
    }

    /// Says what to reach: values for ``goalColumns``, in that order and in the observation's
    /// units.
    ///
    /// Values beyond the data fall into the first or last bin.
    ///
    /// - Throws: ``PlanningError`` when these are not as many finite numbers.
    public mutating func setGoal(_ values: [Double]) throws(PlanningError) {
        try PlanningError.require(values, count: goalColumns.count, "goal")
        goal = zip(values, goalColumns).map { discretizer.token(for: $0, dimension: $1) }
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
        let known = TransitionRows.numbers(
            observation: observation, action: action, reward: reward
        ).enumerated().map { discretizer.token(for: $1, dimension: $0) }
        transitions.append(known + [discretizer.binCount - 1])
        if transitions.count > limit { transitions.removeFirst(transitions.count - limit) }
    }

    /// The tokens to plan from: the kept transitions, then the current observation.
    ///
    /// - Throws: ``PlanningError`` when that is not as many finite numbers as the model observes.
    public func tokens(before observation: [Double]) throws(PlanningError) -> [Int] {
        try requireObservation(observation)
        return transitions.flatMap(\.self)
            + observation.enumerated().map { discretizer.token(for: $1, dimension: $0) }
    }

    /// Forgets the past, not the goal.
    public mutating func removeAll() {
        transitions.removeAll()
    }

    /// Refuses an observation that the model cannot have made.
    func requireObservation(_ observation: [Double]) throws(PlanningError) {
        try PlanningError.require(
            observation, count: layout.observationDimension, "observation")
    }
}
