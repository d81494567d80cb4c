public import Tokenization
public import Trajectories

/// The latest transitions of an episode as tokens: what a planner sees of the past, and the goal where
/// the model takes one.
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
    private let discretizer: Discretizer

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

    /// Says what to reach: values for ``goalColumns``, in that order and in the observation's units.
    ///
    /// Values beyond the data fall into the first or last bin.
    public mutating func setGoal(_ values: [Double]) {
        require(values, goalColumns.count, "goal")
        goal = zip(values, goalColumns).map { discretizer.token(for: $0, dimension: $1) }
    }

    /// Adds what happened: an observation, the action taken then, and the reward that followed.
    ///
    /// The value after it is not known yet. Its token is the last bin, as in the authors' code;
    /// any would do, since nothing attends to value tokens.
    public mutating func append(observation: [Double], action: [Double], reward: Double) {
        require(observation, layout.observationDimension, "observation")
        require(action, layout.actionDimension, "action")
        let known = discretizer.encode(observation + action + [reward])
        transitions.append(known + [discretizer.binCount - 1])
        if transitions.count > limit { transitions.removeFirst(transitions.count - limit) }
    }

    /// The tokens to plan from: the kept transitions, then the current observation.
    public func tokens(before observation: [Double]) -> [Int] {
        require(observation, layout.observationDimension, "observation")
        return transitions.flatMap(\.self) + discretizer.encode(observation)
    }

    /// Forgets the past, not the goal.
    public mutating func removeAll() {
        transitions.removeAll()
    }

    private func require(_ numbers: [Double], _ count: Int, _ name: String) {
        precondition(
            numbers.count == count, "\(name) of \(numbers.count) numbers, expected \(count)")
    }
}
