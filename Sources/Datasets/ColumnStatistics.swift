import Trajectories

/// The numbers of one dimension of a dataset, summed up.
public struct ColumnStatistics: Sendable, Equatable, Codable {
    /// The smallest finite number; 0, as all others here, where there is none.
    public let minimum: Double
    /// The mean of the finite numbers.
    public let mean: Double
    /// Their standard deviation (divides by their number).
    public let standardDeviation: Double
    /// The largest finite number.
    public let maximum: Double
    /// Rows that are NaN or infinite.
    public let nonFiniteRows: Int
    /// Rows that are finite.
    private let finiteRows: Int

    private enum CodingKeys: String, CodingKey {
        case minimum, mean, standardDeviation, maximum, nonFiniteRows, finiteRows
    }

    /// Whether every number is the same.
    public var isConstant: Bool { finiteRows > 0 && minimum == maximum }

    /// What deserves a second look, a line each that begins with `place`.
    func warnings(_ place: String) -> [String] {
        var lines: [String] = []
        if nonFiniteRows > 0 {
            lines.append("\(place) is NaN or infinite in \(nonFiniteRows) rows")
        }
        if isConstant { lines.append("\(place) is always \(Float(minimum))") }
        return lines
    }

    /// The statistics of `width` columns; `values` are the rows of an episode.
    static func columns(
        of trajectories: [Trajectory], width: Int, _ values: (Trajectory) -> [Float]
    ) -> [ColumnStatistics] {
        var sums = Array(repeating: Sums(), count: width)
        for trajectory in trajectories {
            let rows = values(trajectory)
            for start in stride(from: 0, to: rows.count, by: width) {
                for column in 0..<width { sums[column].add(Double(rows[start + column])) }
            }
        }
        return sums.map(ColumnStatistics.init)
    }

    private init(_ sums: Sums) {
        finiteRows = sums.count
        nonFiniteRows = sums.nonFinite
        minimum = sums.count > 0 ? sums.minimum : 0
        maximum = sums.count > 0 ? sums.maximum : 0
        mean = sums.mean
        standardDeviation = sums.count > 0 ? (sums.squares / Double(sums.count)).squareRoot() : 0
    }

    /// Welford's running sums, exact enough where the mean is far from zero.
    private struct Sums {
        var count = 0
        var nonFinite = 0
        var minimum = Double.infinity
        var maximum = -Double.infinity
        var mean = 0.0
        var squares = 0.0

        mutating func add(_ value: Double) {
            guard value.isFinite else {
                nonFinite += 1
                return
            }
            count += 1
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            let change = value - mean
            mean += change / Double(count)
            squares += change * (value - mean)
        }
    }
}
