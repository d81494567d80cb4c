public import Tokenization
public import Trajectories

/// The latest transitions of an episode as tokens: what a planner sees of the past.
public struct PlanningContext: Sendable, Equatable {
    /// Which token of a transition is which.
    public let layout: TransitionLayout
    /// Transitions that are kept; older ones are forgotten.
    public let limit: Int
    /// Tokens of the kept transitions, oldest first.
    public private(set) var transitions: [[Int]] = []
    private let discretizer: Discretizer

    /// An empty context that keeps the latest `limit` transitions.
    public init(layout: TransitionLayout, discretizer: Discretizer, limit: Int) {
        precondition(
            discretizer.dimension == layout.transitionDimension,
            "a discretizer of \(discretizer.dimension) dimensions for transitions of "
                + "\(layout.transitionDimension)")
        precondition(limit >= 0, "a context of \(limit) transitions")
        self.layout = layout
        self.discretizer = discretizer
        self.limit = limit
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

    /// Forgets the past.
    public mutating func removeAll() {
        transitions.removeAll()
    }

    private func require(_ numbers: [Double], _ count: Int, _ name: String) {
        precondition(
            numbers.count == count, "\(name) of \(numbers.count) numbers, expected \(count)")
    }
}
