internal import Layers
internal import Tensors

/// The forward and backward pass of one block over whole sequences.
///
///     middle = x + dropout(projection(attention(norm1(x))))
///     output = middle + dropout(contraction(gelu(expansion(norm2(middle)))))
struct TransformerBlock {
    let layers: TransformerParameters.Block
    let attention: CausalSelfAttention
    let attentionDropout: Dropout
    let firstResidualDropout: Dropout
    let secondResidualDropout: Dropout

    /// Reads the block's input from `activations` and writes `output`.
    func forward(
        _ parameters: FloatStorage, _ activations: BlockActivations, output: Matrix,
        workspace: TransformerWorkspace, rows: Int, firstSequence: Int
    ) {
        let a = activations
        let firstRow = firstSequence * workspace.length
        let x = a.input.rows(0..<rows)
        let normalized1 = a.normalized1.rows(0..<rows)
        layers.norm1.forward(parameters, input: x, output: normalized1, statistics: a.statistics1)
        let qkv = a.qkv.rows(0..<rows)
        layers.qkv.forward(parameters, input: normalized1, output: qkv)
        let attended = a.attended.rows(0..<rows)
        attention.forward(
            qkv: qkv, tokens: workspace.length, output: attended,
            probabilities: a.probabilities.base, scratch: workspace.scratch,
            dropout: attentionDropout, firstSequence: firstSequence)
        let branch = workspace.branch.rows(0..<rows)
        layers.projection.forwardWithoutBias(parameters, input: attended, output: branch)
        let middle = a.middle.rows(0..<rows)
        Residual.forward(
            parameters, bias: layers.projection.bias, x: x, branch: branch, output: middle,
            dropout: firstResidualDropout, firstRow: firstRow)

        let normalized2 = a.normalized2.rows(0..<rows)
        layers.norm2.forward(
            parameters, input: middle, output: normalized2, statistics: a.statistics2)
        let hidden = a.hidden.rows(0..<rows)
        layers.expansion.forwardWithoutBias(parameters, input: normalized2, output: hidden)
        let activated = a.activated.rows(0..<rows)
        GELU.forward(
            parameters, bias: layers.expansion.bias, input: hidden, output: activated)
        layers.contraction.forwardWithoutBias(parameters, input: activated, output: branch)
        Residual.forward(
            parameters, bias: layers.contraction.bias, x: middle, branch: branch, output: output,
            dropout: secondResidualDropout, firstRow: firstRow)
    }

    /// Turns the gradient of the output into that of the input, in place of `dx`.
    func backward(
        _ parameters: FloatStorage, gradients: FloatStorage, _ activations: BlockActivations,
        dx: Matrix, workspace: TransformerWorkspace, firstSequence: Int
    ) {
        let a = activations
        let rows = dx.rows
        let firstRow = firstSequence * workspace.length
        let dBranch = workspace.dBranch.rows(0..<rows)
        let dNarrow = workspace.dNarrow.rows(0..<rows)

        let dHidden = workspace.dHidden.rows(0..<rows)
        Residual.backward(
            gradients: gradients, bias: layers.contraction.bias, dOutput: dx, dBranch: dBranch,
            dropout: secondResidualDropout, firstRow: firstRow)
        layers.contraction.backward(
            parameters, gradients: gradients, input: a.activated.rows(0..<rows), dOutput: dBranch,
            dInput: dHidden)
        GELU.backward(
            gradients: gradients, bias: layers.expansion.bias, input: a.hidden.rows(0..<rows),
            gradient: dHidden)
        layers.expansion.backward(
            parameters, gradients: gradients, input: a.normalized2.rows(0..<rows),
            dOutput: dHidden, dInput: dNarrow)
        layers.norm2.backward(
            parameters, gradients: gradients, input: a.middle.rows(0..<rows),
            statistics: a.statistics2, dOutput: dNarrow, dInput: dx)

        let dQKV = workspace.dQKV.rows(0..<rows)
        Residual.backward(
            gradients: gradients, bias: layers.projection.bias, dOutput: dx, dBranch: dBranch,
            dropout: firstResidualDropout, firstRow: firstRow)
        layers.projection.backward(
            parameters, gradients: gradients, input: a.attended.rows(0..<rows), dOutput: dBranch,
            dInput: dNarrow)
        attention.backward(
            qkv: a.qkv.rows(0..<rows), tokens: workspace.length, dOutput: dNarrow, dQKV: dQKV,
            probabilities: a.probabilities.base, scratch: workspace.scratch,
            dropout: attentionDropout)
        layers.qkv.biasBackward(gradients: gradients, dOutput: dQKV)
        layers.qkv.backward(
            parameters, gradients: gradients, input: a.normalized1.rows(0..<rows), dOutput: dQKV,
            dInput: dNarrow)
        layers.norm1.backward(
            parameters, gradients: gradients, input: a.input.rows(0..<rows),
            statistics: a.statistics1, dOutput: dNarrow, dInput: dx)
    }
}
