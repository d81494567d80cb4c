package import RandomNumbers
package import Tensors

/// Dense layers one after the other, with GELU between them.
///
///     x₀ = input;  xₗ₊₁ = gelu(xₗ Wₗᵀ + bₗ);  output = x_last Wᵀ + b
///
/// Shapes: input R × sizes.first, output R × sizes.last. What the critics and the baselines are
/// made of; the transformer's own feed-forward layers have kernels of their own shape.
package struct MultilayerPerceptron: Sendable {
    /// Numbers in the input, in each hidden layer, in the output.
    package let sizes: [Int]
    private let layers: [Linear]

    /// A perceptron whose parameters, called `name.0.weight` and so on, are added to `layout`, and
    /// their matrices to `panels`.
    package init(
        name: String, sizes: [Int], in layout: inout ParameterLayout,
        _ panels: inout PanelLayout
    ) {
        precondition(sizes.count >= 2, "a perceptron needs an input and an output size")
        self.sizes = sizes
        layers = zip(sizes, sizes.dropFirst()).enumerated().map { index, size in
            let weight = layout.add(
                "\(name).\(index).weight", shape: [size.1, size.0], decays: true)
            let bias = layout.add("\(name).\(index).bias", shape: [size.1], decays: false)
            return Linear(weight: weight, bias: bias, in: &panels)
        }
    }

    /// Draws weights and biases uniformly in ±1/√fan-in, as PyTorch does.
    package func initialize(_ values: FloatStorage, using generator: inout SplitMix64) {
        for layer in layers {
            let bound = 1 / Float(layer.weight.columns).squareRoot()
            for slot in [layer.weight, layer.bias] {
                for index in slot.range {
                    values.base[index] = bound * Float(2 * generator.uniform() - 1)
                }
            }
        }
    }

    /// The memory of a forward and a backward pass over up to `rows` rows.
    package final class Workspace {
        /// Inputs of the activations, then their derivatives; one for each hidden layer.
        fileprivate let hidden: [Matrix]
        fileprivate let activated: [Matrix]
        /// Gradients of the hidden layers, and behind them that of the output.
        fileprivate let gradients: [Matrix]
        fileprivate let output: Matrix
        /// A weight gradient on its way.
        fileprivate let scratch: FloatStorage
        private let owned: [FloatStorage]

        /// Room for `rows` rows of a perceptron of these sizes.
        package init(sizes: [Int], rows: Int) {
            var owned: [FloatStorage] = []
            func matrix(_ columns: Int) -> Matrix {
                let storage = FloatStorage(count: rows * columns)
                owned.append(storage)
                return storage.matrix(columns: columns)
            }
            let inner = sizes.dropFirst().dropLast()
            hidden = inner.map(matrix)
            activated = inner.map(matrix)
            gradients = inner.map(matrix)
            output = matrix(sizes[sizes.count - 1])
            scratch = FloatStorage(
                count: zip(sizes, sizes.dropFirst()).map { $0 * $1 }.max() ?? 0)
            self.owned = owned
        }
    }

    /// A workspace for up to `rows` rows.
    package func workspace(rows: Int) -> Workspace { Workspace(sizes: sizes, rows: rows) }

    /// The output for each row of `input`, in memory of the workspace.
    package func forward(_ parameters: ParameterValues, input: Matrix, _ workspace: Workspace)
        -> Matrix
    {
        let rows = 0..<input.rows
        var current = input
        for (index, layer) in layers.dropLast().enumerated() {
            let hidden = workspace.hidden[index].rows(rows)
            let activated = workspace.activated[index].rows(rows)
            layer.forward(parameters, input: current, output: hidden)
            GELU.forward(input: hidden, output: activated)
            current = activated
        }
        let output = workspace.output.rows(rows)
        layers[layers.count - 1].forward(parameters, input: current, output: output)
        return output
    }

    /// Adds the gradients of the parameters to `gradients`, after ``forward(_:input:_:)`` of the
    /// same input; writes that of the input to `dInput` where it is wanted.
    ///
    /// Without `gradients` only the input's gradient is computed.
    package func backward(
        _ parameters: ParameterValues, gradients: FloatStorage?, input: Matrix, dOutput: Matrix,
        dInput: Matrix? = nil, _ workspace: Workspace
    ) {
        let rows = 0..<input.rows
        var gradient = dOutput
        for index in layers.indices.reversed() {
            let layer = layers[index]
            let source = index == 0 ? input : workspace.activated[index - 1].rows(rows)
            if let gradients {
                if layer.isFasterTransposed {
                    layer.weightBackward(
                        gradients: gradients, input: source, dOutput: gradient,
                        scratch: workspace.scratch)
                } else {
                    layer.weightBackward(gradients: gradients, input: source, dOutput: gradient)
                }
                layer.biasBackward(gradients: gradients, dOutput: gradient)
            }
            guard index > 0 else {
                if let dInput {
                    layer.inputBackward(parameters, dOutput: gradient, dInput: dInput)
                }
                return
            }
            let inner = workspace.gradients[index - 1].rows(rows)
            layer.inputBackward(parameters, dOutput: gradient, dInput: inner)
            GELU.backward(derivative: workspace.hidden[index - 1].rows(rows), gradient: inner)
            gradient = inner
        }
    }
}
