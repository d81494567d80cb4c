public import Tokenization
import Trajectories

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
    private var actions: ArraySlice<[Double]> = []
    private var current: (observation: [Double], action: [Double])?

    /// Creates a controller.
    ///
    /// - Parameters:
    ///   - model: Predicts the tokens.
    ///   - discretizer: The one that the model was trained with.
    ///   - actionLimits: Lower and upper limit of each action dimension, to which actions are
    ///     clipped.
    ///   - options: How to search.
    /// - Throws: ``PlannerOptionsError`` when the options make no sense together or with the model;
    ///   ``PlanningError`` when model, discretizer and limits do not belong together.
    public init(
        model: any PrefixTreeModel, discretizer: Discretizer, actionLimits: [ClosedRange<Double>],
        options: PlannerOptions = .init()
    ) throws {
        guard actionLimits.count == model.layout.actionDimension else {
            throw PlanningError(
                code: .mismatch,
                detail: "the environment has \(actionLimits.count) action dimensions, the model "
                    + "\(model.layout.actionDimension); use a model trained for this environment")
        }
        planner =
            switch options.objective {
            case .expectedReturn:
                .expectedReturn(
                    try BeamPlanner(model: model, discretizer: discretizer, options: options))
            case .likelihood:
                .likelihood(
                    try LikelihoodPlanner(model: model, discretizer: discretizer, options: options))
            }
        self.options = options
        self.actionLimits = actionLimits
        context = PlanningContext(
            layout: model.layout, discretizer: discretizer, limit: options.contextTransitions)
    }

    /// Starts an episode: forgets the past and the plan; the plans to come depend on `seed` and on
    /// what is observed alone.
    public mutating func reset(seed: UInt64) {
        context.removeAll()
        uniforms = SeededUniforms(seed: seed)
        actions = []
        current = nil
    }

    /// Decides on the action for an observation, planning if it is time to.
    ///
    /// - Throws: ``PlanningError`` when the model predicts NaN.
    public mutating func act(on observation: [Double]) throws(PlanningError) -> Decision {
        precondition(current == nil, "the reward of the previous action has not been received")
        var made: Plan?
        if actions.isEmpty {
            let plan = try plan(from: context.tokens(before: observation))
            actions = plan.actions.prefix(options.replanInterval)
            made = plan
        }
        let action = zip(actions.removeFirst(), actionLimits).map {
            min(max($0, $1.lowerBound), $1.upperBound)
        }
        current = (observation, action)
        return Decision(action: action, plan: made)
    }

    /// Takes note of what the last action brought.
    public mutating func receive(reward: Double) {
        guard let (observation, action) = current else {
            preconditionFailure("a reward without an action before it")
        }
        context.append(observation: observation, action: action, reward: reward)
        current = nil
    }

    private mutating func plan(from tokens: [Int]) throws(PlanningError) -> Plan {
        switch planner {
        case .expectedReturn(let planner):
            try planner.plan(context: tokens, uniforms: &uniforms)
        case .likelihood(let planner):
            try planner.plan(context: tokens)
        }
    }
}
