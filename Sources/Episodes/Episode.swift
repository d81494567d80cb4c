public import Trajectories

/// One episode of an environment, step by step: the closed loop that collecting, scoring, searching
/// and evaluating share.
///
///     var episode = Episode(in: environment, seed: 3)
///     while !episode.isOver {
///         episode.take(policy.action(for: episode.observation, using: &generator))
///     }
///     print(episode.totalReward, episode.ending)
public struct Episode {
    /// Where it happens.
    public let environment: any Environment
    /// What is to be acted on next; where the episode is over, the last that was observed.
    public private(set) var observation: [Double]
    /// Steps taken.
    public private(set) var steps = 0
    /// Sum of the rewards, undiscounted.
    public private(set) var totalReward = 0.0
    /// How it ended; nil while it goes on.
    public private(set) var ending: Trajectory.Ending?
    /// Steps after which it is cut.
    public let maximumSteps: Int

    private let goalEnvironment: (any GoalEnvironment)?

    /// Starts an episode whose start depends on `seed` alone; `maximumSteps` cuts it earlier than
    /// the environment's own limit.
    public init(in environment: any Environment, seed: UInt64, maximumSteps: Int? = nil) {
        self.init(
            in: environment, from: environment.reset(seed: seed), maximumSteps: maximumSteps)
    }

    /// An episode of an environment that was just reset and observed `observation`.
    public init(
        in environment: any Environment, from observation: [Double], maximumSteps: Int? = nil
    ) {
        self.environment = environment
        self.observation = observation
        let limit = environment.specification.maximumEpisodeSteps
        self.maximumSteps = min(maximumSteps ?? limit, limit)
        goalEnvironment = environment as? any GoalEnvironment
    }

    /// Whether a step may no longer be taken.
    public var isOver: Bool { ending != nil }
    /// Where to go, in an environment with a goal.
    public var goal: [Double]? { goalEnvironment?.goal }

    /// Takes a step; returns what came of it.
    ///
    /// A terminal state ends the episode, and otherwise the last step that the limit allows.
    @discardableResult
    public mutating func take(_ action: [Double]) -> EnvironmentStep {
        precondition(!isOver, "a step after the end of an episode")
        let step = environment.step(action)
        steps += 1
        totalReward += step.reward
        observation = step.observation
        if step.isTerminated {
            ending = .terminal
        } else if steps >= maximumSteps {
            ending = .timeout
        }
        return step
    }

    /// Ends the episode from outside, as by a limit: the environment would have gone on.
    public mutating func cut() {
        if ending == nil { ending = .timeout }
    }
}

extension Trajectory {
    /// An action, and the logarithm of its density where it was drawn.
    package typealias Decision = (action: [Double], logProbability: Double?)

    /// Acts from the episode's start to its end, and logs it.
    ///
    /// `act` decides on actions, which are rounded to `Float` before they are taken, so that what
    /// is logged is what was done; `arrive` sees every later observation but the last, and says
    /// whether to go on. What the environment tells of its state before each action is kept, and the
    /// logarithm of each action's density where `decide` says it.
    package init(
        of episode: consuming Episode, decide: ([Double]) -> Decision,
        arrive: ([Double]) -> Bool = { _ in true }
    ) {
        self.init(layout: episode.environment.specification.layout)
        while !episode.isOver {
            let observation = episode.observation
            var infos = episode.environment.infos
            let decision = decide(observation)
            infos["action_log_probs"] = decision.logProbability.map { [$0] }
            let action = decision.action.map(Float.init)
            let step = episode.take(action.map(Double.init))
            append(
                observation: observation.map(Float.init), action: action,
                reward: Float(step.reward), infos: infos.mapValues { $0.map(Float.init) })
            if !episode.isOver, !arrive(episode.observation) { episode.cut() }
        }
        ending = episode.ending ?? .unfinished
        finalObservation = episode.observation.map(Float.init)
    }

    /// Acts and logs as ``init(of:decide:arrive:)`` does, where no density is known.
    package init(
        of episode: consuming Episode, act: ([Double]) -> [Double],
        arrive: ([Double]) -> Bool = { _ in true }
    ) {
        self.init(of: episode, decide: { (act($0), nil) }, arrive: arrive)
    }
}
