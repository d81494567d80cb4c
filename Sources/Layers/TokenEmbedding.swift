import CKernels
package import RandomNumbers
package import Tensors

/// Token plus position embedding, with dropout.
///
///     x[r] = dropout(table[index[r]] + position[r mod T])
///
/// Shapes: table V × C, position T' × C with T' >= T, x R × C; the rows of x are whole sequences of
/// T.
package struct TokenEmbedding: Sendable {
    /// The token table, V × C.
    package let table: ParameterSlot
    /// The position table, T' × C.
    package let position: ParameterSlot

    /// A layer over these parameters.
    package init(table: ParameterSlot, position: ParameterSlot) {
        self.table = table
        self.position = position
    }

    /// Writes the embedding of each row of `index` to `output`.
    package func forward(
        _ parameters: ParameterValues, index: UnsafePointer<Int32>, length: Int, output: Matrix,
        dropout: Dropout, firstRow: Int
    ) {
        tt_embedding_forward(
            output.base, index, parameters.values.pointer(table),
            parameters.values.pointer(position),
            dropout.kernel, firstRow, output.rows, length, output.columns)
    }

    /// Adds the gradients of both tables to `gradients`.
    package func backward(
        gradients: FloatStorage, index: UnsafePointer<Int32>, length: Int, dOutput: Matrix,
        dropout: Dropout, firstRow: Int
    ) {
        tt_embedding_backward(
            gradients.pointer(table), gradients.pointer(position), dOutput.base, index,
            dropout.kernel, firstRow, dOutput.rows, length, dOutput.columns)
    }
}
