import Environments
import Episodes
import Foundation
import MuJoCo
import Safetensors
import Testing
import TestSupport
import Trajectories

/// Every locomotion robot against rollouts recorded from Gymnasium 1.4.0 with the same MuJoCo.
@Suite struct LocomotionTests {
    /// A robot and the files recorded from it.
    struct Robot: Sendable, CustomTestStringConvertible {
        let file: String
        let task: any LocomotionTask
        var testDescription: String { file }

        func environment() throws -> any SimulatedEnvironment {
            func open(_ task: some LocomotionTask) throws -> any SimulatedEnvironment {
                try LocomotionEnvironment(task)
            }
            return try open(task)
        }

        func golden() throws -> SafetensorsFile {
            try GoldenData(Bundle.module).tensors("\(file).safetensors")
        }
    }

    private struct Facts: Decodable {
        struct Reset: Decodable {
            let initQpos: [Double]
        }
        let dt: Double
        let observationDim: Int
        let actionLow: [Double]
        let actionHigh: [Double]
        let maxEpisodeSteps: Int
        let frameSkip: Int
        let reset: Reset
    }

    private struct References: Decodable {
        struct Pair: Decodable {
            let random: Double
            let expert: Double
        }
        let locomotion: [String: Pair]
    }

    static let robots: [Robot] =
        GymnasiumVersion.allCases.flatMap { version in
            [
                Robot(file: "Hopper-\(version)", task: Hopper(version)),
                Robot(file: "HalfCheetah-\(version)", task: HalfCheetah(version)),
                Robot(file: "Walker2d-\(version)", task: Walker2d(version)),
                Robot(file: "Ant-\(version)", task: Ant(version)),
                Robot(file: "Humanoid-\(version)", task: Humanoid(version)),
            ]
        } + [Robot(file: "Ant-v4-contact", task: Ant(.v4, withContactForces: true))]

    private static let tolerance = 1e-9

    @Test(arguments: robots, ["random", "unhealthy"])
    func `whole rollouts agree with Gymnasium`(robot: Robot, rollout: String) throws {
        let file = try robot.golden()
        // HalfCheetah is never unhealthy.
        guard file.tensors["\(rollout).actions"] != nil else {
            return #expect(rollout == "unhealthy" && robot.file.hasPrefix("HalfCheetah"))
        }
        let environment = try robot.environment()
        let observations = try file.rows("\(rollout).observations")
        let positions = try file.rows("\(rollout).qpos")
        let velocities = try file.rows("\(rollout).qvel")
        let rewards = try file.doubles("\(rollout).rewards")
        let terminated = try file.integers("\(rollout).terminated")

        let start = environment.set(
            SimulationState(
                positions: try file.doubles("\(rollout).init_qpos"),
                velocities: try file.doubles("\(rollout).init_qvel")))
        #expect(absoluteError(start, observations[0]) <= Self.tolerance)
        for (t, action) in try file.rows("\(rollout).actions").enumerated() {
            let step = environment.step(action)
            #expect(
                absoluteError(step.observation, observations[t + 1]) <= Self.tolerance, "step \(t)")
            #expect(abs(step.reward - rewards[t]) <= Self.tolerance, "reward of step \(t)")
            #expect(step.isTerminated == (terminated[t] == 1), "end at step \(t)")
            let state = environment.state
            #expect(absoluteError(state.positions, positions[t + 1]) <= Self.tolerance)
            #expect(absoluteError(state.velocities, velocities[t + 1]) <= Self.tolerance)
        }
    }

    @Test(arguments: robots, ["random", "unhealthy"])
    func `the parts of a reward are those that Gymnasium reports`(robot: Robot, rollout: String)
        throws
    {
        let file = try robot.golden()
        var names = [
            "forward": "forward", "healthy": "survive", "control": "ctrl", "contact": "contact",
        ]
        // Gymnasium's Ant-v4 reports the contact cost in place of the control cost.
        if robot.file == "Ant-v4-contact" {
            names["contact"] = names.removeValue(forKey: "control")
        }
        let recorded = try names.compactMapValues { name in
            let key = "\(rollout).info.reward_\(name)"
            return file.tensors[key] != nil ? try file.doubles(key) : nil
        }
        // v4 of the planar robots reports no parts, and HalfCheetah has no other rollout.
        guard !recorded.isEmpty else { return }
        let environment = try robot.environment()
        _ = environment.set(
            SimulationState(
                positions: try file.doubles("\(rollout).init_qpos"),
                velocities: try file.doubles("\(rollout).init_qvel")))
        for (t, action) in try file.rows("\(rollout).actions").enumerated() {
            for term in environment.step(action).rewardTerms {
                guard let expected = recorded[term.name] else { continue }
                #expect(abs(term.value - expected[t]) <= Self.tolerance, "\(term.name) at \(t)")
            }
        }
    }

    @Test(arguments: robots)
    func `any recorded state continues with its warm start`(robot: Robot) throws {
        let file = try robot.golden()
        let environment = try robot.environment()
        let positions = try file.rows("random.qpos")
        let velocities = try file.rows("random.qvel")
        let warmStarts = try file.rows("random.qacc_warmstart")
        let observations = try file.rows("random.observations")
        for (t, action) in try file.rows("random.actions").enumerated() {
            _ = environment.set(
                SimulationState(
                    positions: positions[t], velocities: velocities[t], warmStart: warmStarts[t]))
            let step = environment.step(action)
            #expect(
                absoluteError(step.observation, observations[t + 1]) <= Self.tolerance, "step \(t)")
        }
    }

    @Test(arguments: robots)
    func `health is decided as by Gymnasium on and around every limit`(robot: Robot) throws {
        let file = try robot.golden()
        guard file.tensors["health.qpos"] != nil else {
            return #expect(!robot.task.terminatesWhenUnhealthy)
        }
        let positions = try file.rows("health.qpos")
        let velocities = try file.rows("health.qvel")
        let healthy = try file.integers("health.healthy")
        #expect(Set(healthy) == [0, 1])
        for row in healthy.indices {
            let actual = robot.task.isHealthy(
                positions: positions[row], velocities: velocities[row])
            #expect(actual == (healthy[row] == 1), "\(positions[row]) \(velocities[row])")
        }
    }

    @Test(arguments: robots)
    func `wild states are observed as by Gymnasium`(robot: Robot) throws {
        let file = try robot.golden()
        let environment = try robot.environment()
        let positions = try file.rows("states.qpos")
        let velocities = try file.rows("states.qvel")
        for (row, expected) in try file.rows("states.observations").enumerated() {
            let actual = environment.set(
                SimulationState(positions: positions[row], velocities: velocities[row]))
            #expect(absoluteError(actual, expected) <= Self.tolerance)
        }
    }

    @Test(arguments: robots)
    func `seeds give the starts that they give in Gymnasium`(robot: Robot) throws {
        let file = try robot.golden()
        let environment = try robot.environment()
        let positions = try file.rows("reset.qpos")
        let velocities = try file.rows("reset.qvel")
        for seed in positions.indices {
            _ = environment.reset(seed: UInt64(seed))
            #expect(absoluteError(environment.state.positions, positions[seed]) < 1e-15)
            #expect(absoluteError(environment.state.velocities, velocities[seed]) < 1e-15)
        }
    }

    @Test(arguments: robots)
    func `the specification states Gymnasium's constants`(robot: Robot) throws {
        let facts = try GoldenData(Bundle.module).json(
            "\(robot.file).json", as: Facts.self, snakeCase: true)
        let environment = try robot.environment()
        let specification = environment.specification
        #expect(specification.layout.observationDimension == facts.observationDim)
        #expect(specification.actionLimits.map(\.lowerBound) == facts.actionLow)
        #expect(specification.actionLimits.map(\.upperBound) == facts.actionHigh)
        #expect(
            absoluteError(
                specification.actionLimits.map(\.upperBound),
                environment.model.controlRanges.map(\.upperBound)) < 1e-6)
        #expect(specification.maximumEpisodeSteps == facts.maxEpisodeSteps)
        #expect(environment.model.initialPositions == facts.reset.initQpos)
        #expect(abs(environment.stepDuration - facts.dt) < 1e-15)
        let duration = environment.model.timestep * Double(facts.frameSkip)
        #expect(abs(environment.stepDuration - duration) < 1e-15)
    }
}
