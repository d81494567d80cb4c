internal import CKernels
package import Tensors

/// Exact GELU of a biased input, fused with adding the bias.
///
///     input += bias;  output = input * (1 + erf(input / √2)) / 2
///
/// Hendrycks and Gimpel 2016. The biased input is kept for the backward pass.
package enum GELU {
    /// Adds `bias` to `input` in place and writes the activation to `output`.
    package static func forward(
        _ parameters: FloatStorage, bias: ParameterSlot, input: Matrix, output: Matrix
    ) {
        tt_gelu_forward(
            output.base, input.base, parameters.pointer(bias), input.rows, input.columns,
            output.stride, input.stride)
    }

    /// Turns the gradient of the activation into that of the biased input, in place.
    ///
    /// The gradient of the bias is added to `gradients`.
    package static func backward(
        gradients: FloatStorage, bias: ParameterSlot, input: Matrix, gradient: Matrix
    ) {
        tt_gelu_backward(
            gradient.base, gradients.pointer(bias), input.base, input.rows, input.columns,
            gradient.stride, input.stride)
    }
}

/// The residual connection, fused with bias and dropout: output = x + dropout(branch + bias).
package enum Residual {
    /// Writes x + dropout(branch + bias) to `output`.
    ///
    /// The first row is number `firstRow` of the batch.
    package static func forward(
        _ parameters: FloatStorage, bias: ParameterSlot, x: Matrix, branch: Matrix, output: Matrix,
        dropout: Dropout, firstRow: Int
    ) {
        tt_residual_forward(
            output.base, x.base, branch.base, parameters.pointer(bias), dropout.kernel, firstRow,
            x.rows, x.columns)
    }

    /// Writes the gradient of the branch; that of the bias is added to `gradients`.
    package static func backward(
        gradients: FloatStorage, bias: ParameterSlot, dOutput: Matrix, dBranch: Matrix,
        dropout: Dropout, firstRow: Int
    ) {
        tt_residual_backward(
            dBranch.base, gradients.pointer(bias), dOutput.base, dropout.kernel, firstRow,
            dOutput.rows, dOutput.columns, dBranch.stride)
    }
}
