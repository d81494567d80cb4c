#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What follows a hidden layer of a policy's perceptron.
public enum PolicyActivation: String, Sendable, Hashable, CaseIterable {
    /// x (1 + erf(x / √2)) / 2.
    case gelu
    /// max(x, 0).
    case relu

    func apply(_ x: Float) -> Float {
        switch self {
        case .gelu: x * (1 + erf(x / Float(2).squareRoot())) / 2
        case .relu: max(x, 0)
        }
    }
}

/// A dense layer whose weights lie so that sixteen outputs are computed at a time.
///
/// Each output is its bias and then the weighted inputs, added in their order.
struct DenseLayer: Sendable, Equatable {
    private static let lanes = 16
    /// For each input, its weights to the outputs, sixteen by sixteen.
    private let weights: [SIMD16<Float>]
    private let biases: [SIMD16<Float>]
    private let outputs: Int

    /// From weights outputs × inputs, row after row.
    init(weights: ArraySlice<Float>, biases: ArraySlice<Float>) {
        outputs = biases.count
        let inputs = weights.count / outputs
        let groups = (outputs + Self.lanes - 1) / Self.lanes
        var lanes = Array(repeating: SIMD16<Float>(), count: inputs * groups)
        for output in 0..<outputs {
            for input in 0..<inputs {
                lanes[input * groups + output / Self.lanes][output % Self.lanes] =
                    weights[weights.startIndex + output * inputs + input]
            }
        }
        self.weights = lanes
        var constants = Array(repeating: SIMD16<Float>(), count: groups)
        for (output, bias) in biases.enumerated() {
            constants[output / Self.lanes][output % Self.lanes] = bias
        }
        self.biases = constants
    }

    /// The output of the layers for `input`, with `activation` between them.
    static func output(
        of layers: [DenseLayer], for input: [Float], activation: PolicyActivation
    ) -> [Float] {
        var numbers = input
        for (index, layer) in layers.enumerated() {
            numbers = layer.output(of: numbers)
            if index + 1 < layers.count { numbers = numbers.map(activation.apply) }
        }
        return numbers
    }

    private func output(of input: [Float]) -> [Float] {
        var sums = biases
        var at = 0
        for number in input {
            // After a ReLU about half of the inputs are 0.
            if number != 0 {
                for group in sums.indices { sums[group] += weights[at + group] * number }
            }
            at += sums.count
        }
        return (0..<outputs).map { sums[$0 / Self.lanes][$0 % Self.lanes] }
    }
}
