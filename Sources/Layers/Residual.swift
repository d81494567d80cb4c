import CKernels
package import RandomNumbers
package import Tensors

/// The residual connection, fused with dropout: output = x + dropout(branch).
package enum Residual {
    /// Writes x + dropout(branch) to `output`.
    ///
    /// The first row is number `firstRow` of the batch.
    package static func forward(
        x: Matrix, branch: Matrix, output: Matrix, dropout: Dropout, firstRow: Int
    ) {
        tt_residual_forward(
            output.base, x.base, branch.base, dropout.kernel, firstRow, x.rows, x.columns)
    }

    /// Writes the gradient of the branch.
    ///
    /// That of the bias that was added to the branch is added to `gradients`.
    package static func backward(
        gradients: FloatStorage, bias: ParameterSlot, dOutput: Matrix, dBranch: Matrix,
        dropout: Dropout, firstRow: Int
    ) {
        tt_residual_backward(
            dBranch.base, gradients.pointer(bias), dOutput.base, dropout.kernel, firstRow,
            dOutput.rows, dOutput.columns, dBranch.stride)
    }
}
