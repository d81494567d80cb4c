import Layers
import RandomNumbers
import Tensors
import TestSupport
import Testing

@Suite struct MultilayerPerceptronTests {
    @Test(arguments: [[3, 5], [4, 16, 2], [7, 24, 33, 5], [5, 32, 48, 16]])
    func `backward agrees with finite differences`(sizes: [Int]) {
        var check = FiniteDifferences(seed: 21)
        let rows = 6
        var layout = ParameterLayout()
        var panels = PanelLayout()
        let network = MultilayerPerceptron(name: "net", sizes: sizes, in: &layout, &panels)
        let parameters = ParameterValues(panels, values: check.random(layout.count, scale: 0.5))
        let gradients = FloatStorage(count: layout.count)
        let x = check.random(rows * sizes[0])
        let dx = FloatStorage(count: rows * sizes[0])
        let weights = check.random(rows * sizes[sizes.count - 1])
        let workspace = network.workspace(rows: rows + 3)
        let input = x.matrix(columns: sizes[0])
        func loss() -> Double {
            parameters.pack(pool: .shared)
            let output = network.forward(parameters, input: input, workspace)
            return zip(output.values, weights.values).reduce(0) {
                $0 + Double($1.0) * Double($1.1)
            }
        }
        _ = loss()
        network.backward(
            parameters, gradients: gradients, input: input,
            dOutput: weights.matrix(columns: sizes[sizes.count - 1]),
            dInput: dx.matrix(columns: sizes[0]), workspace)
        #expect(
            FiniteDifferences.error(of: gradients, at: parameters.values, loss: loss)
                < FiniteDifferences.tolerance)
        #expect(
            FiniteDifferences.error(of: dx, at: x, loss: loss) < FiniteDifferences.tolerance)
    }

    @Test(arguments: [(11, 32), (5, 16), (23, 48), (33, 256)])
    func `a gradient by way of its transpose is the same to the last bit`(
        inputs: Int, outputs: Int
    ) {
        var check = FiniteDifferences(seed: 22)
        let rows = 37
        var layout = ParameterLayout()
        var panels = PanelLayout()
        let layer = Linear(
            weight: layout.add("w", shape: [outputs, inputs], decays: true), in: &panels)
        #expect(layer.isFasterTransposed)
        let (x, dy) = (check.random(rows * inputs), check.random(rows * outputs))
        let before = check.random(layout.count)
        let (plain, transposed) = (
            FloatStorage(count: layout.count), FloatStorage(count: layout.count)
        )
        for gradients in [plain, transposed] { gradients.write(before.values) }
        let (input, dOutput) = (x.matrix(columns: inputs), dy.matrix(columns: outputs))
        layer.weightBackward(gradients: plain, input: input, dOutput: dOutput)
        layer.weightBackward(
            gradients: transposed, input: input, dOutput: dOutput,
            scratch: FloatStorage(count: layout.count))
        #expect(transposed.values == plain.values && plain.values != before.values)
    }

    @Test func `fresh weights are uniform in the inverse root of the fan-in`() {
        var layout = ParameterLayout()
        var panels = PanelLayout()
        let network = MultilayerPerceptron(name: "net", sizes: [100, 50, 10], in: &layout, &panels)
        let values = FloatStorage(count: layout.count)
        var generator = SplitMix64(seed: 3)
        network.initialize(values, using: &generator)
        #expect(
            layout.entries.map(\.name) == [
                "net.0.weight", "net.0.bias", "net.1.weight", "net.1.bias",
            ])
        let first = values.values(in: 0..<5000)
        #expect(first.allSatisfy { abs($0) <= 0.1 } && first.contains { abs($0) > 0.099 })
        #expect(Set(values.values).count > 5000)
    }
}
