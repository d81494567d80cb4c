/// One episode, or the part of it that was logged: observations, actions and rewards, step by step.
///
/// Row `t` holds the observation before action `t`, the action, and the reward that followed.
public struct Trajectory: Sendable, Equatable {
    /// How the last row came to be the last.
    public enum Ending: String, Sendable, Hashable, Codable {
        /// The environment reached a terminal state.
        case terminal
        /// The time limit cut the episode.
        case timeout
        /// The log ends here while the episode went on.
        case unfinished
    }

    /// Which column is which.
    public let layout: TransitionLayout
    /// Observations, row after row: `count` × `observationDimension`.
    public private(set) var observations: [Float]
    /// Actions, row after row: `count` × `actionDimension`.
    public private(set) var actions: [Float]
    /// Reward of each row.
    public private(set) var rewards: [Float]
    /// How the last row came to be the last.
    public var ending: Ending

    /// Number of transitions.
    public var count: Int { rewards.count }
    /// Sum of the rewards, undiscounted.
    public var totalReward: Double { rewards.reduce(0) { $0 + Double($1) } }

    /// Creates a trajectory; the arrays hold whole rows as described at the properties.
    public init(
        layout: TransitionLayout, observations: [Float] = [], actions: [Float] = [],
        rewards: [Float] = [], ending: Ending = .unfinished
    ) {
        precondition(
            observations.count == rewards.count * layout.observationDimension
                && actions.count == rewards.count * layout.actionDimension,
            "\(observations.count) observation and \(actions.count) action numbers are not "
                + "\(rewards.count) rows of \(layout.observationDimension) and "
                + "\(layout.actionDimension)")
        self.layout = layout
        self.observations = observations
        self.actions = actions
        self.rewards = rewards
        self.ending = ending
    }

    /// Adds one transition at the end.
    public mutating func append(
        observation: some Collection<Float>, action: some Collection<Float>, reward: Float
    ) {
        precondition(
            observation.count == layout.observationDimension
                && action.count == layout.actionDimension,
            "a transition of \(observation.count) observation and \(action.count) action numbers "
                + "does not fit \(layout.observationDimension) and \(layout.actionDimension)")
        observations.append(contentsOf: observation)
        actions.append(contentsOf: action)
        rewards.append(reward)
    }

    /// The observation of row `row`.
    public func observation(_ row: Int) -> ArraySlice<Float> {
        let width = layout.observationDimension
        return observations[(row * width)..<((row + 1) * width)]
    }

    /// The action of row `row`.
    public func action(_ row: Int) -> ArraySlice<Float> {
        let width = layout.actionDimension
        return actions[(row * width)..<((row + 1) * width)]
    }
}
