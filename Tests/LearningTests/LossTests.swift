import Learning
import Layers
import RandomNumbers
import Tensors
import TestSupport
import Testing

/// Gradients of whole networks under each loss, against finite differences.
@Suite struct LossTests {
    /// More than one chunk of rows, the last one not full.
    private let rows = 70

    private func random(_ count: Int, seed: UInt64, in range: ClosedRange<Float> = -1...1)
        -> FloatStorage
    {
        var generator = SeededGenerator(seed: seed)
        let storage = FloatStorage(count: count)
        storage.write((0..<count).map { _ in generator.float(in: range) })
        return storage
    }

    /// The largest error of the network's gradient over the largest gradient.
    private func error(
        sizes: [Int], vector: String? = nil, _ loss: (LossPart, Network) -> Double
    ) -> Double {
        let seed: UInt64 = 11
        print("seed \(seed)")
        let network = Network(name: "net", sizes: sizes, vector: vector)
        let values = network.parameters.values
        values.write(random(values.count, seed: seed, in: -0.5...0.5).values)
        let pool = WorkerPool(count: 2)
        let trainer = NetworkTrainer(network, rows: rows, settings: .init(), pool: pool)
        let input = random(rows * sizes[0], seed: seed + 1)
        func compute() -> Double {
            network.parameters.pack(pool: pool)
            return trainer.computeGradient(input: input.matrix(columns: sizes[0])) {
                loss($0, network)
            }
        }
        _ = compute()
        let gradient = trainer.gradient.values
        let step: Float = 1e-2
        let numeric = (0..<values.count).map { index -> Float in
            let value = values[index]
            values[index] = value + step
            let above = compute()
            values[index] = value - step
            let below = compute()
            values[index] = value
            return Float((above - below) / Double((value + step) - (value - step)))
        }
        #expect(gradient.contains { abs($0) > 0.01 })
        return relativeError(gradient, numeric)
    }

    @Test(arguments: [Float(0.5), 0.7, 0.9])
    func `the expectile loss has the gradient it says`(expectile: Float) {
        // Far enough from the outputs that no step crosses the kink of the second derivative.
        let targets = FloatStorage(count: rows)
        targets.write((0..<rows).map { $0.isMultiple(of: 2) ? 3 : -3 })
        #expect(
            error(sizes: [3, 8, 1]) { part, _ in
                Losses.expectile(part, targets: targets, expectile: expectile, count: rows)
            } < 5e-3)
    }

    @Test func `the squared loss has the gradient it says, and is the mean of squares`() {
        let targets = random(rows, seed: 5)
        #expect(
            error(sizes: [3, 8, 6, 1]) { part, _ in
                Losses.squared(part, targets: targets, count: rows)
            } < 5e-3)
        let network = Network(name: "net", sizes: [1, 1])
        let trainer = NetworkTrainer(
            network, rows: 2, settings: .init(), pool: WorkerPool(count: 1))
        let goals = FloatStorage(count: 2)
        goals.write([1, -3])
        // The output of a network of zeros is 0.
        // A matrix does not keep its storage.
        let inputs = FloatStorage(count: 2)
        defer { withExtendedLifetime(inputs) {} }
        let loss = trainer.computeGradient(input: inputs.matrix(columns: 1)) {
            Losses.squared($0, targets: goals, count: 2)
        }
        #expect(loss == 5)
    }

    @Test func `the loss of actions has the gradient it says`() {
        let actions = random(rows * 2, seed: 6)
        #expect(
            error(sizes: [3, 8, 2]) { part, _ in
                Losses.squaredActions(part, actions: actions.matrix(columns: 2), count: rows)
            } < 5e-3)
    }

    @Test func `the weighted likelihood has the gradient it says, deviations included`() {
        let actions = random(rows * 2, seed: 7)
        let weights = random(rows, seed: 8, in: 0...3)
        #expect(
            error(sizes: [3, 8, 2], vector: "log_deviation") { part, network in
                Losses.weightedLikelihood(
                    part, actions: actions.matrix(columns: 2), weights: weights,
                    network: network, count: rows)
            } < 5e-3)
    }

    @Test func `the weighted likelihood is that of a Gaussian around tanh`() {
        // Output 0 and deviation 1: -log of the standard normal density, 0.5 log(2π) + a²/2.
        let network = Network(name: "net", sizes: [1, 1], vector: "log_deviation")
        let trainer = NetworkTrainer(
            network, rows: 1, settings: .init(), pool: WorkerPool(count: 1))
        let (action, weight) = (FloatStorage(count: 1), FloatStorage(count: 1))
        action[0] = 0.6
        weight[0] = 2
        // A matrix does not keep its storage.
        let inputs = FloatStorage(count: 1)
        defer { withExtendedLifetime(inputs) {} }
        let loss = trainer.computeGradient(input: inputs.matrix(columns: 1)) {
            Losses.weightedLikelihood(
                $0, actions: action.matrix(columns: 1), weights: weight, network: network,
                count: 1)
        }
        #expect(abs(loss - 2 * (0.9189385 + 0.18)) < 1e-5)
    }
}
