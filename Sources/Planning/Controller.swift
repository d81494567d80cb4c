public import Tokenization
import Trajectories
public import Transformer

/// Acts in an environment by planning: keeps the past, plans, and follows the plan.
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

    private enum Planner {
        case expectedReturn(BeamPlanner)
        case likelihood(LikelihoodPlanner)
    }

    /// How to search, and for how long to follow a plan.
    public let options: PlannerOptions
    /// What the planner sees of the past.
    public private(set) var context: PlanningContext
    private let planner: Planner
    private let actionLimits: [ClosedRange<Double>]
    private var uniforms = SeededUniforms(seed: 0)
    /// Chooses the size of searches under a deadline; nil without one.
    private var pacer: SearchPacer?
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
    ///   - options: How to search.
    ///   - critic: What the objective `q` asks; no other does.
    /// - Throws: ``PlannerOptionsError`` when the options make no sense together or with the model;
    ///   ``PlanningError`` when model, discretizer, limits and goal columns do not belong together.
    public init(
        model: any PrefixTreeModel, discretizer: Discretizer, actionLimits: [ClosedRange<Double>],
        goalColumns: [Int] = [], options: PlannerOptions = .init(),
        critic: (any TransitionCritic)? = nil
    ) throws {
        guard actionLimits.count == model.layout.actionDimension else {
            throw PlanningError(
                code: .mismatch,
                detail: "the environment has \(actionLimits.count) action dimensions, the model "
                    + "\(model.layout.actionDimension); use a model trained for this environment")
        }
        planner =
            switch options.objective {
            case .expectedReturn, .q:
                .expectedReturn(
                    try BeamPlanner(
                        model: model, discretizer: discretizer, options: options, critic: critic))
            case .likelihood:
                .likelihood(
                    try LikelihoodPlanner(model: model, discretizer: discretizer, options: options))
            }
        try model.requireGoalColumns(goalColumns)
        self.options = options
        self.actionLimits = actionLimits
        context = PlanningContext(
            layout: model.layout, discretizer: discretizer, limit: options.contextTransitions,
            goalColumns: goalColumns)
        pacer = options.deadlineMilliseconds.map {
            SearchPacer(
                largest: SearchSize(horizon: options.horizon, beamWidth: options.beamWidth),
                limit: $0 / 1000)
        }
    }

    /// Says what to reach from now on: values for the goal columns; a plan being followed ends.
    public mutating func setGoal(_ values: [Double]) {
        let previous = context.goal
        context.setGoal(values)
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
    /// - Throws: ``PlanningError`` when the goal of a goal-conditioned model is not set, the model
    ///   predicts NaN, or the task is cancelled.
    public mutating func act(on observation: [Double]) throws(PlanningError) -> Decision {
        var controllers = [self]
        defer { self = controllers[0] }
        return try Controller.act(&controllers, on: [observation])[0]
    }

    /// Decides for several episodes at once; those that plan share every call of the model.
    ///
    /// The controllers have the same model and options. Each decides as it would alone.
    ///
    /// - Throws: ``PlanningError`` when the goal of a goal-conditioned model is not set, the model
    ///   predicts NaN, or the task is cancelled.
    public static func act(
        _ controllers: inout [Controller], on observations: [[Double]]
    ) throws(PlanningError) -> [Decision] {
        precondition(controllers.count == observations.count, "an observation for each controller")
        precondition(
            controllers.allSatisfy { $0.current == nil },
            "the reward of the previous action has not been received")
        var plans = Array<Plan?>(repeating: nil, count: controllers.count)
        // Early in an episode there is less past: only equally long contexts go together.
        let waiting = controllers.indices.filter { controllers[$0].actions.isEmpty }
        let groups = Dictionary(grouping: waiting) { controllers[$0].context.transitions.count }
        for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
            for (index, plan) in zip(group, try plan(&controllers, group, observations)) {
                plans[index] = plan
                controllers[index].follow(plan)
            }
        }
        return controllers.indices.map { index in
            let action = zip(
                controllers[index].actions.removeFirst(), controllers[index].actionLimits
            ).map { min(max($0, $1.lowerBound), $1.upperBound) }
            controllers[index].current = (observations[index], action)
            return Decision(action: action, plan: plans[index])
        }
    }

    /// Takes note of what the last action brought.
    public mutating func receive(reward: Double) {
        guard let (observation, action) = current else {
            preconditionFailure("a reward without an action before it")
        }
        context.append(observation: observation, action: action, reward: reward)
        remainder = remainder.dropFirst()
        current = nil
    }

    private mutating func follow(_ plan: Plan) {
        actions = plan.actions.prefix(options.replanInterval)
        if options.warmStart {
            remainder = plan.tokens.map { Array($0[context.layout.actionRange]) }[...]
        }
    }

    /// The plans of the controllers `group`, whose contexts are equally long.
    private static func plan(
        _ controllers: inout [Controller], _ group: [Int], _ observations: [[Double]]
    ) throws(PlanningError) -> [Plan] {
        let contexts = group.map { controllers[$0].context.tokens(before: observations[$0]) }
        let goals = group.map { controllers[$0].context.goal }
        switch controllers[group[0]].planner {
        case .likelihood(let planner):
            var plans: [Plan] = []
            for (context, goal) in zip(contexts, goals) {
                plans.append(try planner.plan(context: context, goal: goal))
            }
            return plans
        case .expectedReturn(let planner):
            let requests = group.indices.map {
                BeamPlanner.Request(
                    context: contexts[$0], goal: goals[$0],
                    suggestedActions: Array(controllers[group[$0]].remainder))
            }
            var uniforms = group.map { controllers[$0].uniforms }
            defer {
                for (index, source) in zip(group, uniforms) { controllers[index].uniforms = source }
            }
            guard var pacer = controllers[group[0]].pacer else {
                return try planner.plan(requests, uniforms: &uniforms)
            }
            let plans = try planner.plan(requests, uniforms: &uniforms, pacer: &pacer)
            for index in group { controllers[index].pacer = pacer }
            return plans
        }
    }
}

extension BeamPlanner {
    /// Plans within the pacer's limit, as large as that allows.
    fileprivate func plan(
        _ requests: [Request], uniforms: inout [SeededUniforms], pacer: inout SearchPacer
    ) throws(PlanningError) -> [Plan] {
        var planner = self
        func search(
            _ size: SearchSize, _ uniforms: inout [SeededUniforms],
            deadline: ContinuousClock.Instant? = nil
        ) throws(PlanningError) -> [Plan] {
            planner.options.horizon = size.horizon
            planner.options.beamWidth = size.beamWidth
            return try planner.plan(requests, uniforms: &uniforms, deadline: deadline)
        }
        if !pacer.hasMeasured {
            // Twice: the first search also makes room in memory.
            for _ in 0..<2 {
                var trial = uniforms
                let seconds = try search(pacer.ladder[0], &trial)[0].statistics.seconds
                pacer.record(pacer.ladder[0], seconds: seconds)
            }
        }
        let size = pacer.size
        let plans = try search(size, &uniforms, deadline: .now + .seconds(pacer.limit))
        if plans[0].statistics.horizon == size.horizon {
            pacer.record(size, seconds: plans[0].statistics.seconds)
        } else {
            pacer.recordLate(size)
        }
        return plans
    }
}
