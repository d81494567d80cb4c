package import Layers
internal import RandomNumbers
package import Tensors
internal import Trajectories

/// Where every parameter of a Trajectory Transformer lies in the flat buffer.
///
/// Names are those of the authors' checkpoints. Key and value projections lie next to each other,
/// so that they also form one matrix of 2C rows.
package struct TransformerParameters: Sendable {
    /// The layers of one block.
    package struct Block: Sendable {
        package let norm1: LayerNorm
        package let query: Linear
        /// Key and value projection, which the decoder needs of every token.
        package let keyValue: Linear
        package let projection: Linear
        package let norm2: LayerNorm
        package let expansion: Linear
        package let contraction: Linear
    }

    /// Names, shapes and places of all parameters.
    package let layout: ParameterLayout
    /// Token and position embedding.
    package let embedding: TokenEmbedding
    /// Embedding of the goal's tokens; nil in a model without goal.
    package let goalEmbedding: GoalEmbedding?
    /// The blocks, first to last.
    package let blocks: [Block]
    /// The layer norm before the heads.
    package let finalNorm: LayerNorm
    /// The heads, one for each dimension, without bias: vocabulary × C.
    package let heads: [Linear]

    /// Lays out the parameters of a model.
    package init(_ configuration: TransformerConfiguration) {
        let width = configuration.embeddingWidth
        let dimension = configuration.layout.transitionDimension
        var layout = ParameterLayout()

        func norm(_ name: String) -> LayerNorm {
            LayerNorm(
                weight: layout.add("\(name).weight", shape: [width], decays: false),
                bias: layout.add("\(name).bias", shape: [width], decays: false))
        }
        func linear(_ name: String, _ output: Int, _ input: Int) -> Linear {
            Linear(
                weight: layout.add("\(name).weight", shape: [output, input], decays: true),
                bias: layout.add("\(name).bias", shape: [output], decays: false), in: &layout)
        }
        func joined(_ names: [String]) -> Linear {
            let weights = names.map {
                layout.add("\($0).weight", shape: [width, width], decays: true)
            }
            let biases = names.map { layout.add("\($0).bias", shape: [width], decays: false) }
            return Linear(
                weight: ParameterSlot(
                    offset: weights[0].offset, rows: names.count * width, columns: width),
                bias: ParameterSlot(
                    offset: biases[0].offset, rows: 1, columns: names.count * width),
                in: &layout)
        }

        embedding = TokenEmbedding(
            table: layout.add(
                "tok_emb.weight", shape: [configuration.binCount * dimension + 1, width],
                decays: false),
            position: layout.add(
                "pos_emb", shape: [1, configuration.contextLength, width], decays: false))
        blocks = (0..<configuration.layerCount).map { index in
            let name = "blocks.\(index)"
            return Block(
                norm1: norm("\(name).ln1"),
                query: linear("\(name).attn.query", width, width),
                keyValue: joined(["\(name).attn.key", "\(name).attn.value"]),
                projection: linear("\(name).attn.proj", width, width),
                norm2: norm("\(name).ln2"),
                expansion: linear("\(name).mlp.0", 4 * width, width),
                contraction: linear("\(name).mlp.2", width, 4 * width))
        }
        finalNorm = norm("ln_f")
        let vocabulary = configuration.vocabularySize
        let head = layout.add("head.weight", shape: [dimension, vocabulary, width], decays: true)
        heads = (0..<dimension).map { index in
            Linear(
                weight: ParameterSlot(
                    offset: head.offset + index * vocabulary * width, rows: vocabulary,
                    columns: width),
                in: &layout)
        }
        // Last, so that the others are the same with and without it.
        goalEmbedding =
            configuration.goalDimension == 0
            ? nil
            : GoalEmbedding(
                table: layout.add(
                    "goal_emb.weight",
                    shape: [configuration.binCount * configuration.goalDimension, width],
                    decays: false))
        self.layout = layout
    }

    /// Fresh parameters: weights normal with deviation 0.02, biases and positions zero, layer norms
    /// one and zero, heads uniform in ±1/√C, as the authors' code draws them.
    package func initialValues(seed: UInt64) -> FloatStorage {
        let values = FloatStorage(count: layout.count)
        var generator = SplitMix64(seed: seed)
        for entry in layout.entries {
            let pointer = values.pointer(entry.slot)
            for index in 0..<entry.slot.count {
                pointer[index] =
                    if entry.name == "head.weight" {
                        Float(2 * generator.uniform() - 1) / Float(entry.slot.columns).squareRoot()
                    } else if entry.decays
                        || ["tok_emb.weight", "goal_emb.weight"].contains(entry.name)
                    {
                        Float(0.02 * generator.normal())
                    } else if entry.name.contains("ln") && entry.name.hasSuffix("weight") {
                        1
                    } else {
                        0
                    }
            }
        }
        return values
    }
}
