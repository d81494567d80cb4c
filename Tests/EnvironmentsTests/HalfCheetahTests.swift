import Environments
import Foundation
import MuJoCo
import Safetensors
import TestSupport
import Testing

/// HalfCheetah against rollouts recorded from Gymnasium 1.4.0 with the same MuJoCo.
@Suite struct HalfCheetahTests {
    private func rows(_ file: SafetensorsFile, _ key: String) throws -> [[Double]] {
        let values = try file.doubles(key)
        let width = try #require(try file.shape(of: key).last)
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }

    private func golden(_ version: GymnasiumVersion) throws -> SafetensorsFile {
        try GoldenData(Bundle.module).tensors("HalfCheetah-\(version).safetensors")
    }

    @Test(arguments: GymnasiumVersion.allCases)
    func `a whole rollout agrees with Gymnasium`(version: GymnasiumVersion) throws {
        let file = try golden(version)
        let environment = try LocomotionEnvironment(HalfCheetah(version))
        let observations = try rows(file, "random.observations")
        let rewards = try file.doubles("random.rewards")
        let start = environment.set(
            SimulationState(
                positions: try file.doubles("random.init_qpos"),
                velocities: try file.doubles("random.init_qvel")))
        #expect(absoluteError(start, observations[0]) <= 1e-9)
        for (t, action) in try rows(file, "random.actions").enumerated() {
            let step = environment.step(action)
            #expect(absoluteError(step.observation, observations[t + 1]) <= 1e-9, "step \(t)")
            #expect(abs(step.reward - rewards[t]) <= 1e-9 && !step.isTerminated)
        }
    }

    @Test func `wild states are observed as by Gymnasium`() throws {
        let file = try golden(.v4)
        let environment = try LocomotionEnvironment(HalfCheetah(.v4))
        let positions = try rows(file, "states.qpos")
        let velocities = try rows(file, "states.qvel")
        for (row, expected) in try rows(file, "states.observations").enumerated() {
            let actual = environment.set(
                SimulationState(positions: positions[row], velocities: velocities[row]))
            #expect(absoluteError(actual, expected) <= 1e-9)
        }
    }

    @Test func `seeds give Gymnasium's positions, and velocities of its distribution`() throws {
        let file = try golden(.v4)
        let environment = try LocomotionEnvironment(HalfCheetah(.v4))
        for (seed, expected) in try rows(file, "reset.qpos").enumerated() {
            _ = environment.reset(seed: UInt64(seed))
            #expect(environment.state.positions == expected)
        }
        let velocities = (0..<400).flatMap { seed in
            _ = environment.reset(seed: UInt64(seed))
            return environment.state.velocities
        }
        let mean = velocities.reduce(0, +) / Double(velocities.count)
        let variance = velocities.reduce(0) { $0 + $1 * $1 } / Double(velocities.count)
        // Four standard errors of 3,600 draws.
        #expect(abs(mean) < 0.1 * 4 / 60)
        #expect(abs(variance.squareRoot() - 0.1) < 0.1 * 4 / 85)
    }
}
