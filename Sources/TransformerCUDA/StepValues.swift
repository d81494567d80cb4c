#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import RandomNumbers
import Transformer

/// What changes from step to step: `Step` of model.h.
struct StepValues {
    var options: TrainingEngineOptions
    /// Learning rate.
    var rate: Double
    /// Updates, this one included.
    var update: Int
    /// Tokens of the whole batch.
    var divisor: Float
    /// The first row's number in the whole batch.
    var firstSequence: Int
    var dropout: DropoutPlan
    var layers: Int

    /// The values as `Step` lays them out.
    var words: [Int32] {
        let floats: [Float] = [
            Float(rate), correction(options.beta1), correction(options.beta2), options.weightDecay,
            options.beta1, options.beta2,
            options.epsilon, options.gradientLimit, divisor,
        ]
        var words = floats.map { Int32(bitPattern: $0.bitPattern) }
        words += [Int32(truncatingIfNeeded: firstSequence), 0, 0]
        func add(_ site: Dropout) {
            words += [site.key0, site.key1, site.threshold, site.scale.bitPattern].map {
                Int32(bitPattern: $0)
            }
        }
        add(dropout.embedding)
        for layer in 0..<layers {
            let sites = dropout.block(layer)
            add(sites.attention)
            add(sites.firstResidual)
            add(sites.secondResidual)
        }
        return words
    }

    /// 1 - βᵏ, as AdamW wants it.
    private func correction(_ beta: Float) -> Float {
        1 - Float(pow(Double(beta), Double(update)))
    }
}
