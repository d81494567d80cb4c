import Trajectories
public import Transformer

/// Where the time of training steps went, summed over the workers.
public struct StepProfile: Sendable, Hashable {
    /// A kind of work in a step.
    public enum Part: String, Sendable, Hashable, CaseIterable, Codable {
        /// Products with the weight matrices of the blocks, forward and backward.
        case products
        /// Scores, softmax, dropout and weighted sums, forward and backward.
        case attention
        /// Layer norms.
        case layerNorm
        /// GELU and its derivative, with the bias's gradient.
        case activation
        /// Residual connections and their dropout, and the gradients of the biases before them.
        case residual
        /// Embedding of tokens and the products of the heads.
        case embeddingAndHeads
        /// Softmax cross entropy and its gradient.
        case loss
        /// Summing the workers' gradients, and the norm of the sum.
        case reduction
        /// AdamW or Muon, and packing the new weights for products.
        case optimizer
        /// Waiting for other workers, clearing gradients.
        case other
    }

    /// Seconds of all workers together in each part.
    public internal(set) var seconds: [Part: Double] = [:]

    /// Seconds of all workers together.
    public var total: Double { seconds.values.reduce(0, +) }

    /// No time at all.
    public init() {}

    static func += (sum: inout StepProfile, clock: LapClock<Part>) {
        sum.seconds.merge(clock.seconds, uniquingKeysWith: +)
    }
}

extension StepProfile.Part {
    /// Floating-point operations of this part in a training step, for one window of `length`
    /// tokens.
    ///
    /// Counts the products that a step needs, twice as many backward as forward, a multiplication
    /// and an addition each; of attention only the visible keys up to each query. Zero where time
    /// is spent otherwise.
    public func operations(_ configuration: TransformerConfiguration, length: Int) -> Double {
        let width = configuration.embeddingWidth
        let multiplications: Int
        switch self {
        case .products:
            multiplications = length * configuration.layerCount * 12 * width * width
        case .attention:
            let dimension = configuration.layout.transitionDimension
            let seen = (0..<length).reduce(0) { $0 + $1 + 1 - ($1 + 1) / dimension }
            multiplications = configuration.layerCount * 2 * seen * width
        case .embeddingAndHeads:
            multiplications = length * width * configuration.vocabularySize
        default:
            return 0
        }
        return 6 * Double(multiplications)
    }
}
