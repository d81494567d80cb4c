package import Episodes
package import MuJoCo

/// Another environment in which every action is held for several of its steps: `hopper@4` decides
/// every fourth step of `hopper`.
///
/// What a step was paid is the sum over the steps that an action was held, fewer where the episode
/// terminated on the way. The time limit is the base's in decisions, rounded up. Whether a goal is
/// reached is seen at the end of a step, as everything else.
package class ActionRepeat: SimulatedEnvironment {
    package let specification: EnvironmentSpecification
    private let base: any SimulatedEnvironment
    private let count: Int

    /// How often an action may be held.
    static let counts = 1...1000

    fileprivate init(_ base: any SimulatedEnvironment, count: Int) {
        precondition(Self.counts.contains(count), "actions held for \(count) steps")
        self.base = base
        self.count = count
        let each = base.specification
        specification = EnvironmentSpecification(
            identifier: "\(each.identifier)@\(count)", family: each.family, layout: each.layout,
            actionLimits: each.actionLimits,
            maximumEpisodeSteps: (each.maximumEpisodeSteps + count - 1) / count,
            referenceScores: each.referenceScores,
            survivalBonus: each.survivalBonus * Double(count), goalColumns: each.goalColumns)
    }

    /// Holds the actions of `base` for `count` of its steps; a maze stays one.
    static func wrap(_ base: any SimulatedEnvironment, count: Int) -> any SimulatedEnvironment {
        guard let maze = base as? any MazeSimulation else {
            return ActionRepeat(base, count: count)
        }
        return MazeActionRepeat(maze, count: count)
    }

    package var model: MuJoCoModel { base.model }
    package var stepDuration: Double { base.stepDuration * Double(count) }
    package var state: SimulationState { base.state }
    package var infos: [String: [Double]] { base.infos }
    package func set(_ state: SimulationState) -> [Double] { base.set(state) }
    package func reset(seed: UInt64) -> [Double] { base.reset(seed: seed) }
    package func setForce(_ newtons: SIMD3<Double>, onBody index: Int) {
        base.setForce(newtons, onBody: index)
    }

    package func step(_ action: [Double]) -> EnvironmentStep {
        var result = base.step(action)
        for _ in 1..<count where !result.isTerminated {
            let next = base.step(action)
            result.observation = next.observation
            result.reward += next.reward
            result.isTerminated = next.isTerminated
            result.rewardTerms = zip(result.rewardTerms, next.rewardTerms).map {
                RewardTerm($0.name, $0.value + $1.value)
            }
        }
        return result
    }
}

/// A maze in which every action is held for several steps.
private final class MazeActionRepeat: ActionRepeat, MazeSimulation {
    private let maze: any MazeSimulation

    init(_ maze: any MazeSimulation, count: Int) {
        self.maze = maze
        super.init(maze, count: count)
    }

    var goal: [Double] {
        get { maze.goal }
        set { maze.goal = newValue }
    }
    var achievedGoal: [Double] { maze.achievedGoal }
    var map: MazeMap { maze.map }
    var cellSize: Double { maze.cellSize }
    var rules: MazeRules { maze.rules }
    var agentRadius: Double { maze.agentRadius }
}
