/// How far predictions are from what happened, step by step.
///
/// The error of a step is the root of the mean square over trajectories and observation dimensions,
/// each dimension in units of its standard deviation over the data, so 1 is what predicting the
/// mean costs on average. Dimensions that never vary do not count.
public struct PredictionError: Sendable, Equatable, Codable {
    /// Error after 1, 2, … steps.
    public private(set) var byStep: [Double]
    /// Number of trajectories.
    public let trajectories: Int

    /// Compares predictions with the truth.
    ///
    /// - Parameters:
    ///   - predictions: For each trajectory, the predicted observations after 1, 2, … steps.
    ///   - truth: What happened, in the same form.
    ///   - deviations: Standard deviation of each dimension.
    public init(of predictions: [[[Double]]], truth: [[[Double]]], deviations: [Double]) {
        precondition(predictions.count == truth.count && !truth.isEmpty, "nothing to compare")
        trajectories = truth.count
        let used = deviations.indices.filter { deviations[$0] > 1e-9 }
        byStep = truth[0].indices.map { step in
            var sum = 0.0
            for (predicted, actual) in zip(predictions, truth) {
                for index in used {
                    let error = (predicted[step][index] - actual[step][index]) / deviations[index]
                    sum += error * error
                }
            }
            return (sum / Double(max(1, used.count * truth.count))).squareRoot()
        }
    }

    /// The mean over all steps.
    public var mean: Double { byStep.reduce(0, +) / Double(byStep.count) }

    /// The mean of several predictions of the same trajectory, step by step.
    public static func mean(of samples: [[[Double]]]) -> [[Double]] {
        samples[0].indices.map { step in
            samples[0][step].indices.map { index in
                samples.reduce(0) { $0 + $1[step][index] } / Double(samples.count)
            }
        }
    }
}
