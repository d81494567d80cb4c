import Behavior
import Environments
import Foundation
import TestSupport
import Testing
import Trajectories

@Suite struct NeuralPolicyTests {
    private let specification = PointEnvironment().specification

    /// A hidden layer of two channels; action limits of -1 and 1 unless given.
    private func policy(limits: ClosedRange<Double> = -1...1) -> NeuralPolicy {
        NeuralPolicy(
            layout: specification.layout, actionLimits: [limits], mean: [0.5], deviation: [2],
            layers: [
                .init(weights: [1, -2], biases: [0.25, 0.5]),
                .init(weights: [0.5, 1], biases: [-0.125]),
            ])
    }

    @Test func `an action is what the formula says`() {
        // (1.5 - 0.5) / 2 = 0.5; hidden inputs 0.75 and -0.5.
        func gelu(_ x: Double) -> Double { x * (1 + erf(x / 2.0.squareRoot())) / 2 }
        let output = 0.5 * gelu(0.75) + gelu(-0.5) - 0.125
        var generator = PCG64(seed: 0)
        let action = policy().action(for: [1.5], using: &generator)
        #expect(abs(action[0] - tanh(output)) < 1e-6)
        let wide = policy(limits: 1...5).action(for: [1.5], using: &generator)
        #expect(abs(wide[0] - (3 + 2 * tanh(output))) < 1e-6)
    }

    @Test func `a policy written to a file is read back exactly, by the parser too`() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("policy.safetensors")
        try policy().write(to: url, metadata: ["environment": "point-v4"])
        #expect(try NeuralPolicy(contentsOf: url, for: specification) == policy())
        #expect(try LinearPolicy.metadata(ofFile: url)["environment"] == "point-v4")
        let parsed = try PolicyParser(specification).parse(url.path).components[0].policy
        #expect(parsed as? NeuralPolicy == policy())
        let linear = folder.file("linear.safetensors")
        try LinearPolicy(specification).write(to: linear)
        #expect(
            try PolicyParser(specification).parse(linear.path).components[0].policy is LinearPolicy)
    }

    @Test func `actions are clipped to limits narrower than those of training`() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("policy.safetensors")
        try policy(limits: 1...5).write(to: url)
        let read = try NeuralPolicy(contentsOf: url, for: specification)
        var generator = PCG64(seed: 0)
        #expect(read.action(for: [1.5], using: &generator) == [1])
    }

    @Test func `a policy for other sizes is refused with both sizes`() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("policy.safetensors")
        try policy().write(to: url, metadata: ["environment": "point-v4"])
        let hopper = try EnvironmentRegistry.make("hopper").specification
        let error = #expect(throws: BehaviorError.self) {
            try PolicyParser(hopper).parse(url.path)
        }
        #expect(error?.code == .unsuitablePolicy)
        #expect(
            error?.description.contains(
                "1 observation and gives 1 action numbers, made for point-v4")
                == true)
        #expect(error?.description.contains("hopper-v4 has 11 and 3") == true)
    }

    @Test func `a file that is something else is refused in one line`() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("linear.safetensors")
        try LinearPolicy(specification).write(to: url)
        let error = #expect(throws: BehaviorError.self) {
            try NeuralPolicy(contentsOf: url, for: specification)
        }
        #expect(error?.description.contains("\n") == false)
        #expect(error?.description.contains("train-policy") == true)
    }
}
