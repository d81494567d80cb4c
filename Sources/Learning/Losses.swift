import Layers
package import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The losses and their gradients.
///
/// Each is a mean over a batch of `count` rows, of which a call sees
/// a part; `targets` and the like are of the whole batch.
package enum Losses {
    /// (output - target)², of networks with one output.
    package static func squared(_ part: LossPart, targets: FloatStorage, count: Int) -> Double {
        expectile(part, targets: targets, expectile: 0.5, count: count, scale: 2)
    }

    /// |τ - (target < output)| (target - output)², of networks with one output.
    ///
    /// Least where the output is the τ-expectile of the target. Kostrikov, Nair and Levine 2021,
    /// equation 5.
    package static func expectile(
        _ part: LossPart, targets: FloatStorage, expectile: Float, count: Int, scale: Float = 1
    ) -> Double {
        var sum = 0.0
        for (row, place) in part.rows.enumerated() {
            let difference = targets[place] - part.output[row, 0]
            let weight = scale * (difference < 0 ? 1 - expectile : expectile)
            sum += Double(weight * difference * difference)
            part.dOutput[row, 0] = -2 * weight * difference / Float(count)
        }
        return sum / Double(count)
    }

    /// Σ (tanh(output) - action)² over an action's dimensions.
    package static func squaredActions(_ part: LossPart, actions: Matrix, count: Int) -> Double {
        var sum = 0.0
        for (row, place) in part.rows.enumerated() {
            for column in 0..<part.output.columns {
                let mean = tanh(part.output[row, column])
                let difference = mean - actions[place, column]
                sum += Double(difference * difference)
                part.dOutput[row, column] = 2 * difference * (1 - mean * mean) / Float(count)
            }
        }
        return sum / Double(count)
    }

    /// Negative logarithm of a Gaussian's density at the action, times the row's weight: mean
    /// tanh(output), the deviations' logarithms in the `vector` of `network`.
    ///
    /// Kostrikov, Nair and Levine 2021, equation 7, where the weight is exp(β (Q - V)).
    package static func weightedLikelihood(
        _ part: LossPart, actions: Matrix, weights: FloatStorage, network: Network, count: Int
    ) -> Double {
        guard let slot = network.vector else {
            preconditionFailure("a likelihood needs a network with deviations")
        }
        var sum = 0.0
        for column in 0..<part.output.columns {
            let logDeviation = network.parameters.values[slot.offset + column]
            let precision = exp(-2 * logDeviation)
            var gradient: Float = 0
            for (row, place) in part.rows.enumerated() {
                let mean = tanh(part.output[row, column])
                let difference = mean - actions[place, column]
                let weight = weights[place] / Float(count)
                let distance = difference * difference * precision
                sum += Double(weight * (0.5 * distance + logDeviation + 0.5 * log(2 * .pi)))
                part.dOutput[row, column] = weight * difference * precision * (1 - mean * mean)
                gradient += weight * (1 - distance)
            }
            part.gradients[slot.offset + column] += gradient
        }
        return sum
    }
}
