import Agents
public import Environments
import Episodes
public import Learning
import MuJoCo
public import Planning
import Tokenization
public import Trajectories
public import Transformer

/// A robot that a trained model moves by planning, step by step, with all that is needed to draw
/// it and what is foreseen.
///
///     let session = try LiveSession(trained, named: "hopper", in: environment, engine: .cpu)
///     let step = try session.advance()
///
/// The same loop as ``Controller``'s, but that each plan is made by itself from what happened (a
/// ``Planner``), so that the search can be changed between two steps. Belongs to one task at a time.
public final class LiveSession {
    /// What is drawn.
    public let scene: LiveScene
    /// What a user should know, a line each.
    public let notes: [String]
    /// The first moment of the present episode.
    public private(set) var start: LiveStart
    /// What happened in it, such as a dataset has it.
    public private(set) var trajectory: Trajectory
    /// How plans are searched, complete.
    public private(set) var options: PlannerOptions

    private let trained: Checkpoint
    private let initial: PlannerOptions
    private let critic: (critic: Critic, name: String)?
    private let engine: any Engine
    private let environment: any SimulatedEnvironment
    private let figure: Figure
    private var planner: Planner
    private var context: PlanningContext
    private var episode: Episode
    private var current: (plan: Plan, step: Int)?
    private var push: (force: SIMD3<Double>, steps: Int)?

    /// Sequences beside the plan whose ways are told.
    private static let mostBeams = 16

    /// Begins an episode.
    ///
    /// - Parameters:
    ///   - trained: The model, its bins and how they were made.
    ///   - name: What the model is called.
    ///   - environment: Where it acts; the session's own from now on.
    ///   - options: How to search, at first.
    ///   - critic: What the objective `q` asks, and its name.
    ///   - engine: What computes the model.
    ///   - seed: Of the first episode.
    /// - Throws: As `TrainedAgent`, and `SimulationError`.
    public init(
        _ trained: Checkpoint, named name: String, in environment: any SimulatedEnvironment,
        options: PlannerOptions = .init(.quick), critic: (critic: Critic, name: String)? = nil,
        engine: any Engine, seed: UInt64 = 0
    ) throws {
        let agent = try TrainedAgent(
            trained, named: name, options: options, critic: critic?.critic,
            criticName: critic?.name ?? "", for: environment, engine: engine)
        notes = agent.notes
        self.trained = trained
        initial = agent.controller.options
        self.critic = critic
        self.engine = engine
        self.environment = environment
        self.options = agent.controller.options
        planner = try Self.planner(
            of: trained, options: agent.controller.options, critic: critic?.critic, engine: engine)
        context = planner.context()
        figure = try Figure(of: environment)
        scene = LiveScene(
            of: environment, figure: figure, checkpoint: name,
            discount: planner.options.discount ?? 1, critic: critic?.name)
        trajectory = Trajectory(layout: environment.specification.layout)
        episode = Episode(in: environment, seed: seed)
        start = LiveStart(
            episode: 1, seed: seed, pose: figure.pose(environment.state), goal: episode.goal)
    }

    private static func planner(
        of trained: Checkpoint, options: PlannerOptions, critic: Critic?, engine: any Engine
    ) throws -> Planner {
        // How long a plan is followed is the session's matter.
        var single = options
        single.replanInterval = 1
        single.warmStart = false
        return try Planner(
            checkpoint: trained, options: single, critic: options.objective == .q ? critic : nil,
            engine: engine)
    }

    /// Whether the episode is over; ``reset(seed:)`` begins the next.
    public var isOver: Bool { episode.isOver }

    /// Where to go, in a maze.
    public var goal: [Double]? { episode.goal }

    // MARK: - Changes

    /// Begins an episode whose start and plans depend on a seed; the next one without.
    public func reset(seed: UInt64? = nil) {
        let seed = seed ?? start.seed &+ 1
        episode = Episode(in: environment, seed: seed)
        trajectory = Trajectory(layout: trajectory.layout)
        context.removeAll()
        current = nil
        push = nil
        environment.setForce(.zero, onBody: scene.root)
        start = LiveStart(
            episode: start.episode + 1, seed: seed, pose: figure.pose(environment.state),
            goal: episode.goal)
    }

    /// Searches otherwise from the next step on; nothing has changed where this throws.
    ///
    /// - Throws: `PlannerOptionsError` when the search makes no sense; ``LiveError`` when it needs
    ///   a critic and none is loaded.
    public func change(_ search: LiveCommand.Search) throws {
        var changed = options
        changed.replanInterval = search.replanInterval ?? changed.replanInterval
        changed.resize(horizon: search.horizon, beamWidth: search.beamWidth)
        if let limit = search.deadlineMilliseconds {
            changed.deadlineMilliseconds = limit == 0 ? nil : limit
        }
        if let objective = search.objective { changed.take(objective, from: initial) }
        if changed.objective == .q, critic == nil {
            throw LiveError("no critic is loaded; give one at the start")
        }
        try changed.validate()
        let next = try Self.planner(
            of: trained, options: changed, critic: critic?.critic, engine: engine)
        planner = next
        options = changed
        current = nil
    }

    /// Pushes the robot's first body with a force in newtons during the next steps.
    public func push(_ force: SIMD3<Double>, steps: Int) {
        push = steps > 0 ? (force, steps) : nil
    }

    /// Sends the robot to another place of its maze.
    ///
    /// - Throws: ``LiveError`` where there is no goal.
    public func setGoal(_ goal: [Double]) throws(LiveError) {
        guard let maze = environment as? any GoalEnvironment, goal.count == 2 else {
            throw LiveError("\(scene.environment) has no goal; a maze has")
        }
        maze.goal = goal
        current = nil
    }

    // MARK: - Steps

    /// Takes a step, planning where it is time to.
    ///
    /// - Throws: `PlanningError`; no step was taken then.
    public func advance() throws(PlanningError) -> LiveStep {
        precondition(!isOver, "a step after the end of an episode")
        let step = episode.steps
        var foreseen: LivePlan?
        if current.map({ step - $0.step >= min(options.replanInterval, $0.plan.actions.count) })
            ?? true
        {
            foreseen = try plan()
        }
        guard let (plan, since) = current else { preconditionFailure("a step without a plan") }
        let index = step - since
        let observation = episode.observation
        let action = environment.specification.clipped(plan.actions[index])
        let force = push?.force
        environment.setForce(force ?? .zero, onBody: scene.root)
        let outcome = episode.take(action)
        if let (force, steps) = push { push = steps > 1 ? (force, steps - 1) : nil }
        try context.append(observation: observation, action: action, reward: outcome.reward)
        trajectory.append(
            observation: observation.map(Float.init), action: action.map(Float.init),
            reward: Float(outcome.reward))
        trajectory.ending = episode.ending ?? .unfinished
        let discount = planner.options.discount ?? 1
        return LiveStep(
            episode: start.episode, step: episode.steps, pose: figure.pose(environment.state),
            reward: outcome.reward, totalReward: episode.totalReward,
            predictedReward: plan.rewards[index],
            predictedValue: plan.rewards[index] + discount * plan.values[index],
            ending: episode.ending?.rawValue, goal: episode.goal,
            force: force.map { [$0.x, $0.y, $0.z] }, plan: foreseen)
    }

    private func plan() throws(PlanningError) -> LivePlan {
        if !context.goalColumns.isEmpty, let goal = episode.goal { try context.setGoal(goal) }
        let plan = try planner.plan(
            context: context, observation: episode.observation,
            seed: start.seed &* 1_000_003 &+ UInt64(episode.steps))
        current = (plan, episode.steps)
        return foresight(of: plan)
    }

    /// A plan as a page draws it.
    private func foresight(of plan: Plan) -> LivePlan {
        let present = environment.state
        let layout = context.layout
        func ahead(_ observations: some Sequence<[Double]>) -> [SimulationState]? {
            // The present is known better than its bins tell.
            figure.states(
                of: [episode.observation] + observations.dropFirst(), from: present,
                stepDuration: environment.stepDuration)
        }
        let states = ahead(plan.observations)
        let others = plan.candidates.dropFirst().prefix(Self.mostBeams)
        let beams = others.flatMap { candidate in
            figure.ways(
                of: scene.tracked,
                in: ahead(
                    candidate.tokens.map {
                        let rest = planner.discretizer.decode($0[layout.observationRange])
                        return planner.conditions?.completed(rest, as: episode.observation) ?? rest
                    }) ?? [])
        }
        return LivePlan(
            step: episode.steps, horizon: plan.statistics.horizon,
            beamWidth: plan.statistics.beamWidth, milliseconds: 1000 * plan.statistics.seconds,
            rewards: plan.rewards, values: plan.values,
            poses: states.map { PackedNumbers($0.flatMap(figure.numbers)) },
            beams: states.map { _ in PackedNumbers(beams) }, beamPoints: plan.observations.count)
    }
}

extension PlannerOptions {
    /// Takes another objective, without what it has no use for and with what the others had.
    fileprivate mutating func take(_ objective: Objective, from initial: PlannerOptions) {
        self.objective = objective
        let weighs = objective != .likelihood
        likelihoodWeight = weighs ? initial.likelihoodWeight : 0
        unlikelyShare = weighs ? initial.unlikelyShare : 0
        averagedRows = weighs ? min(initial.averagedRows, max(1, beamWidth)) : 1
        if !weighs { deadlineMilliseconds = nil }
    }
}
