import CKernels
package import Tensors

/// Exact GELU.
///
///     output = input * (1 + erf(input / √2)) / 2
///
/// Hendrycks and Gimpel 2016. The derivative is computed along with it, since both need the same
/// exponential, and kept for the backward pass in place of the input.
package enum GELU {
    /// Writes the activation to `output`, and its derivative over `input`.
    package static func forward(input: Matrix, output: Matrix) {
        tt_gelu_forward(
            output.base, input.base, input.rows, input.columns, output.stride, input.stride)
    }

    /// Turns the gradient of the activation into that of the input, in place.
    ///
    /// The gradient of the bias that was added to the input is added to `gradients`.
    package static func backward(
        gradients: FloatStorage, bias: ParameterSlot, derivative: Matrix, gradient: Matrix
    ) {
        tt_gelu_backward(
            gradient.base, gradients.pointer(bias), derivative.base, derivative.rows,
            derivative.columns, gradient.stride, derivative.stride)
    }

    /// Turns the gradient of the activation into that of the input, in place.
    package static func backward(derivative: Matrix, gradient: Matrix) {
        for row in 0..<gradient.rows {
            let (d, g) = (
                derivative.base + row * derivative.stride, gradient.base + row * gradient.stride
            )
            for column in 0..<gradient.columns { g[column] *= d[column] }
        }
    }
}
