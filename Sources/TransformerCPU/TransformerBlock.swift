import Layers
import RandomNumbers
import Tensors

/// The forward and backward pass of one block over whole sequences.
///
///     middle = x + dropout(projection(attention(norm1(x))))
///     output = middle + dropout(contraction(gelu(expansion(norm2(middle)))))
struct TransformerBlock {
    let layers: TransformerLayers.Block
    let attention: CausalSelfAttention
    let attentionDropout: Dropout
    let firstResidualDropout: Dropout
    let secondResidualDropout: Dropout

    /// Reads the block's input from `activations` and writes `output`.
    ///
    /// One sequence after the other goes through, so that its activations stay in the cache.
    func forward(
        _ parameters: ParameterValues, _ activations: BlockActivations, output: Matrix,
        workspace: TransformerWorkspace, sequences: Range<Int>
    ) {
        let a = activations
        for (index, sequence) in sequences.enumerated() {
            let rows = workspace.rows(ofSequence: index)
            let firstRow = sequence * workspace.rowsPerSequence
            let x = a.input.rows(rows)
            let normalized1 = a.normalized1.rows(rows)
            layers.norm1.forward(
                parameters, input: x, output: normalized1, statistics: a.statistics1.rows(rows))
            workspace.lap(.layerNorm)
            let qkv = a.qkv.rows(rows)
            layers.query.forward(parameters, input: normalized1, output: qkv.query)
            let probabilities = a.probabilities(ofSequence: index)
            layers.keyValue.forward(
                parameters, input: normalized1, output: qkv.keyValue,
                upcoming: Upcoming(probabilities, a.attended.rows(rows)))
            workspace.lap(.products)
            let attended = a.attended.rows(rows)
            attention.forward(
                qkv: qkv, output: attended, probabilities: probabilities.base,
                scratch: workspace.scratch, dropout: attentionDropout, sequence: sequence)
            workspace.lap(.attention)
            let branch = workspace.branch
            layers.projection.forward(
                parameters, input: attended, output: branch,
                upcoming: Upcoming(a.middle.rows(rows), a.normalized2.rows(rows)))
            workspace.lap(.products)
            let middle = a.middle.rows(rows)
            Residual.forward(
                x: x, branch: branch, output: middle, dropout: firstResidualDropout,
                firstRow: firstRow)
            workspace.lap(.residual)

            let normalized2 = a.normalized2.rows(rows)
            layers.norm2.forward(
                parameters, input: middle, output: normalized2,
                statistics: a.statistics2.rows(rows))
            workspace.lap(.layerNorm)
            let hidden = a.hidden.rows(rows)
            let activated = a.activated.rows(rows)
            layers.expansion.forward(
                parameters, input: normalized2, output: hidden, upcoming: Upcoming(activated))
            workspace.lap(.products)
            GELU.forward(input: hidden, output: activated)
            workspace.lap(.activation)
            layers.contraction.forward(parameters, input: activated, output: branch)
            workspace.lap(.products)
            Residual.forward(
                x: middle, branch: branch, output: output.rows(rows),
                dropout: secondResidualDropout, firstRow: firstRow)
            workspace.lap(.residual)
        }
    }

    /// Turns the gradient of the output into that of the input, in place of `dx`.
    ///
    /// One sequence after the other, then the gradients of the weights from all of them together.
    func backward(
        _ parameters: ParameterValues, gradients: FloatStorage, _ activations: BlockActivations,
        dx: Matrix, workspace: TransformerWorkspace, sequences: Range<Int>
    ) {
        let a = activations
        for (index, sequence) in sequences.enumerated() {
            let rows = workspace.rows(ofSequence: index)
            let firstRow = sequence * workspace.rowsPerSequence
            let dx = dx.rows(rows)
            let dNarrow = workspace.dNarrow.rows(0..<rows.count)
            let dFeedForward = workspace.dFeedForward.rows(rows)
            Residual.backward(
                gradients: gradients, bias: layers.contraction.bias, dOutput: dx,
                dBranch: dFeedForward, dropout: secondResidualDropout, firstRow: firstRow)
            workspace.lap(.residual)
            let dHidden = workspace.dHidden.rows(rows)
            layers.contraction.inputBackward(
                parameters, dOutput: dFeedForward, dInput: dHidden,
                upcoming: Upcoming(a.hidden.rows(rows)))
            workspace.lap(.products)
            GELU.backward(
                gradients: gradients, bias: layers.expansion.bias, derivative: a.hidden.rows(rows),
                gradient: dHidden)
            workspace.lap(.activation)
            let probabilities = a.probabilities(ofSequence: index)
            layers.expansion.inputBackward(
                parameters, dOutput: dHidden, dInput: dNarrow,
                upcoming: Upcoming(
                    a.middle.rows(rows), a.qkv.rows(rows), probabilities))
            workspace.lap(.products)
            layers.norm2.backward(
                parameters, gradients: gradients, input: a.middle.rows(rows),
                statistics: a.statistics2.rows(rows), dOutput: dNarrow, dInput: dx)
            workspace.lap(.layerNorm)

            let dAttention = workspace.dAttention.rows(rows)
            Residual.backward(
                gradients: gradients, bias: layers.projection.bias, dOutput: dx,
                dBranch: dAttention, dropout: firstResidualDropout, firstRow: firstRow)
            workspace.lap(.residual)
            layers.projection.inputBackward(
                parameters, dOutput: dAttention, dInput: dNarrow,
                upcoming: Upcoming(a.attended.rows(rows), workspace.dQKV.rows(rows)))
            workspace.lap(.products)
            let dQKV = workspace.dQKV.rows(rows)
            attention.backward(
                qkv: a.qkv.rows(rows), output: a.attended.rows(rows), dOutput: dNarrow, dQKV: dQKV,
                probabilities: probabilities.base, scratch: workspace.scratch,
                dropout: attentionDropout)
            layers.query.biasBackward(gradients: gradients, dOutput: dQKV.query)
            layers.keyValue.biasBackward(gradients: gradients, dOutput: dQKV.keyValue)
            workspace.lap(.attention)
            layers.query.inputBackward(
                parameters, dOutput: dQKV.query, dInput: dNarrow,
                upcoming: Upcoming(a.input.rows(rows)))
            layers.keyValue.inputBackward(
                parameters, dOutput: dQKV.keyValue, dInput: dNarrow, accumulating: true)
            workspace.lap(.products)
            layers.norm1.backward(
                parameters, gradients: gradients, input: a.input.rows(rows),
                statistics: a.statistics1.rows(rows), dOutput: dNarrow, dInput: dx)
            workspace.lap(.layerNorm)
        }

        let (all, factors) = (0..<dx.rows, parameters.factors)
        let dQKV = workspace.dQKV.rows(all)
        let normalized1 = a.normalized1.rows(all)
        let normalized2 = a.normalized2.rows(all)
        let attended = a.attended.rows(all)
        layers.contraction.weightBackward(
            gradients: gradients, input: a.activated.rows(all),
            dOutput: workspace.dFeedForward.rows(all), factors: factors,
            upcoming: Upcoming(normalized2))
        layers.expansion.weightBackward(
            gradients: gradients, input: normalized2, dOutput: workspace.dHidden.rows(all),
            factors: factors, upcoming: Upcoming(attended, workspace.dAttention.rows(all)))
        layers.projection.weightBackward(
            gradients: gradients, input: attended, dOutput: workspace.dAttention.rows(all),
            factors: factors, upcoming: Upcoming(normalized1))
        layers.query.weightBackward(
            gradients: gradients, input: normalized1, dOutput: dQKV.query, factors: factors)
        layers.keyValue.weightBackward(
            gradients: gradients, input: normalized1, dOutput: dQKV.keyValue, factors: factors)
        workspace.lap(.products)
    }
}

extension Matrix {
    /// The first third of the columns of a matrix of queries, keys and values.
    fileprivate var query: Matrix { columns(0..<(columns / 3)) }
    /// The other two thirds.
    fileprivate var keyValue: Matrix { columns((columns / 3)..<columns) }
}
