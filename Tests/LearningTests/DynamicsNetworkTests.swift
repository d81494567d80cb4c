import Learning
import Layers
import RandomNumbers
import Tensors
import TestSupport
import Testing

@Suite struct DynamicsNetworkTests {
    @Test func `the gradient of the likelihood agrees with finite differences`() {
        var initial = SplitMix64(seed: 9)
        let network = Network(name: "network", sizes: [3, 16, 4])
        network.initialize(using: &initial)
        let trainer = NetworkTrainer(
            network, rows: 5, settings: AdamW.Settings(), pool: WorkerPool(count: 1))
        var generator = SeededGenerator(seed: 17)
        print("seed 17")
        let (inputs, targets) = (FloatStorage(count: 15), FloatStorage(count: 10))
        inputs.write((0..<15).map { _ in generator.float(in: -1...1) })
        targets.write((0..<10).map { _ in generator.float(in: -1...1) })
        func loss() -> Double {
            network.parameters.pack(pool: .shared)
            return trainer.computeGradient(input: inputs.matrix(columns: 3)) {
                DynamicsNetwork.loss($0, targets: targets.matrix(columns: 2), count: 5)
            }
        }
        _ = loss()
        let gradient = trainer.gradient.values
        let values = network.parameters.values
        let numeric = (0..<values.count).map { index -> Float in
            let value = values[index]
            func shifted(_ amount: Float) -> Double {
                values[index] = value + amount
                return loss()
            }
            let difference = shifted(1e-2) - shifted(-1e-2)
            values[index] = value
            return Float(difference / Double((value + 1e-2) - (value - 1e-2)))
        }
        #expect(relativeError(gradient, numeric) < 3e-3)
        withExtendedLifetime((inputs, targets)) {}
    }
}
