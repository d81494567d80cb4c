import Trajectories

/// What a dataset holds, in numbers, and what in it deserves a second look.
public struct DatasetSummary: Sendable, Equatable, Codable {
    /// Smallest, mean and largest of some numbers.
    public struct Spread: Sendable, Equatable, Codable {
        /// The smallest.
        public let minimum: Double
        /// The mean.
        public let mean: Double
        /// The largest.
        public let maximum: Double

        init(_ values: [Double]) {
            minimum = values.min() ?? 0
            mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
            maximum = values.max() ?? 0
        }
    }

    /// Number of transitions.
    public let transitions: Int
    /// Number of episodes.
    public let episodes: Int
    /// Number of observation dimensions.
    public let observationDimension: Int
    /// Number of action dimensions.
    public let actionDimension: Int
    /// Undiscounted returns of the episodes.
    public let returns: Spread
    /// How the returns are distributed, in about twelve ranges.
    public let returnHistogram: Histogram
    /// Lengths of the episodes.
    public let lengths: Spread
    /// Number of episodes for each way to end.
    public let endings: [String: Int]
    /// Each dimension of the observations.
    public let observations: [ColumnStatistics]
    /// Each dimension of the actions.
    public let actions: [ColumnStatistics]
    /// The rewards.
    public let rewards: ColumnStatistics
    /// Texts that the file carries about itself.
    public let attributes: [String: String]
    /// What deserves a second look, a line each.
    public var warnings: [String]

    /// Summarizes a dataset.
    ///
    /// - Parameters:
    ///   - dataset: What to summarize; numbers may be NaN or infinite.
    ///   - actionLimits: Lower and upper limit of each action dimension, where they are known;
    ///     actions beyond them are warned of.
    public init(_ dataset: TrajectoryDataset, actionLimits: [ClosedRange<Double>]? = nil) {
        let trajectories = dataset.trajectories
        let layout = dataset.layout
        precondition(
            actionLimits.map { $0.count == layout.actionDimension } ?? true,
            "\(actionLimits?.count ?? 0) action limits for \(layout.actionDimension) dimensions")
        transitions = dataset.rowCount
        episodes = trajectories.count
        observationDimension = layout.observationDimension
        actionDimension = layout.actionDimension
        let totals = trajectories.map(\.totalReward)
        returns = Spread(totals)
        returnHistogram = Histogram(totals, ranges: 12)
        lengths = Spread(trajectories.map { Double($0.count) })
        endings = trajectories.reduce(into: [:]) { $0[$1.ending.rawValue, default: 0] += 1 }
        observations = ColumnStatistics.columns(
            of: trajectories, width: layout.observationDimension, \.observations)
        actions = ColumnStatistics.columns(
            of: trajectories, width: layout.actionDimension, \.actions)
        rewards = ColumnStatistics.columns(of: trajectories, width: 1, \.rewards)[0]
        attributes = dataset.attributes

        var warnings: [String] = []
        for (index, column) in observations.enumerated() {
            warnings += column.warnings("observation dimension \(index)")
        }
        for (index, column) in actions.enumerated() {
            warnings += column.warnings("action dimension \(index)")
        }
        warnings += rewards.warnings("reward")
        for (index, limits) in (actionLimits ?? []).enumerated() {
            warnings += DatasetSummary.outside(limits, dimension: index, of: trajectories)
        }
        let short = trajectories.count { $0.count == 1 }
        if short > 0 {
            warnings.append(
                short == 1 ? "1 episode has a single step" : "\(short) episodes have a single step")
        }
        self.warnings = warnings + Plausibility.warnings(of: trajectories)
    }

    /// A warning where an action dimension leaves its limits.
    private static func outside(
        _ limits: ClosedRange<Double>, dimension: Int, of trajectories: [Trajectory]
    ) -> [String] {
        // Files hold single precision: a limit that is not a binary fraction may be rounded
        // outwards.
        let slack = 1e-6 * max(limits.lowerBound.magnitude, limits.upperBound.magnitude)
        var rows = 0
        var furthest = 0.0
        var excess = 0.0
        for trajectory in trajectories {
            let width = trajectory.layout.actionDimension
            for index in stride(from: dimension, to: trajectory.actions.count, by: width) {
                let action = Double(trajectory.actions[index])
                let beyond = max(limits.lowerBound - action, action - limits.upperBound)
                guard action.isFinite, beyond > slack else { continue }
                rows += 1
                if beyond > excess { (furthest, excess) = (action, beyond) }
            }
        }
        guard rows > 0 else { return [] }
        return [
            "action dimension \(dimension) is outside \(limits.lowerBound)...\(limits.upperBound) "
                + "in \(rows) row\(rows == 1 ? "" : "s"), furthest at \(Float(furthest))"
        ]
    }
}
