import Synchronization
public import Tokenization
public import Trajectories
public import Transformer

/// Plans for a program: a trained model in, plans out, from any number of threads.
///
///     let planner = try Planner(checkpoint: Checkpoint(directory: folder), engine: .cpu)
///     var context = planner.context()
///     let plan = try planner.plan(context: context, observation: observation)
///     // take plan.actions[0], then:
///     try context.append(observation: observation, action: plan.actions[0], reward: reward)
///
/// A model that was trained to reach goals (``goalColumns``) also needs one:
/// `try context.setGoal([x, y])`.
///
/// A plan depends on what it is asked for alone, and under a deadline on the machine's speed.
/// Searches on several threads take turns at the engine, call by call; cancelling the task that
/// plans ends its search with ``PlanningError/Code-swift.enum/cancelled``. ``Controller`` is the
/// closed loop made of this.
public final class Planner: Sendable {
    /// What to plan from.
    public struct Situation: Sendable {
        /// What happened before.
        public var context: PlanningContext
        /// What is observed now.
        public var observation: [Double]
        /// Decides on whatever is sampled.
        public var seed: UInt64

        /// A situation; see the properties.
        public init(context: PlanningContext, observation: [Double], seed: UInt64 = 0) {
            self.context = context
            self.observation = observation
            self.seed = seed
        }
    }

    /// How to search, complete: the discount is the one that counts.
    public let options: PlannerOptions
    /// Gives tokens their meaning.
    public let discretizer: Discretizer
    /// The model that predicts.
    public let model: TrajectoryTransformer
    /// Says what actions are worth, with the objective `q`.
    public let critic: (any TransitionCritic)?
    /// Columns of the observation that a goal gives values for; empty for a model without goals.
    public let goalColumns: [Int]

    /// What of an observation holds for a whole episode; nil where nothing does.
    public let conditions: Conditions?
    /// Which column is which in what is observed: the model's layout with the ``conditions``.
    public var observedLayout: TransitionLayout {
        model.configuration.layout.withObservationColumns(conditions?.columns.count ?? 0)
    }

    private let engine: any Engine
    /// Searches that nobody uses at the moment, each with a decoder and what it knows of its speed.
    private let idle = Mutex<[Lent]>([])

    /// A search on its way between threads: never in use by two.
    private struct Lent: @unchecked Sendable {
        var search: PacedSearch
    }

    /// A planner of a trained model: goal columns are the checkpoint's, and so is the discount,
    /// unless the options have another.
    ///
    /// - Parameters:
    ///   - checkpoint: The model, its bins and how tokens were made.
    ///   - options: How to search.
    ///   - critic: What the objective `q` asks; no other does.
    ///   - engine: What computes, such as `.cpu`.
    /// - Throws: ``PlannerOptionsError`` when the options make no sense together or with the model,
    ///   or are a ``Controller``'s; ``PlanningError`` when the checkpoint's parts do not belong
    ///   together or the engine fails.
    public convenience init(
        checkpoint: Checkpoint, options: PlannerOptions = .init(),
        critic: (any TransitionCritic)? = nil, engine: some Engine
    ) throws {
        var options = try options.fitted(toWindowOf: checkpoint.windowTransitions)
        options.discount = options.discount ?? checkpoint.description.tokenization.discount
        try self.init(
            model: checkpoint.model, discretizer: checkpoint.discretizer(readAsBy: options),
            goalColumns: checkpoint.goalColumns, conditions: checkpoint.conditions,
            options: options, critic: critic, engine: engine)
    }

    /// A planner of a model without checkpoint.
    ///
    /// - Parameters:
    ///   - model: Predicts the tokens.
    ///   - discretizer: The one that the model was trained with.
    ///   - goalColumns: Those that the model was trained with; none for a model without goals.
    ///   - conditions: Those that the model was trained with.
    ///   - options: How to search.
    ///   - critic: What the objective `q` asks; no other does.
    ///   - engine: What computes, such as `.cpu`.
    /// - Throws: As ``init(checkpoint:options:critic:engine:)``.
    public init(
        model: TrajectoryTransformer, discretizer: Discretizer, goalColumns: [Int] = [],
        conditions: Conditions? = nil, options: PlannerOptions = .init(),
        critic: (any TransitionCritic)? = nil, engine: some Engine
    ) throws {
        try options.requireSinglePlans()
        let decoder: any PrefixTreeModel
        do { decoder = try engine.decoder(model) } catch { throw PlanningError(error) }
        try decoder.requirePrefix(goalColumns, conditions, critic: critic)
        let search = PacedSearch(
            try Search(
                model: decoder, discretizer: discretizer, conditions: conditions,
                options: options, critic: critic))
        self.model = model
        self.discretizer = discretizer
        self.goalColumns = goalColumns
        self.conditions = try options.asked(of: conditions)
        self.options = search.options
        self.critic = critic
        self.engine = engine
        idle.withLock { $0.append(Lent(search: search)) }
    }

    /// An empty past of the length that plans see.
    public func context() -> PlanningContext {
        PlanningContext(
            layout: model.configuration.layout, discretizer: discretizer,
            limit: options.contextTransitions, goalColumns: goalColumns, conditions: conditions)
    }

    /// Plans from the past and the present observation.
    ///
    /// - Parameters:
    ///   - context: What happened before.
    ///   - observation: What is observed now.
    ///   - seed: Decides on whatever is sampled.
    /// - Returns: The best sequence found: actions, predicted observations, rewards and values of
    ///   the planned transitions, the first of which is the present one, and the beam's candidates.
    /// - Throws: ``PlanningError`` when the observation is not the model's or not finite, the goal
    ///   of a goal-conditioned model is not set, the model predicts NaN, the engine fails, or the
    ///   task is cancelled.
    public func plan(
        context: PlanningContext, observation: [Double], seed: UInt64 = 0
    ) throws(PlanningError) -> Plan {
        try plan([Situation(context: context, observation: observation, seed: seed)])[0]
    }

    /// Plans for several situations at once, each call of the model serving all that it can.
    ///
    /// Each plan is the one that would be made alone. A deadline is that of all together.
    ///
    /// - Returns: A plan for each situation.
    /// - Throws: As ``plan(context:observation:seed:)``; a fault of one situation is one of all.
    public func plan(_ situations: [Situation]) throws(PlanningError) -> [Plan] {
        var requests: [BeamPlanner.Request] = []
        for situation in situations {
            let context = situation.context
            guard context.discretizer == discretizer, context.goalColumns == goalColumns,
                context.conditions == conditions
            else {
                throw PlanningError(
                    code: .mismatch,
                    detail: "a context was made for another model; begin with this planner's own")
            }
            requests.append(
                BeamPlanner.Request(
                    context: try context.tokens(before: situation.observation),
                    goal: try context.prefix(before: situation.observation)))
        }
        var uniforms = situations.map { SeededUniforms(seed: $0.seed) }
        var lent = try borrow()
        do {
            let plans = try lent.search.plan(requests, uniforms: &uniforms, keepsCandidates: true)
            giveBack(lent)
            return zip(situations, plans).map {
                $0.context.completed($1, from: $0.observation)
            }
        } catch {
            // After a device failed its decoder is of no more use.
            if error.code != .engine { giveBack(lent) }
            throw error
        }
    }

    private func giveBack(_ lent: Lent) {
        idle.withLock { $0.append(lent) }
    }

    private func borrow() throws(PlanningError) -> Lent {
        if let lent = idle.withLock({ $0.popLast() }) { return lent }
        do {
            return Lent(
                search: PacedSearch(
                    try Search(
                        model: try engine.decoder(model), discretizer: discretizer,
                        conditions: conditions, options: options, critic: critic)))
        } catch let error as EngineError {
            throw PlanningError(error)
        } catch {
            preconditionFailure("options that were checked are refused: \(error)")
        }
    }
}

extension PlannerOptions {
    /// Refuses what takes more than one plan.
    fileprivate func requireSinglePlans() throws(PlannerOptionsError) {
        let remedy = "leave it out, or act with a Controller: a Planner makes each plan by itself"
        guard !warmStart else { throw PlannerOptionsError("warmStart", "true", remedy) }
        guard replanInterval == 1 else {
            throw PlannerOptionsError("replanInterval", "\(replanInterval)", remedy)
        }
    }
}
