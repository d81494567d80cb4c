import Layers
import Tensors
import Tokenization
import Trajectories
public import Transformer

/// A model as the CPU computes it: its values, packed once more as products read them, its layers
/// and its attention.
///
/// Made of a `TrajectoryTransformer`'s values; a training engine changes its own, a decoder's
/// stay as they are and are shared.
public final class CPUTransformer: @unchecked Sendable {
    /// The model's shape.
    public let configuration: TransformerConfiguration

    let layers: TransformerLayers
    /// The parameters' values, changed by a training engine alone, while nothing reads.
    let weights: ParameterValues
    let attention: CausalSelfAttention

    /// Makes `model` ready to be computed.
    public convenience init(_ model: TrajectoryTransformer) { self.init(model, factors: .single) }

    /// Makes `model` ready to be computed by products of such factors.
    init(_ model: TrajectoryTransformer, factors: Factors) {
        configuration = model.configuration
        let configuration = model.configuration
        layers = TransformerLayers(model.parameters)
        let values = FloatStorage(count: model.values.count)
        values.write(model.values)
        weights = ParameterValues(layers.panels, values: values, factors: factors)
        let dimension = configuration.layout.transitionDimension
        attention = CausalSelfAttention(
            heads: configuration.headCount, width: configuration.embeddingWidth,
            length: configuration.goalDimension + configuration.contextLength
        ) {
            let position = $0 - configuration.goalDimension
            return position >= 0 && position % dimension == dimension - 1
        }
    }

    /// Logits at every position of `tokens`, without dropout: positions × vocabulary.
    ///
    /// There may be at most `TransformerConfiguration.contextLength` tokens; they start with the
    /// first observation dimension. `goal` has `TransformerConfiguration.goalDimension` tokens.
    ///
    /// - Throws: `EngineError` when there are too many tokens, or one is unknown.
    public func logits(_ tokens: [Int], goal: [Int] = []) throws(EngineError) -> [[Float]] {
        let workspace = try forward(tokens, goal: goal)
        return (0..<tokens.count).map { position in
            let row = Int(workspace.destination.base[goal.count + position])
            return workspace.logits.rows(row..<(row + 1)).values
        }
    }

    /// The attention weights over `tokens`, without dropout: layers × heads × queries × keys.
    ///
    /// A goal's tokens are the first queries and keys.
    ///
    /// - Throws: `EngineError` when there are too many tokens, or one is unknown.
    public func attentionWeights(
        _ tokens: [Int], goal: [Int] = []
    ) throws(EngineError) -> [[[[Float]]]] {
        let workspace = try forward(tokens, goal: goal)
        let count = goal.count + tokens.count
        return workspace.blocks.map { block in
            let probabilities = UnsafePointer(block.probabilities.base)
            return (0..<configuration.headCount).map { head in
                (0..<count).map { query in
                    let seen = attention.weights(
                        in: probabilities, head: head, query: query, tokens: count)
                    return seen + Array(repeating: 0, count: count - seen.count)
                }
            }
        }
    }

    /// A workspace that holds everything computed for one sequence, without dropout.
    private func forward(
        _ tokens: [Int], goal: [Int]
    ) throws(EngineError) -> TransformerWorkspace {
        var batch = TokenBatch(rows: 1, length: tokens.count, goalDimension: goal.count)
        batch.inputs = tokens.map { Int32(clamping: $0) }
        batch.goals = goal.map { Int32(clamping: $0) }
        if let problem = batch.problem(for: configuration, windowLength: tokens.count) {
            throw EngineError(code: .mismatch, engine: "cpu", detail: problem)
        }
        let workspace = TransformerWorkspace(
            configuration, attention: attention, sequences: 1, length: tokens.count)
        WorkerPool.shared.run { worker in
            guard worker == 0 else { return }
            workspace.load(batch, sequences: 0..<1)
            forward(workspace, sequences: 0..<1, dropout: .none)
            computeLogits(workspace, sequences: 1)
        }
        return workspace
    }
}
