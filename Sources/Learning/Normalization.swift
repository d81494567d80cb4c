import Tensors

/// Shift and scale that give each column of a dataset, such as an observation's dimension, mean 0
/// and deviation 1.
public struct Normalization: Sendable, Equatable {
    /// Subtracted from the observation.
    public let mean: [Float]
    /// Divides the observation.
    public let deviation: [Float]

    /// Added to deviations, so that a dimension that hardly varies is not blown up (Fujimoto and Gu
    /// 2021, arXiv 2106.06860).
    private static let smallest = 1e-3

    init(mean: [Float], deviation: [Float]) {
        self.mean = mean
        self.deviation = deviation
    }

    /// That of `observations`, rows of `width` numbers; at least one row.
    public init(of observations: [Float], width: Int) {
        let count = Double(observations.count / width)
        precondition(count > 0, "a normalization needs at least one observation")
        var means = Array(repeating: 0.0, count: width)
        for index in observations.indices { means[index % width] += Double(observations[index]) }
        for column in 0..<width { means[column] /= count }
        var squares = Array(repeating: 0.0, count: width)
        for index in observations.indices {
            let difference = Double(observations[index]) - means[index % width]
            squares[index % width] += difference * difference
        }
        mean = means.map(Float.init)
        deviation = squares.map { Float(($0 / count).squareRoot() + Self.smallest) }
    }

    /// That of `numbers`, rows of `width`, of which some are NaN, which stands for unknown.
    init(ofKnown numbers: [Float], width: Int) {
        var sums = Array(repeating: 0.0, count: width)
        var counts = sums
        for index in numbers.indices where !numbers[index].isNaN {
            sums[index % width] += Double(numbers[index])
            counts[index % width] += 1
        }
        let means = zip(sums, counts).map { $0 / max(1, $1) }
        var squares = Array(repeating: 0.0, count: width)
        for index in numbers.indices where !numbers[index].isNaN {
            let difference = Double(numbers[index]) - means[index % width]
            squares[index % width] += difference * difference
        }
        mean = means.map(Float.init)
        deviation = zip(squares, counts).map {
            Float(($0 / max(1, $1)).squareRoot() + Self.smallest)
        }
    }

    /// This one followed by that of some of its columns.
    func appending(_ columns: [Int]) -> Normalization {
        Normalization(
            mean: mean + columns.map { mean[$0] },
            deviation: deviation + columns.map { deviation[$0] })
    }

    /// Column `column` of an observation, normalized.
    func apply(_ number: Float, column: Int) -> Float {
        (number - mean[column]) / deviation[column]
    }

    /// Writes `rows` of an array of whole rows to the rows of `matrix`, normalized.
    func copy(_ rows: [Int], of values: [Float], to matrix: Matrix) {
        for (place, row) in rows.enumerated() {
            for column in mean.indices {
                matrix[place, column] = apply(values[row * mean.count + column], column: column)
            }
        }
    }
}
