import Layers
import Tensors
import Transformer

/// The layers of a model, each over its parameters' places.
struct TransformerLayers: Sendable {
    /// The layers of one block.
    struct Block: Sendable {
        let norm1: LayerNorm
        let query: Linear
        /// Key and value projection, which the decoder needs of every token.
        let keyValue: Linear
        let projection: Linear
        let norm2: LayerNorm
        let expansion: Linear
        let contraction: Linear
    }

    /// Token and position embedding.
    let embedding: TokenEmbedding
    /// Embedding of the goal's tokens; nil in a model without goal.
    let goalEmbedding: GoalEmbedding?
    /// The blocks, first to last.
    let blocks: [Block]
    /// The layer norm before the heads.
    let finalNorm: LayerNorm
    /// The heads, one for each dimension, without bias.
    let heads: [Linear]
    /// Where the matrices lie packed.
    let panels: PanelLayout

    init(_ places: TransformerParameters) {
        var panels = PanelLayout()
        func norm(_ norm: TransformerParameters.Norm) -> LayerNorm {
            LayerNorm(weight: norm.weight, bias: norm.bias)
        }
        func linear(_ dense: TransformerParameters.Dense) -> Linear {
            Linear(weight: dense.weight, bias: dense.bias, in: &panels)
        }
        embedding = TokenEmbedding(table: places.tokens, position: places.positions)
        goalEmbedding = places.goals.map { GoalEmbedding(table: $0) }
        blocks = places.blocks.map { block in
            Block(
                norm1: norm(block.norm1), query: linear(block.query),
                keyValue: linear(block.keyValue), projection: linear(block.projection),
                norm2: norm(block.norm2), expansion: linear(block.expansion),
                contraction: linear(block.contraction))
        }
        finalNorm = norm(places.finalNorm)
        heads = places.heads.map { Linear(weight: $0, in: &panels) }
        self.panels = panels
    }
}
