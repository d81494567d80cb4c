import Foundation
public import Tokenization
import Trajectories
public import Transformer

/// Beam search for the most likely sequence, which imitates the data.
///
/// Janner et al. 2021, section 3.2 ("imitation learning") and algorithm 1: every kept sequence is
/// continued with every token, and the `beamWidth` most likely are kept, without normalising by
/// length. Deterministic.
public struct LikelihoodPlanner {
    /// The sequences kept at the end of a search.
    public struct Beam: Sendable, Hashable {
        /// Tokens of each sequence, the prefix included, most likely first.
        public var tokens: [[Int]]
        /// The natural logarithm of each sequence's likelihood after the prefix.
        public var logProbabilities: [Double]
        /// What the search cost.
        public var statistics: PlanStatistics
    }

    /// The sequences kept after one token of a search, for tests against recorded searches.
    package struct TraceStep: Sendable {
        /// Log-likelihoods, largest first.
        package var logProbabilities: [Double]
        /// For each sequence, the place of the one it continues.
        package var parents: [Int]
        /// The token each sequence was continued with.
        package var tokens: [Int]
    }

    /// Predicts the tokens.
    public let model: any PrefixTreeModel
    /// Gives tokens their meaning in a plan.
    public let discretizer: Discretizer
    /// How to search.
    ///
    /// Horizon, beam width, window and ``PlannerOptions/likelihoodTopK`` count; the probabilities
    /// that top-k leaves are renormalised.
    public let options: PlannerOptions

    /// Creates a planner.
    ///
    /// - Throws: ``PlannerOptionsError`` when the options make no sense together or with the model;
    ///   ``PlanningError`` when discretizer and model do not belong together.
    public init(
        model: any PrefixTreeModel, discretizer: Discretizer, options: PlannerOptions = .init()
    ) throws {
        try options.validate(for: model)
        try discretizer.requireMatch(with: model)
        self.model = model
        self.discretizer = discretizer
        self.options = options
    }

    /// Plans `horizon` transitions from past ones and the current observation.
    ///
    /// - Parameters:
    ///   - context: Their tokens: whole transitions, then one observation.
    ///   - goal: Tokens of the goal; none for a model without goals.
    ///   - keepsCandidates: Whether the plan reports the whole last beam.
    /// - Returns: The most likely sequence found.
    /// - Throws: ``PlanningError`` when tokens are not the model's, the goal is missing or the
    ///   model has none, the model predicts NaN, its engine fails, or the task is cancelled.
    public func plan(
        context: [Int], goal: [Int] = [], keepsCandidates: Bool = false
    ) throws(PlanningError) -> Plan {
        let layout = model.layout
        try model.requireContext(context)
        let count = options.horizon * layout.transitionDimension
        var beam = try search(
            prefix: context, goal: goal, steps: count - layout.observationDimension)
        beam.statistics.horizon = options.horizon
        beam.statistics.beamWidth = options.beamWidth
        let planned = beam.tokens.map { row in
            row.suffix(count).lazy.map(Int32.init).transitions(of: layout)
        }
        let tokens = planned[0]
        var plan = Plan(
            tokens: tokens, observations: discretizer.observations(tokens, layout),
            actions: discretizer.actions(tokens, layout),
            rewards: tokens.map {
                discretizer.value(of: $0[layout.rewardIndex], dimension: layout.rewardIndex)
            },
            values: tokens.map {
                discretizer.value(of: $0[layout.valueIndex], dimension: layout.valueIndex)
            },
            score: beam.logProbabilities[0], statistics: beam.statistics)
        if keepsCandidates {
            plan.candidates = zip(planned, beam.logProbabilities).map {
                Plan.Candidate(tokens: $0, score: $1)
            }
        }
        return plan
    }

    /// Continues any prefix that starts with an observation by `steps` tokens.
    ///
    /// - Parameters:
    ///   - prefix: Tokens to continue; at least one.
    ///   - goal: Tokens of the goal; none for a model without goals.
    ///   - steps: Tokens to add.
    /// - Returns: The sequences kept at the end.
    /// - Throws: ``PlanningError`` when tokens are not the model's, the goal is missing or the
    ///   model has none, the model predicts NaN, its engine fails, or the task is cancelled.
    public func search(
        prefix: [Int], goal: [Int] = [], steps: Int
    ) throws(PlanningError) -> Beam {
        var trace: [TraceStep]?
        return try search(prefix: prefix, goal: goal, steps: steps, trace: &trace)
    }

    /// Searches, and records each step in `trace` unless that is nil.
    package func search(
        prefix: [Int], goal: [Int] = [], steps: Int, trace: inout [TraceStep]?
    ) throws(PlanningError) -> Beam {
        precondition(steps >= 0, "\(steps) steps")
        guard !prefix.isEmpty else { throw .input("there is no token to continue") }
        try model.requireTokens(prefix)
        try model.requireGoal(goal)
        let started = ContinuousClock.now
        let vocabularySize = model.vocabularySize
        let filter = options.likelihoodFilter
        var frontier = try SearchFrontier(
            model: model, contextTransitions: options.contextTransitions, window: options.window,
            contexts: [prefix], goals: [goal], additional: steps)
        var totals = [0.0]
        var logProbabilities: [Double] = []
        var working = LogProbabilityBuffer()
        for _ in 0..<steps {
            if Task.isCancelled { throw .cancelled }
            try frontier.evaluate()
            logProbabilities.removeAll(keepingCapacity: true)
            for node in frontier.nodes {
                model.withLogits(of: node) {
                    working.append($0, filter: filter, to: &logProbabilities)
                }
            }
            var best = BestCandidates(capacity: options.beamWidth)
            for row in 0..<frontier.rowCount {
                let start = Int(frontier.places[row]) * vocabularySize
                for token in 0..<vocabularySize {
                    let score = totals[row] + logProbabilities[start + token]
                    if score.isFinite { best.insert(score, row * vocabularySize + token) }
                }
            }
            let kept = best.takeBestFirst()
            guard !kept.isEmpty else {
                throw .notANumber(
                    step: (frontier.length - prefix.count) / model.layout.transitionDimension)
            }
            totals = kept.map(\.score)
            frontier.select(kept.map { Int32($0.index / vocabularySize) })
            frontier.append(kept.map { Int32($0.index % vocabularySize) })
            trace?.append(
                TraceStep(
                    logProbabilities: totals, parents: kept.map { $0.index / vocabularySize },
                    tokens: kept.map { $0.index % vocabularySize }))
        }
        var statistics = frontier.statistics
        statistics.seconds = started.secondsUntilNow
        return Beam(
            tokens: (0..<frontier.rowCount).map { frontier.row($0).map(Int.init) },
            logProbabilities: totals, statistics: statistics)
    }
}

/// Turns logits into renormalised log-probabilities without allocating each time.
private struct LogProbabilityBuffer {
    private var logits: [Float] = []
    private var scratch: [Float] = []

    mutating func append(
        _ source: Span<Float>, filter: TokenFilter, to result: inout [Double]
    ) {
        logits.removeAll(keepingCapacity: true)
        for index in source.indices { logits.append(source[index]) }
        filter.apply(to: &logits, scratch: &scratch)
        let most = logits.max() ?? 0
        var sum = 0.0
        for logit in logits { sum += Double(exp(logit - most)) }
        let logSum = log(sum)
        for logit in logits { result.append(Double(logit - most) - logSum) }
    }
}
