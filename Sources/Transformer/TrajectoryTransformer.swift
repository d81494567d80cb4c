package import Layers
package import Tensors
import Tokenization
internal import Trajectories

/// The Trajectory Transformer: a GPT over the tokens of trajectories, with one vocabulary and one
/// head for each dimension of a transition.
///
///     x = token embedding + position embedding
///     x = block(x)                        for each layer
///     logits[i] = head[i mod D] norm(x[i])    predicts token i + 1
///
/// Value tokens are hidden from attention. In a goal-conditioned model the goal's tokens stand in
/// front, without position, and every token sees them; after the last block they are dropped. Janner
/// et al. 2021, sections 3.1 and 3.2 ("goal-conditioned reinforcement learning") and appendix A.
public final class TrajectoryTransformer: @unchecked Sendable {
    /// The model's shape.
    public let configuration: TransformerConfiguration

    package let parameters: TransformerParameters
    /// The parameters' values, changed by the optimizer alone, while nothing reads.
    package let weights: ParameterValues
    package let attention: CausalSelfAttention

    /// A model with fresh parameters drawn from `seed`.
    public convenience init(_ configuration: TransformerConfiguration, seed: UInt64) {
        self.init(configuration) { $0.initialValues(seed: seed) }
    }

    package init<Failure: Error>(
        _ configuration: TransformerConfiguration,
        values: (TransformerParameters) throws(Failure) -> FloatStorage
    ) throws(Failure) {
        if let problem = configuration.problem {
            preconditionFailure("unusable transformer configuration: \(problem)")
        }
        self.configuration = configuration
        parameters = TransformerParameters(configuration)
        weights = ParameterValues(parameters.layout, values: try values(parameters))
        let dimension = configuration.layout.transitionDimension
        attention = CausalSelfAttention(
            heads: configuration.headCount, width: configuration.embeddingWidth,
            length: configuration.goalDimension + configuration.contextLength
        ) {
            let position = $0 - configuration.goalDimension
            return position >= 0 && position % dimension == dimension - 1
        }
    }

    /// Number of parameters.
    public var parameterCount: Int { parameters.layout.count }

    /// All parameters, one after the other in the order of their names.
    public var values: [Float] { weights.values.values }

    /// The names of the parameters, as in the authors' checkpoints.
    public var parameterNames: [String] { parameters.layout.entries.map(\.name) }

    /// A parameter's values, row-major, and its shape; nil if there is none of that name.
    public func parameter(named name: String) -> (values: [Float], shape: [Int])? {
        parameters.layout.entry(named: name).map {
            (weights.values.values(in: $0.slot.range), $0.shape)
        }
    }

    /// The row of the embedding table for `token` at `position`; termination is the last row.
    package func embeddingRow(token: Int, position: Int) -> Int {
        let dimension = configuration.layout.transitionDimension
        let bins = configuration.binCount
        return token == bins ? bins * dimension : token + position % dimension * bins
    }

    /// The row of the goals' embedding table for the goal's token `token` in dimension `dimension`.
    package func goalEmbeddingRow(token: Int, dimension: Int) -> Int {
        precondition(
            0..<configuration.binCount ~= token,
            "the goal's token \(token) is none of \(configuration.binCount) bins")
        return token + dimension * configuration.binCount
    }

    /// Logits at every position of `tokens`, without dropout: positions × vocabulary.
    ///
    /// There may be at most ``TransformerConfiguration/contextLength`` tokens; they start with the
    /// first observation dimension. `goal` has ``TransformerConfiguration/goalDimension`` tokens.
    public func logits(_ tokens: [Int], goal: [Int] = []) -> [[Float]] {
        let workspace = forward(tokens, goal: goal)
        return (0..<tokens.count).map { position in
            let row = Int(workspace.destination.base[goal.count + position])
            return workspace.logits.rows(row..<(row + 1)).values
        }
    }

    /// The attention weights over `tokens`, without dropout: layers × heads × queries × keys.
    ///
    /// A goal's tokens are the first queries and keys.
    public func attentionWeights(_ tokens: [Int], goal: [Int] = []) -> [[[[Float]]]] {
        let workspace = forward(tokens, goal: goal)
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
    private func forward(_ tokens: [Int], goal: [Int]) -> TransformerWorkspace {
        var batch = TokenBatch(rows: 1, length: tokens.count, goalDimension: goal.count)
        batch.inputs = tokens.map(Int32.init)
        batch.goals = goal.map(Int32.init)
        let workspace = TransformerWorkspace(
            configuration, attention: attention, sequences: 1, length: tokens.count)
        WorkerPool.shared.run { worker in
            guard worker == 0 else { return }
            forward(workspace, batch, sequences: 0..<1, dropout: .none)
            computeLogits(workspace, sequences: 1)
        }
        return workspace
    }

    // MARK: - One pass of one worker

    /// The blocks over sequences `sequences` of the batch.
    func forward(
        _ workspace: TransformerWorkspace, _ batch: TokenBatch, sequences: Range<Int>,
        dropout: DropoutPlan
    ) {
        let rows = sequences.count * workspace.rowsPerSequence
        precondition(workspace.length <= configuration.contextLength)
        precondition(
            batch.goalDimension == configuration.goalDimension,
            "goals of \(batch.goalDimension) tokens for a model of \(configuration.goalDimension)")
        let firstToken = sequences.lowerBound * workspace.length
        for row in 0..<(sequences.count * workspace.length) {
            workspace.tokens.base[row] = Int32(
                embeddingRow(
                    token: Int(batch.inputs[firstToken + row]), position: row % workspace.length))
        }
        let firstGoal = sequences.lowerBound * workspace.goalLength
        for row in 0..<(sequences.count * workspace.goalLength) {
            workspace.goalTokens.base[row] = Int32(
                goalEmbeddingRow(
                    token: Int(batch.goals[firstGoal + row]),
                    dimension: row % workspace.goalLength))
        }
        workspace.order(sequences: sequences.count)
        embed(workspace, sequences: sequences, dropout: dropout.embedding)
        workspace.lap(.embeddingAndHeads)
        for layer in 0..<configuration.layerCount {
            block(layer, dropout).forward(
                weights, workspace.blocks[layer],
                output: residual(workspace, layer + 1).rows(0..<rows), workspace: workspace,
                sequences: sequences)
        }
    }

    /// Writes the embeddings of goals and tokens into the first block's input.
    private func embed(
        _ workspace: TransformerWorkspace, sequences: Range<Int>, dropout: Dropout
    ) {
        let input = residual(workspace, 0)
        let firstRow = sequences.lowerBound * workspace.rowsPerSequence
        guard let goalEmbedding = parameters.goalEmbedding else {
            return parameters.embedding.forward(
                weights, index: workspace.tokens.base, length: workspace.length,
                output: input.rows(0..<(sequences.count * workspace.length)), dropout: dropout,
                firstRow: firstRow)
        }
        for index in 0..<sequences.count {
            let (goal, tokens) = (workspace.rows(ofGoal: index), workspace.rows(ofTokens: index))
            goalEmbedding.forward(
                weights, index: workspace.goalTokens.base + index * workspace.goalLength,
                output: input.rows(goal), dropout: dropout, firstRow: firstRow + goal.lowerBound)
            parameters.embedding.forward(
                weights, index: workspace.tokens.base + index * workspace.length,
                length: workspace.length, output: input.rows(tokens), dropout: dropout,
                firstRow: firstRow + tokens.lowerBound)
        }
    }

    /// Adds the gradients of the embeddings' tables, from that of the first block's input.
    private func embedBackward(
        _ workspace: TransformerWorkspace, gradients: FloatStorage, dx: Matrix,
        sequences: Range<Int>, dropout: Dropout
    ) {
        let firstRow = sequences.lowerBound * workspace.rowsPerSequence
        guard let goalEmbedding = parameters.goalEmbedding else {
            return parameters.embedding.backward(
                gradients: gradients, index: workspace.tokens.base, length: workspace.length,
                dOutput: dx, dropout: dropout, firstRow: firstRow)
        }
        for index in 0..<sequences.count {
            let (goal, tokens) = (workspace.rows(ofGoal: index), workspace.rows(ofTokens: index))
            goalEmbedding.backward(
                gradients: gradients,
                index: workspace.goalTokens.base + index * workspace.goalLength,
                dOutput: dx.rows(goal), dropout: dropout, firstRow: firstRow + goal.lowerBound,
                scratch: workspace.goalScratch)
            parameters.embedding.backward(
                gradients: gradients, index: workspace.tokens.base + index * workspace.length,
                length: workspace.length, dOutput: dx.rows(tokens), dropout: dropout,
                firstRow: firstRow + tokens.lowerBound)
        }
    }

    /// The final norm and the heads.
    func computeLogits(_ workspace: TransformerWorkspace, sequences: Int) {
        parameters.finalNorm.forward(
            weights, input: workspace.output.rows(0..<(sequences * workspace.rowsPerSequence)),
            output: workspace.headInput, statistics: workspace.finalStatistics,
            destination: workspace.destination.base)
        workspace.lap(.layerNorm)
        for head in 0..<configuration.layout.transitionDimension {
            let rows = workspace.rows(ofHead: head, sequences: sequences)
            parameters.heads[head].forward(
                weights, input: workspace.headInput.rows(rows),
                output: workspace.logits.rows(rows))
        }
        workspace.lap(.embeddingAndHeads)
    }

    /// From the gradient of the logits, in their place, to the gradients of all parameters.
    func backward(
        _ workspace: TransformerWorkspace, gradients: FloatStorage, sequences: Range<Int>,
        dropout: DropoutPlan
    ) {
        let rows = sequences.count * workspace.rowsPerSequence
        let dHeadInput = workspace.dNarrow
        for head in 0..<configuration.layout.transitionDimension {
            let range = workspace.rows(ofHead: head, sequences: sequences.count)
            let dLogits = workspace.logits.rows(range)
            parameters.heads[head].weightBackward(
                gradients: gradients, input: workspace.headInput.rows(range), dOutput: dLogits)
            parameters.heads[head].inputBackward(
                weights, dOutput: dLogits, dInput: dHeadInput.rows(range))
        }
        // Nothing is predicted from a goal.
        for row in (sequences.count * workspace.length)..<rows {
            (dHeadInput.base + row * dHeadInput.stride).update(
                repeating: 0, count: dHeadInput.columns)
        }
        workspace.lap(.embeddingAndHeads)
        let dx = workspace.dx.rows(0..<rows)
        for row in 0..<rows { (dx.base + row * dx.stride).update(repeating: 0, count: dx.columns) }
        parameters.finalNorm.backward(
            weights, gradients: gradients, input: workspace.output.rows(0..<rows),
            statistics: workspace.finalStatistics, dOutput: dHeadInput.rows(0..<rows), dInput: dx,
            destination: workspace.destination.base)
        workspace.lap(.layerNorm)
        for layer in (0..<configuration.layerCount).reversed() {
            block(layer, dropout).backward(
                weights, gradients: gradients, workspace.blocks[layer], dx: dx,
                workspace: workspace, sequences: sequences)
        }
        embedBackward(
            workspace, gradients: gradients, dx: dx, sequences: sequences,
            dropout: dropout.embedding)
        workspace.lap(.embeddingAndHeads)
    }

    /// The residual stream before layer `layer`, or behind the last.
    private func residual(_ workspace: TransformerWorkspace, _ layer: Int) -> Matrix {
        layer < configuration.layerCount ? workspace.blocks[layer].input : workspace.output
    }

    private func block(_ layer: Int, _ dropout: DropoutPlan) -> TransformerBlock {
        let sites = dropout.block(layer)
        return TransformerBlock(
            layers: parameters.blocks[layer], attention: attention,
            attentionDropout: sites.attention, firstResidualDropout: sites.firstResidual,
            secondResidualDropout: sites.secondResidual)
    }
}
