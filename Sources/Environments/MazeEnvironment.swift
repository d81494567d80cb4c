public import Episodes
import Foundation
package import MuJoCo
import RandomNumbers

/// An environment on a map of cells, with a goal.
public protocol MappedEnvironment: GoalEnvironment {
    /// The cells, of this episode where every episode has its own.
    var map: MazeMap { get }
    /// Side of a cell in metres.
    var cellSize: Double { get }
    /// Metres that the middle of the agent stays away from walls, whatever its pose.
    var agentRadius: Double { get }
}

/// A robot in a maze.
public protocol MazeSimulation: SimulatedEnvironment, MappedEnvironment {
    /// When it pays and ends.
    var rules: MazeRules { get }
}

extension MazeSimulation {
    /// Distance to the goal, in metres, that counts as being there.
    public var successRadius: Double { rules.successRadius }

    /// Positions, velocities and the goal.
    public var infos: [String: [Double]] {
        let state = state
        return ["qpos": state.positions, "qvel": state.velocities, "goal": goal]
    }
}

/// When a maze pays, and when its episodes end.
public struct MazeRules: Sendable, Hashable {
    /// What a step is paid.
    public enum Reward: Sendable, Hashable {
        /// 1 near the goal, else 0.
        case sparse
        /// exp(-distance) to the goal.
        case dense
    }
    /// What a step is paid.
    public var reward = Reward.sparse
    /// Distance to the goal, in metres, that counts as being there.
    public var successRadius = 0.45
    /// Whether an episode goes on at the goal.
    public var isContinuing = true
    /// Whether a goal that was reached is followed by another, where the episode goes on.
    public var replacesGoal = false
    /// The cell in whose centre the goal always is; without one a goal is drawn for each episode.
    public var goalCell: MazeMap.Position?

    /// Gymnasium-Robotics' defaults.
    public init() {}
}

/// A robot in a maze that is paid for reaching a goal (Gymnasium-Robotics' PointMaze and AntMaze).
///
/// Walls are added to the robot's model box by box. A start draws a goal cell, then a start cell
/// whose centre is more than half a cell from the goal, both moved by up to a quarter of a cell;
/// seeds give the starts that they give in Gymnasium. A goal that leaves no start is drawn anew.
package final class MazeEnvironment<Agent: MazeAgent>: MazeSimulation {
    package let specification: EnvironmentSpecification
    package let map: MazeMap
    package let model: MuJoCoModel
    package let rules: MazeRules
    package var goal: [Double] = [0, 0]
    package let stepDuration: Double
    package var cellSize: Double { agent.cellSize }
    package var agentRadius: Double { agent.radius }
    private let agent: Agent
    private let data: MuJoCoData
    private var generator = PCG64(seed: 0)

    /// A maze of `map`, called `identifier`.
    package init(
        _ agent: Agent, map: MazeMap, mapName: String, identifier: String,
        rules: MazeRules = MazeRules(), referenceScores: ReferenceScores? = nil
    ) throws(SimulationError) {
        self.agent = agent
        self.map = map
        self.rules = rules
        precondition(
            rules.goalCell == nil || map.startCells.contains { $0 != rules.goalCell },
            "a goal in the only cell where episodes of \(identifier) start")
        model = try MuJoCoModel(
            contentsOf: ModelLibrary.url(of: agent.modelFile),
            adding: map.walls(cellSize: agent.cellSize, height: agent.wallHeight))
        data = try MuJoCoData(model: model)
        stepDuration = model.timestep * Double(agent.frameSkip)
        specification = EnvironmentSpecification(
            identifier: identifier, family: agent.family, layout: agent.layout,
            actionLimits: model.controlRanges,
            maximumEpisodeSteps: agent.maximumEpisodeSteps(in: mapName),
            referenceScores: referenceScores, goalColumns: agent.placeColumns)
    }

    package var achievedGoal: [Double] { Array(data.positions.prefix(2)) }

    package func reset(seed: UInt64) -> [Double] {
        generator = PCG64(seed: seed)
        let starts = map.startCells
        // Both end: a map has a start and a goal in different cells, and from the middle of one to
        // a goal in another it is at least three quarters of a cell.
        repeat { goal = drawGoal() } while !starts.contains { isStart(center(of: $0)) }
        var start: (x: Double, y: Double)
        repeat {
            start = center(of: starts[generator.index(below: starts.count)])
        } while !isStart(start)
        return place(at: disturbed(start))
    }

    /// Puts the agent, at rest, to a point of the plane and returns the observation.
    package func place(at point: [Double]) -> [Double] {
        var positions = model.initialPositions
        positions.replaceSubrange(0..<2, with: point)
        return set(
            SimulationState(
                positions: positions,
                velocities: Array(repeating: 0, count: model.velocityCount)))
    }

    package func step(_ action: [Double]) -> EnvironmentStep {
        agent.advance(data, action: action)
        let distance = distance(from: achievedGoal)
        let isSuccess = distance <= rules.successRadius
        let reward =
            switch rules.reward {
            case .sparse: isSuccess ? 1.0 : 0
            case .dense: exp(-distance)
            }
        if isSuccess, rules.isContinuing, rules.replacesGoal {
            replaceGoal()
        }
        return EnvironmentStep(
            observation: agent.observation(of: data), reward: reward,
            isTerminated: isSuccess && !rules.isContinuing,
            rewardTerms: [RewardTerm("goal", reward)])
    }

    package var state: SimulationState { data.state }

    package func set(_ state: SimulationState) -> [Double] {
        data.set(state)
        return agent.observation(of: data)
    }

    package func setForce(_ newtons: SIMD3<Double>, onBody index: Int) {
        data.setForce(newtons, onBody: index)
    }

    // MARK: - Goals and starts

    /// Whether an episode may start at a point: not where its goal is.
    private func isStart(_ point: (x: Double, y: Double)) -> Bool {
        distance(from: [point.x, point.y]) > 0.5 * agent.cellSize
    }

    /// Draws goals until one is not reached yet; where there is but one cell for goals it stays.
    private func replaceGoal() {
        guard rules.goalCell == nil, map.goalCells.count > 1 else { return }
        repeat { goal = drawGoal() } while distance(from: achievedGoal) <= rules.successRadius
    }

    private func drawGoal() -> [Double] {
        if let cell = rules.goalCell {
            let center = center(of: cell)
            return [center.x, center.y]
        }
        let cells = map.goalCells
        return disturbed(center(of: cells[generator.index(below: cells.count)]))
    }

    private func center(of cell: MazeMap.Position) -> (x: Double, y: Double) {
        map.center(of: cell, cellSize: agent.cellSize)
    }

    private func disturbed(_ point: (x: Double, y: Double)) -> [Double] {
        let x = point.x + generator.uniform(-0.25, 0.25) * agent.cellSize
        let y = point.y + generator.uniform(-0.25, 0.25) * agent.cellSize
        return [x, y]
    }

    private func distance(from point: [Double]) -> Double {
        let (x, y) = (point[0] - goal[0], point[1] - goal[1])
        return (x * x + y * y).squareRoot()
    }
}

extension MazeMap {
    /// The walls, a box a cell; lengths in metres.
    func walls(cellSize: Double, height: Double) -> [StaticBox] {
        let (side, height) = (cellSize / 2, height / 2)
        return positions { $0 == .wall }.map { position in
            let center = center(of: position, cellSize: cellSize)
            return StaticBox(
                name: "block_\(position.row)_\(position.column)",
                center: (center.x, center.y, height), halfSize: (side, side, height))
        }
    }
}
