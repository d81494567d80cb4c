import Environments
import Episodes
import Foundation
import MuJoCo
import RandomNumbers
import Safetensors
import TestSupport
import Testing
import Trajectories

/// D4RL's AntMaze against rollouts of D4RL's own model file and rules in the same MuJoCo.
@Suite struct D4RLAntMazeTests {
    private struct Facts: Decodable {
        struct Wall: Decodable {
            let name: String
            let pos: [Double]
            let halfSize: [Double]
        }
        let walls: [Wall]
        let dt: Double
        let map: [String]
        let goalCell: [Int]
        let goalCenter: [Double]
    }

    private func maze(_ name: String) throws -> D4RLAntMaze {
        try #require(EnvironmentRegistry.make(name) as? D4RLAntMaze)
    }

    private func facts(_ task: AntMazeTask) throws -> Facts {
        let all = try GoldenData(Bundle.module).json(
            "antmaze-d4rl.json", as: [String: Facts].self, snakeCase: true)
        return try #require(all[task.size.rawValue])
    }

    @Test(arguments: ["random", "wall", "goal"])
    func `rollouts agree with D4RL's model and rules`(rollout: String) throws {
        let file = try GoldenData(Bundle.module).tensors("antmaze-d4rl.safetensors")
        let environment = try maze("antmaze-umaze-v2")
        let observations = try file.rows("umaze.\(rollout).observations")
        let rewards = try file.doubles("umaze.\(rollout).rewards")
        let terminated = try file.doubles("umaze.\(rollout).terminated")
        environment.goal = try file.doubles("umaze.\(rollout).goal")
        let start = environment.set(
            SimulationState(
                positions: try file.doubles("umaze.\(rollout).init_qpos"),
                velocities: try file.doubles("umaze.\(rollout).init_qvel")))
        #expect(absoluteError(start, observations[0]) <= 1e-9)
        for (t, action) in try file.rows("umaze.\(rollout).actions").enumerated() {
            let step = environment.step(action)
            #expect(absoluteError(step.observation, observations[t + 1]) <= 1e-9, "step \(t)")
            #expect(step.reward == rewards[t] && step.isTerminated == (terminated[t] == 1))
        }
    }

    @Test(arguments: AntMazeTask.all)
    func `walls, start and goal are where D4RL has them`(task: AntMazeTask) throws {
        let facts = try facts(task)
        let environment = try maze(task.identifier)
        let boxes = environment.model.staticBoxes
        #expect(boxes.map(\.name) == facts.walls.map(\.name))
        for (wall, box) in zip(facts.walls, boxes) {
            #expect([box.center.x, box.center.y, box.center.z] == wall.pos)
            #expect([box.halfSize.x, box.halfSize.y, box.halfSize.z] == wall.halfSize)
        }
        #expect(abs(environment.stepDuration - facts.dt) < 1e-15)
        #expect([task.goalCell.row, task.goalCell.column] == facts.goalCell)
        let center = task.map.center(of: task.goalCell, cellSize: 4)
        #expect([center.x, center.y] == facts.goalCenter)
        for cell in task.map.positions(where: { _ in true }) {
            let center = task.map.center(of: cell, cellSize: 4)
            #expect(task.map.position(x: center.x + 1.9, y: center.y - 1.9, cellSize: 4) == cell)
        }
    }

    @Test(arguments: AntMazeTask.all)
    func `an episode goes from the origin to D4RL's goal, drawn anew`(task: AntMazeTask) throws {
        let environment = try maze(task.identifier)
        let specification = environment.specification
        #expect(specification.maximumEpisodeSteps == (task.size == .umaze ? 700 : 1000))
        #expect(specification.layout.observationDimension == 29)
        #expect(specification.normalizedScore(1) == 100 && specification.normalizedScore(0) == 0)
        let center = task.map.center(of: task.goalCell, cellSize: 4)
        var goals: Set<[Double]> = []
        for seed: UInt64 in 0..<20 {
            let observation = environment.reset(seed: seed)
            #expect(abs(observation[0]) <= 0.1 && abs(observation[1]) <= 0.1)
            let goal = environment.goal
            #expect(0...1.5 ~= goal[0] - center.x && 0...1.5 ~= goal[1] - center.y)
            goals.insert(goal)
        }
        #expect(
            try #require(environment.shortestPathLength(from: [0, 0], to: environment.goal)) > 8)
        #expect(goals.count == 20)
    }

    @Test(arguments: AntMazeTask.all)
    func `episodes of the data start and lead where D4RL's do`(task: AntMazeTask) throws {
        let environment = try maze(task.identifier)
        var generator = PCG64(seed: 11)
        var (starts, goals): (Set<MazeMap.Position>, Set<MazeMap.Position>) = ([], [])
        for _ in 0..<300 {
            let start = environment.resetForData(using: &generator)
            func cell(_ point: [Double]) -> MazeMap.Position {
                task.map.position(x: point[0], y: point[1], cellSize: 4)
            }
            starts.insert(cell(start))
            goals.insert(cell(environment.goal))
        }
        #expect(starts == Set(task.startCells) && goals == Set(task.commandedCells))
        let free = task.map.positions { $0 != .wall }.count
        switch task.kind {
        case .fixed: #expect(starts.count == 1 && goals.count == 1)
        case .play: #expect(starts.isDisjoint(with: goals) && starts.count + goals.count == free)
        case .diverse: #expect(starts.count == free && goals.count == free)
        }
        // The episode goes on at the commanded goal, until the next reset.
        var state = environment.state
        state.positions.replaceSubrange(0..<2, with: environment.goal)
        let rest = Array(repeating: 0.0, count: 8)
        _ = environment.set(state)
        let going = environment.step(rest)
        #expect(going.reward == 1 && !going.isTerminated)
        _ = environment.reset(seed: 1)
        state.positions.replaceSubrange(0..<2, with: environment.goal)
        _ = environment.set(state)
        #expect(environment.step(rest).isTerminated)
    }

    @Test func `D4RL's names are these, and a bare umaze stays Gymnasium's`() throws {
        func made(_ name: String) throws -> String {
            try EnvironmentRegistry.make(name).specification.identifier
        }
        #expect(try made("antmaze-umaze") == "antmaze-umaze-v4")
        #expect(try made("antmaze-medium") == "antmaze-medium-v4")
        for task in AntMazeTask.all {
            #expect(try made(task.identifier) == task.identifier)
            if task != .all[0] { #expect(try made(task.dataset) == task.identifier) }
            #expect(AntMazeTask(named: task.dataset) == task)
        }
        #expect(AntMazeTask(named: "antmaze-large") == nil)
    }
}
