public import Tokenization

/// Samples of how a trajectory goes on: the tokens of its observations after 1, 2, … steps.
public struct SampledObservations: Sendable, Hashable {
    /// Number of samples.
    public let samples: Int
    /// Steps that were predicted.
    public let horizon: Int
    /// Dimensions of an observation.
    public let dimension: Int
    /// Samples × steps × dimensions.
    private var tokens: [Int32]

    init(samples: Int, horizon: Int, dimension: Int) {
        self.samples = samples
        self.horizon = horizon
        self.dimension = dimension
        tokens = Array(repeating: 0, count: samples * horizon * dimension)
    }

    /// The token of a dimension after `step` + 1 steps; the termination token, too, may have been
    /// sampled.
    public subscript(sample sample: Int, step step: Int, index index: Int) -> Int {
        Int(tokens[place(sample, step, index)])
    }

    mutating func set(_ token: Int32, sample: Int, step: Int, index: Int) {
        tokens[place(sample, step, index)] = token
    }

    private func place(_ sample: Int, _ step: Int, _ index: Int) -> Int {
        precondition(
            0..<samples ~= sample && 0..<horizon ~= step && 0..<dimension ~= index,
            "dimension \(index) of step \(step) of sample \(sample), where there are "
                + "\(dimension), \(horizon) and \(samples)")
        return (sample * horizon + step) * dimension + index
    }

    /// The samples as numbers: for each, the observations after 1, 2, … steps.
    public func observations(_ discretizer: Discretizer) -> [[[Double]]] {
        (0..<samples).map { observations(discretizer, sample: $0) }
    }

    /// One sample as numbers: the observations after 1, 2, … steps.
    public func observations(_ discretizer: Discretizer, sample: Int) -> [[Double]] {
        (0..<horizon).map { step in
            (0..<dimension).map {
                discretizer.value(of: self[sample: sample, step: step, index: $0], dimension: $0)
            }
        }
    }

    /// Their mean, step by step.
    public func mean(_ discretizer: Discretizer) -> [[Double]] {
        (0..<horizon).map { step in
            (0..<dimension).map { index in
                (0..<samples).reduce(0) {
                    $0
                        + discretizer.value(
                            of: self[sample: $1, step: step, index: index], dimension: index)
                } / Double(samples)
            }
        }
    }
}
