package import Tensors
import Trajectories

/// Where every parameter of a Trajectory Transformer lies in the flat array of its values.
///
/// Names are those of the authors' checkpoints. Key and value projections lie next to each other,
/// so that they also form one matrix of 2C rows.
package struct TransformerParameters: Sendable {
    /// A layer norm.
    package struct Norm: Sendable {
        /// What the normalized numbers are multiplied by: C.
        package let weight: ParameterSlot
        /// What is added then: C.
        package let bias: ParameterSlot
    }

    /// A dense layer: y = x Wᵀ + b.
    package struct Dense: Sendable {
        /// W, out × in.
        package let weight: ParameterSlot
        /// b, out.
        package let bias: ParameterSlot
    }

    /// The layers of one block.
    package struct Block: Sendable {
        package let norm1: Norm
        package let query: Dense
        /// Key and value projection, which the decoder needs of every token.
        package let keyValue: Dense
        package let projection: Dense
        package let norm2: Norm
        package let expansion: Dense
        package let contraction: Dense
    }

    /// Names, shapes and places of all parameters.
    package let layout: ParameterLayout
    /// The tokens' embedding, (bins × D + 1) × C;
    /// ``TransformerConfiguration/embeddingRow(token:position:)``.
    package let tokens: ParameterSlot
    /// The positions' embedding, context × C.
    package let positions: ParameterSlot
    /// The embedding of the goal's tokens, (bins × goal) × C; nil in a model without goal.
    package let goals: ParameterSlot?
    /// The blocks, first to last.
    package let blocks: [Block]
    /// The layer norm before the heads.
    package let finalNorm: Norm
    /// The heads, one for each dimension, without bias: vocabulary × C.
    package let heads: [ParameterSlot]

    /// Lays out the parameters of a model.
    package init(_ configuration: TransformerConfiguration) {
        let width = configuration.embeddingWidth
        let dimension = configuration.layout.transitionDimension
        var layout = ParameterLayout()

        func norm(_ name: String) -> Norm {
            Norm(
                weight: layout.add("\(name).weight", shape: [width], decays: false),
                bias: layout.add("\(name).bias", shape: [width], decays: false))
        }
        func dense(_ name: String, _ output: Int, _ input: Int) -> Dense {
            Dense(
                weight: layout.add("\(name).weight", shape: [output, input], decays: true),
                bias: layout.add("\(name).bias", shape: [output], decays: false))
        }
        func joined(_ names: [String]) -> Dense {
            let weights = names.map {
                layout.add("\($0).weight", shape: [width, width], decays: true)
            }
            let biases = names.map { layout.add("\($0).bias", shape: [width], decays: false) }
            return Dense(
                weight: ParameterSlot(
                    offset: weights[0].offset, rows: names.count * width, columns: width),
                bias: ParameterSlot(
                    offset: biases[0].offset, rows: 1, columns: names.count * width))
        }

        tokens = layout.add(
            "tok_emb.weight", shape: [configuration.binCount * dimension + 1, width],
            decays: false)
        positions = layout.add(
            "pos_emb", shape: [1, configuration.contextLength, width], decays: false)
        blocks = (0..<configuration.layerCount).map { index in
            let name = "blocks.\(index)"
            return Block(
                norm1: norm("\(name).ln1"),
                query: dense("\(name).attn.query", width, width),
                keyValue: joined(["\(name).attn.key", "\(name).attn.value"]),
                projection: dense("\(name).attn.proj", width, width),
                norm2: norm("\(name).ln2"),
                expansion: dense("\(name).mlp.0", 4 * width, width),
                contraction: dense("\(name).mlp.2", width, 4 * width))
        }
        finalNorm = norm("ln_f")
        let vocabulary = configuration.vocabularySize
        let head = layout.add("head.weight", shape: [dimension, vocabulary, width], decays: true)
        heads = (0..<dimension).map { index in
            ParameterSlot(
                offset: head.offset + index * vocabulary * width, rows: vocabulary, columns: width)
        }
        // Last, so that the others are the same with and without it.
        goals =
            configuration.goalDimension == 0
            ? nil
            : layout.add(
                "goal_emb.weight",
                shape: [configuration.binCount * configuration.goalDimension, width],
                decays: false)
        self.layout = layout
    }
}
