import Behavior
import Environments
import Episodes
import Foundation
import Policies
import RandomNumbers
import Testing
import Trajectories

@Suite struct AntMazeTests {
    /// A walker that stays where it is.
    private struct Still: Policy {
        func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
            Array(repeating: 0, count: 8)
        }
    }

    private func pool(_ task: AntMazeTask, workers: Int = 2) throws -> EpisodeWorkers {
        try EpisodeWorkers(count: workers) { try EnvironmentRegistry.make(task.identifier) }
    }

    private func collect(
        _ name: String, steps: Int, workers: Int = 2, seed: UInt64 = 4
    ) async throws -> AntMazeCollector.Collection {
        let task = try #require(AntMazeTask(named: name))
        let walker = RandomPolicy(actionLimits: Array(repeating: -1...1, count: 8))
        return try await AntMazeCollector(
            task, walker: walker, workers: pool(task, workers: workers), seed: seed
        ).collect(steps: steps)
    }

    @Test(arguments: [AntMazeTask.all[1], .all[3], .all[5]])
    func `waypoints lead from every cell, clear of the walls`(task: AntMazeTask)
        throws
    {
        let navigator = AntNavigator(on: task.map, walker: Still())
        var generator = PCG64(seed: 5)
        let cells = task.map.positions { $0 != .wall }
        let maze = try #require(EnvironmentRegistry.make(task.identifier) as? D4RLAntMaze)
        // Every third goal, from every cell.
        for goalCell in cells.enumerated().filter({ $0.offset.isMultiple(of: 3) }).map(\.element) {
            let goal = maze.point(near: goalCell, using: &generator)
            let route = navigator.route(to: goal)
            for start in cells {
                var place = maze.point(near: start, using: &generator)
                var steps = 0
                // As far in a step as an ant that walks a metre a second.
                while hypot(goal[0] - place[0], goal[1] - place[1]) > 0.5, steps < 1000 {
                    let waypoint = navigator.waypoint(
                        from: place, along: route, using: &generator)
                    let (x, y) = (waypoint[0] - place[0], waypoint[1] - place[1])
                    place[0] += 0.1 * x / max(hypot(x, y), 0.1)
                    place[1] += 0.1 * y / max(hypot(x, y), 0.1)
                    for corner in [(-0.4, -0.4), (-0.4, 0.4), (0.4, -0.4), (0.4, 0.4)] {
                        let cell = task.map.position(
                            x: place[0] + corner.0, y: place[1] + corner.1, cellSize: 4)
                        #expect(task.map[cell] != .wall, "\(start) to \(goalCell): \(place)")
                    }
                    steps += 1
                }
                #expect(steps < 1000, "from \(start) to \(goalCell) in \(steps) steps")
            }
        }
    }

    @Test func `the walker is told the direction, and its action is disturbed`() throws {
        let task = try #require(AntMazeTask(named: "antmaze-umaze"))
        let navigator = AntNavigator(on: task.map, walker: DirectionPolicy())
        var generator = PCG64(seed: 1)
        let maze = try #require(EnvironmentRegistry.make(task.identifier) as? D4RLAntMaze)
        var observation = maze.reset(seed: 0)
        observation.replaceSubrange(3..<7, with: [1, 0, 0, 0])
        var quiet = navigator
        quiet.noise = 0
        let route = navigator.route(to: maze.goal)
        let action = quiet.action(for: observation, along: route, using: &generator)
        // The first corridor leads along x; 2 m is as far as the walker sees.
        #expect(action[0] > 0.9 && abs(action[1]) < 0.35)
        #expect(abs(hypot(action[0], action[1]) - 1) < 1e-9)
        let actions = (0..<500).map { _ in
            navigator.action(for: observation, along: route, using: &generator)
        }
        let third = actions.map { $0[2] }
        let deviation = (third.reduce(0) { $0 + $1 * $1 } / 500).squareRoot()
        print("noise of deviation \(deviation), seed 1")
        #expect(0.17...0.23 ~= deviation)
        #expect(actions.joined().allSatisfy { abs($0) <= 1 })
    }

    /// Half of the way that it sees, then zeros.
    private struct DirectionPolicy: Policy {
        func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
            observation.suffix(2).map { $0 / 2 } + Array(repeating: 0, count: 6)
        }
    }

    @Test func `rewards and endings follow the goal of evaluation, as in D4RL's files`()
        async throws
    {
        let made = try await collect("antmaze-umaze", steps: 1500)
        let rows = made.trajectories.reduce(0) { $0 + $1.count }
        #expect(rows == 1500 && made.walks == 2)
        var length = 0
        var walks: [Int] = []
        for trajectory in made.trajectories {
            length += trajectory.count
            let last = trajectory.count - 1
            for row in 0..<trajectory.count {
                let after =
                    row < last
                    ? Array(trajectory.observation(row + 1))
                    : try #require(trajectory.finalObservation)
                let distance = hypot(
                    Double(after[0]) - made.evaluationGoal[0],
                    Double(after[1]) - made.evaluationGoal[1])
                #expect(trajectory.rewards[row] == (distance <= 0.5 ? 1 : 0))
                #expect((row == last && trajectory.ending == .terminal) == (distance <= 0.5))
            }
            if trajectory.ending == .timeout {
                walks.append(length)
                length = 0
            }
        }
        #expect(walks == [700, 700])
    }

    @Test func `rows near a goal are paid and end episodes`() {
        var walk = Trajectory(
            layout: TransitionLayout(observationDimension: 2, actionDimension: 1))
        for x in [0, 1, 2, 3, 2, 1] {
            walk.append(
                observation: [Float(x), 0], action: [0], reward: 9, infos: ["goal": [7, 0]])
        }
        walk.finalObservation = [0, 0]
        walk.ending = .timeout
        let parts = walk.rewarded(for: [2.1, 0], radius: 0.5)
        #expect(parts.map(\.rewards) == [[0, 1], [0, 1], [0, 0]])
        #expect(parts.map(\.ending) == [.terminal, .terminal, .timeout])
        #expect(parts[0].finalObservation == [2, 0] && parts[2].finalObservation == [0, 0])
        #expect(parts[1].observations == [2, 0, 3, 0])
        #expect(parts.map { $0.infos["goal"]?.values.count } == [4, 4, 4])
        #expect(walk.firstArrival(at: [2.1, 0], radius: 0.5) == 2)
        #expect(walk.firstArrival(at: [5, 0], radius: 0.5) == nil)
    }

    @Test func `state and commanded goal are kept of each row`() async throws {
        let made = try await collect("antmaze-medium-diverse", steps: 600)
        let task = AntMazeTask.all[3]
        for trajectory in made.trajectories {
            let states = try #require(trajectory.infos["qpos"])
            let speeds = try #require(trajectory.infos["qvel"])
            let goals = try #require(trajectory.infos["goal"])
            #expect(states.width == 15 && speeds.width == 14 && goals.width == 2)
            for row in 0..<trajectory.count {
                #expect(
                    states.values[(15 * row)..<(15 * row + 15)]
                        + speeds.values[(14 * row)..<(14 * row + 14)]
                        == trajectory.observation(row))
            }
            let goal = goals.values.prefix(2).map(Double.init)
            let cell = task.map.position(x: goal[0], y: goal[1], cellSize: 4)
            #expect(task.commandedCells.contains(cell))
        }
    }

    @Test func `the same seed gives the same data on any number of workers`() async throws {
        let one = try await collect("antmaze-large-play", steps: 300, workers: 1)
        let three = try await collect("antmaze-large-play", steps: 300, workers: 3)
        #expect(one.trajectories == three.trajectories)
        #expect(one.evaluationGoal == three.evaluationGoal)
        let other = try await collect("antmaze-large-play", steps: 300, seed: 5)
        #expect(other.trajectories != one.trajectories)
    }

    @Test func `with a goal an episode each, a walk ends where it was sent`() async throws {
        let task = AntMazeTask.all[1]
        let maze = try #require(EnvironmentRegistry.make(task.identifier) as? D4RLAntMaze)
        // A seed whose first walk starts at its goal.
        let seed = try #require(
            (UInt64(0)..<500).first { seed in
                var generator = PCG64(seed: seed, 0)
                let start = maze.resetForData(using: &generator)
                return hypot(start[0] - maze.goal[0], start[1] - maze.goal[1]) < 0.3
            })
        for untilGoal in [true, false] {
            let made = try await AntMazeCollector(
                task, walker: Still(), workers: pool(task, workers: 1), seed: seed,
                untilGoal: untilGoal
            ).collect(steps: 3)
            let first = try #require(made.trajectories.first)
            #expect((first.ending == .timeout && first.count == 1) == untilGoal, "seed \(seed)")
            #expect(made.successRate > 0 && made.meanStepsToGoal == 1)
        }
    }
}
