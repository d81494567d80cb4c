import Episodes
import Environments
import Foundation
import MuJoCo
import Safetensors
import TestSupport
import Testing
import Trajectories

/// Every maze against rollouts recorded from Gymnasium-Robotics 1.4.2 with the same MuJoCo.
@Suite struct MazeTests {
    private static let files = [
        "PointMaze_UMaze-v3", "PointMaze_Medium-v3", "PointMaze_Large-v3", "AntMaze_UMaze-v4",
        "AntMaze_UMaze-v5",
    ]

    private struct Facts: Decodable {
        struct Wall: Decodable {
            let name: String
            let pos: [Double]
            let halfSize: [Double]
        }
        let walls: [Wall]
        let maxEpisodeSteps: Int
        let observationDim: Int
        let actionHigh: [Double]
        let dt: Double
    }

    private func environment(_ file: String, _ rules: MazeRules = MazeRules()) throws
        -> any SimulatedEnvironment & GoalEnvironment
    {
        let name = try #require(["UMaze", "Medium", "Large"].first { file.contains("_\($0)-") })
            .lowercased()
        let map = try #require(MazeMap.named.first { $0.name == name }?.map)
        func make(_ agent: some MazeAgent) throws -> any SimulatedEnvironment & GoalEnvironment {
            try MazeEnvironment(agent, map: map, mapName: name, identifier: file, rules: rules)
        }
        return file.hasPrefix("Point")
            ? try make(PointAgent()) : try make(AntAgent(file.hasSuffix("v4") ? .v4 : .v5))
    }

    private func golden(_ file: String) throws -> SafetensorsFile {
        try GoldenData(Bundle.module).tensors("\(file).safetensors")
    }

    private func facts(_ file: String) throws -> Facts {
        try GoldenData(Bundle.module).json("\(file).json", as: Facts.self, snakeCase: true)
    }

    @Test(arguments: files, ["random", "wall", "goal", "near_goal", "goal_episodic"])
    func `whole rollouts agree with Gymnasium`(name: String, rollout: String) throws {
        let file = try golden(name)
        guard file.tensors["\(rollout).actions"] != nil else {
            return #expect(rollout == (name.hasPrefix("Point") ? "near_goal" : "goal"))
        }
        var rules = MazeRules()
        rules.isContinuing = rollout != "goal_episodic"
        let environment = try environment(name, rules)
        let observations = try file.rows("\(rollout).observations")
        let positions = try file.rows("\(rollout).qpos")
        let velocities = try file.rows("\(rollout).qvel")
        let achieved = try file.rows("\(rollout).achieved_goal")
        let rewards = try file.doubles("\(rollout).rewards")
        let terminated = try file.integers("\(rollout).terminated")
        environment.goal = try file.doubles("\(rollout).goal")
        let start = environment.set(
            SimulationState(
                positions: try file.doubles("\(rollout).init_qpos"),
                velocities: try file.doubles("\(rollout).init_qvel")))
        #expect(absoluteError(start, observations[0]) <= 1e-9)
        for (t, action) in try file.rows("\(rollout).actions").enumerated() {
            let step = environment.step(action)
            #expect(absoluteError(step.observation, observations[t + 1]) <= 1e-9, "step \(t)")
            #expect(step.reward == rewards[t] && step.isTerminated == (terminated[t] == 1))
            #expect(absoluteError(environment.achievedGoal, achieved[t + 1]) <= 1e-9)
            #expect(absoluteError(environment.state.positions, positions[t + 1]) <= 1e-9)
            #expect(absoluteError(environment.state.velocities, velocities[t + 1]) <= 1e-9)
        }
    }

    @Test(arguments: files)
    func `seeds give the goals and starts that they give in Gymnasium`(name: String) throws {
        let file = try golden(name)
        let environment = try environment(name)
        let goals = try file.rows("reset.goal")
        for (seed, start) in try file.rows("reset.start").enumerated() {
            _ = environment.reset(seed: UInt64(seed))
            #expect(absoluteError(environment.goal, goals[seed]) < 1e-12, "seed \(seed)")
            #expect(absoluteError(environment.achievedGoal, start) < 1e-12, "seed \(seed)")
        }
    }

    @Test(arguments: files)
    func `walls stand where Gymnasium builds them`(name: String) throws {
        let facts = try facts(name)
        let environment = try environment(name)
        let boxes = environment.model.staticBoxes
        #expect(boxes.map(\.name) == facts.walls.map(\.name))
        for (wall, box) in zip(facts.walls, boxes) {
            #expect([box.center.x, box.center.y, box.center.z] == wall.pos)
            #expect([box.halfSize.x, box.halfSize.y, box.halfSize.z] == wall.halfSize)
        }
    }

    @Test(arguments: files)
    func `the specification states Gymnasium's constants`(name: String) throws {
        let facts = try facts(name)
        let environment = try EnvironmentRegistry.simulation(name)
        let specification = environment.specification
        #expect(specification.layout.observationDimension == facts.observationDim)
        #expect(specification.actionLimits.map(\.upperBound) == facts.actionHigh)
        #expect(specification.maximumEpisodeSteps == facts.maxEpisodeSteps)
        #expect(abs(environment.stepDuration - facts.dt) < 1e-15)
    }

    @Test func `a goal that was reached is replaced if the rules say so`() throws {
        var rules = MazeRules()
        rules.replacesGoal = true
        let environment = try environment("PointMaze_UMaze-v3", rules)
        _ = environment.reset(seed: 1)
        let first = environment.goal
        _ = environment.set(SimulationState(positions: first, velocities: [0, 0]))
        #expect(environment.step([0, 0]).reward == 1)
        let second = environment.goal
        #expect(hypot(second[0] - first[0], second[1] - first[1]) > 0.4)
        #expect(environment.step([0, 0]).reward == 0)
    }

    @Test func `dense rewards fall off exponentially with the distance`() throws {
        let environment = try #require(
            EnvironmentRegistry.make("pointmaze-umaze-dense")
                as? any SimulatedEnvironment
                & GoalEnvironment)
        environment.goal = [1, 1]
        _ = environment.set(SimulationState(positions: [-1, 1], velocities: [0, 0]))
        #expect(abs(environment.step([0, 0]).reward - exp(-2)) < 1e-9)
    }

    @Test func `maze2d has its goal in D4RL's cell whatever the seed`() throws {
        let environment = try #require(
            EnvironmentRegistry.make("maze2d-medium") as? any GoalEnvironment)
        for seed: UInt64 in 0..<5 {
            _ = environment.reset(seed: seed)
            // Row 6, column 6 of 8 × 8 cells of a metre.
            #expect(environment.goal == [2.5, -2.5])
        }
        #expect(environment.specification.normalizedScore(277.39) == 100)
    }
}
