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
    /// Lengths of the episodes.
    public let lengths: Spread
    /// Number of episodes for each way to end.
    public let endings: [String: Int]
    /// Texts that the file carries about itself.
    public let attributes: [String: String]
    /// What deserves a second look, a line each.
    public let warnings: [String]

    /// Summarizes a dataset.
    public init(_ dataset: TrajectoryDataset) {
        let trajectories = dataset.trajectories
        transitions = dataset.rowCount
        episodes = trajectories.count
        observationDimension = dataset.layout.observationDimension
        actionDimension = dataset.layout.actionDimension
        returns = Spread(trajectories.map(\.totalReward))
        lengths = Spread(trajectories.map { Double($0.count) })
        endings = trajectories.reduce(into: [:]) { $0[$1.ending.rawValue, default: 0] += 1 }
        attributes = dataset.attributes
        warnings =
            DatasetSummary.warnings("observation", dataset.layout.observationDimension) {
                trajectories.map(\.observations)
            }
            + DatasetSummary.warnings("action", dataset.layout.actionDimension) {
                trajectories.map(\.actions)
            }
            + DatasetSummary.warnings("reward", 1) { trajectories.map(\.rewards) }
    }

    private static func warnings(
        _ name: String, _ width: Int, _ episodes: () -> [[Float]]
    ) -> [String] {
        var minimum = [Float](repeating: .infinity, count: width)
        var maximum = [Float](repeating: -.infinity, count: width)
        var broken = [Int](repeating: 0, count: width)
        for values in episodes() {
            for (index, value) in values.enumerated() {
                let column = index % width
                if value.isFinite {
                    minimum[column] = min(minimum[column], value)
                    maximum[column] = max(maximum[column], value)
                } else {
                    broken[column] += 1
                }
            }
        }
        return (0..<width).flatMap { column in
            let place = width == 1 && name == "reward" ? name : "\(name) dimension \(column)"
            var lines: [String] = []
            if broken[column] > 0 {
                lines.append("\(place) is NaN or infinite in \(broken[column]) rows")
            }
            if minimum[column] == maximum[column] {
                lines.append("\(place) is always \(minimum[column])")
            }
            return lines
        }
    }
}
