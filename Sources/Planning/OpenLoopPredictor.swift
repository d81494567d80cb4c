import RandomNumbers
public import Tokenization
import Trajectories
public import Transformer

/// Predicts a trajectory from its beginning, feeding predictions back in, without looking at what
/// really happens.
///
/// Observations and rewards are sampled from the model; actions are given, or sampled as well.
/// Janner et al. 2021, section 4.1 and figure 2 ("trajectory predictions").
public struct OpenLoopPredictor {
    /// How predictions are made.
    public struct Options: Sendable, Hashable {
        /// Transitions that the model sees: 2 leave it the last one alone, beside the one that is
        /// being predicted, which makes the model Markovian.
        public var contextTransitions: Int
        /// Which tokens are sampled; the default changes nothing.
        public var filter = TokenFilter()
        /// Predictions made of each trajectory.
        public var samples = 8
        /// Fixes what is drawn.
        public var seed: UInt64 = 0
        /// The probability with which the model does not see a number that it has predicted, as it
        /// did not see those of its data; for models with a token for hidden numbers.
        public var hidden = 0.0

        /// Defaults, with a context of this many transitions.
        public init(contextTransitions: Int) {
            self.contextTransitions = contextTransitions
        }
    }

    /// A trajectory to be predicted: how it begins, and which actions follow.
    public struct Beginning: Sendable, Hashable {
        /// What happened before, and the present observation, as tokens (``PlanningContext``).
        public var context: [Int]
        /// The actions from the present observation on, one for each predicted step; nil samples
        /// them.
        public var actions: [[Double]]?

        /// Creates a beginning.
        public init(context: [Int], actions: [[Double]]?) {
            self.context = context
            self.actions = actions
        }
    }

    private let model: any PrefixTreeModel
    private let discretizer: Discretizer
    private let options: Options
    private var layout: TransitionLayout { model.layout }

    /// Creates a predictor.
    ///
    /// - Throws: ``PlanningError`` when discretizer and model do not belong together, the model
    ///   wants a goal, the options leave nothing to see or to predict, or numbers shall be hidden
    ///   that the model has no token for.
    public init(model: any PrefixTreeModel, discretizer: Discretizer, options: Options)
        throws(PlanningError)
    {
        guard options.contextTransitions >= 2, options.samples > 0 else {
            throw .input(
                "\(options.samples) samples from a context of \(options.contextTransitions) "
                    + "transitions; give 1 or more from 2 or more")
        }
        guard options.hidden == 0 || (0..<1 ~= options.hidden && discretizer.hiddenToken != nil)
        else {
            throw .input(
                "numbers are hidden with probability \(options.hidden); give one from 0 to below "
                    + "1, and 0 to a model that was trained with all numbers")
        }
        try discretizer.requireMatch(with: model)
        try model.requirePrefix([])
        self.model = model
        self.discretizer = discretizer
        self.options = options
    }

    /// Predicts `horizon` steps of each trajectory.
    ///
    /// - Parameters:
    ///   - beginnings: Trajectories with equally long contexts.
    ///   - horizon: Steps.
    ///   - progress: Told the number of steps done.
    /// - Returns: For each trajectory and sample, the predicted observations after 1 to `horizon`
    ///   steps.
    /// - Throws: ``PlanningError`` when a beginning does not fit the model, the others' length or
    ///   the horizon, or the model's engine fails.
    public func predict(
        _ beginnings: [Beginning], horizon: Int, progress: (Int) -> Void = { _ in }
    ) throws(PlanningError) -> [[[[Double]]]] {
        try predictTokens(beginnings, horizon: horizon, progress: progress)
            .map { $0.observations(discretizer) }
    }

    /// Predicts `horizon` steps of each trajectory, as tokens.
    ///
    /// Takes and throws what ``predict(_:horizon:progress:)`` does.
    public func predictTokens(
        _ beginnings: [Beginning], horizon: Int, progress: (Int) -> Void = { _ in }
    ) throws(PlanningError) -> [SampledObservations] {
        guard !beginnings.isEmpty else { return [] }
        var given: [[[Int32]]?] = []
        for beginning in beginnings {
            try requireContext(of: beginning, like: beginnings[0])
            given.append(try tokens(of: beginning.actions, horizon))
        }
        let samples = options.samples
        let transition = layout.transitionDimension
        var frontier = try SearchFrontier(
            model: model, contextTransitions: options.contextTransitions, window: .exact,
            contexts: beginnings.flatMap { Array(repeating: $0.context, count: samples) },
            goals: Array(repeating: [], count: beginnings.count * samples),
            additional: horizon * transition)
        var sampler = SamplerGroup(model: model)
        var uniforms = SeededUniforms(seed: options.seed)
        var hiding = SplitMix64(seed: ~options.seed)
        var results = beginnings.map { _ in
            SampledObservations(
                samples: samples, horizon: horizon, dimension: layout.observationDimension)
        }
        for step in 0..<horizon {
            let actions = given.map { $0?[step] }
            for index in 0..<layout.actionDimension {
                if actions.contains(nil) {
                    let sampled = try sample(&frontier, &sampler, &uniforms)
                    frontier.append(
                        sampled.indices.map { actions[$0 / samples]?[index] ?? sampled[$0] })
                } else {
                    // Every token is computed before the next one follows it.
                    try frontier.evaluate()
                    frontier.append(
                        actions.flatMap { action in
                            Array(repeating: action?[index] ?? 0, count: samples)
                        })
                }
            }
            // Reward, and value, which nothing sees.
            for _ in 0..<2 { frontier.append(try sample(&frontier, &sampler, &uniforms)) }
            for index in 0..<layout.observationDimension {
                var tokens = try sample(&frontier, &sampler, &uniforms)
                for row in tokens.indices {
                    results[row / samples].set(
                        tokens[row], sample: row % samples, step: step, index: index)
                    if let hidden = discretizer.hiddenToken, options.hidden > 0,
                        hiding.uniform() < options.hidden
                    {
                        tokens[row] = Int32(hidden)
                    }
                }
                frontier.append(tokens)
            }
            progress(step + 1)
        }
        return results
    }

    private func requireContext(
        of beginning: Beginning, like first: Beginning
    ) throws(PlanningError) {
        try model.requireContext(beginning.context)
        guard beginning.context.count == first.context.count else {
            throw .input("contexts predicted from together are of different lengths")
        }
    }

    /// The tokens of the actions of `horizon` steps, where they are given.
    private func tokens(
        of actions: [[Double]]?, _ horizon: Int
    ) throws(PlanningError) -> [[Int32]]? {
        guard let actions else { return nil }
        guard actions.count >= horizon else {
            throw .input("there are \(actions.count) actions for \(horizon) steps")
        }
        var tokens: [[Int32]] = []
        for action in actions.prefix(horizon) {
            guard action.count == layout.actionDimension else {
                throw .input(
                    "an action has \(action.count) numbers, where \(layout.actionDimension) are "
                        + "expected")
            }
            do {
                tokens.append(
                    try discretizer.encode(action, from: layout.observationDimension)
                        .map(Int32.init))
            } catch {
                throw .input("of an action \(error.detail)")
            }
        }
        return tokens
    }

    private func sample(
        _ frontier: inout SearchFrontier, _ sampler: inout SamplerGroup,
        _ uniforms: inout SeededUniforms
    ) throws(PlanningError) -> [Int32] {
        try frontier.evaluate()
        sampler.prepare(frontier.nodes, filter: options.filter)
        return frontier.places.map { sampler.draw(Int($0), uniforms.next()) }
    }
}
