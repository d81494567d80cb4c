package import Episodes
package import MuJoCo
package import RandomNumbers
import Trajectories

/// D4RL's AntMaze: ``D4RLAnt`` among walls, paid 1 for being within 0.5 m of the goal, which ends
/// the episode.
///
/// Observation (29): all positions, x and y first, and all velocities. An episode starts at the
/// origin with the robot's own noise; its goal lies up to 1.5 m beyond the middle of the goal's cell
/// along both axes, and is drawn for each episode, as in version 2. Step for step D4RL's
/// (maze_env.py, ant.py, goal_reaching_env.py with `eval`), in a newer MuJoCo; seeds give other
/// starts.
package final class D4RLAntMaze: MazeSimulation {
    package let task: AntMazeTask
    package let specification: EnvironmentSpecification
    package let map: MazeMap
    package let model: MuJoCoModel
    package let rules: MazeRules
    package let stepDuration: Double
    package let cellSize = AntMazeTask.cellSize
    /// That of its torso; legs fold.
    package let agentRadius = 0.25
    package var goal: [Double] = [0, 0]
    /// Whether an episode ends at the goal, as from every reset on.
    package var endsAtGoal = true
    private let data: MuJoCoData

    package init(_ task: AntMazeTask) throws(SimulationError) {
        self.task = task
        map = task.map
        var rules = MazeRules()
        rules.successRadius = 0.5
        rules.isContinuing = false
        rules.goalCell = task.goalCell
        self.rules = rules
        model = try D4RLAnt.model(among: map.walls(cellSize: cellSize, height: 2))
        data = try MuJoCoData(model: model)
        stepDuration = model.timestep * Double(D4RLAnt.frameSkip)
        specification = EnvironmentSpecification(
            identifier: task.identifier, family: "d4rl-antmaze",
            layout: TransitionLayout(
                observationDimension: D4RLAnt.positionCount + D4RLAnt.velocityCount,
                actionDimension: model.controlCount),
            actionLimits: model.controlRanges, maximumEpisodeSteps: task.maximumEpisodeSteps,
            referenceScores: ReferenceScores(random: 0, expert: 1), goalColumns: [0, 1])
    }

    package var achievedGoal: [Double] { Array(data.positions.prefix(2)) }

    package func reset(seed: UInt64) -> [Double] {
        var generator = PCG64(seed: seed)
        endsAtGoal = true
        goal = point(near: task.goalCell, using: &generator)
        return set(D4RLAnt.resetNoise.start(of: model, using: &generator))
    }

    /// Starts an episode as those of the dataset: from one of its start cells to one of its
    /// commanded cells, where it goes on.
    package func resetForData(using generator: inout PCG64) -> [Double] {
        endsAtGoal = false
        let goals = task.commandedCells
        goal = point(near: goals[generator.index(below: goals.count)], using: &generator)
        var start = D4RLAnt.resetNoise.start(of: model, using: &generator)
        if task.kind != .fixed {
            let cells = task.startCells
            let center = map.center(
                of: cells[generator.index(below: cells.count)], cellSize: cellSize)
            start.positions[0] = center.x + generator.uniform(0, cellSize / 4)
            start.positions[1] = center.y + generator.uniform(0, cellSize / 4)
        }
        return set(start)
    }

    /// A goal in a cell, as D4RL draws it: two shifts along each axis.
    package func point(near cell: MazeMap.Position, using generator: inout PCG64) -> [Double] {
        let center = map.center(of: cell, cellSize: cellSize)
        return [center.x, center.y].map { coordinate in
            coordinate + generator.uniform(0, cellSize / 4) + generator.uniform(0, cellSize / 8)
        }
    }

    package func step(_ action: [Double]) -> EnvironmentStep {
        data.controls = action
        data.step(D4RLAnt.frameSkip)
        let isThere = isReached()
        let reward = isThere ? 1.0 : 0
        return EnvironmentStep(
            observation: observation, reward: reward, isTerminated: isThere && endsAtGoal,
            rewardTerms: [RewardTerm("goal", reward)])
    }

    package var state: SimulationState { data.state }

    package func set(_ state: SimulationState) -> [Double] {
        data.set(state)
        return observation
    }

    package func setForce(_ newtons: SIMD3<Double>, onBody index: Int) {
        data.setForce(newtons, onBody: index)
    }

    private var observation: [Double] { data.positions + data.velocities }
}
