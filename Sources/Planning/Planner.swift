internal import Synchronization
public import Tokenization
import Trajectories
public import Transformer

/// Plans for a program: a trained model in, plans out, from any number of threads.
///
///     let planner = try Planner(model: trained.model, discretizer: trained.discretizer)
///     var context = planner.context()
///     let plan = try planner.plan(context: context, observation: observation)
///     // take plan.actions[0], then:
///     context.append(observation: observation, action: plan.actions[0], reward: reward)
///
/// A model that was trained to reach goals (`goalColumns` of its checkpoint) also needs one:
/// `context.setGoal([x, y])`.
///
/// A plan depends on what it is asked for alone. Searches on several threads take turns at the
/// processor's cores, call by call; cancelling the task that plans ends its search with
/// ``PlanningError/Code-swift.enum/cancelled``. ``Controller`` is the closed loop made of this.
public final class Planner: Sendable {
    /// How to search; a deadline and following a plan for several steps are a ``Controller``'s.
    public let options: PlannerOptions
    /// Gives tokens their meaning.
    public let discretizer: Discretizer
    /// The model that predicts.
    public let model: TrajectoryTransformer
    /// Says what actions are worth, with the objective `q`.
    public let critic: (any TransitionCritic)?

    /// Columns of the observation that a goal gives values for; empty for a model without goals.
    public let goalColumns: [Int]

    /// Decoders that no search uses at the moment.
    private let idle = Mutex<[Lent]>([])
    private let engine: any Engine

    /// A decoder on its way between searches: never in use by two.
    private struct Lent: @unchecked Sendable {
        let decoder: any PrefixTreeModel
    }

    /// Creates a planner that computes on all cores.
    ///
    /// - Parameters:
    ///   - model: Predicts the tokens.
    ///   - discretizer: The one that the model was trained with.
    ///   - goalColumns: Those that the model was trained with; none for a model without goals.
    ///   - options: How to search.
    ///   - critic: What the objective `q` asks; no other does.
    /// - Throws: ``PlannerOptionsError`` when the options make no sense together or with the model;
    ///   ``PlanningError`` when discretizer, goal columns and model do not belong together.
    public init(
        model: TrajectoryTransformer, discretizer: Discretizer, goalColumns: [Int] = [],
        options: PlannerOptions = .init(), critic: (any TransitionCritic)? = nil,
        engine: some Engine
    ) throws {
        self.engine = engine
        self.model = model
        self.goalColumns = goalColumns
        self.discretizer = discretizer
        self.options = options
        self.critic = critic
        try options.requireCritic(critic)
        let decoder = try engine.decoder(model)
        try options.validate(for: decoder)
        try discretizer.requireMatch(with: decoder)
        try decoder.requireGoalColumns(goalColumns)
        idle.withLock { $0.append(Lent(decoder: decoder)) }
    }

    /// An empty past of the length that plans see.
    public func context() -> PlanningContext {
        PlanningContext(
            layout: model.configuration.layout, discretizer: discretizer,
            limit: options.contextTransitions, goalColumns: goalColumns)
    }

    /// Plans from the past and the present observation.
    ///
    /// - Parameters:
    ///   - context: What happened before.
    ///   - observation: What is observed now.
    ///   - seed: Decides on whatever is sampled.
    /// - Returns: The best sequence found: actions, predicted observations, rewards and values of the
    ///   planned transitions, the first of which is the present one, and the beam's candidates.
    /// - Throws: ``PlanningError`` when the goal of a goal-conditioned model is not set, the model
    ///   predicts NaN, or the task is cancelled.
    public func plan(
        context: PlanningContext, observation: [Double], seed: UInt64 = 0
    ) throws(PlanningError) -> Plan {
        let idleDecoder = idle.withLock { $0.popLast() }
        let lent = if let idleDecoder { idleDecoder } else { try makeDecoder() }
        defer { idle.withLock { $0.append(lent) } }
        let tokens = context.tokens(before: observation)
        do {
            switch options.objective {
            case .expectedReturn, .q:
                var sources = [SeededUniforms(seed: seed)]
                return try BeamPlanner(
                    model: lent.decoder, discretizer: discretizer, options: options, critic: critic
                ).plan(
                    [BeamPlanner.Request(context: tokens, goal: context.goal)],
                    uniforms: &sources, keepsCandidates: true)[0]
            case .likelihood:
                return try LikelihoodPlanner(
                    model: lent.decoder, discretizer: discretizer, options: options
                ).plan(context: tokens, goal: context.goal, keepsCandidates: true)
            }
        } catch let error as PlanningError {
            throw error
        } catch {
            preconditionFailure("options that were checked are refused: \(error)")
        }
    }

    private func makeDecoder() throws(PlanningError) -> Lent {
        do { return Lent(decoder: try engine.decoder(model)) } catch { throw PlanningError(error) }
    }
}
