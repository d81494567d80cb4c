import COneDNN
package import Tensors

/// Matrix products by oneDNN: what the engine's own are tested and timed against.
package enum OneDNN {
    /// c = a b, with `a` or `b` read with rows and columns exchanged where asked; c += a b when
    /// `accumulating`.
    ///
    /// Shapes: a M × K, b K × N, c M × N, after the exchange. Runs on the calling thread.
    package static func multiply(
        _ a: Matrix, _ b: Matrix, into c: Matrix, transposingA aTransposed: Bool = false,
        transposingB bTransposed: Bool = false, accumulating: Bool = false
    ) {
        let (m, k) = aTransposed ? (a.columns, a.rows) : (a.rows, a.columns)
        let (inner, n) = bTransposed ? (b.columns, b.rows) : (b.rows, b.columns)
        precondition(
            k == inner && c.rows == m && c.columns == n,
            "cannot multiply (\(m),\(k)) by (\(inner),\(n)) into (\(c.rows),\(c.columns))")
        use_one_openmp_thread()
        let status = dnnl_sgemm(
            flag(aTransposed), flag(bTransposed), Int64(m), Int64(n), Int64(k), 1, a.base,
            Int64(a.stride), b.base, Int64(b.stride), accumulating ? 1 : 0, c.base,
            Int64(c.stride))
        precondition(status == dnnl_success, "oneDNN refused a matrix product (status \(status))")
    }

    private static func flag(_ transposed: Bool) -> CChar {
        CChar(bitPattern: UInt8(ascii: transposed ? "T" : "N"))
    }
}
