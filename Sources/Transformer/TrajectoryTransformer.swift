package import Layers
internal import RandomNumbers
package import Tensors
internal import Tokenization
internal import Trajectories

/// The Trajectory Transformer: a GPT over the tokens of trajectories, with one vocabulary and one
/// head for each dimension of a transition.
///
///     x = token embedding + position embedding
///     x = block(x)                        for each layer
///     logits[i] = head[i mod D] norm(x[i])    predicts token i + 1
///
/// Value tokens are hidden from attention. Janner et al. 2021, section 3.1 and appendix A.
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
            length: configuration.contextLength
        ) { $0 % dimension == dimension - 1 }
    }

    /// Number of parameters.
    public var parameterCount: Int { parameters.layout.count }

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

    /// Logits at every position of `tokens`, without dropout: positions × vocabulary.
    ///
    /// There may be at most ``TransformerConfiguration/contextLength`` tokens; they start with the
    /// first observation dimension.
    public func logits(_ tokens: [Int]) -> [[Float]] {
        let workspace = forward(tokens)
        return (0..<tokens.count).map { position in
            let row = Int(workspace.destination.base[position])
            return workspace.logits.rows(row..<(row + 1)).values
        }
    }

    /// The attention weights of one layer over `tokens`, without dropout: heads × queries × keys.
    public func attentionWeights(_ tokens: [Int], layer: Int) -> [[[Float]]] {
        let workspace = forward(tokens)
        let probabilities = UnsafePointer(workspace.blocks[layer].probabilities.base)
        return (0..<configuration.headCount).map { head in
            (0..<tokens.count).map { query in
                let seen = attention.weights(
                    in: probabilities, head: head, query: query, tokens: tokens.count)
                return seen + Array(repeating: 0, count: tokens.count - seen.count)
            }
        }
    }

    /// A workspace that holds everything computed for one sequence, without dropout.
    private func forward(_ tokens: [Int]) -> TransformerWorkspace {
        var batch = TokenBatch(rows: 1, length: tokens.count)
        batch.inputs = tokens.map(Int32.init)
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
        let rows = sequences.count * workspace.length
        let firstRow = sequences.lowerBound * workspace.length
        precondition(workspace.length <= configuration.contextLength)
        for row in 0..<rows {
            workspace.tokens.base[row] = Int32(
                embeddingRow(
                    token: Int(batch.inputs[firstRow + row]), position: row % workspace.length))
        }
        workspace.order(sequences: sequences.count)
        parameters.embedding.forward(
            weights, index: workspace.tokens.base, length: workspace.length,
            output: residual(workspace, 0).rows(0..<rows), dropout: dropout.embedding,
            firstRow: firstRow)
        workspace.lap(.embeddingAndHeads)
        for layer in 0..<configuration.layerCount {
            block(layer, dropout).forward(
                weights, workspace.blocks[layer],
                output: residual(workspace, layer + 1).rows(0..<rows), workspace: workspace,
                sequences: sequences)
        }
    }

    /// The final norm and the heads.
    func computeLogits(_ workspace: TransformerWorkspace, sequences: Int) {
        parameters.finalNorm.forward(
            weights, input: workspace.output.rows(0..<(sequences * workspace.length)),
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
        let rows = sequences.count * workspace.length
        let dHeadInput = workspace.dNarrow
        for head in 0..<configuration.layout.transitionDimension {
            let range = workspace.rows(ofHead: head, sequences: sequences.count)
            let dLogits = workspace.logits.rows(range)
            parameters.heads[head].weightBackward(
                gradients: gradients, input: workspace.headInput.rows(range), dOutput: dLogits)
            parameters.heads[head].inputBackward(
                weights, dOutput: dLogits, dInput: dHeadInput.rows(range))
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
        parameters.embedding.backward(
            gradients: gradients, index: workspace.tokens.base, length: workspace.length,
            dOutput: dx, dropout: dropout.embedding,
            firstRow: sequences.lowerBound * workspace.length)
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
