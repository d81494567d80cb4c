internal import Foundation
package import Layers
internal import RandomNumbers
package import Tensors

/// One network of an ensemble: the mean and the logarithm of the variance of the next change.
///
///     loss = mean over rows and dimensions of ½ ((y - μ)² exp(-v) + v),   v bounded softly
///
/// Lakshminarayanan et al. 2017; Chua et al. 2018, section 4. One thread uses it at a time.
package final class DynamicsMember: @unchecked Sendable {
    /// Bounds of the log-variance, in units of standardized changes.
    private static let logVariance: ClosedRange<Float> = -10...0.5

    let layout: ParameterLayout
    package let parameters: ParameterValues
    private let perceptron: MultilayerPerceptron
    private let dimension: Int
    private let alone = WorkerPool(count: 1)

    /// A network with fresh weights.
    package convenience init(inputs: Int, dimension: Int, hidden: [Int], seed: UInt64) {
        self.init(inputs: inputs, dimension: dimension, hidden: hidden)
        var generator = SplitMix64(seed: seed)
        perceptron.initialize(parameters.values, using: &generator)
        parameters.pack(pool: alone)
    }

    /// A network whose weights are zero.
    init(inputs: Int, dimension: Int, hidden: [Int]) {
        var layout = ParameterLayout()
        perceptron = MultilayerPerceptron(
            name: "layers", sizes: [inputs] + hidden + [2 * dimension], in: &layout)
        self.layout = layout
        self.dimension = dimension
        parameters = ParameterValues(layout, values: FloatStorage(count: layout.count))
    }

    /// Brings what products read up to date with the weights.
    package func pack() { parameters.pack(pool: alone) }

    /// The parameters by name, with their shapes.
    var tensors: [(name: String, values: [Float], shape: [Int])] {
        layout.entries.map { ($0.name, parameters.values.values(in: $0.slot.range), $0.shape) }
    }

    /// Takes the parameters from `read`, which is given a name and how many numbers are wanted.
    func load(_ read: (_ name: String, _ count: Int) throws -> [Float]) rethrows {
        for entry in layout.entries {
            parameters.values.write(
                try read(entry.name, entry.slot.count), at: entry.slot.offset)
        }
        pack()
    }

    /// Mean and standard deviation of the change for each row of `inputs`.
    func predict(_ inputs: [Float]) -> (mean: [Float], deviation: [Float]) {
        let rows = inputs.count / perceptron.sizes[0]
        let storage = FloatStorage(count: inputs.count)
        storage.write(inputs)
        let workspace = perceptron.workspace(rows: rows)
        // Matrices are views: what they look at must live until their numbers are copied.
        let output = withExtendedLifetime((storage, workspace)) {
            perceptron.forward(
                parameters, input: storage.matrix(columns: perceptron.sizes[0]), workspace
            ).values
        }
        var mean: [Float] = []
        var deviation: [Float] = []
        for row in 0..<rows {
            let start = row * 2 * dimension
            mean += output[start..<(start + dimension)]
            deviation += output[(start + dimension)..<(start + 2 * dimension)].map {
                exp(0.5 * Self.bounded($0).value)
            }
        }
        return (mean, deviation)
    }

    /// The log-variance for a raw output, and its derivative.
    private static func bounded(_ raw: Float) -> (value: Float, derivative: Float) {
        let upper = logVariance.upperBound - raw
        let below = logVariance.upperBound - softplus(upper)
        let lower = below - logVariance.lowerBound
        return (logVariance.lowerBound + softplus(lower), sigmoid(upper) * sigmoid(lower))
    }

    private static func softplus(_ x: Float) -> Float { x > 20 ? x : log1p(exp(x)) }
    private static func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }

    // MARK: - Training

    /// The memory of training, for batches of up to `rows` rows.
    package final class Training {
        package let input: Matrix
        package let target: Matrix
        package let gradients: FloatStorage
        fileprivate let dOutput: Matrix
        fileprivate let workspace: MultilayerPerceptron.Workspace
        fileprivate var optimizer: AdamW
        private let owned: [FloatStorage]

        package init(_ member: DynamicsMember, rows: Int, weightDecay: Float) {
            let inputs = member.perceptron.sizes[0]
            let dimension = member.dimension
            owned = [inputs, dimension, 2 * dimension].map { FloatStorage(count: rows * $0) }
            input = owned[0].matrix(columns: inputs)
            target = owned[1].matrix(columns: dimension)
            dOutput = owned[2].matrix(columns: 2 * dimension)
            gradients = FloatStorage(count: member.layout.count)
            workspace = member.perceptron.workspace(rows: rows)
            var settings = AdamW.Settings()
            settings.beta2 = 0.999
            settings.weightDecay = weightDecay
            optimizer = AdamW(member.layout, settings: settings)
        }
    }

    /// The loss of the rows in `training`, and its gradient.
    package func lossAndGradient(_ training: Training) -> Double {
        let output = perceptron.forward(parameters, input: training.input, training.workspace)
        let scale = 1 / Float(output.rows * dimension)
        var loss = 0.0
        for row in 0..<output.rows {
            let predicted = output.base + row * output.stride
            let gradient = training.dOutput.base + row * training.dOutput.stride
            let target = training.target.base + row * training.target.stride
            for index in 0..<dimension {
                let (logVariance, derivative) = Self.bounded(predicted[dimension + index])
                let precision = exp(-logVariance)
                let error = predicted[index] - target[index]
                loss += Double(0.5 * (error * error * precision + logVariance))
                gradient[index] = error * precision * scale
                gradient[dimension + index] =
                    0.5 * (1 - error * error * precision) * derivative * scale
            }
        }
        training.gradients.clear()
        perceptron.backward(
            parameters, gradients: training.gradients, input: training.input,
            dOutput: training.dOutput, training.workspace)
        return loss * Double(scale)
    }

    /// One step of the optimizer; returns the loss before it.
    func train(_ training: Training, rate: Float) -> Double {
        let loss = lossAndGradient(training)
        let norm = Gradients.norm(training.gradients, pool: alone)
        training.optimizer.update(
            parameters.values, gradients: training.gradients,
            gradientScale: Gradients.clippingFactor(norm: norm, limit: 10), rate: rate, pool: alone)
        pack()
        return loss
    }
}
