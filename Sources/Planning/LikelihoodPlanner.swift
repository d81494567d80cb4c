public import Tokenization
import Trajectories
public import Transformer

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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
        try plan(
            [BeamPlanner.Request(context: context, goal: goal)], keepsCandidates: keepsCandidates
        )[0]
    }

    /// Plans for several situations at once, each call of the model serving all of them.
    ///
    /// A plan is the one that would be made alone: nothing of one search enters another.
    ///
    /// - Parameters:
    ///   - requests: What to plan from; contexts are equally long, and no actions are suggested.
    ///   - keepsCandidates: Whether plans report the whole last beam.
    /// - Returns: The most likely sequence found for each request.
    /// - Throws: As ``plan(context:goal:keepsCandidates:)``; also when contexts are of different
    ///   lengths or actions are suggested.
    public func plan(
        _ requests: [BeamPlanner.Request], keepsCandidates: Bool = false
    ) throws(PlanningError) -> [Plan] {
        let layout = model.layout
        for request in requests {
            try model.requireContext(request.context)
            guard request.suggestedActions.isEmpty else {
                throw .input("a search for likelihood takes no suggested actions")
            }
        }
        let count = options.horizon * layout.transitionDimension
        var trace: [TraceStep]?
        let beams = try search(
            requests.map { ($0.context, $0.goal) }, steps: count - layout.observationDimension,
            trace: &trace)
        return beams.map { beam in
            let planned = beam.tokens.map { row in
                row.suffix(count).lazy.map(Int32.init).transitions(of: layout)
            }
            let tokens = planned[0]
            func numbers(_ dimension: Int) -> [Double] {
                tokens.map { discretizer.value(of: $0[dimension], dimension: dimension) }
            }
            var plan = Plan(
                tokens: tokens, observations: discretizer.observations(tokens, layout),
                actions: discretizer.actions(tokens, layout), rewards: numbers(layout.rewardIndex),
                values: numbers(layout.valueIndex), score: beam.logProbabilities[0],
                statistics: beam.statistics)
            plan.statistics.horizon = options.horizon
            plan.statistics.beamWidth = options.beamWidth
            if keepsCandidates {
                plan.candidates = zip(planned, beam.logProbabilities).map {
                    Plan.Candidate(tokens: $0, score: $1)
                }
            }
            return plan
        }
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
        try search([(prefix, goal)], steps: steps, trace: &trace)[0]
    }

    /// Searches from several prefixes at once; a trace is of the first.
    private func search(
        _ starts: [(prefix: [Int], goal: [Int])], steps: Int, trace: inout [TraceStep]?
    ) throws(PlanningError) -> [Beam] {
        precondition(steps >= 0, "\(steps) steps")
        guard let length = starts.first?.prefix.count else { return [] }
        guard length > 0 else { throw .input("there is no token to continue") }
        for start in starts {
            try model.requireTokens(start.prefix)
            try model.requireGoal(start.goal)
            guard start.prefix.count == length else {
                throw .input("contexts planned from together are of different lengths")
            }
        }
        let started = ContinuousClock.now
        let vocabularySize = model.vocabularySize
        var frontier = try SearchFrontier(
            model: model, contextTransitions: options.contextTransitions, window: options.window,
            contexts: starts.map(\.prefix), goals: starts.map(\.goal), additional: steps)
        var totals = Array(repeating: 0.0, count: starts.count)
        // The rows of each start lie next to each other.
        var rows = starts.indices.map { $0..<($0 + 1) }
        var logProbabilities = LogProbabilities(model: model, filter: options.likelihoodFilter)
        var best = BestCandidates(capacity: options.beamWidth)
        for _ in 0..<steps {
            if SearchInterruption.isRequested { throw .cancelled }
            try frontier.evaluate()
            logProbabilities.read(frontier.nodes)
            var kept: [BestCandidates.Candidate] = []
            for start in rows.indices {
                for row in rows[start] {
                    let first = Int(frontier.places[row]) * vocabularySize
                    for token in 0..<vocabularySize {
                        let score = totals[row] + logProbabilities.values[first + token]
                        if score.isFinite { best.insert(score, row * vocabularySize + token) }
                    }
                }
                let found = best.takeBestFirst()
                guard !found.isEmpty else {
                    throw .notANumber(
                        step: (frontier.length - length) / model.layout.transitionDimension)
                }
                rows[start] = kept.count..<(kept.count + found.count)
                kept += found
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
        statistics.plans = starts.count
        return rows.map { rows in
            Beam(
                tokens: rows.map { frontier.row($0).map(Int.init) },
                logProbabilities: Array(totals[rows]), statistics: statistics)
        }
    }
}
