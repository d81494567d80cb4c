import Layers
import RandomNumbers
import Tensors

/// A perceptron of ReLUs that several workers train together, each some of its outputs.
///
/// The rows of a batch are shared out for the passes, the parameters for their gradients and the
/// optimizer, so that nothing is summed over workers and results do not depend on their number.
final class ReLUPerceptron {
    /// Some outputs of a layer: what one worker updates at a time.
    private struct Part {
        let layer: Int
        let outputs: Range<Int>
    }

    /// Sizes of the layers, of which the input is padded to whole vectors.
    let sizes: [Int]
    let layers: [Linear]
    let parameters: ParameterValues
    private let layout: ParameterLayout
    private let inputs: [Int]
    private let gradients: FloatStorage
    private let optimizer: AdamW
    private let parts: [Part]

    /// A network of these layer sizes, of zeros.
    ///
    /// `inputs` says which number of the input, as a state orders them, is at each place here. The
    /// decay is of weights alone, not of biases.
    init(
        sizes: [Int], inputs: [Int]? = nil, beta1: Double = 0.9, beta2: Double = 0.999,
        weightDecay: Double = 0
    ) {
        var (sizes, layout, panels) = (sizes, ParameterLayout(), PanelLayout())
        self.inputs = inputs ?? Array(0..<sizes[0])
        sizes[0] = Self.padded(sizes[0])
        self.sizes = sizes
        layers = zip(sizes, sizes.dropFirst()).enumerated().map { index, size in
            let weight = layout.add("\(index).weight", shape: [size.1, size.0], decays: false)
            let bias = layout.add("\(index).bias", shape: [size.1], decays: false)
            return Linear(weight: weight, bias: bias, in: &panels)
        }
        self.layout = layout
        parameters = ParameterValues(panels, values: FloatStorage(count: layout.count))
        gradients = FloatStorage(count: layout.count)
        var settings = AdamW.Settings()
        (settings.beta1, settings.beta2) = (Float(beta1), Float(beta2))
        settings.weightDecay = Float(weightDecay)
        optimizer = AdamW(layout, settings: settings)
        // The largest layers first, so that what is left over at the end is small.
        var parts: [Part] = []
        for (index, layer) in layers.enumerated().sorted(by: {
            $0.element.weight.count > $1.element.weight.count
        }) {
            for first in stride(from: 0, to: layer.weight.rows, by: Linear.outputsPerPart) {
                let last = min(first + Linear.outputsPerPart, layer.weight.rows)
                parts.append(Part(layer: index, outputs: first..<last))
            }
        }
        self.parts = parts
    }

    /// A width rounded up to whole vectors.
    static func padded(_ width: Int) -> Int { (width + 15) / 16 * 16 }

    // MARK: - Flat parameters, as a state has them

    /// Which place of ``parameters`` each number of a state's flat array has.
    private var places: [Int] {
        layers.enumerated().flatMap { index, layer in
            let columns = index == 0 ? inverse : Array(0..<layer.weight.columns)
            return (0..<layer.weight.rows).flatMap { row in
                columns.map { layer.weight.offset + row * layer.weight.columns + $0 }
            } + layer.bias.range
        }
    }

    /// For each number of a state's input, its place here.
    private var inverse: [Int] {
        var result = inputs
        for (place, number) in inputs.enumerated() { result[number] = place }
        return result
    }

    /// Numbers drawn for the parameters of a network of these sizes, flat: uniform in ±1/√fan-in, as
    /// PyTorch draws them.
    static func initialValues(sizes: [Int], using generator: inout SplitMix64) -> [Float] {
        zip(sizes, sizes.dropFirst()).flatMap { inputs, outputs in
            let bound = 1 / Float(inputs).squareRoot()
            return (0..<(outputs * inputs + outputs)).map { _ in
                bound * Float(2 * generator.uniform() - 1)
            }
        }
    }

    /// Takes parameters and moments over.
    func load(_ values: ArraySlice<Float>, first: ArraySlice<Float>, second: ArraySlice<Float>) {
        load(values)
        for (place, numbers) in zip(places, zip(first, second)) {
            optimizer.firstMoment[place] = numbers.0
            optimizer.secondMoment[place] = numbers.1
        }
    }

    /// Takes parameters over.
    func load(_ values: ArraySlice<Float>) {
        let places = places
        precondition(values.count == places.count, "\(values.count) for \(places.count) numbers")
        for (place, value) in zip(places, values) { parameters.values[place] = value }
        for layer in layers {
            layer.pack(parameters, outputs: 0..<layer.weight.rows, backward: true)
        }
    }

    /// Parameters and moments, flat.
    var values: [Float] { places.map { parameters.values[$0] } }
    var firstMoments: [Float] { places.map { optimizer.firstMoment[$0] } }
    var secondMoments: [Float] { places.map { optimizer.secondMoment[$0] } }
    /// The last gradients, flat.
    var flatGradients: [Float] { places.map { gradients[$0] } }

    // MARK: - Passes

    /// What a network leaves behind of each row: activations, and gradients of them.
    final class Rows {
        /// Outputs of the hidden layers.
        let hidden: [Matrix]
        /// Gradients of the inputs of the hidden layers' activations.
        let gradients: [Matrix]
        /// The output, and its gradient.
        let output, outputGradient: Matrix
        private let owned: [FloatStorage]

        /// Room for `rows` rows of a network of these layer sizes.
        init(sizes: [Int], rows: Int) {
            var owned: [FloatStorage] = []
            // 16 numbers between rows keep their columns out of each other's way in the cache.
            func matrix(_ columns: Int, apart: Int) -> Matrix {
                let storage = FloatStorage(count: rows * (columns + apart))
                owned.append(storage)
                return storage.matrix(columns: columns + apart).columns(0..<columns)
            }
            let inner = sizes.dropFirst().dropLast()
            hidden = inner.map { matrix($0, apart: 16) }
            gradients = inner.map { matrix($0, apart: 16) }
            output = matrix(sizes[sizes.count - 1], apart: 0)
            outputGradient = matrix(sizes[sizes.count - 1], apart: 0)
            self.owned = owned
        }
    }

    /// Writes the outputs of `input`'s rows to the rows `range` of `rows`; returns these.
    @discardableResult
    func forward(_ input: Matrix, to rows: Rows, _ range: Range<Int>) -> Matrix {
        var current = input
        for (layer, hidden) in zip(layers, rows.hidden) {
            let output = hidden.rows(range)
            layer.forward(parameters, input: current, output: output)
            ReLU.forward(output)
            current = output
        }
        let output = rows.output.rows(range)
        layers[layers.count - 1].forward(parameters, input: current, output: output)
        return output
    }

    /// Takes the gradient of the output in the rows `range` back to the first hidden layer.
    func backward(_ rows: Rows, _ range: Range<Int>) {
        var gradient = rows.outputGradient.rows(range)
        for index in layers.indices.dropFirst().reversed() {
            let inner = rows.gradients[index - 1].rows(range)
            layers[index].inputBackward(parameters, dOutput: gradient, dInput: inner)
            ReLU.backward(activated: rows.hidden[index - 1].rows(range), gradient: inner)
            gradient = inner
        }
    }

    /// The gradient of the first inputs, as many as `result` has columns, of the output of the rows
    /// `chosen`, whose activations are in `rows`; row after row from the first of `result` on.
    ///
    /// `rows.gradients` are overwritten.
    func gradientOfFirstInputs(_ rows: Rows, chosen: [Int], result: Matrix) {
        guard !chosen.isEmpty else { return }
        var gradient = rows.outputGradient.rows(0..<chosen.count)
        for row in 0..<chosen.count { gradient[row, 0] = 1 }
        for index in layers.indices.dropFirst().reversed() {
            let inner = rows.gradients[index - 1].rows(0..<chosen.count)
            layers[index].inputBackward(parameters, dOutput: gradient, dInput: inner)
            let hidden = rows.hidden[index - 1]
            for (place, row) in chosen.enumerated() {
                ReLU.backward(
                    activated: hidden.rows(row..<(row + 1)),
                    gradient: inner.rows(place..<(place + 1)))
            }
            gradient = inner
        }
        layers[0].firstInputsBackward(
            parameters, dOutput: gradient, dInput: result.rows(0..<chosen.count))
    }

    // MARK: - Parameters, shared out among workers

    /// Number of parts in which parameters are updated.
    var partCount: Int { parts.count }

    /// Part `index` of the gradients from all rows' passes.
    func computeGradient(part index: Int, input: Matrix, _ rows: Rows) {
        let part = parts[index]
        let isLast = part.layer == layers.count - 1
        layers[part.layer].writeGradients(
            ofOutputs: part.outputs, to: gradients,
            input: part.layer == 0 ? input : rows.hidden[part.layer - 1],
            dOutput: isLast ? rows.outputGradient : rows.gradients[part.layer])
    }

    /// Update number `step` of a part; `target` then follows by `share` of the way.
    func update(
        part index: Int, rate: Float, step: Int,
        target: ReLUPerceptron? = nil, share: Float = 0
    ) {
        let part = parts[index]
        let layer = layers[part.layer]
        // Weights, then biases.
        for (place, range) in layer.ranges(ofOutputs: part.outputs).enumerated() {
            optimizer.update(
                range, of: parameters.values, gradients: gradients, rate: rate, step: step,
                decays: place == 0)
            target?.parameters.values.approach(parameters.values, share: share, in: range)
        }
        layer.pack(parameters, outputs: part.outputs, backward: true)
        target?.layers[part.layer].pack(
            target?.parameters ?? parameters, outputs: part.outputs, backward: false)
    }
}
