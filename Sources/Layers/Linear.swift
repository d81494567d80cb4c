import CKernels
package import Tensors

/// A dense layer: y = x Wᵀ + b.
///
/// Shapes: W is out × in, b out (or empty: no bias), x is R × in, y is R × out.
package struct Linear: Sendable {
    /// The weight matrix, out × in.
    package let weight: ParameterSlot
    /// The bias, or a slot of zero elements where the layer has none.
    package let bias: ParameterSlot

    private let packed: PackedSlot

    /// A layer over these parameters, whose matrix gets a place in `panels`.
    package init(
        weight: ParameterSlot, bias: ParameterSlot? = nil, in panels: inout PanelLayout
    ) {
        self.weight = weight
        self.bias = bias ?? ParameterSlot(offset: weight.offset, rows: 1, columns: 0)
        packed = panels.pack(weight)
    }

    /// output = input Wᵀ + bias.
    package func forward(
        _ parameters: ParameterValues, input: Matrix, output: Matrix, upcoming: Upcoming? = nil
    ) {
        check(input, output)
        Upcoming.lend(upcoming) {
            tt_product(
                output.base, input.base, parameters.packed.base + packed.forward,
                bias.count > 0 ? parameters.values.pointer(bias) : nil, output.stride,
                input.stride, 0, 0, 1, output.rows, output.columns, input.columns, 0, $0)
        }
    }

    /// Writes the gradient of the input, or adds it to `dInput` when `accumulating`.
    package func inputBackward(
        _ parameters: ParameterValues, dOutput: Matrix, dInput: Matrix, accumulating: Bool = false,
        upcoming: Upcoming? = nil
    ) {
        check(dInput, dOutput)
        Upcoming.lend(upcoming) {
            tt_product(
                dInput.base, dOutput.base, parameters.packed.base + packed.backward, nil,
                dInput.stride, dOutput.stride, 0, 0, 1, dInput.rows, dInput.columns,
                dOutput.columns, accumulating ? 1 : 0, $0)
        }
    }

    /// The gradient of the weight is added to `gradients`.
    ///
    /// That of the bias is left to the layer that reads y, or to ``biasBackward``.
    package func weightBackward(
        gradients: FloatStorage, input: Matrix, dOutput: Matrix, upcoming: Upcoming? = nil
    ) {
        check(input, dOutput)
        Upcoming.lend(upcoming) {
            tt_product(
                gradients.pointer(weight), dOutput.base, input.base, nil, weight.columns,
                dOutput.stride, 1, input.stride, 0, weight.rows, weight.columns, input.rows, 1, $0)
        }
    }

    /// The gradient of the bias is added to `gradients`.
    package func biasBackward(gradients: FloatStorage, dOutput: Matrix) {
        tt_add_column_sums(
            gradients.pointer(bias), dOutput.base, dOutput.rows, dOutput.columns, dOutput.stride)
    }

    private func check(_ input: Matrix, _ output: Matrix) {
        precondition(
            input.columns == weight.columns && output.columns == weight.rows
                && input.rows == output.rows,
            "a layer of \(weight.columns) to \(weight.rows) channels cannot take "
                + "(\(input.rows),\(input.columns)) to (\(output.rows),\(output.columns))")
    }
}
