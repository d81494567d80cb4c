internal import Layers
internal import RandomNumbers

/// The dropout of one training step, site by site.
struct DropoutPlan {
    private let configuration: TransformerConfiguration?
    private let stream: UInt64

    /// Drops nothing.
    static let none = DropoutPlan(configuration: nil, stream: 0)

    /// The configuration's probabilities, with choices that depend on `stream` alone.
    init(configuration: TransformerConfiguration?, stream: UInt64) {
        self.configuration = configuration
        self.stream = stream
    }

    var embedding: Dropout { site(0, configuration?.embeddingDropout) }

    func block(_ layer: Int) -> (
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
