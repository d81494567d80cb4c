package import RandomNumbers

/// The dropout of one training step, place by place (decision 0004).
package struct DropoutPlan: Sendable {
    private let configuration: TransformerConfiguration?
    private let stream: UInt64

    /// Drops nothing.
    package static let none = DropoutPlan(configuration: nil, stream: 0)

    /// The configuration's probabilities, with choices that depend on `stream` alone.
    package init(configuration: TransformerConfiguration?, stream: UInt64) {
        self.configuration = configuration
        self.stream = stream
    }

    /// Of the embeddings: place 0.
    package var embedding: Dropout { site(0, configuration?.embeddingDropout) }

    /// Of a block's attention weights, and of what its two branches add: places 3 × layer + 1, 2,
    /// 3.
    package func block(_ layer: Int) -> (
        attention: Dropout, firstResidual: Dropout, secondResidual: Dropout
    ) {
        (
            site(3 * layer + 1, configuration?.attentionDropout),
            site(3 * layer + 2, configuration?.residualDropout),
            site(3 * layer + 3, configuration?.residualDropout)
        )
    }

    private func site(_ index: Int, _ probability: Float?) -> Dropout {
        guard let probability, probability > 0 else { return .none }
        var generator = SplitMix64(seed: stream)
        let mixed = generator.next()
        return Dropout(probability: probability, stream: mixed &+ UInt64(index))
    }
}
