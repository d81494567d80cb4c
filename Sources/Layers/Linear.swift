internal import CKernels
package import Tensors

/// A dense layer without its bias: y = x Wᵀ.
///
/// Shapes: W is out × in, x is R × in, y is R × out. The bias is added by the layer that reads y,
/// in the same pass over memory (GELU, the residual connection), or put into y beforehand.
package struct Linear: Sendable {
    /// The weight matrix, out × in.
    package let weight: ParameterSlot
    /// The bias, or a slot of zero elements where the layer has none.
    package let bias: ParameterSlot

    /// A layer over these parameters.
    package init(weight: ParameterSlot, bias: ParameterSlot) {
        self.weight = weight
        self.bias = bias
    }

    /// The layer with some of the outputs only.
    package func rows(_ range: Range<Int>) -> Linear {
        Linear(
            weight: ParameterSlot(
                offset: weight.offset + range.lowerBound * weight.columns, rows: range.count,
                columns: weight.columns),
            bias: ParameterSlot(
                offset: bias.offset + range.lowerBound, rows: 1, columns: range.count))
    }

    /// output = input Wᵀ.
    package func forwardWithoutBias(_ parameters: FloatStorage, input: Matrix, output: Matrix) {
        multiply(
            input, parameters.matrix(weight).transposed, into: output)
    }

    /// output = input Wᵀ + bias.
    package func forward(_ parameters: FloatStorage, input: Matrix, output: Matrix) {
        tt_broadcast_rows(
            output.base, parameters.pointer(bias), output.rows, output.columns, output.stride)
        multiply(
            input, parameters.matrix(weight).transposed, into: output,
            accumulating: true)
    }

    /// The gradient of the weight is added to `gradients`, that of the input written to `dInput`.
    ///
    /// The gradient of the bias is left to the layer that added it, or to ``biasBackward``.
    package func backward(
        _ parameters: FloatStorage, gradients: FloatStorage, input: Matrix, dOutput: Matrix,
        dInput: Matrix
    ) {
        multiply(
            dOutput.transposed, input, into: gradients.matrix(weight),
            accumulating: true)
        multiply(dOutput, parameters.matrix(weight), into: dInput)
    }

    /// The gradient of the bias is added to `gradients`.
    package func biasBackward(gradients: FloatStorage, dOutput: Matrix) {
        tt_add_column_sums(
            gradients.pointer(bias), dOutput.base, dOutput.rows, dOutput.columns, dOutput.stride)
    }
}
