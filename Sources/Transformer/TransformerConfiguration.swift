import Bounds
public import Trajectories

/// Everything that fixes the shape of a Trajectory Transformer and its training loss.
///
/// Defaults are the paper's for locomotion: 4 layers, 4 heads, width 128, 100 bins, ten transitions
/// of context (Janner et al. 2021, appendix A).
public struct TransformerConfiguration: Sendable, Hashable, Codable {
    /// Which column of a transition is which.
    public var layout: TransitionLayout
    /// Bins in each dimension's vocabulary; one more token means termination.
    public var binCount: Int = 100
    /// Number of layers.
    public var layerCount = paper.layerCount
    /// Attention heads in each layer.
    public var headCount = paper.headCount
    /// Channels of the residual stream.
    public var embeddingWidth = paper.embeddingWidth
    /// Longest sequence in tokens: whole transitions less the last token.
    public var contextLength: Int
    /// Goal tokens in front of every sequence, beside ``contextLength``; 0 for a model without
    /// goal.
    public var goalDimension: Int = 0
    /// Weight of action tokens in the loss.
    public var actionWeight = paper.actionWeight
    /// Weight of reward tokens in the loss.
    public var rewardWeight = paper.rewardWeight
    /// Weight of value tokens in the loss.
    public var valueWeight = paper.valueWeight
    /// Dropout probability of the embedding.
    public var embeddingDropout = paper.embeddingDropout
    /// Dropout probability of attention weights.
    public var attentionDropout = paper.attentionDropout
    /// Dropout probability of what a layer adds to the residual stream.
    public var residualDropout = paper.residualDropout

    /// A configuration of this shape, the paper's by default, with `contextTransitions` transitions
    /// of context.
    public init(
        layout: TransitionLayout, contextTransitions: Int = 10, shape: Shape = Shape()
    ) {
        self.layout = layout
        contextLength =
            Int.saturating(contextTransitions, times: layout.transitionDimension) - 1
        self.shape = shape
    }

    /// Decodes a configuration; one written before there were goals has none.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        layout = try values.decode(TransitionLayout.self, forKey: .layout)
        binCount = try values.decode(Int.self, forKey: .binCount)
        layerCount = try values.decode(Int.self, forKey: .layerCount)
        headCount = try values.decode(Int.self, forKey: .headCount)
        embeddingWidth = try values.decode(Int.self, forKey: .embeddingWidth)
        contextLength = try values.decode(Int.self, forKey: .contextLength)
        goalDimension = try values.decodeIfPresent(Int.self, forKey: .goalDimension) ?? 0
        actionWeight = try values.decode(Float.self, forKey: .actionWeight)
        rewardWeight = try values.decode(Float.self, forKey: .rewardWeight)
        valueWeight = try values.decode(Float.self, forKey: .valueWeight)
        embeddingDropout = try values.decode(Float.self, forKey: .embeddingDropout)
        attentionDropout = try values.decode(Float.self, forKey: .attentionDropout)
        residualDropout = try values.decode(Float.self, forKey: .residualDropout)
    }

    /// Tokens each head can predict: the bins and termination.
    public var vocabularySize: Int { binCount + 1 }

    /// What is wrong with the configuration, or nil.
    public var problem: String? {
        func probability(_ name: String, _ value: Float) -> String? {
            value >= 0 && value < 1 ? nil : "\(name) must lie in [0, 1), found \(value)"
        }
        if let problem = layout.problem ?? Bound.bins.problem("binCount", binCount)
            ?? Bound.layers.problem("layerCount", layerCount)
            ?? Bound.heads.problem("headCount", headCount)
            ?? Bound.width.problem("embeddingWidth", embeddingWidth)
            ?? Bound.tokens.problem("contextLength", contextLength)
            ?? probability("embeddingDropout", embeddingDropout)
            ?? probability("attentionDropout", attentionDropout)
            ?? probability("residualDropout", residualDropout)
        {
            return problem
        }
        if let problem = Bound.dimension.orNone.problem("goalDimension", goalDimension) {
            return problem
        }
        for (name, weight) in [
            ("actionWeight", actionWeight), ("rewardWeight", rewardWeight),
            ("valueWeight", valueWeight),
        ] where !(weight >= 0 && weight.isFinite) {
            return "\(name) must be a number from 0 up, found \(weight)"
        }
        guard embeddingWidth % headCount == 0 else {
            return "embeddingWidth \(embeddingWidth) is not a multiple of headCount \(headCount)"
        }
        return nil
    }

    /// Weight in the loss of predicting dimension `dimension` of a transition.
    package func lossWeight(ofDimension dimension: Int) -> Float {
        switch layout.kind(at: dimension) {
        case .observation: 1
        case .action: actionWeight
        case .reward: rewardWeight
        case .value: valueWeight
        }
    }

    /// The row of the embedding table for `token` at `position`; termination is the last row.
    package func embeddingRow(token: Int, position: Int) -> Int {
        let dimension = layout.transitionDimension
        return token == binCount ? binCount * dimension : token + position % dimension * binCount
    }

    /// The row of the goals' embedding table for the goal's token `token` in dimension `dimension`.
    package func goalEmbeddingRow(token: Int, dimension: Int) -> Int {
        precondition(
            0..<binCount ~= token, "the goal's token \(token) is none of \(binCount) bins")
        return token + dimension * binCount
    }
}
