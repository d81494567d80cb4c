import CKernels
package import Tensors

/// Normalizes each row to zero mean and unit variance, then scales and shifts it.
///
///     output[r, :] = (input[r, :] - mean[r]) * rstd[r] * weight + bias
///
/// Shapes: input, output R × C; weight, bias C; mean, rstd R, kept for the backward pass. Variance
/// is biased (divides by C), eps 1e-5. Ba, Kiros and Hinton 2016; mirrors PyTorch's `nn.LayerNorm`.
package struct LayerNorm: Sendable {
    /// Scale of each channel.
    package let weight: ParameterSlot
    /// Shift of each channel.
    package let bias: ParameterSlot

    /// A layer over these parameters.
    package init(weight: ParameterSlot, bias: ParameterSlot) {
        self.weight = weight
        self.bias = bias
    }

    /// What the backward pass needs: mean and reciprocal standard deviation of each row.
    package struct Statistics: @unchecked Sendable {
        private let storage: FloatStorage
        internal let mean: UnsafeMutablePointer<Float>
        internal let rstd: UnsafeMutablePointer<Float>

        /// Room for `rows` rows.
        package init(rows: Int) {
            storage = FloatStorage(count: 2 * rows)
            mean = storage.base
            rstd = storage.base + rows
        }

        private init(
            storage: FloatStorage, mean: UnsafeMutablePointer<Float>,
            rstd: UnsafeMutablePointer<Float>
        ) {
            self.storage = storage
            self.mean = mean
            self.rstd = rstd
        }

        /// The statistics of some of the rows.
        package func rows(_ range: Range<Int>) -> Statistics {
            Statistics(
                storage: storage, mean: mean + range.lowerBound, rstd: rstd + range.lowerBound)
        }
    }

    /// Writes the normalized row r of `input` to row `destination[r]` of `output` (r where nil).
    package func forward(
        _ parameters: ParameterValues, input: Matrix, output: Matrix, statistics: Statistics?,
        destination: UnsafePointer<Int32>? = nil
    ) {
        precondition(input.isContiguous, "layer norm needs whole rows")
        tt_layer_norm_forward(
            output.base, statistics?.mean, statistics?.rstd, input.base,
            parameters.values.pointer(weight), parameters.values.pointer(bias), destination,
            input.rows,
            input.columns, output.stride)
    }

    /// Adds the gradient of the input to `dInput`, those of the parameters to `gradients`.
    package func backward(
        _ parameters: ParameterValues, gradients: FloatStorage, input: Matrix,
        statistics: Statistics, dOutput: Matrix, dInput: Matrix,
        destination: UnsafePointer<Int32>? = nil
    ) {
        tt_layer_norm_backward(
            dInput.base, gradients.pointer(weight), gradients.pointer(bias), dOutput.base,
            input.base, statistics.mean, statistics.rstd, parameters.values.pointer(weight),
            destination,
            input.rows, input.columns)
    }
}
