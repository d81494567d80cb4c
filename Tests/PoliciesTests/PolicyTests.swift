import Behavior
import Environments
import Episodes
import Foundation
import Policies
import RandomNumbers
import Testing
import TestSupport
import Trajectories

@Suite struct PolicyTests {
    private let specification = PointEnvironment().specification

    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("behavior-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func actions(_ mixture: PolicyMixture, count: Int, observation: [Double] = [0.5])
        -> [Double]
    {
        var generator = PCG64(seed: 21)
        return (0..<count).map { _ in
            mixture.draw(using: &generator).action(for: observation, using: &generator)[0]
        }
    }

    private func linear(weight: Double) -> LinearPolicy {
        var policy = LinearPolicy(specification)
        policy.weights = [weight]
        policy.mean = [0.25]
        policy.deviation = [2]
        return policy
    }

    @Test func `random actions fill the limits evenly`() {
        let values = actions(
            PolicyMixture(RandomPolicy(actionLimits: specification.actionLimits)), count: 4000)
        #expect(values.allSatisfy { -1 <= $0 && $0 < 1 })
        #expect(abs(values.reduce(0, +) / 4000) < 0.05)
        #expect(abs(values.reduce(0) { $0 + $1 * $1 } / 4000 - 1.0 / 3) < 0.03)
    }

    @Test func `a linear policy normalizes, multiplies and clips`() {
        var generator = PCG64(seed: 0)
        let policy = linear(weight: 4)
        #expect(policy.action(for: [0.5], using: &generator) == [0.5])
        #expect(policy.action(for: [5], using: &generator) == [1])
        #expect(policy.action(for: [-5], using: &generator) == [-1])
    }

    @Test func `noise has the stated size and stays within the limits`() {
        let noisy = NoisyPolicy(ConstantPolicy(value: 0.1), deviation: 0.2, in: specification)
        let values = actions(PolicyMixture(noisy), count: 4000)
        let mean = values.reduce(0, +) / 4000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
        #expect(abs(mean - 0.1) < 0.02)
        #expect(abs(variance.squareRoot() - 0.2) < 0.02)
        let wild = NoisyPolicy(ConstantPolicy(value: 0), deviation: 10, in: specification)
        #expect(actions(PolicyMixture(wild), count: 100).allSatisfy { abs($0) <= 1 })
    }

    @Test func `a mixture follows its weights`() {
        let mixture = PolicyMixture([
            .init(ConstantPolicy(value: 1), weight: 3), .init(ConstantPolicy(value: 0), weight: 1),
        ])
        let share = actions(mixture, count: 4000).reduce(0, +) / 4000
        #expect(abs(share - 0.75) < 0.03)
    }

    @Test func `a policy written to a file is read back exactly`() throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("policy.safetensors")
            let policy = linear(weight: 0.1)
            try policy.write(to: url, metadata: ["environment": "point-v4"])
            #expect(try LinearPolicy(contentsOf: url, for: specification) == policy)
        }
    }

    @Test func `a policy for other sizes is refused with both sizes`() throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("policy.safetensors")
            try linear(weight: 1).write(to: url, metadata: ["environment": "point-v4"])
            let hopper = try EnvironmentRegistry.make("hopper").specification
            let error = #expect(throws: PolicyError.self) {
                try LinearPolicy(contentsOf: url, for: hopper)
            }
            #expect(error?.code == .unsuitablePolicy)
            #expect(error?.description.contains("[1, 1], made for point-v4") == true)
            #expect(error?.description.contains("[3, 11]") == true)
        }
    }

    @Test func `descriptions are parsed`() throws {
        try withFolder { folder in
            try linear(weight: 4).write(
                to: folder.appendingPathComponent("point-expert.safetensors"))
            let parser = PolicyParser(specification, levelsIn: folder)
            #expect(actions(try parser.parse("expert"), count: 3) == [0.5, 0.5, 0.5])
            #expect(Set(actions(try parser.parse("random"), count: 9)).count == 9)
            let noisy = actions(try parser.parse("expert+0.01"), count: 100)
            #expect(noisy.allSatisfy { abs($0 - 0.5) < 0.1 } && Set(noisy).count > 90)
            let file = folder.appendingPathComponent("point-expert.safetensors").path
            #expect(actions(try parser.parse(file), count: 1) == [0.5])
            let mixed = actions(try parser.parse("mix:\(file)=1,random=1,expert+0=2"), count: 2000)
            let share = Double(mixed.count { $0 == 0.5 }) / 2000
            #expect(abs(share - 0.75) < 0.04)
        }
    }

    @Test(arguments: [
        ("exprt", "'exprt': it is neither random"),
        ("weak", "there is no such policy for point-v4"),
        ("mix:random", "'random' is not a policy with a positive weight"),
        ("mix:random=0", "positive weight"), ("mix:random=1,", "positive weight"),
        ("random+-1", "noise must not be negative"),
    ])
    func `bad descriptions are refused in one line that says how to write them`(
        text: String, part: String
    ) throws {
        try withFolder { folder in
            let error = #expect(throws: PolicyError.self) {
                try PolicyParser(specification, levelsIn: folder).parse(text)
            }
            #expect(error?.description.contains(part) == true, "\(String(describing: error))")
            #expect(error?.description.contains("\n") == false)
        }
    }
}
