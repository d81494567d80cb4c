internal import Environments
internal import MuJoCo
internal import Planning

/// An episode under way: its environment, and what has happened so far.
///
/// A class, so that several episodes can step at the same time; each is touched by one thread at a
/// time.
final class RunningEpisode: @unchecked Sendable {
    /// What the agent is to act on.
    private(set) var observation: [Double]
    private(set) var rollout: Rollout
    private(set) var isOver = false
    private let environment: any Environment
    private let simulation: (any SimulatedEnvironment)?
    private var limit: TimeLimit
    private let maximumSteps: Int?
    private let goalEnvironment: (any GoalEnvironment)?
    private let untilGoal: Bool

    /// Where to go, in an environment with a goal.
    var goal: [Double]? { goalEnvironment?.goal }

    /// Starts an episode.
    init(
        in environment: any Environment, seed: UInt64, maximumSteps: Int?, untilGoal: Bool,
        recordsStates: Bool
    ) {
        self.environment = environment
        self.maximumSteps = maximumSteps
        self.untilGoal = untilGoal
        goalEnvironment = environment as? any GoalEnvironment
        simulation = recordsStates ? environment as? any SimulatedEnvironment : nil
        limit = TimeLimit(environment.specification)
        observation = environment.reset(seed: seed)
        rollout = Rollout(seed: seed)
        if let goalEnvironment {
            let (start, goal) = (goalEnvironment.achievedGoal, goalEnvironment.goal)
            rollout.goal = goal
            rollout.places = [start]
            rollout.shortestPathLength = (goalEnvironment as? any MazeSimulation)?
                .shortestPathLength(from: start, to: goal)
        }
        if let simulation { rollout.states.append(simulation.state) }
    }

    /// Takes one step; returns its reward.
    @discardableResult
    func take(_ decision: Controller.Decision) -> Double {
        // A maze may move a goal in the step that reaches it.
        let goal = goal
        let step = environment.step(decision.action)
        if let plan = decision.plan {
            if rollout.plans.isEmpty, let columns = goalEnvironment?.goalColumns {
                rollout.plannedPlaces = plan.observations.map { row in columns.map { row[$0] } }
            }
            rollout.plans.append(plan.statistics)
        }
        rollout.rewards.append(step.reward)
        rollout.isTerminated = step.isTerminated
        if let simulation { rollout.states.append(simulation.state) }
        if let goalEnvironment {
            rollout.places.append(goalEnvironment.achievedGoal)
            if rollout.stepsToGoal == nil, goalEnvironment.isReached(goal) {
                rollout.stepsToGoal = rollout.rewards.count
            }
        }
        observation = step.observation
        isOver =
            limit.advance() || step.isTerminated || rollout.rewards.count == maximumSteps
            || (untilGoal && rollout.stepsToGoal != nil)
        return step.reward
    }
}
