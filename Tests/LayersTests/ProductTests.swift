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

        init(_ rows: Int, _ columns: Int, gap: Int, _ generator: inout SeededGenerator) {
            storage = FloatStorage(count: (rows + 2) * (columns + gap))
            storage.write(Array(repeating: Self.border, count: storage.count))
            matrix = storage.matrix(columns: columns + gap).rows(1..<(rows + 1)).columns(
                0..<columns)
            for row in 0..<rows {
                for column in 0..<columns {
                    matrix.base[row * matrix.stride + column] = generator.float(in: -1...1)
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

    @Test(arguments: shapes) func `a linear layer's products agree with oneDNN's`(
        rows: Int, input: Int, output: Int
    ) {
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
        for index in 0..<values.count { values.base[index] = generator.float(in: -1...1) }
        let parameters = ParameterValues(panels, values: values)
        let x = Framed(rows, input, gap: 3, &generator)
        let y = Framed(rows, output, gap: 5, &generator)
        let dx = Framed(rows, input, gap: 1, &generator)

        let expected = Framed(rows, output, gap: 0, &generator)
        OneDNN.multiply(
            x.matrix, values.matrix(weight), into: expected.matrix, transposingB: true)
        let shifted = expected.matrix.values.enumerated().map {
            $0.element + values.base[bias.offset + $0.offset % output]
        }
        layer.forward(parameters, input: x.matrix, output: y.matrix)
        #expect(relativeError(y.matrix.values, shifted) < 2e-6)

        let back = Framed(rows, input, gap: 0, &generator)
        OneDNN.multiply(y.matrix, values.matrix(weight), into: back.matrix)
        layer.inputBackward(parameters, dOutput: y.matrix, dInput: dx.matrix)
        #expect(relativeError(dx.matrix.values, back.matrix.values) < 2e-6)
        layer.inputBackward(parameters, dOutput: y.matrix, dInput: dx.matrix, accumulating: true)
        #expect(relativeError(dx.matrix.values, back.matrix.values.map { 2 * $0 }) < 2e-6)

        let gradients = FloatStorage(count: layout.count)
        let expectedGradient = FloatStorage(count: layout.count)
        for _ in 0..<2 {
            layer.weightBackward(gradients: gradients, input: x.matrix, dOutput: y.matrix)
            OneDNN.multiply(
                y.matrix, x.matrix, into: expectedGradient.matrix(weight), transposingA: true,
                accumulating: true)
        }
        // Nothing but the weight's gradient was written.
        #expect(relativeError(gradients.values, expectedGradient.values) < 2e-6)
        #expect(x.isIntact && y.isIntact && dx.isIntact)
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
