/// Mean and variance of each observation dimension over all observations seen so far.
///
/// Chan, Golub and LeVeque's update, which merges two sets in one go.
package struct RunningMoments: Sendable, Equatable {
    package private(set) var count = 0.0
    package private(set) var mean: [Double]
    /// Sum of squared differences from the mean.
    private var squares: [Double]

    package init(dimension: Int) {
        mean = Array(repeating: 0, count: dimension)
        squares = mean
    }

    /// Adds one observation.
    package mutating func add(_ observation: [Double]) {
        count += 1
        for index in mean.indices {
            let before = observation[index] - mean[index]
            mean[index] += before / count
            squares[index] += before * (observation[index] - mean[index])
        }
    }

    /// Adds all that `other` has seen.
    package mutating func merge(_ other: RunningMoments) {
        guard other.count > 0 else { return }
        let total = count + other.count
        for index in mean.indices {
            let difference = other.mean[index] - mean[index]
            mean[index] += difference * other.count / total
            squares[index] +=
                other.squares[index] + difference * difference * count * other.count / total
        }
        count = total
    }

    /// Sample standard deviation; 1 where nothing has varied yet, so that division is harmless.
    package var deviation: [Double] {
        squares.map { sum in
            let variance = count > 1 ? sum / (count - 1) : 1
            return variance > 1e-14 ? variance.squareRoot() : 1
        }
    }
}
