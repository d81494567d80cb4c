import Environments
import Episodes
import MuJoCo
import Planning
import Trajectories

/// An episode under way, and what is written down of it.
///
/// A class, so that several episodes can step at the same time; each is touched by one thread at a
/// time.
final class RunningEpisode: @unchecked Sendable {
    private(set) var rollout: Rollout
    private var episode: Episode
    private let simulation: (any SimulatedEnvironment)?
    private let goalEnvironment: (any GoalEnvironment)?
    private let untilGoal: Bool

    /// What the agent is to act on.
    var observation: [Double] { episode.observation }
    /// Where to go, in an environment with a goal.
    var goal: [Double]? { episode.goal }
    /// Whether a step may no longer be taken.
    var isOver: Bool { episode.isOver }

    /// Starts an episode.
    init(in environment: any Environment, seed: UInt64, options: Rollout.Options) {
        untilGoal = options.untilGoal
        goalEnvironment = environment as? any GoalEnvironment
        simulation = options.recordsStates ? environment as? any SimulatedEnvironment : nil
        episode = Episode(in: environment, seed: seed, maximumSteps: options.maximumSteps)
        rollout = Rollout(seed: seed)
        if options.keepsTrajectory {
            rollout.trajectory = Trajectory(layout: environment.specification.layout)
        }
        if let goalEnvironment {
            let (start, goal) = (goalEnvironment.achievedGoal, goalEnvironment.goal)
            rollout.goal = goal
            rollout.places = [start]
            rollout.shortestPathLength = (goalEnvironment as? any MappedEnvironment)?
                .shortestPathLength(from: start, to: goal)
        }
        if let simulation { rollout.states.append(simulation.state) }
    }

    /// Takes one step; returns its reward.
    @discardableResult
    func take(_ decision: Controller.Decision) -> Double {
        // A maze may move a goal in the step that reaches it.
        let goal = goal
        let observation = episode.observation
        var action = decision.action
        if rollout.trajectory != nil { action = action.map { Double(Float($0)) } }
        let step = episode.take(action)
        if let plan = decision.plan {
            if rollout.plans.isEmpty, let columns = goalEnvironment?.goalColumns {
                rollout.plannedPlaces = plan.observations.map { row in columns.map { row[$0] } }
            }
            rollout.plans.append(plan.statistics)
        }
        rollout.rewards.append(step.reward)
        rollout.isTerminated = step.isTerminated
        rollout.trajectory?.append(
            observation: observation.map(Float.init), action: action.map(Float.init),
            reward: Float(step.reward))
        if let simulation { rollout.states.append(simulation.state) }
        if let goalEnvironment {
            rollout.places.append(goalEnvironment.achievedGoal)
            if rollout.stepsToGoal == nil, goalEnvironment.isReached(goal) {
                rollout.stepsToGoal = rollout.rewards.count
            }
        }
        if untilGoal && rollout.stepsToGoal != nil { episode.cut() }
        if let ending = episode.ending { rollout.trajectory?.ending = ending }
        return step.reward
    }
}
