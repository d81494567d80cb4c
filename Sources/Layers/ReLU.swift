import CKernels
package import Tensors

/// The rectified linear unit, max(x, 0), in place.
package enum ReLU {
    /// Replaces the numbers below 0 by 0.
    package static func forward(_ matrix: Matrix) {
        tt_relu_forward(matrix.base, matrix.rows, matrix.columns, matrix.stride)
    }

    /// Turns the gradient of the activation into that of the input, from what ``forward(_:)`` left.
    package static func backward(activated: Matrix, gradient: Matrix) {
        precondition(
            activated.rows == gradient.rows && activated.columns == gradient.columns,
            "a gradient of (\(gradient.rows),\(gradient.columns)) for "
                + "(\(activated.rows),\(activated.columns))")
        tt_relu_backward(
            gradient.base, activated.base, gradient.rows, gradient.columns, gradient.stride,
            activated.stride)
    }
}
