package import Layers
internal import RandomNumbers
package import Tensors
internal import Trajectories

/// Where every parameter of a Trajectory Transformer lies in the flat buffer.
///
/// Names are those of the authors' checkpoints. Query, key and value projections lie next to each
/// other, so that they also form one matrix of 3C rows.
package struct TransformerParameters: Sendable {
    /// The layers of one block.
    package struct Block: Sendable {
        package let norm1: LayerNorm
        package let qkv: Linear
        package let projection: Linear
        package let norm2: LayerNorm
        package let expansion: Linear
        package let contraction: Linear
    }

    /// Names, shapes and places of all parameters.
    package let layout: ParameterLayout
    /// Token and position embedding.
    package let embedding: TokenEmbedding
    /// The blocks, first to last.
    package let blocks: [Block]
    /// The layer norm before the heads.
    package let finalNorm: LayerNorm
    /// The heads: vocabulary × C for each dimension, one after the other.
    package let head: ParameterSlot

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
                bias: layout.add("\(name).bias", shape: [output], decays: false))
        }
        func joined(_ names: [String], _ suffix: String, shape: [Int], decays: Bool)
            -> ParameterSlot
        {
            let slots = names.map { layout.add("\($0).\(suffix)", shape: shape, decays: decays) }
            let columns = slots[0].columns
            return ParameterSlot(
                offset: slots[0].offset,
                rows: suffix == "bias" ? 1 : slots.reduce(0) { $0 + $1.rows },
                columns: suffix == "bias" ? slots.count * columns : columns)
        }

        embedding = TokenEmbedding(
            table: layout.add(
                "tok_emb.weight", shape: [configuration.binCount * dimension + 1, width],
                decays: false),
            position: layout.add(
                "pos_emb", shape: [1, configuration.contextLength, width], decays: false))
        blocks = (0..<configuration.layerCount).map { index in
            let name = "blocks.\(index)"
            let projections = ["query", "key", "value"].map { "\(name).attn.\($0)" }
            return Block(
                norm1: norm("\(name).ln1"),
                qkv: Linear(
                    weight: joined(projections, "weight", shape: [width, width], decays: true),
                    bias: joined(projections, "bias", shape: [width], decays: false)),
                projection: linear("\(name).attn.proj", width, width),
                norm2: norm("\(name).ln2"),
                expansion: linear("\(name).mlp.0", 4 * width, width),
                contraction: linear("\(name).mlp.2", width, 4 * width))
        }
        finalNorm = norm("ln_f")
        head = layout.add(
            "head.weight", shape: [dimension, configuration.vocabularySize, width], decays: true)
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
                    } else if entry.decays || entry.name == "tok_emb.weight" {
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
