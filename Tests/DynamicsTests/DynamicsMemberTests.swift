import Dynamics
import Layers
import Tensors
import TestSupport
import Testing

@Suite struct DynamicsMemberTests {
    @Test func `the gradient of the likelihood agrees with finite differences`() {
        let member = DynamicsMember(inputs: 3, dimension: 2, hidden: [16], seed: 9)
        let training = DynamicsMember.Training(member, rows: 5, weightDecay: 0)
        var generator = SeededGenerator(seed: 17)
        print("seed 17")
        for index in 0..<15 { training.input.base[index] = generator.float(in: -1...1) }
        for index in 0..<10 { training.target.base[index] = generator.float(in: -1...1) }
        _ = member.lossAndGradient(training)
        let gradient = training.gradients.values
        let values = member.parameters.values
        let numeric = (0..<values.count).map { index -> Float in
            let value = values.base[index]
            func loss(_ shifted: Float) -> Double {
                values.base[index] = shifted
                member.pack()
                return member.lossAndGradient(training)
            }
            let difference = loss(value + 1e-2) - loss(value - 1e-2)
            values.base[index] = value
            return Float(difference / Double((value + 1e-2) - (value - 1e-2)))
        }
        #expect(relativeError(gradient, numeric) < 3e-3)
    }
}
