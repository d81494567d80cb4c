public import Trajectories

/// Single steps with what followed them, episode after episode: what critics learn from.
///
/// The last row of an episode that was cut, by the time limit or by the end of the log, is left
/// out: it is not known what followed. A terminal last row stays; nothing follows it.
public struct Transitions: Sendable, Equatable {
    /// Sizes of observation and action.
    public let layout: TransitionLayout
    /// Observations, row after row: `count` × `observationDimension`.
    public private(set) var observations: [Float] = []
    /// Actions, row after row: `count` × `actionDimension`.
    public private(set) var actions: [Float] = []
    /// Reward of each row.
    public private(set) var rewards: [Float] = []
    /// Observations after the actions, as ``observations``; a terminal row repeats its own.
    public private(set) var nextObservations: [Float] = []
    /// Whether the episode ended with the row in a terminal state.
    public private(set) var isTerminal: [Bool] = []

    /// Number of transitions.
    public var count: Int { rewards.count }

    /// The transitions of episodes that have this layout.
    public init(_ trajectories: some Sequence<Trajectory>, layout: TransitionLayout) {
        self.layout = layout
        let width = layout.observationDimension
        for trajectory in trajectories where trajectory.count > 0 {
            precondition(trajectory.layout == layout, "an episode of another layout")
            let isWhole = trajectory.ending == .terminal
            let rows = isWhole ? trajectory.count : trajectory.count - 1
            observations += trajectory.observations.prefix(rows * width)
            actions += trajectory.actions.prefix(rows * layout.actionDimension)
            rewards += trajectory.rewards.prefix(rows)
            nextObservations += trajectory.observations.dropFirst(width)
            if isWhole { nextObservations += trajectory.observation(rows - 1) }
            isTerminal += (0..<rows).map { isWhole && $0 == rows - 1 }
        }
    }
}
