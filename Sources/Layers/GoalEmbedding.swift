import CKernels
package import RandomNumbers
package import Tensors

/// Embedding of goal tokens, which have no position, with dropout: x[r] = dropout(table[index[r]]).
///
/// Shapes: table V × C, x R × C.
package struct GoalEmbedding: Sendable {
    /// The token table, V × C.
    package let table: ParameterSlot

    /// The position of every row: zero.
    private let noPosition: FloatStorage

    /// A layer over this parameter.
    package init(table: ParameterSlot) {
        self.table = table
        noPosition = FloatStorage(count: table.columns)
    }

    /// Numbers of scratch that ``backward`` needs.
    package var scratchCount: Int { table.columns }

    /// Writes the embedding of each row of `index` to `output`.
    package func forward(
        _ parameters: ParameterValues, index: UnsafePointer<Int32>, output: Matrix,
        dropout: Dropout, firstRow: Int
    ) {
        precondition(output.isContiguous, "embedding needs whole rows")
        tt_embedding_forward(
            output.base, index, parameters.values.pointer(table), noPosition.base, dropout.kernel,
            firstRow, output.rows, 1, output.columns)
    }

    /// Adds the gradient of the table to `gradients`.
    package func backward(
        gradients: FloatStorage, index: UnsafePointer<Int32>, dOutput: Matrix, dropout: Dropout,
        firstRow: Int, scratch: FloatStorage
    ) {
        precondition(dOutput.isContiguous, "embedding needs whole rows")
        tt_embedding_backward(
            gradients.pointer(table), scratch.base, dOutput.base, index, dropout.kernel, firstRow,
            dOutput.rows, 1, dOutput.columns)
    }
}
