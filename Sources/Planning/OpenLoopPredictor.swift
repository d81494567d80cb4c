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
    ///   wants a goal, or the options leave nothing to see or to predict.
    public init(model: any PrefixTreeModel, discretizer: Discretizer, options: Options)
        throws(PlanningError)
    {
        guard options.contextTransitions >= 2, options.samples > 0 else {
            throw .input(
                "\(options.samples) samples from a context of \(options.contextTransitions) "
                    + "transitions; give 1 or more from 2 or more")
        }
        try discretizer.requireMatch(with: model)
        try model.requireGoalColumns([])
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
        let start = frontier.length - layout.observationDimension
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
            // Reward, value (which nothing sees), and the next observation.
            for _ in 0..<(2 + layout.observationDimension) {
                frontier.append(try sample(&frontier, &sampler, &uniforms))
            }
            progress(step + 1)
        }
        return beginnings.indices.map { trajectory in
            (0..<samples).map { sample in
                let tokens = frontier.row(trajectory * samples + sample)
                let first = tokens.startIndex + start
                return (1...horizon).map { step in
                    let observation = first + step * transition
                    return discretizer.decode(
                        tokens[observation..<(observation + layout.observationDimension)]
                            .map(Int.init))
                }
            }
        }
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
