import Environments
import Foundation
import MuJoCo
import Safetensors
import TestSupport
import Testing
import Trajectories

/// Hopper against rollouts recorded from Gymnasium 1.4.0 with the same MuJoCo.
@Suite struct HopperTests {
    private static let tolerance = 1e-9

    private struct Facts: Decodable {
        struct Reset: Decodable {
            let initQpos: [Double]
            enum CodingKeys: String, CodingKey { case initQpos = "init_qpos" }
        }
        let dt: Double
        let observationDimension: Int
        let actionLow: [Double]
        let actionHigh: [Double]
        let maxEpisodeSteps: Int
        let reset: Reset
        enum CodingKeys: String, CodingKey {
            case dt, reset
            case observationDimension = "observation_dim"
            case actionLow = "action_low"
            case actionHigh = "action_high"
            case maxEpisodeSteps = "max_episode_steps"
        }
    }

    private func environment(_ version: GymnasiumVersion) throws -> LocomotionEnvironment<Hopper> {
        try LocomotionEnvironment(Hopper(version))
    }

    private func golden(_ version: GymnasiumVersion) throws -> SafetensorsFile {
        try GoldenData(Bundle.module).tensors("Hopper-\(version).safetensors")
    }

    private func rows(_ file: SafetensorsFile, _ key: String) throws -> [[Double]] {
        let values = try file.doubles(key)
        let width = try #require(try file.shape(of: key).last)
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }

    @Test(arguments: GymnasiumVersion.allCases, ["random", "unhealthy"])
    func `whole rollouts agree with Gymnasium`(version: GymnasiumVersion, rollout: String) throws {
        let file = try golden(version)
        let environment = try environment(version)
        let observations = try rows(file, "\(rollout).observations")
        let positions = try rows(file, "\(rollout).qpos")
        let velocities = try rows(file, "\(rollout).qvel")
        let rewards = try file.doubles("\(rollout).rewards")
        let terminated = try file.integers("\(rollout).terminated")
        let speeds = try file.doubles("\(rollout).info.x_velocity")
        let ends = try file.doubles("\(rollout).info.x_position")

        let start = environment.set(
            SimulationState(
                positions: try file.doubles("\(rollout).init_qpos"),
                velocities: try file.doubles("\(rollout).init_qvel")))
        #expect(absoluteError(start, observations[0]) <= Self.tolerance)
        for (t, action) in try rows(file, "\(rollout).actions").enumerated() {
            let step = environment.step(action)
            #expect(absoluteError(step.observation, observations[t + 1]) <= Self.tolerance)
            #expect(abs(step.reward - rewards[t]) <= Self.tolerance, "reward of step \(t)")
            #expect(step.isTerminated == (terminated[t] == 1), "end at step \(t)")
            let state = environment.state
            #expect(absoluteError(state.positions, positions[t + 1]) <= Self.tolerance)
            #expect(absoluteError(state.velocities, velocities[t + 1]) <= Self.tolerance)
            #expect(abs(state.positions[0] - ends[t]) <= Self.tolerance)
            let terms = Dictionary(
                uniqueKeysWithValues: step.rewardTerms.map { ($0.name, $0.value) })
            #expect(abs(try #require(terms["forward"]) - speeds[t]) <= Self.tolerance)
        }
        #expect(!environment.hasDiverged)
    }

    @Test(arguments: ["random", "unhealthy"])
    func `the parts of the reward agree with Gymnasium v5`(rollout: String) throws {
        let file = try golden(.v5)
        let environment = try environment(.v5)
        let names = ["forward": "forward", "healthy": "survive", "control": "ctrl"]
        let expected = try names.mapValues { try file.doubles("\(rollout).info.reward_\($0)") }
        _ = environment.set(
            SimulationState(
                positions: try file.doubles("\(rollout).init_qpos"),
                velocities: try file.doubles("\(rollout).init_qvel")))
        for (t, action) in try rows(file, "\(rollout).actions").enumerated() {
            let terms = environment.step(action).rewardTerms
            #expect(terms.count == names.count)
            for term in terms {
                #expect(abs(term.value - (expected[term.name]?[t] ?? .nan)) <= Self.tolerance)
            }
        }
    }

    @Test(arguments: GymnasiumVersion.allCases)
    func `any recorded state continues with its warm start`(version: GymnasiumVersion) throws {
        let file = try golden(version)
        let environment = try environment(version)
        let positions = try rows(file, "random.qpos")
        let velocities = try rows(file, "random.qvel")
        let warmStarts = try rows(file, "random.qacc_warmstart")
        let observations = try rows(file, "random.observations")
        for (t, action) in try rows(file, "random.actions").enumerated() {
            _ = environment.set(
                SimulationState(
                    positions: positions[t], velocities: velocities[t], warmStart: warmStarts[t]))
            let step = environment.step(action)
            #expect(absoluteError(step.observation, observations[t + 1]) == 0, "step \(t)")
            #expect(absoluteError(environment.state.warmStart, warmStarts[t + 1]) == 0)
        }
    }

    @Test(arguments: GymnasiumVersion.allCases)
    func `health is decided as by Gymnasium on and around every limit`(version: GymnasiumVersion)
        throws
    {
        let file = try golden(version)
        let positions = try rows(file, "health.qpos")
        let velocities = try rows(file, "health.qvel")
        let healthy = try file.integers("health.healthy")
        #expect(Set(healthy) == [0, 1])
        for row in healthy.indices {
            let actual = Hopper(version).isHealthy(
                positions: positions[row], velocities: velocities[row])
            #expect(actual == (healthy[row] == 1), "\(positions[row]) \(velocities[row])")
        }
    }

    @Test(arguments: GymnasiumVersion.allCases)
    func `wild states are observed as by Gymnasium`(version: GymnasiumVersion) throws {
        let file = try golden(version)
        let environment = try environment(version)
        let positions = try rows(file, "states.qpos")
        let velocities = try rows(file, "states.qvel")
        for (row, expected) in try rows(file, "states.observations").enumerated() {
            let actual = environment.set(
                SimulationState(positions: positions[row], velocities: velocities[row]))
            #expect(absoluteError(actual, expected) <= Self.tolerance)
        }
    }

    @Test(arguments: GymnasiumVersion.allCases)
    func `seeds give the starts that they give in Gymnasium`(version: GymnasiumVersion) throws {
        let file = try golden(version)
        let environment = try environment(version)
        let positions = try rows(file, "reset.qpos")
        let velocities = try rows(file, "reset.qvel")
        for seed in positions.indices {
            _ = environment.reset(seed: UInt64(seed))
            #expect(environment.state.positions == positions[seed])
            #expect(environment.state.velocities == velocities[seed])
        }
    }

    @Test(arguments: GymnasiumVersion.allCases)
    func `the specification states Gymnasium's constants`(version: GymnasiumVersion) throws {
        let facts = try GoldenData(Bundle.module).json("Hopper-\(version).json", as: Facts.self)
        let environment = try environment(version)
        let specification = environment.specification
        #expect(specification.layout.observationDimension == facts.observationDimension)
        #expect(specification.actionLimits.map(\.lowerBound) == facts.actionLow)
        #expect(specification.actionLimits.map(\.upperBound) == facts.actionHigh)
        #expect(specification.actionLimits == environment.model.controlRanges)
        #expect(specification.maximumEpisodeSteps == facts.maxEpisodeSteps)
        #expect(environment.model.initialPositions == facts.reset.initQpos)
        let duration = environment.model.timestep * Double(environment.task.frameSkip)
        #expect(abs(duration - facts.dt) < 1e-15)
    }
}
