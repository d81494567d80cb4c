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
    /// What is known of each row beside what a model sees, by its name in D4RL's files (`qpos`,
    /// `qvel`, `goal`, `action_log_probs`); empty unless whoever logged it kept it.
    public internal(set) var infos: [String: InfoColumn] = [:]
    /// What was observed after the last row; nil where it is not known, as in a file.
    public var finalObservation: [Float]?

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

    /// Adds one transition at the end; `infos` has the same names and widths in every row.
    public mutating func append(
        observation: some Collection<Float>, action: some Collection<Float>, reward: Float,
        infos: [String: [Float]] = [:]
    ) {
        precondition(
            observation.count == layout.observationDimension
                && action.count == layout.actionDimension,
            "a transition of \(observation.count) observation and \(action.count) action numbers "
                + "does not fit \(layout.observationDimension) and \(layout.actionDimension)")
        if count == 0 {
            self.infos = infos.mapValues { InfoColumn(width: $0.count) }
        }
        precondition(
            infos.count == self.infos.count, "a row with \(infos.keys) after \(self.infos.keys)")
        for (name, values) in infos { self.infos[name]?.append(values) }
        observations.append(contentsOf: observation)
        actions.append(contentsOf: action)
        rewards.append(reward)
    }

    /// Some rows, which are left unfinished unless said otherwise.
    public func rows(_ range: Range<Int>, ending: Ending = .unfinished) -> Trajectory {
        let (o, a) = (layout.observationDimension, layout.actionDimension)
        var part = Trajectory(
            layout: layout,
            observations: Array(observations[(range.lowerBound * o)..<(range.upperBound * o)]),
            actions: Array(actions[(range.lowerBound * a)..<(range.upperBound * a)]),
            rewards: Array(rewards[range]), ending: ending)
        part.infos = infos.mapValues { $0.rows(range) }
        part.finalObservation =
            range.upperBound < count
            ? Array(observation(range.upperBound)) : finalObservation
        return part
    }

    /// The same episode with other rewards, one a row.
    public func with(rewards: [Float]) -> Trajectory {
        precondition(rewards.count == count, "\(rewards.count) rewards for \(count) rows")
        var other = self
        other.rewards = rewards
        return other
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

/// A column, or several, that a log keeps beside its transitions.
public struct InfoColumn: Sendable, Equatable {
    /// Numbers in a row.
    public let width: Int
    /// Row after row.
    public internal(set) var values: [Float] = []

    /// An empty column.
    public init(width: Int) {
        self.width = width
    }

    fileprivate mutating func append(_ row: [Float]) {
        precondition(row.count == width, "\(row.count) numbers in a row of \(width)")
        values += row
    }

    fileprivate func rows(_ range: Range<Int>) -> InfoColumn {
        var part = InfoColumn(width: width)
        part.values = Array(values[(range.lowerBound * width)..<(range.upperBound * width)])
        return part
    }
}
