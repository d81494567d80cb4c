import Episodes
import Foundation
import Policies
import RandomNumbers
import TestSupport
import Testing
import Trajectories

@Suite struct GaussianPolicyTests {
    private static let specification = EnvironmentSpecification(
        identifier: "plane-v4", family: "plane",
        layout: TransitionLayout(observationDimension: 3, actionDimension: 2),
        actionLimits: [-1...3, -0.4...0.4], maximumEpisodeSteps: 10)

    private static func policy(seed: UInt64 = 1, hidden: [Int] = [20, 5]) -> GaussianPolicy {
        var generator = SplitMix64(seed: seed)
        let count = GaussianPolicy.parameterCount(
            layout: specification.layout, hiddenSizes: hidden)
        return GaussianPolicy(
            layout: specification.layout, actionLimits: specification.actionLimits,
            hiddenSizes: hidden,
            parameters: (0..<count).map { _ in Float(2 * generator.uniform() - 1) })
    }

    /// The outputs, layer by layer and number by number.
    private static func outputs(_ policy: GaussianPolicy, _ observation: [Float]) -> [Float] {
        let sizes = [3] + policy.hiddenSizes + [4]
        var (numbers, at) = (observation, 0)
        for (index, (inputs, outputs)) in zip(sizes, sizes.dropFirst()).enumerated() {
            let biases = at + inputs * outputs
            numbers = (0..<outputs).map { row in
                let sum = (0..<inputs).reduce(policy.parameters[biases + row]) {
                    $0 + policy.parameters[at + row * inputs + $1] * numbers[$1]
                }
                return index < sizes.count - 2 ? max(sum, 0) : sum
            }
            at = biases + outputs
        }
        return numbers
    }

    @Test func `it acts by its mean, and where it samples around it`() throws {
        let policy = Self.policy()
        let observation: [Float] = [0.3, -1.2, 0.7]
        let outputs = Self.outputs(policy, observation)
        let (mean, logDeviation) = policy.distribution(for: observation)
        #expect(absoluteError(mean + logDeviation, outputs) < 1e-5)
        var generator = PCG64(seed: 3)
        let action = policy.action(for: observation.map(Double.init), using: &generator)
        #expect(generator == PCG64(seed: 3))
        let expected = [1 + 2 * tanh(Double(outputs[0])), 0.4 * tanh(Double(outputs[1]))]
        #expect(absoluteError(action, expected) < 1e-5)

        let count = 4000
        var (sums, squares) = ([0.0, 0.0], [0.0, 0.0])
        for _ in 0..<count {
            let drawn = policy.sampling.action(for: observation.map(Double.init), using: &generator)
            for (column, value) in [(drawn[0] - 1) / 2, drawn[1] / 0.4].enumerated() {
                sums[column] += atanh(value)
                squares[column] += atanh(value) * atanh(value)
            }
        }
        for column in 0..<2 {
            let deviation = exp(Double(logDeviation[column]))
            let found = sums[column] / Double(count)
            #expect(abs(found - Double(mean[column])) < 4 * deviation / Double(count).squareRoot())
            let variance = squares[column] / Double(count) - found * found
            #expect(abs(variance.squareRoot() / deviation - 1) < 0.06)
        }
    }

    @Test func `densities of actions integrate to 1`() {
        let policy = Self.policy(seed: 4)
        let observation: [Float] = [1, 0.5, -0.5]
        // Over both actions: the density is a product, so along one with the other's z at 0 it
        // integrates to the other's density there.
        func integral(_ column: Int) -> Double {
            var (total, last): (Double, (action: Double, density: Double)?) = (0, nil)
            for step in -6000...6000 {
                var noise: [Float] = [0, 0]
                noise[column] = Float(step) / 1000
                let sample = policy.sample(for: observation, noise: noise)
                let now = (Double(sample.squashed[column]), exp(sample.logProbability))
                if let last { total += (now.0 - last.action) * (now.1 + last.density) / 2 }
                last = now
            }
            return total
        }
        let (mean, logDeviation) = policy.distribution(for: observation)
        for column in 0..<2 {
            let other = 1 - column
            let action = tanh(Double(mean[other]))
            let density =
                1 / (2 * .pi).squareRoot() / exp(Double(logDeviation[other]))
                / (1 - action * action)
            #expect(abs(integral(column) / density - 1) < 1e-3)
        }
    }

    @Test func `the logarithm of a density stays a number far out`() {
        let policy = Self.policy(seed: 2)
        let sample = policy.sample(for: [1e4, -1e4, 1e4], noise: [5, -5])
        #expect(sample.logProbability.isFinite)
        #expect(sample.squashed.allSatisfy { -1...1 ~= $0 })
    }

    @Test func `a file is read as it was written, in half precision nearly`() throws {
        let folder = try TemporaryFolder()
        let policy = Self.policy()
        let (whole, half) = (folder.file("whole.safetensors"), folder.file("half.safetensors"))
        try policy.write(to: whole, metadata: ["seed": "3", "environment": "plane-v4"])
        try policy.write(to: half, precision: .half)
        #expect(try GaussianPolicy(contentsOf: whole, for: Self.specification) == policy)
        #expect(try LinearPolicy.metadata(ofFile: whole)["seed"] == "3")
        let read = try GaussianPolicy(contentsOf: half, for: Self.specification)
        for (found, written) in zip(read.parameters, policy.parameters) {
            #expect(abs(found - written) <= abs(written) / 2048 + 0x1p-25)
        }
        #expect(read.parameters != policy.parameters)
        let sizes = try [whole, half].map { try Data(contentsOf: $0).count }
        #expect(sizes[1] < sizes[0])
    }

    @Test func `the parser knows its file, and sample: draws from it`() throws {
        let folder = try TemporaryFolder()
        try Self.policy().write(to: folder.file("plane-expert.safetensors"))
        try LinearPolicy(Self.specification).write(to: folder.file("plane-ars-weak.safetensors"))
        let parser = PolicyParser(Self.specification, levelsIn: folder.url)
        func first(_ text: String) throws -> any Policy {
            try parser.parse(text).components[0].policy
        }
        #expect(try first("expert") as? GaussianPolicy == Self.policy())
        #expect(try first("sample:expert") as? GaussianPolicy == Self.policy().sampling)
        #expect(try first("ars-weak") is LinearPolicy)
        #expect(try first("sample:expert+0.1") is NoisyPolicy)
        let path = folder.file("plane-expert.safetensors").path
        #expect(try first("sample:\(path)") as? GaussianPolicy == Self.policy().sampling)
        for text in ["sample:random", "sample:ars-weak"] {
            let error = #expect(throws: PolicyError.self) { try parser.parse(text) }
            #expect(error?.code == .malformedPolicy)
        }
        #expect(throws: PolicyError.self) { try parser.parse("sample:") }
    }

    @Test func `weights that are no numbers are neither written nor read, nor other sizes`() throws
    {
        let folder = try TemporaryFolder()
        let file = folder.file("policy.safetensors")
        let good = Self.policy()
        try good.write(to: file)
        var parameters = good.parameters
        parameters[7] = .infinity
        let broken = GaussianPolicy(
            layout: good.layout, actionLimits: good.actionLimits, hiddenSizes: good.hiddenSizes,
            parameters: parameters)
        let error = #expect(throws: PolicyError.self) { try broken.write(to: file) }
        #expect(error?.code == .unwritablePolicy)
        #expect(try GaussianPolicy(contentsOf: file, for: Self.specification) == good)
        // Too large for half precision: it would be read as infinity.
        parameters[7] = 70_000
        let large = GaussianPolicy(
            layout: good.layout, actionLimits: good.actionLimits, hiddenSizes: good.hiddenSizes,
            parameters: parameters)
        #expect(throws: PolicyError.self) { try large.write(to: file, precision: .half) }

        let other = EnvironmentSpecification(
            identifier: "line-v4", family: "line",
            layout: TransitionLayout(observationDimension: 2, actionDimension: 2),
            actionLimits: [-1...1, -1...1], maximumEpisodeSteps: 10)
        let unsuitable = #expect(throws: PolicyError.self) {
            try GaussianPolicy(contentsOf: file, for: other)
        }
        #expect(unsuitable?.code == .unsuitablePolicy)
    }
}
