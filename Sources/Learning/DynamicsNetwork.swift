import Layers
package import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One network of a ``DynamicsEnsemble``: the mean and the logarithm of the variance of the next
/// change.
///
///     loss = mean over rows and dimensions of ½ ((y - μ)² exp(-v) + v),   v bounded softly
///
/// Lakshminarayanan et al. 2017; Chua et al. 2018, section 4.
package struct DynamicsNetwork: Sendable {
    /// Its outputs are the means of all dimensions and then what their log-variances are made from.
    package let network: Network

    /// Bounds of the log-variance, in units of standardized changes.
    private static let logVariance: ClosedRange<Float> = -10...0.5

    /// The network as this.
    package init(_ network: Network) {
        self.network = network
    }

    /// Mean and standard deviation of the change for each row of `inputs`, row after row.
    func predict(_ inputs: [Float]) -> (mean: [Float], deviation: [Float]) {
        let rows = inputs.count / network.perceptron.sizes[0]
        let storage = FloatStorage(count: inputs.count)
        storage.write(inputs)
        let pass = NetworkPass(network, rows: rows, pool: .shared)
        // Matrices are views: what they look at must live until their numbers are copied.
        let output = withExtendedLifetime((storage, pass)) {
            pass.output(of: storage.matrix(columns: network.perceptron.sizes[0])).values
        }
        let dimension = output.count / rows / 2
        var mean: [Float] = []
        var deviation: [Float] = []
        for start in stride(from: 0, to: output.count, by: 2 * dimension) {
            mean += output[start..<(start + dimension)]
            deviation += output[(start + dimension)..<(start + 2 * dimension)].map {
                exp(0.5 * Self.bounded($0).value)
            }
        }
        return (mean, deviation)
    }

    /// The loss of a part of a batch of `count` rows, whose changes are `targets`, and its
    /// gradient; a change that is NaN is not known and does not count.
    package static func loss(_ part: LossPart, targets: Matrix, count: Int) -> Double {
        let dimension = targets.columns
        let scale = 1 / Float(count * dimension)
        var loss = 0.0
        for (place, row) in part.rows.enumerated() {
            for index in 0..<dimension {
                guard !targets[row, index].isNaN else {
                    part.dOutput[place, index] = 0
                    part.dOutput[place, dimension + index] = 0
                    continue
                }
                let (logVariance, derivative) = bounded(part.output[place, dimension + index])
                let precision = exp(-logVariance)
                let error = part.output[place, index] - targets[row, index]
                loss += Double(0.5 * (error * error * precision + logVariance))
                part.dOutput[place, index] = error * precision * scale
                part.dOutput[place, dimension + index] =
                    0.5 * (1 - error * error * precision) * derivative * scale
            }
        }
        return loss * Double(scale)
    }

    /// The log-variance for a raw output, and its derivative.
    private static func bounded(_ raw: Float) -> (value: Float, derivative: Float) {
        let upper = logVariance.upperBound - raw
        let below = logVariance.upperBound - softplus(upper)
        let lower = below - logVariance.lowerBound
        return (logVariance.lowerBound + softplus(lower), sigmoid(upper) * sigmoid(lower))
    }

    private static func softplus(_ x: Float) -> Float { x > 20 ? x : log1p(exp(x)) }
    private static func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
}
