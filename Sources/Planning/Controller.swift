public import Tokenization
import Trajectories
public import Transformer

/// Acts in an environment by planning: keeps the past, plans, and follows the plan.
///
///     var controller = try Controller(
///         model: CPUEngine.cpu.decoder(trained.model), discretizer: trained.discretizer,
///         actionLimits: limits, goalColumns: trained.goalColumns)
///     controller.reset(seed: 0)
///     let decision = try controller.act(on: observation)
///     // take decision.action, then:
///     try controller.receive(reward: reward)
///
/// A step is ``act(on:)`` with the observation, then ``receive(reward:)`` with what the action
/// brought. Holds a model with its tree, so it belongs to one task at a time.
public struct Controller {
    /// What to do now, and the plan behind it.
    public struct Decision: Sendable, Hashable {
        /// The action, within the limits.
        public var action: [Double]
        /// The plan, if one was made in this step rather than followed from an earlier one.
        public var plan: Plan?

        /// Creates a decision.
        public init(action: [Double], plan: Plan? = nil) {
            self.action = action
            self.plan = plan
        }
    }

    /// How to search, and for how long to follow a plan; the discount is the one that counts.
    public var options: PlannerOptions { search.options }
    /// What the planner sees of the past.
    public private(set) var context: PlanningContext
    private var search: PacedSearch
    private let actionLimits: [ClosedRange<Double>]
    private var uniforms = SeededUniforms(seed: 0)
    private var actions: ArraySlice<[Double]> = []
    /// Action tokens of the last plan that lie ahead.
    private var remainder: ArraySlice<[Int]> = []
    private var current: (observation: [Double], action: [Double])?

    /// Creates a controller.
    ///
    /// - Parameters:
    ///   - model: Predicts the tokens.
    ///   - discretizer: The one that the model was trained with.
    ///   - actionLimits: Lower and upper limit of each action dimension, to which actions are
    ///     clipped.
    ///   - goalColumns: Columns of the observation that a goal gives values for, as the model was
    ///     trained; none for a model without goals.
    ///   - conditions: What of an observation holds for a whole episode, as the model was trained.
    ///   - options: How to search.
    ///   - critic: What the objective `q` asks; no other does.
    /// - Throws: ``PlannerOptionsError`` when the options make no sense together or with the model;
    ///   ``PlanningError`` when model, discretizer, limits and goal columns do not belong together.
    public init(
        model: any PrefixTreeModel, discretizer: Discretizer, actionLimits: [ClosedRange<Double>],
        goalColumns: [Int] = [], conditions: Conditions? = nil,
        options: PlannerOptions = .init(),
        critic: (any TransitionCritic)? = nil
    ) throws {
        guard actionLimits.count == model.layout.actionDimension else {
            throw PlanningError(
                code: .mismatch,
                detail: "the environment has \(actionLimits.count) action dimensions, the model "
                    + "\(model.layout.actionDimension); use a model trained for this environment")
        }
        search = PacedSearch(
            try Search(
                model: model, discretizer: discretizer, conditions: conditions, options: options,
                critic: critic))
        try model.requirePrefix(goalColumns, conditions, critic: critic)
        self.actionLimits = actionLimits
        context = PlanningContext(
            layout: model.layout, discretizer: discretizer,
            limit: options.contextTransitions,
            goalColumns: goalColumns, conditions: try options.asked(of: conditions))
    }

    /// Says what to reach from now on: values for the goal columns; a plan being followed ends.
    ///
    /// - Throws: ``PlanningError`` when these are not as many finite numbers.
    public mutating func setGoal(_ values: [Double]) throws(PlanningError) {
        let previous = context.goal
        try context.setGoal(values)
        guard context.goal != previous else { return }
        actions = []
        remainder = []
    }

    /// Starts an episode: forgets the past and the plan, not the goal; the plans to come depend on
    /// `seed`, the goal and what is observed alone (and, under a deadline, on the machine's speed).
    public mutating func reset(seed: UInt64) {
        context.removeAll()
        uniforms = SeededUniforms(seed: seed)
        actions = []
        remainder = []
        current = nil
    }

    /// Decides on the action for an observation, planning if it is time to.
    ///
    /// - Throws: ``PlanningError`` when an observation is not the model's or not finite, the goal
    ///   of a goal-conditioned model is not set, the model predicts NaN, the engine fails, or the
    ///   task is cancelled. Nothing has been decided then.
    public mutating func act(on observation: [Double]) throws(PlanningError) -> Decision {
        var controllers = [self]
        defer { self = controllers[0] }
        return try Controller.act(&controllers, on: [observation])[0]
    }

    /// Decides for several episodes at once; those that plan share every call of the model.
    ///
    /// The controllers have the same model and options. Each decides as it would alone.
    ///
    /// - Throws: ``PlanningError`` when an observation is not the model's or not finite, the goal
    ///   of a goal-conditioned model is not set, the model predicts NaN, the engine fails, or the
    ///   task is cancelled. Nothing has been decided then.
    public static func act(
        _ controllers: inout [Controller], on observations: [[Double]]
    ) throws(PlanningError) -> [Decision] {
        precondition(controllers.count == observations.count, "an observation for each controller")
        precondition(
            controllers.allSatisfy { $0.current == nil },
            "the reward of the previous action has not been received")
        for (controller, observation) in zip(controllers, observations) {
            try controller.context.requireObservation(observation)
        }
        let plans = try plan(&controllers, on: observations)
        return controllers.indices.map { index in
            let action = controllers[index].actionLimits.clamp(
                controllers[index].actions.removeFirst())
            controllers[index].current = (observations[index], action)
            return Decision(action: action, plan: plans[index])
        }
    }

    /// Plans for the controllers that have no plan to follow, with the first one's model.
    private static func plan(
        _ controllers: inout [Controller], on observations: [[Double]]
    ) throws(PlanningError) -> [Int: Plan] {
        for index in controllers.indices
        where controllers[index].isElsewhere(observations[index]) {
            // Another episode, of which nobody told: the plan was made under other conditions.
            controllers[index].actions = []
            controllers[index].remainder = []
        }
        let waiting = controllers.indices.filter { controllers[$0].actions.isEmpty }
        guard let first = waiting.first else { return [:] }
        var requests: [BeamPlanner.Request] = []
        for index in waiting {
            let context = controllers[index].context
            requests.append(
                BeamPlanner.Request(
                    context: try context.tokens(before: observations[index]),
                    goal: try context.prefix(before: observations[index]),
                    suggestedActions: Array(controllers[index].remainder)))
        }
        var uniforms = waiting.map { controllers[$0].uniforms }
        var search = controllers[first].search
        let found = try search.plan(requests, uniforms: &uniforms)
        var plans: [Int: Plan] = [:]
        for (place, index) in waiting.enumerated() {
            controllers[index].uniforms = uniforms[place]
            controllers[index].search.keepPace(of: search)
            controllers[index].follow(found[place])
            plans[index] = controllers[index].context.completed(
                found[place], from: observations[index])
        }
        return plans
    }

    /// Takes note of what the last action brought.
    ///
    /// - Throws: ``PlanningError`` when the reward is not finite.
    public mutating func receive(reward: Double) throws(PlanningError) {
        guard let (observation, action) = current else {
            preconditionFailure("a reward without an action before it")
        }
        try context.append(observation: observation, action: action, reward: reward)
        remainder = remainder.dropFirst()
        current = nil
    }

    /// Whether what holds for a whole episode is no longer what it was.
    private func isElsewhere(_ observation: [Double]) -> Bool {
        !context.transitions.isEmpty && !context.holds(for: observation)
    }

    private mutating func follow(_ plan: Plan) {
        actions = plan.actions.prefix(options.replanInterval)
        if options.warmStart {
            remainder = plan.tokens.map { Array($0[context.layout.actionRange]) }[...]
        }
    }
}
