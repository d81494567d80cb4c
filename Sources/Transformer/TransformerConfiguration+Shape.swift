extension TransformerConfiguration {
    /// What of a configuration is a choice: size, loss and regularization.
    ///
    /// The rest comes from the data. Encodes as a settings file has it (`layers`, `heads`,
    /// `width`). The defaults are the paper's for locomotion (Janner et al. 2021, appendix A).
    public struct Shape: Sendable, Hashable, Codable {
        /// Number of layers.
        public var layerCount = 4
        /// Attention heads in each layer.
        public var headCount = 4
        /// Channels of the residual stream.
        public var embeddingWidth = 128
        /// Weight of action tokens in the loss, that of observation tokens being 1.
        public var actionWeight: Float = 5
        /// Weight of reward tokens in the loss.
        public var rewardWeight: Float = 1
        /// Weight of value tokens in the loss.
        public var valueWeight: Float = 1
        /// Dropout probability of the embedding.
        public var embeddingDropout: Float = 0.1
        /// Dropout probability of attention weights.
        public var attentionDropout: Float = 0.1
        /// Dropout probability of what a layer adds to the residual stream.
        public var residualDropout: Float = 0.1

        /// The paper's.
        public init() {}

        /// The dropout of all three places at once; where they differ, the residual stream's.
        public var dropout: Float {
            get { residualDropout }
            set {
                embeddingDropout = newValue
                attentionDropout = newValue
                residualDropout = newValue
            }
        }

        private enum CodingKeys: String, CodingKey {
            case layerCount = "layers"
            case headCount = "heads"
            case embeddingWidth = "width"
            case actionWeight, rewardWeight, valueWeight
            case embeddingDropout, attentionDropout, residualDropout
        }
    }

    static let paper = Shape()

    /// What of this configuration is a choice.
    public var shape: Shape {
        get {
            var shape = Shape()
            shape.layerCount = layerCount
            shape.headCount = headCount
            shape.embeddingWidth = embeddingWidth
            shape.actionWeight = actionWeight
            shape.rewardWeight = rewardWeight
            shape.valueWeight = valueWeight
            shape.embeddingDropout = embeddingDropout
            shape.attentionDropout = attentionDropout
            shape.residualDropout = residualDropout
            return shape
        }
        set {
            layerCount = newValue.layerCount
            headCount = newValue.headCount
            embeddingWidth = newValue.embeddingWidth
            actionWeight = newValue.actionWeight
            rewardWeight = newValue.rewardWeight
            valueWeight = newValue.valueWeight
            embeddingDropout = newValue.embeddingDropout
            attentionDropout = newValue.attentionDropout
            residualDropout = newValue.residualDropout
        }
    }
}
