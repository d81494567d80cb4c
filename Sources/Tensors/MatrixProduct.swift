internal import COneDNN

/// What a matrix product takes: a matrix, or one read with rows and columns exchanged.
package protocol MatrixOperand {
    /// The matrix as it lies in memory.
    var matrix: Matrix { get }
    /// Whether rows and columns are exchanged.
    var isTransposed: Bool { get }
}

/// A matrix read with rows and columns exchanged; nothing is moved.
package struct TransposedMatrix: MatrixOperand {
    /// The matrix as it lies in memory.
    package let matrix: Matrix
    /// Always true.
    package var isTransposed: Bool { true }
}

extension Matrix: MatrixOperand {
    /// The matrix itself.
    package var matrix: Matrix { self }
    /// Always false.
    package var isTransposed: Bool { false }
    /// The transpose, as an operand of a product.
    package var transposed: TransposedMatrix { TransposedMatrix(matrix: self) }
}

/// c = a b, or c += a b when `accumulating`.
///
/// Shapes: a M × K, b K × N, c M × N. Runs on the calling thread.
package func multiply(
    _ a: some MatrixOperand, _ b: some MatrixOperand, into c: Matrix, accumulating: Bool = false
) {
    let (m, k) = shape(a)
    let (inner, n) = shape(b)
    precondition(
        k == inner && c.rows == m && c.columns == n,
        "cannot multiply (\(m),\(k)) by (\(inner),\(n)) into (\(c.rows),\(c.columns))")
    guard m > 0, n > 0 else { return }
    let status = dnnl_sgemm(
        flag(a), flag(b), Int64(m), Int64(n), Int64(k), 1, a.matrix.base, Int64(a.matrix.stride),
        b.matrix.base, Int64(b.matrix.stride), accumulating ? 1 : 0, c.base, Int64(c.stride))
    precondition(status == dnnl_success, "oneDNN refused a matrix product (status \(status))")
}

private func shape(_ operand: some MatrixOperand) -> (rows: Int, columns: Int) {
    operand.isTransposed
        ? (operand.matrix.columns, operand.matrix.rows)
        : (operand.matrix.rows, operand.matrix.columns)
}

private func flag(_ operand: some MatrixOperand) -> CChar {
    CChar(bitPattern: UInt8(ascii: operand.isTransposed ? "T" : "N"))
}
