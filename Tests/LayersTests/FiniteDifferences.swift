import Layers
import Tensors
import TestSupport

/// A layer under test: a forward pass that yields numbers, and the buffers it reads.
///
/// The loss is the sum of the outputs times fixed random numbers, which are then the gradient of
/// the outputs that the backward pass starts from.
struct FiniteDifferences {
    let seed: UInt64
    private var generator: SeededGenerator

    init(seed: UInt64) {
        print("seed \(seed)")
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    /// A buffer of random numbers.
    mutating func random(_ count: Int, scale: Float = 1) -> FloatStorage {
        let storage = FloatStorage(count: count)
        for index in 0..<count { storage.base[index] = scale * generator.float(in: -1...1) }
        return storage
    }

    /// The largest difference between `gradient` and central differences of the loss with respect
    /// to each element of `buffer`, over the largest gradient.
    static func error(
        of gradient: FloatStorage, at buffer: FloatStorage, step: Float = 1e-2,
        loss: () -> Double
    ) -> Double {
        let numeric = (0..<buffer.count).map { index -> Float in
            let value = buffer.base[index]
            buffer.base[index] = value + step
            let above = loss()
            buffer.base[index] = value - step
            let below = loss()
            buffer.base[index] = value
            // The step actually taken, after rounding.
            return Float((above - below) / Double((value + step) - (value - step)))
        }
        return relativeError(gradient.values, numeric)
    }

    /// The bound: rounding of single precision and the curvature over the step together.
    static let tolerance = 3e-3
}

/// Σ output * weight, in double precision.
func weightedSum(_ output: FloatStorage, _ weights: FloatStorage) -> Double {
    zip(output.values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
