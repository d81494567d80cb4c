public import Trajectories

/// The transitions of many episodes as one table of numbers, ready to be discretized.
///
/// A row is observation, action, reward and value, as `TransitionLayout` says; the episodes lie
/// one after the other.
public struct TransitionTable: Sendable, Equatable {
    /// Which column is which.
    public let layout: TransitionLayout
    /// Rows × `layout.transitionDimension`, row-major.
    public private(set) var values: [Double] = []
    /// Number of rows of each episode.
    public private(set) var lengths: [Int] = []
    /// How each episode ends.
    public private(set) var endings: [Trajectory.Ending] = []

    /// Number of transitions.
    public var rowCount: Int { values.count / layout.transitionDimension }

    /// Joins episodes and adds each step's return-to-go.
    ///
    /// - Parameters:
    ///   - trajectories: The episodes; empty ones are left out.
    ///   - layout: The layout that all of them have.
    ///   - discount: The factor by which a reward counts less for each step it lies ahead.
    ///   - terminationPenalty: Takes the place of the last reward of an episode that ends in a
    ///     terminal state (not of one that is cut by a time limit or goes on), if given.
    public init(
        _ trajectories: [Trajectory], layout: TransitionLayout, discount: Double,
        terminationPenalty: Double?
    ) {
        self.layout = layout
        let rows = trajectories.reduce(0) { $0 + $1.count }
        values.reserveCapacity(rows * layout.transitionDimension)
        for trajectory in trajectories where trajectory.count > 0 {
            precondition(
                trajectory.layout == layout,
                "a trajectory of \(trajectory.layout) does not fit \(layout)")
            let rows = TransitionRows(
                of: trajectory, discount: discount, terminationPenalty: terminationPenalty)
            for row in 0..<rows.count {
                rows.forEachNumber(of: row) { values.append($0) }
            }
            lengths.append(trajectory.count)
            endings.append(trajectory.ending)
        }
    }
}
