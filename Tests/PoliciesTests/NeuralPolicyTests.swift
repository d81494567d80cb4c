import Policies
import RandomNumbers
import Episodes
import Safetensors
import Behavior
import Environments
import Foundation
import TestSupport
import Testing
import Trajectories

@Suite struct NeuralPolicyTests {
    private let specification = PointEnvironment().specification

    /// A hidden layer of two channels; action limits of -1 and 1 unless given.
    private func policy(
        limits: ClosedRange<Double> = -1...1, activation: PolicyActivation = .gelu
    ) -> NeuralPolicy {
        NeuralPolicy(
            layout: specification.layout, actionLimits: [limits], mean: [0.5], deviation: [2],
            layers: [
                .init(weights: [1, -2], biases: [0.25, 0.5]),
                .init(weights: [0.5, 1], biases: [-0.125]),
            ], activation: activation)
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

    @Test func `a policy of ReLUs acts as the formula says, and its file says so`() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("policy.safetensors")
        let policy = policy(activation: .relu)
        var generator = PCG64(seed: 0)
        let action = policy.action(for: [1.5], using: &generator)[0]
        #expect(abs(action - tanh(0.5 * 0.75 - 0.125)) < 1e-6)
        try policy.write(to: url)
        #expect(try NeuralPolicy(contentsOf: url, for: specification) == policy)
        #expect(policy != self.policy())

        // As files were written before there was a choice.
        var file = try SafetensorsFile(contentsOf: url)
        file.metadata["activation"] = nil
        try file.write(to: url)
        #expect(try NeuralPolicy(contentsOf: url, for: specification) == self.policy())
        file.metadata["activation"] = "sine"
        try file.write(to: url)
        let error = #expect(throws: PolicyError.self) {
            try NeuralPolicy(contentsOf: url, for: specification)
        }
        #expect(error?.description.contains("none of those known, gelu and relu") == true)
    }

    @Test func `a policy for goals takes the goal after the observation, and its file says so`()
        throws
    {
        let folder = try TemporaryFolder()
        let url = folder.file("policy.safetensors")
        let maze = try EnvironmentRegistry.make("pointmaze-umaze").specification
        // To the goal, whatever the velocity.
        let policy = NeuralPolicy(
            layout: maze.layout, goalColumns: [0, 1], actionLimits: maze.actionLimits,
            mean: Array(repeating: 0, count: 6), deviation: Array(repeating: 1, count: 6),
            layers: [.init(weights: [-1, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 1], biases: [0, 0])])
        try policy.write(to: url, metadata: ["environment": maze.identifier])
        #expect(try NeuralPolicy(contentsOf: url, for: maze) == policy)
        let noisy = try PolicyParser(maze).parse("\(url.path)+0").components[0].policy
        #expect(noisy.goalColumns == [0, 1])
        var generator = PCG64(seed: 0)
        let action = noisy.action(for: [1, 2, 9, 9], goal: [1.5, 1], using: &generator)
        #expect(zip(action, [tanh(0.5), tanh(-1)]).allSatisfy { abs($0 - $1) < 1e-6 })

        let other = EnvironmentSpecification(
            identifier: "other-v0", family: "other", layout: maze.layout,
            actionLimits: maze.actionLimits, maximumEpisodeSteps: 9)
        let error = #expect(throws: PolicyError.self) {
            try NeuralPolicy(contentsOf: url, for: other)
        }
        #expect(error?.code == .unsuitablePolicy)
        #expect(error?.description.contains("goals in columns 0,1") == true)
        #expect(error?.description.contains("other-v0 has none") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `a collector tells a policy the goals of its maze`() async throws {
        let maze = try EnvironmentRegistry.make("pointmaze-open@5").specification
        let policy = NeuralPolicy(
            layout: maze.layout, goalColumns: [0, 1], actionLimits: maze.actionLimits,
            mean: Array(repeating: 0, count: 6), deviation: Array(repeating: 1, count: 6),
            layers: [.init(weights: [-3, 0, -1, 0, 3, 0, 0, -3, 0, -1, 0, 3], biases: [0, 0])])
        let workers = try EpisodeWorkers(count: 1) {
            try EnvironmentRegistry.make("pointmaze-open@5")
        }
        let episodes = try await Collector(PolicyMixture(policy), workers: workers, seed: 1)
            .collect(steps: 300)
        // Paid near the goal only, where none of the five starts.
        #expect(episodes.count == 5 && episodes.allSatisfy { $0.totalReward > 0 })
        let score = await PolicyScore.measure(
            PolicyMixture(policy), episodes: 3, firstSeed: 7, workers: workers)
        #expect(score.returns.allSatisfy { $0 > 0 })
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
        let error = #expect(throws: PolicyError.self) {
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
        let error = #expect(throws: PolicyError.self) {
            try NeuralPolicy(contentsOf: url, for: specification)
        }
        #expect(error?.description.contains("\n") == false)
        #expect(error?.description.contains("give the file of a policy") == true)
    }
}
