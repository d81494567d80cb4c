public import Tokenization
import Trajectories

/// Beam search for the sequence with the largest predicted return.
///
/// Janner et al. 2021, section 3.2 and algorithm 1, in the authors' form: candidates are sampled
/// transition by transition, and after each the `beamWidth` best by discounted predicted rewards
/// and value are kept. A row is one sequence; rows that share tokens share their computation
/// (``PrefixTreeModel``).
public struct BeamPlanner {
    /// Predicts the tokens.
    public let model: any PrefixTreeModel
    /// Gives reward and value tokens their meaning.
    public let discretizer: Discretizer
    /// How to search.
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

    /// Plans from past transitions and the current observation.
    ///
    /// - Parameters:
    ///   - context: Their tokens: whole transitions, then one observation.
    ///   - uniforms: Takes one number for every row of every sampling call, also where top-k leaves
    ///     no choice: calls in time order, rows in order.
    ///   - keepsCandidates: Whether the plan reports the whole last beam.
    /// - Returns: The best sequence found.
    /// - Throws: ``PlanningError`` when the model predicts NaN.
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
        model.layout.requireContext(context)
        var search = BeamSearch(planner: self, context: context)
        search.trace = trace
        defer { trace = search.trace }
        for step in 0..<options.horizon {
            search.expand()
            for _ in model.layout.actionRange {
                search.sample(options.actionFilter, &uniforms)
            }
            search.sampleReward(&uniforms)
            search.sampleValue(&uniforms)
            try search.keepBest()
            guard step < options.horizon - 1 else { break }
            for _ in model.layout.observationRange {
                search.sample(options.observationFilter, &uniforms)
            }
            search.recordObservation()
        }
        return search.bestPlan(keepsCandidates: keepsCandidates)
    }
}

/// The state of one search: the rows, and what has been read of their returns.
private struct BeamSearch {
    let planner: BeamPlanner
    var trace: BeamTrace?
    private let layout: TransitionLayout
    private let started = ContinuousClock.now
    private var frontier: SearchFrontier
    private var sampler: TokenSampler
    private var step = 0
    private var drawn: [Int32] = []
    private var probabilities: [Float]
    // Of each row: discounted rewards so far, candidate score, and rewards and values of all planned
    // transitions, `horizon` each.
    private var returns = [0.0]
    private var scores = [0.0]
    private var rewards: [Double]
    private var values: [Double]

    private var options: PlannerOptions { planner.options }

    init(planner: BeamPlanner, context: [Int]) {
        self.planner = planner
        layout = planner.model.layout
        let horizon = planner.options.horizon
        frontier = SearchFrontier(
            model: planner.model, options: planner.options, context: context,
            additional: horizon * layout.transitionDimension - layout.observationDimension)
        sampler = TokenSampler(vocabularySize: planner.model.vocabularySize)
        probabilities = Array(repeating: 0, count: planner.model.vocabularySize)
        rewards = Array(repeating: 0, count: horizon)
        values = Array(repeating: 0, count: horizon)
        select(Array(repeating: 0, count: planner.options.beamWidth))
    }

    /// Repeats the beam: new row e × W + w is old row w.
    mutating func expand() {
        let width = frontier.rowCount
        select((0..<(width * options.expansionFactor)).map { Int32($0 % width) })
        trace?.steps.append(BeamTrace.Step())
    }

    /// Samples one token for every row.
    mutating func sample(_ filter: TokenFilter, _ uniforms: inout some UniformSource) {
        frontier.evaluate()
        draw(filter, &uniforms)
    }

    /// Samples the reward token; the reward itself is read from the unfiltered distribution.
    mutating func sampleReward(_ uniforms: inout some UniformSource) {
        frontier.evaluate()
        let read = readDistributions(
            dimension: layout.rewardIndex, record: \.rewardProbabilities)
        for row in 0..<frontier.rowCount {
            rewards[row * options.horizon + step] = read[Int(frontier.places[row])]
        }
        draw(options.rewardFilter, &uniforms)
    }

    /// Samples the value token; the value itself is read from the unfiltered distribution.
    mutating func sampleValue(_ uniforms: inout some UniformSource) {
        frontier.evaluate()
        let read = readDistributions(dimension: layout.valueIndex, record: \.valueProbabilities)
        for row in 0..<frontier.rowCount {
            values[row * options.horizon + step] = read[Int(frontier.places[row])]
        }
        draw(options.rewardFilter, &uniforms)
    }

    /// Keeps the rows with the largest discounted rewards and value, best first.
    mutating func keepBest() throws(PlanningError) {
        var weight = 1.0
        for _ in 0..<step { weight *= options.discount }
        var best = BestCandidates(capacity: options.beamWidth)
        scores = []
        for row in 0..<frontier.rowCount {
            let place = row * options.horizon + step
            returns[row] += weight * rewards[place]
            let score = returns[row] + weight * options.discount * values[place]
            guard !score.isNaN else { throw .notANumber(step: step) }
            scores.append(score)
            best.insert(score, row)
        }
        let kept = best.takeBestFirst()
        recordSelection(kept)
        select(kept.map { Int32($0.index) })
        step += 1
    }

    /// The best row as a plan.
    func bestPlan(keepsCandidates: Bool) -> Plan {
        let tokens = plannedTokens(row: 0)
        var statistics = frontier.statistics
        statistics.seconds = started.secondsUntilNow
        var plan = Plan(
            tokens: tokens, observations: planner.discretizer.observations(tokens, layout),
            actions: planner.discretizer.actions(tokens, layout),
            rewards: Array(rewards.prefix(options.horizon)),
            values: Array(values.prefix(options.horizon)), score: scores[0], statistics: statistics
        )
        if keepsCandidates {
            plan.candidates = (0..<frontier.rowCount).map { row in
                Plan.Candidate(tokens: plannedTokens(row: row), score: scores[row])
            }
        }
        return plan
    }

    private func plannedTokens(row: Int) -> [[Int]] {
        frontier.row(row).suffix(options.horizon * layout.transitionDimension)
            .transitions(of: layout)
    }

    // MARK: - Rows

    private mutating func select(_ sources: [Int32]) {
        frontier.select(sources)
        returns = sources.map { returns[Int($0)] }
        scores = sources.map { scores[Int($0)] }
        rewards = Self.gather(rewards, options.horizon, sources)
        values = Self.gather(values, options.horizon, sources)
    }

    private static func gather(_ numbers: [Double], _ width: Int, _ sources: [Int32]) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(sources.count * width)
        for source in sources {
            result.append(contentsOf: numbers[(Int(source) * width)..<((Int(source) + 1) * width)])
        }
        return result
    }

    private mutating func draw(_ filter: TokenFilter, _ uniforms: inout some UniformSource) {
        sampler.prepare(frontier.nodes, of: planner.model, filter: filter)
        drawn.removeAll(keepingCapacity: true)
        for place in frontier.places {
            drawn.append(sampler.draw(Int(place), uniforms.next()))
        }
        trace?.callRows.append(frontier.rowCount)
        trace?.windowLengths.append(frontier.windowLength)
        trace?.draws.append(contentsOf: drawn.lazy.map(Int.init))
        frontier.append(drawn)
    }

    /// What the unfiltered distributions at the frontier's nodes stand for, one number for each node.
    private mutating func readDistributions(
        dimension: Int, record: WritableKeyPath<BeamTrace.Step, [[Float]]>
    ) -> [Double] {
        var numbers: [Double] = []
        var distributions: [[Float]] = []
        for node in frontier.nodes {
            planner.model.withLogits(of: node) { logits in
                for index in probabilities.indices { probabilities[index] = logits[index] }
            }
            softmax(&probabilities)
            numbers.append(
                options.readout.read(
                    probabilities, dimension: dimension, discretizer: planner.discretizer))
            if trace != nil { distributions.append(probabilities) }
        }
        if trace != nil {
            let recorded = frontier.places.map { distributions[Int($0)] }
            trace?.steps[step][keyPath: record] = recorded
        }
        return numbers
    }

    // MARK: - Recording

    mutating func recordObservation() {
        guard trace != nil else { return }
        let rows = recordedRows()
        trace?.steps[step - 1].tokensAfterObservation = rows
    }

    private mutating func recordSelection(_ kept: [BestCandidates.Candidate]) {
        guard trace != nil, var record = trace?.steps[step] else { return }
        let places = (0..<frontier.rowCount).map { $0 * options.horizon + step }
        record.candidateTokens = recordedRows()
        record.rewards = places.map { rewards[$0] }
        record.values = places.map { values[$0] }
        record.candidateScores = scores
        record.kept = kept.map(\.index)
        record.keptScores = kept.map(\.score)
        trace?.steps[step] = record
    }

    private func recordedRows() -> [[Int]] {
        (0..<frontier.rowCount).map { frontier.row($0).map(Int.init) }
    }
}
