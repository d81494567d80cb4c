/// How far predictions are from what happened, step by step.
///
/// The error of a step is the root of the mean square over trajectories and observation dimensions,
/// each dimension in units of its standard deviation over the data, so 1 is what predicting the
/// mean costs on average. Dimensions that never vary do not count.
public struct PredictionError: Sendable, Equatable {
    /// Mean squares of each trajectory after 1, 2, … steps.
    private var squares: [[Double]]
    /// Number of trajectories.
    public var trajectories: Int { squares.count }

    /// Compares predictions with the truth.
    ///
    /// - Parameters:
    ///   - predictions: For each trajectory, the predicted observations after 1, 2, … steps.
    ///   - truth: What happened, in the same form.
    ///   - deviations: Standard deviation of each dimension.
    public init(of predictions: [[[Double]]], truth: [[[Double]]], deviations: [Double]) {
        precondition(predictions.count == truth.count && !truth.isEmpty, "nothing to compare")
        let used = deviations.indices.filter { deviations[$0] > 1e-9 }
        squares = zip(predictions, truth).map { predicted, actual in
            actual.indices.map { step in
                var sum = 0.0
                for index in used {
                    let error = (predicted[step][index] - actual[step][index]) / deviations[index]
                    sum += error * error
                }
                return sum / Double(max(1, used.count))
            }
        }
    }

    /// Error after 1, 2, … steps.
    public var byStep: [Double] { Self.roots(squares) }

    /// The mean over all steps.
    public var mean: Double { byStep.mean }

    /// Standard errors of ``byStep`` over the trajectories, by leaving out one at a time (the
    /// jackknife, since a root is no mean); nil of one trajectory.
    public var standardErrors: [Double]? {
        guard trajectories > 1 else { return nil }
        let without = squares.indices.map { Self.roots(squares.removing($0)) }
        return without[0].indices.map { step in Self.jackknife(without.map { $0[step] }) }
    }

    /// Standard error of ``mean``, in the same way.
    public var meanStandardError: Double? {
        guard trajectories > 1 else { return nil }
        return Self.jackknife(squares.indices.map { Self.roots(squares.removing($0)).mean })
    }

    private static func roots(_ squares: [[Double]]) -> [Double] {
        squares[0].indices.map { step in squares.map { $0[step] }.mean.squareRoot() }
    }

    private static func jackknife(_ values: [Double]) -> Double {
        let (mean, count) = (values.mean, Double(values.count))
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return ((count - 1) / count * squares).squareRoot()
    }

    /// The mean of several predictions of the same trajectory, step by step.
    public static func mean(of samples: [[[Double]]]) -> [[Double]] {
        samples[0].indices.map { step in
            samples[0][step].indices.map { index in
                samples.reduce(0) { $0 + $1[step][index] } / Double(samples.count)
            }
        }
    }
}

extension [Double] {
    /// Their mean.
    var mean: Double { reduce(0, +) / Double(count) }
}

extension Array {
    /// All but one.
    fileprivate func removing(_ index: Int) -> Self {
        var rest = self
        rest.remove(at: index)
        return rest
    }
}
