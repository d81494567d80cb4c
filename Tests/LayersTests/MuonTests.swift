import Layers
import TestSupport
import Tensors
import Testing

@Suite struct MuonTests {
    /// Wide, tall and square, whole and odd; key and value next to each other.
    private static let shapes = [(16, 40), (40, 16), (24, 24), (24, 24), (7, 33), (33, 7), (1, 5)]

    /// Parameters with numbers of their own before, between and behind the matrices.
    private struct Case {
        var layout = ParameterLayout()
        var matrices: [ParameterSlot] = []
        let values, gradients, momentum: FloatStorage

        init(seed: UInt64) {
            for (index, (rows, columns)) in MuonTests.shapes.enumerated() {
                _ = layout.add("bias \(index)", shape: [3], decays: false)
                matrices.append(
                    layout.add("weight \(index)", shape: [rows, columns], decays: true))
            }
            _ = layout.add("head", shape: [5, 4], decays: true)
            var generator = SeededGenerator(seed: seed)
            values = FloatStorage(count: layout.count)
            gradients = FloatStorage(count: layout.count)
            momentum = FloatStorage(count: layout.count)
            for index in 0..<layout.count {
                values[index] = generator.float(in: -0.1...0.1)
                gradients[index] = generator.float(in: -1...1)
            }
        }

        func muon(workers: Int, _ settings: Muon.Settings = Muon.Settings()) -> Muon {
            Muon(matrices, settings: settings, workers: workers)
        }
    }

    /// One update in double precision, word for word as it is defined.
    private static func reference(
        _ w: [Double], _ g: [Double], _ m: inout [Double], rows: Int, columns: Int, rate: Double,
        _ settings: Muon.Settings
    ) -> [Double] {
        let mu = Double(settings.momentum)
        m = zip(m, g).map { mu * $0 + $1 }
        var x = zip(g, m).map { $0 + mu * $1 }
        let norm = x.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-7
        x = x.map { $0 / norm }
        func transposed(_ a: [Double], _ rows: Int, _ columns: Int) -> [Double] {
            (0..<(rows * columns)).map { a[$0 % rows * columns + $0 / rows] }
        }
        func product(_ a: [Double], _ b: [Double], _ n: Int, _ depth: Int, _ m: Int) -> [Double] {
            (0..<(n * m)).map { index in
                (0..<depth).reduce(0) { $0 + a[index / m * depth + $1] * b[$1 * m + index % m] }
            }
        }
        let (side, long) = (min(rows, columns), max(rows, columns))
        if rows > columns { x = transposed(x, rows, columns) }
        let (a, b, c) = (3.4445, -4.7750, 2.0315)
        for _ in 0..<5 {
            let gram = product(x, transposed(x, side, long), side, long, side)
            let square = product(gram, gram, side, side, side)
            let turn = zip(gram, square).map { b * $0 + c * $1 }
            x = zip(x, product(turn, x, side, side, long)).map { a * $0 + $1 }
        }
        if rows > columns { x = transposed(x, columns, rows) }
        let stretch = max(1, Double(rows) / Double(columns)).squareRoot()
        return zip(w, x).map {
            (1 - rate * Double(settings.weightDecay)) * $0
                - rate * Double(settings.rateRatio) * stretch * $1
        }
    }

    @Test func `updates agree with their definition in double precision`() {
        let seed: UInt64 = 11
        print("seed \(seed)")
        let test = Case(seed: seed)
        var settings = Muon.Settings()
        (settings.rateRatio, settings.weightDecay) = (5, 0.1)
        let muon = test.muon(workers: 2, settings)
        let pool = WorkerPool(count: 2)
        let before = test.values.values
        var expected = test.matrices.map { before[$0.range].map(Double.init) }
        var moments = test.matrices.map { [Double](repeating: 0, count: $0.count) }
        for _ in 0..<3 {
            muon.update(
                test.values, gradients: test.gradients, momentum: test.momentum,
                gradientScale: 0.5, rate: 0.01, pool: pool)
            for (index, slot) in test.matrices.enumerated() {
                expected[index] = Self.reference(
                    expected[index], test.gradients.values(in: slot.range).map { 0.5 * Double($0) },
                    &moments[index], rows: slot.rows, columns: slot.columns, rate: 0.01, settings)
            }
        }
        for (index, slot) in test.matrices.enumerated() {
            let values = test.values.values(in: slot.range)
            #expect(relativeError(values, expected[index].map { Float($0) }) < 1e-4, "\(slot)")
            let moment = test.momentum.values(in: slot.range)
            #expect(relativeError(moment, moments[index].map { Float($0) }) < 1e-5, "\(slot)")
        }
        let own = Set(test.matrices.flatMap(\.range))
        for index in 0..<test.layout.count where !own.contains(index) {
            #expect(test.values[index] == before[index] && test.momentum[index] == 0)
        }
    }

    @Test func `what a matrix is moved by stretches every direction about alike`() throws {
        let test = Case(seed: 3)
        test.values.clear()
        test.muon(workers: 1).update(
            test.values, gradients: test.gradients, momentum: test.momentum, gradientScale: 1,
            rate: 1, pool: WorkerPool(count: 1))
        // A square of random numbers may have directions that are too short for five rounds.
        for slot in test.matrices where slot.rows != slot.columns {
            let stretch = max(1, Float(slot.rows) / Float(slot.columns)).squareRoot()
            for value in Self.singularValues(of: test.values.matrix(slot)) {
                #expect((0.6...1.25).contains(value / Double(stretch)), "\(slot) \(value)")
            }
            let before = Self.singularValues(of: test.gradients.matrix(slot))
            #expect(before.count == 1 || before.max() ?? 0 > 1.5 * (before.min() ?? 0))
        }
    }

    @Test func `any number of workers makes the same update`() {
        let results = [1, 2, 5].map { workers in
            let test = Case(seed: 8)
            for _ in 0..<2 {
                test.muon(workers: workers).update(
                    test.values, gradients: test.gradients, momentum: test.momentum,
                    gradientScale: 1, rate: 0.1, pool: WorkerPool(count: workers))
            }
            return test.values.values + test.momentum.values
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    @Test func `a gradient of zero moves nothing`() {
        let test = Case(seed: 4)
        test.gradients.clear()
        let before = test.values.values
        test.muon(workers: 1).update(
            test.values, gradients: test.gradients, momentum: test.momentum, gradientScale: 1,
            rate: 0.1, pool: WorkerPool(count: 1))
        #expect(test.values.values == before)
    }

    @Test func `AdamW updates what it is not told to leave as if there were no other`() {
        let (whole, part) = (Case(seed: 5), Case(seed: 5))
        let pool = WorkerPool(count: 2)
        var all = AdamW(whole.layout)
        var rest = AdamW(part.layout, leaving: part.matrices)
        for _ in 0..<3 {
            all.update(
                whole.values, gradients: whole.gradients, gradientScale: 1, rate: 0.1, pool: pool)
            rest.update(
                part.values, gradients: part.gradients, gradientScale: 1, rate: 0.1, pool: pool)
        }
        let own = Set(part.matrices.flatMap(\.range))
        let before = Case(seed: 5).values
        for index in 0..<part.layout.count {
            #expect(part.values[index] == (own.contains(index) ? before : whole.values)[index])
        }
    }

    /// By rotations that make the rows of the matrix, or its columns, orthogonal (one-sided Jacobi).
    private static func singularValues(of matrix: Matrix) -> [Double] {
        let isTall = matrix.rows > matrix.columns
        let (count, length) = (
            min(matrix.rows, matrix.columns), max(matrix.rows, matrix.columns)
        )
        var vectors = (0..<count).map { i in
            (0..<length).map { Double(isTall ? matrix[$0, i] : matrix[i, $0]) }
        }
        func dot(_ a: [Double], _ b: [Double]) -> Double {
            zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for _ in 0..<30 {
            for i in 0..<count {
                for j in 0..<i {
                    let (p, q) = (vectors[i], vectors[j])
                    let both = dot(p, q)
                    guard abs(both) > 1e-14 else { continue }
                    let zeta = (dot(q, q) - dot(p, p)) / (2 * both)
                    let t = (zeta < 0 ? -1 : 1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
                    let cosine = 1 / (1 + t * t).squareRoot()
                    vectors[i] = zip(p, q).map { cosine * ($0 - t * $1) }
                    vectors[j] = zip(p, q).map { cosine * (t * $0 + $1) }
                }
            }
        }
        return vectors.map { dot($0, $0).squareRoot() }
    }
}
