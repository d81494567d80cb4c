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
        product(
            parameters, at: packed.forward, input: input, output: output,
            bias: bias.count > 0 ? parameters.values.pointer(bias) : nil, upcoming: upcoming)
    }

    /// Writes the gradient of the input, or adds it to `dInput` when `accumulating`.
    package func inputBackward(
        _ parameters: ParameterValues, dOutput: Matrix, dInput: Matrix, accumulating: Bool = false,
        upcoming: Upcoming? = nil
    ) {
        check(dInput, dOutput)
        product(
            parameters, at: packed.backward, input: dOutput, output: dInput,
            accumulating: accumulating, upcoming: upcoming)
    }

    /// The gradient of the weight is added to `gradients`.
    ///
    /// That of the bias is left to the layer that reads y, or to ``biasBackward``.
    package func weightBackward(
        gradients: FloatStorage, input: Matrix, dOutput: Matrix, factors: Factors = .single,
        upcoming: Upcoming? = nil
    ) {
        check(input, dOutput)
        Upcoming.lend(upcoming) {
            switch factors {
            case .single:
                tt_product(
                    gradients.pointer(weight), dOutput.base, input.base, nil, weight.columns,
                    dOutput.stride, 1, input.stride, 0, weight.rows, weight.columns, input.rows, 1,
                    $0)
            case .bfloat16:
                tt_pair_gradient(
                    gradients.pointer(weight), dOutput.base, input.base, weight.columns,
                    dOutput.stride, input.stride, weight.rows, weight.columns, input.rows, 1, $0)
            }
        }
    }

    /// Whether ``weightBackward(gradients:input:dOutput:scratch:)`` is the faster of the two: the
    /// inputs are no whole number of vectors, the outputs are.
    package var isFasterTransposed: Bool { weight.columns % 16 != 0 && weight.rows % 16 == 0 }

    /// The same gradient to the last bit, computed as its transpose in `scratch`, at least inputs ×
    /// outputs numbers.
    package func weightBackward(
        gradients: FloatStorage, input: Matrix, dOutput: Matrix, scratch: FloatStorage
    ) {
        check(input, dOutput)
        let (inputs, outputs) = (weight.columns, weight.rows)
        precondition(scratch.count >= weight.count, "\(scratch.count) for \(weight.count) numbers")
        tt_product(
            scratch.base, input.base, dOutput.base, nil, outputs, input.stride, 1, dOutput.stride,
            0, inputs, outputs, input.rows, 0, nil)
        let target = gradients.pointer(weight)
        for output in 0..<outputs {
            for column in 0..<inputs {
                target[output * inputs + column] += scratch.base[column * outputs + output]
            }
        }
    }

    /// The gradient of the bias is added to `gradients`.
    package func biasBackward(gradients: FloatStorage, dOutput: Matrix) {
        tt_add_column_sums(
            gradients.pointer(bias), dOutput.base, dOutput.rows, dOutput.columns, dOutput.stride)
    }

    /// Writes the gradient of the first columns of the input, as many as `dInput` has.
    package func firstInputsBackward(
        _ parameters: ParameterValues, dOutput: Matrix, dInput: Matrix
    ) {
        precondition(
            dInput.columns <= weight.columns && dOutput.columns == weight.rows
                && dInput.rows == dOutput.rows,
            "a layer of \(weight.columns) to \(weight.rows) channels cannot take "
                + "(\(dOutput.rows),\(dOutput.columns)) back to "
                + "(\(dInput.rows),\(dInput.columns))")
        product(parameters, at: packed.backward, input: dOutput, output: dInput)
    }

    /// output = input times the packed matrix at `place`, plus the bias or what it was before.
    private func product(
        _ parameters: ParameterValues, at place: Int, input: Matrix, output: Matrix,
        bias: UnsafePointer<Float>? = nil, accumulating: Bool = false, upcoming: Upcoming? = nil
    ) {
        let (matrix, accumulate) = (parameters.packed.base + place, accumulating ? Int32(1) : 0)
        Upcoming.lend(upcoming) {
            switch parameters.factors {
            case .single:
                tt_product(
                    output.base, input.base, matrix, bias, output.stride, input.stride, 0, 0, 1,
                    output.rows, output.columns, input.columns, accumulate, $0)
            case .bfloat16:
                tt_pair_product(
                    output.base, input.base, matrix, bias, output.stride, input.stride,
                    output.rows, output.columns, input.columns, accumulate, $0)
            }
        }
    }

    // MARK: - A part of the outputs by itself

    /// Outputs that are taken together where a layer is shared out among workers: whole panels.
    package static let outputsPerPart = 2 * Int(TT_PANEL)

    /// Writes, rather than adds, the gradients of the weights and biases of some outputs.
    ///
    /// Each number is a sum over the rows in their order, whatever the other outputs.
    package func writeGradients(
        ofOutputs outputs: Range<Int>, to gradients: FloatStorage, input: Matrix, dOutput: Matrix
    ) {
        check(input, dOutput)
        let first = outputs.lowerBound
        tt_product(
            gradients.pointer(weight) + first * weight.columns, dOutput.base + first, input.base,
            nil, weight.columns, dOutput.stride, 1, input.stride, 0, outputs.count, weight.columns,
            input.rows, 0, nil)
        let sums = gradients.pointer(bias) + first
        sums.update(repeating: 0, count: outputs.count)
        tt_add_column_sums(sums, dOutput.base + first, dOutput.rows, outputs.count, dOutput.stride)
    }

    /// Where the parameters of some outputs lie: weights, biases.
    package func ranges(ofOutputs outputs: Range<Int>) -> [Range<Int>] {
        let first = weight.offset + outputs.lowerBound * weight.columns
        return [
            first..<(first + outputs.count * weight.columns),
            (bias.offset + outputs.lowerBound)..<(bias.offset + outputs.upperBound),
        ]
    }

    /// Packs the weights of some outputs, which begin at a whole panel; for the backward pass only
    /// where it is wanted.
    package func pack(_ parameters: ParameterValues, outputs: Range<Int>, backward: Bool) {
        let (first, panel) = (outputs.lowerBound, Int(TT_PANEL))
        precondition(first % panel == 0, "outputs from \(first) on begin inside a panel")
        precondition(parameters.factors == .single, "only floats are packed part by part")
        let source = parameters.values.pointer(weight) + first * weight.columns
        tt_pack_panels(
            parameters.packed.base + packed.forward + first * weight.columns, source,
            weight.columns, 1, outputs.count, weight.columns)
        guard backward else { return }
        let target = parameters.packed.base + packed.backward
        for column in stride(from: 0, to: weight.columns, by: panel) {
            let count = min(panel, weight.columns - column)
            for output in 0..<outputs.count {
                (target + column * weight.rows + (first + output) * panel).update(
                    from: source + output * weight.columns + column, count: count)
            }
        }
    }

    private func check(_ input: Matrix, _ output: Matrix) {
        precondition(
            input.columns == weight.columns && output.columns == weight.rows
                && input.rows == output.rows,
            "a layer of \(weight.columns) to \(weight.rows) channels cannot take "
                + "(\(input.rows),\(input.columns)) to (\(output.rows),\(output.columns))")
    }
}
