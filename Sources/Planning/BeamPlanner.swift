public import Tokenization
import Trajectories
public import Transformer

/// Beam search for the sequence with the largest predicted return.
///
/// Janner et al. 2021, section 3.2 and algorithm 1, in the authors' form: candidates are sampled
/// transition by transition, and after each the `beamWidth` best by discounted predicted rewards
/// and value are kept. A row is one sequence; rows that share tokens share their computation
/// (`PrefixTreeModel`).
public struct BeamPlanner {
    /// Predicts the tokens.
    public let model: any PrefixTreeModel
    /// Gives reward and value tokens their meaning.
    public let discretizer: Discretizer
    /// How to search; the discount is the one that counts.
    public let options: PlannerOptions
    /// Says what the last action of a row is worth, with the objective `q`.
    public let critic: (any TransitionCritic)?

    /// What to plan from, and by when.
    public struct Request: Sendable, Hashable {
        /// Tokens of whole past transitions, then of the current observation.
        public var context: [Int]
        /// Tokens of the goal; none for a model without goals.
        public var goal: [Int]
        /// Tokens of actions that one of the rows takes rather than sampling them: the rest of an
        /// earlier plan, which the search then improves on or keeps.
        public var suggestedActions: [[Int]] = []

        /// Plans from these tokens.
        public init(context: [Int], goal: [Int] = [], suggestedActions: [[Int]] = []) {
            self.context = context
            self.goal = goal
            self.suggestedActions = suggestedActions
        }
    }

    /// Creates a planner.
    ///
    /// - Throws: ``PlannerOptionsError`` when the options make no sense together or with the model;
    ///   ``PlanningError`` when discretizer and model do not belong together.
    public init(
        model: any PrefixTreeModel, discretizer: Discretizer, options: PlannerOptions = .init(),
        critic: (any TransitionCritic)? = nil
    ) throws {
        try options.validate(for: model)
        try options.requireCritic(critic)
        try discretizer.requireMatch(with: model)
        self.model = model
        self.discretizer = discretizer
        var complete = options
        complete.discount = options.discount ?? PlannerOptions.fallbackDiscount
        self.options = complete
        self.critic = critic
    }

    private init(_ planner: BeamPlanner, options: PlannerOptions) {
        model = planner.model
        discretizer = planner.discretizer
        critic = planner.critic
        self.options = options
    }

    /// The same search, of another size.
    func resized(_ size: SearchSize) -> BeamPlanner {
        var options = options
        options.horizon = size.horizon
        options.beamWidth = size.beamWidth
        return BeamPlanner(self, options: options)
    }

    /// Plans from past transitions and the current observation.
    ///
    /// - Parameters:
    ///   - context: Their tokens: whole transitions, then one observation.
    ///   - uniforms: Takes one number for every row of every sampling call, also where top-k leaves
    ///     no choice: calls in time order, rows in order.
    ///   - keepsCandidates: Whether the plan reports the whole last beam.
    /// - Returns: The best sequence found.
    /// - Throws: ``PlanningError`` when the context does not fit the model, the model predicts NaN,
    ///   its engine fails, or the task is cancelled.
    public func plan(
        context: [Int], uniforms: inout some UniformSource, keepsCandidates: Bool = false
    ) throws(PlanningError) -> Plan {
        var trace: BeamTrace?
        return try plan(
            context: context, uniforms: &uniforms, keepsCandidates: keepsCandidates, trace: &trace)
    }

    /// Plans, and records the search in `trace` unless that is nil.
    package func plan(
        context: [Int], uniforms: inout some UniformSource, keepsCandidates: Bool = false,
        trace: inout BeamTrace?
    ) throws(PlanningError) -> Plan {
        var sources = [uniforms]
        defer { uniforms = sources[0] }
        return try plan(
            [Request(context: context)], uniforms: &sources, keepsCandidates: keepsCandidates,
            trace: &trace)[0]
    }

    /// Plans for several situations at once, each call of the model serving all of them.
    ///
    /// A plan is the one that would be made alone: nothing of one search enters another.
    ///
    /// - Parameters:
    ///   - requests: What to plan from; contexts are equally long.
    ///   - uniforms: For each request a source as in ``plan(context:uniforms:keepsCandidates:)``.
    ///   - deadline: The search stops with the transitions it has planned, at least one, when the
    ///     next would not be planned by then; nil plans the whole horizon.
    ///   - keepsCandidates: Whether plans report the whole last beam.
    /// - Returns: The best sequence found for each request.
    /// - Throws: ``PlanningError`` when a request does not fit the model or another one's length, a
    ///   goal is missing or the model has none, the model predicts NaN, its engine fails, or the
    ///   task is cancelled.
    public func plan(
        _ requests: [Request], uniforms: inout [some UniformSource],
        deadline: ContinuousClock.Instant? = nil, keepsCandidates: Bool = false
    ) throws(PlanningError) -> [Plan] {
        var trace: BeamTrace?
        return try plan(
            requests, uniforms: &uniforms, deadline: deadline, keepsCandidates: keepsCandidates,
            trace: &trace)
    }

    private func plan(
        _ requests: [Request], uniforms: inout [some UniformSource],
        deadline: ContinuousClock.Instant? = nil, keepsCandidates: Bool, trace: inout BeamTrace?
    ) throws(PlanningError) -> [Plan] {
        precondition(requests.count == uniforms.count, "a source of uniforms for each request")
        guard !requests.isEmpty else { return [] }
        for request in requests {
            try model.requireContext(request.context)
            try model.requireGoal(request.goal)
            for action in request.suggestedActions {
                guard action.count == model.layout.actionDimension else {
                    throw .input(
                        "a suggested action has \(action.count) tokens, where "
                            + "\(model.layout.actionDimension) are expected")
                }
                try model.requireTokens(action)
            }
            guard request.context.count == requests[0].context.count else {
                throw .input("contexts planned from together are of different lengths")
            }
        }
        var search = try BeamSearch(planner: self, requests: requests)
        search.trace = trace
        defer { trace = search.trace }
        for step in 0..<options.horizon {
            search.expand()
            try search.sample(
                model.layout.actionRange.lowerBound..<(model.layout.valueIndex + 1), &uniforms)
            try search.keepBest()
            guard step < options.horizon - 1, search.hasTime(until: deadline) else { break }
            try search.sample(model.layout.observationRange, &uniforms)
            search.recordObservation()
        }
        return search.bestPlans(keepsCandidates: keepsCandidates)
    }
}
