import Tensors
import TestSupport
import Testing

@Suite struct MatrixProductTests {
    /// The product by its definition.
    private func plain(_ a: [[Float]], _ b: [[Float]]) -> [Float] {
        a.flatMap { row in
            b[0].indices.map { column in
                Float(zip(row, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1[column]) })
            }
        }
    }

    private func rows(_ matrix: Matrix) -> [[Float]] {
        (0..<matrix.rows).map { matrix.rows($0..<($0 + 1)).values }
    }

    private func transpose(_ rows: [[Float]]) -> [[Float]] {
        rows[0].indices.map { column in rows.map { $0[column] } }
    }

    @Test func `all four transpositions agree with the definition, also on strided views`() {
        let seed: UInt64 = 7
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let (m, k, n) = (13, 9, 21)
        let storage = (0..<4).map { _ in FloatStorage(count: 32 * 32) }
        for buffer in storage.prefix(2) {
            for index in 0..<buffer.count { buffer.base[index] = generator.float(in: -1...1) }
        }
        func view(_ index: Int, _ rows: Int, _ columns: Int) -> Matrix {
            storage[index].matrix(columns: 32).prefix(rows: rows, columns: columns)
        }
        let c = view(2, m, n)
        let (a, at) = (view(0, m, k), view(0, k, m))
        let (b, bt) = (view(1, k, n), view(1, n, k))
        multiply(a, b, into: c)
        #expect(relativeError(c.values, plain(rows(a), rows(b))) < 1e-6)
        multiply(at.transposed, b, into: c)
        #expect(relativeError(c.values, plain(transpose(rows(at)), rows(b))) < 1e-6)
        multiply(a, bt.transposed, into: c)
        #expect(relativeError(c.values, plain(rows(a), transpose(rows(bt)))) < 1e-6)
        multiply(at.transposed, bt.transposed, into: c)
        let once = plain(transpose(rows(at)), transpose(rows(bt)))
        #expect(relativeError(c.values, once) < 1e-6)
        multiply(at.transposed, bt.transposed, into: c, accumulating: true)
        #expect(relativeError(c.values, once.map { 2 * $0 }) < 1e-6)
        // Nothing outside the view was written.
        #expect(storage[2].matrix(columns: 32).columns(n..<32).values.allSatisfy { $0 == 0 })
    }
}
