import Layers
import OneDNN
import Tensors
import TestSupport
import Testing

/// The products of linear layers against oneDNN's.
@Suite struct ProductTests {
    /// Numbers in -1...1 in rows `gap` longer than they are wide, with a border that must stay.
    private struct Framed {
        static let border: Float = 77
        let storage: FloatStorage
        let matrix: Matrix

        init(
            _ rows: Int, _ columns: Int, gap: Int, _ factors: Factors,
            _ generator: inout SeededGenerator
        ) {
            storage = FloatStorage(count: (rows + 2) * (columns + gap))
            storage.write(Array(repeating: Self.border, count: storage.count))
            matrix = storage.matrix(columns: columns + gap).rows(1..<(rows + 1)).columns(
                0..<columns)
            for row in 0..<rows {
                for column in 0..<columns {
                    matrix[row, column] = generator.float(in: -1...1)
                }
            }
            round(to: factors)
        }

        /// Makes its numbers ones that such factors can be.
        func round(to factors: Factors) {
            for row in 0..<matrix.rows {
                for column in 0..<matrix.columns {
                    matrix[row, column] = factors.rounded(matrix[row, column])
                }
            }
        }

        /// Whether everything around the matrix is as it was.
        var isIntact: Bool {
            storage.values.count { $0 == Self.border } == storage.count - matrix.rows
                * matrix.columns
        }
    }

    /// Whole and odd numbers of rows, columns and depth: all sizes of tile, all kinds of edge.
    private static let shapes = [
        (1, 1, 1), (1, 128, 384), (2, 5, 3), (3, 16, 101), (13, 9, 21), (14, 32, 32), (15, 33, 48),
        (29, 128, 512), (40, 128, 101), (6, 7, 96), (64, 512, 128), (159, 100, 31),
    ]

    /// Those by parts: sums over more than 1,024 numbers, gradients of more than 512 rows or columns.
    private static let large = [(5, 1100, 40), (300, 600, 530)]

    private static let factors: [Factors] = [.single, .bfloat16].filter(\.isSupported)

    @Test(arguments: shapes + large, factors) func `a linear layer's products agree with oneDNN's`(
        shape: (rows: Int, input: Int, output: Int), factors: Factors
    ) {
        let (rows, input, output) = shape
        let seed: UInt64 = 7
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var layout = ParameterLayout()
        var panels = PanelLayout()
        _ = layout.add("something before", shape: [5], decays: false)
        let weight = layout.add("w", shape: [output, input], decays: true)
        let bias = layout.add("b", shape: [output], decays: false)
        let layer = Linear(weight: weight, bias: bias, in: &panels)
        let values = FloatStorage(count: layout.count)
        for index in 0..<values.count {
            values.base[index] = factors.rounded(generator.float(in: -1...1))
        }
        let parameters = ParameterValues(panels, values: values, factors: factors)
        let x = Framed(rows, input, gap: 3, factors, &generator)
        let y = Framed(rows, output, gap: 5, factors, &generator)
        let dx = Framed(rows, input, gap: 1, factors, &generator)

        let expected = Framed(rows, output, gap: 0, factors, &generator)
        OneDNN.multiply(
            x.matrix, values.matrix(weight), into: expected.matrix, transposingB: true)
        let shifted = expected.matrix.values.enumerated().map {
            $0.element + values.base[bias.offset + $0.offset % output]
        }
        layer.forward(parameters, input: x.matrix, output: y.matrix)
        #expect(relativeError(y.matrix.values, shifted) < 2e-6)
        y.round(to: factors)

        let back = Framed(rows, input, gap: 0, factors, &generator)
        OneDNN.multiply(y.matrix, values.matrix(weight), into: back.matrix)
        layer.inputBackward(parameters, dOutput: y.matrix, dInput: dx.matrix)
        #expect(relativeError(dx.matrix.values, back.matrix.values) < 2e-6)
        layer.inputBackward(parameters, dOutput: y.matrix, dInput: dx.matrix, accumulating: true)
        #expect(relativeError(dx.matrix.values, back.matrix.values.map { 2 * $0 }) < 2e-6)

        let gradients = FloatStorage(count: layout.count)
        let expectedGradient = FloatStorage(count: layout.count)
        for _ in 0..<2 {
            layer.weightBackward(
                gradients: gradients, input: x.matrix, dOutput: y.matrix, factors: factors)
            OneDNN.multiply(
                y.matrix, x.matrix, into: expectedGradient.matrix(weight), transposingA: true,
                accumulating: true)
        }
        // Nothing but the weight's gradient was written.
        #expect(relativeError(gradients.values, expectedGradient.values) < 2e-6)
        #expect(x.isIntact && y.isIntact && dx.isIntact)
    }

    @Test(.enabled(if: Factors.bfloat16.isSupported))
    func `factors are rounded to the nearest, ties to even`() {
        var layout = ParameterLayout()
        var panels = PanelLayout()
        let layer = Linear(weight: layout.add("w", shape: [1, 1], decays: true), in: &panels)
        let (x, y) = (FloatStorage(count: 1), FloatStorage(count: 1))
        // Around 1, neighbours are 2^-7 apart; the ties are at odd multiples of 2^-8.
        for (number, nearest) in [
            (1 + 0x1p-9, 1), (1 + 0x1p-8, 1), (1 + 0x1.8p-8, 1 + 0x1p-7),
            (1 + 0x3p-8, 1 + 0x1p-6), (-1 - 0x1p-8, -1), (0x1p-130, 0), (0x1p126, 0x1p126),
        ] as [(Float, Float)] {
            x.write([number])
            let parameters = ParameterValues(
                panels, values: FloatStorage(count: 1), factors: .bfloat16)
            parameters.values.write([1])
            parameters.pack(pool: WorkerPool(count: 1))
            layer.forward(parameters, input: x.matrix(columns: 1), output: y.matrix(columns: 1))
            #expect(y.values == [nearest])
            // The same where it is the weight.
            parameters.values.write([number])
            parameters.pack(pool: WorkerPool(count: 1))
            x.write([1])
            layer.forward(parameters, input: x.matrix(columns: 1), output: y.matrix(columns: 1))
            #expect(y.values == [nearest])
        }
    }

    @Test func `the products of a layer follow its values once they are packed`() {
        var layout = ParameterLayout()
        var panels = PanelLayout()
        let layer = Linear(weight: layout.add("w", shape: [1, 1], decays: true), in: &panels)
        let parameters = ParameterValues(panels, values: FloatStorage(count: 1))
        let x = FloatStorage(count: 1)
        x.write([3])
        let y = FloatStorage(count: 1)
        parameters.values.write([2])
        parameters.pack(pool: WorkerPool(count: 2))
        layer.forward(parameters, input: x.matrix(columns: 1), output: y.matrix(columns: 1))
        #expect(y.values == [6])
    }
}

extension Factors {
    /// A number as such a factor has it, for numbers that are not tiny.
    fileprivate func rounded(_ number: Float) -> Float {
        guard self == .bfloat16 else { return number }
        let bits = number.bitPattern
        return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
    }
}
