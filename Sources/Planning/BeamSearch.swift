import Tokenization
import Trajectories
import Transformer

/// The state of one search: the rows, and what has been read of their returns.
///
/// Rows of the same request lie next to each other, and every request has equally many.
struct BeamSearch {
    let planner: BeamPlanner
    var trace: BeamTrace?
    let layout: TransitionLayout
    let requests: [BeamPlanner.Request]
    private let started = ContinuousClock.now
    var frontier: SearchFrontier
    var samplers: SamplerGroup
    /// Transitions planned.
    var step = 0
    private var drawn: [Int32] = []
    /// For each request the row that takes the suggested actions, while there is one.
    var suggestedRows: [Int?]
    // Of each row: discounted rewards so far, candidate score, log-likelihood of observations and
    // actions, of the actions alone, and rewards and values of all planned transitions, `horizon`
    // each.
    private var returns: [Double]
    private var scores: [Double]
    private var likelihoods: [Double]
    private var actionLikelihoods: [Double]
    private var logProbabilities: LogProbabilities?
    var rewards: [Double]
    var values: [Double]

    var options: PlannerOptions { planner.options }
    private let discount: Double
    var rowsPerRequest: Int { frontier.rowCount / requests.count }

    init(planner: BeamPlanner, requests: [BeamPlanner.Request]) throws(PlanningError) {
        self.planner = planner
        self.requests = requests
        layout = planner.model.layout
        discount = planner.options.discount ?? PlannerOptions.fallbackDiscount
        let horizon = planner.options.horizon
        let width = planner.options.beamWidth
        frontier = try SearchFrontier(
            model: planner.model, contextTransitions: planner.options.contextTransitions,
            window: planner.options.window, contexts: requests.map(\.context),
            goals: requests.map(\.goal),
            additional: horizon * layout.transitionDimension - layout.observationDimension)
        samplers = SamplerGroup(model: planner.model)
        returns = Array(repeating: 0, count: requests.count)
        scores = returns
        likelihoods = returns
        actionLikelihoods = returns
        if planner.options.countsLikelihood.ofActions {
            logProbabilities = LogProbabilities(model: planner.model, filter: TokenFilter())
        }
        rewards = Array(repeating: 0, count: requests.count * horizon)
        values = rewards
        suggestedRows = requests.indices.map {
            requests[$0].suggestedActions.isEmpty ? nil : ($0 + 1) * width - 1
        }
        select(requests.indices.flatMap { Array(repeating: Int32($0), count: width) })
    }

    /// Repeats each request's beam: its new row e × W + w is its old row w.
    mutating func expand() {
        let width = rowsPerRequest
        let factor = options.expansionFactor
        select(
            requests.indices.flatMap { request in
                (0..<(width * factor)).map { Int32(request * width + $0 % width) }
            })
        // The last copy goes on with the suggestion.
        for (request, row) in suggestedRows.enumerated() {
            guard let row else { continue }
            suggestedRows[request] = request * width * (factor - 1) + row + width * (factor - 1)
        }
        trace?.steps.append(BeamTrace.Step())
    }

    /// Samples the token of `dimension` for every row.
    mutating func sample(
        _ dimension: Int, _ filter: TokenFilter, _ uniforms: inout [some UniformSource]
    ) throws(PlanningError) {
        try evaluate()
        draw(filter, &uniforms, dimension: dimension)
    }

    /// Samples the reward token; the reward itself is read from the unfiltered distribution.
    mutating func sampleReward(_ uniforms: inout [some UniformSource]) throws(PlanningError) {
        try evaluate()
        let read = readDistributions(
            dimension: layout.rewardIndex, record: \.rewardProbabilities)
        for row in 0..<frontier.rowCount {
            rewards[row * options.horizon + step] = read[Int(frontier.places[row])]
        }
        draw(options.rewardFilter, &uniforms, dimension: layout.rewardIndex)
    }

    /// Samples the value token; the value itself is read from the unfiltered distribution.
    mutating func sampleValue(_ uniforms: inout [some UniformSource]) throws(PlanningError) {
        try evaluate()
        let read = readDistributions(dimension: layout.valueIndex, record: \.valueProbabilities)
        for row in 0..<frontier.rowCount {
            values[row * options.horizon + step] = read[Int(frontier.places[row])]
        }
        draw(options.rewardFilter, &uniforms, dimension: layout.valueIndex)
    }

    /// Keeps each request's rows with the largest discounted rewards and value, or what the critic
    /// says of their last actions; best first.
    mutating func keepBest() throws(PlanningError) {
        var weight = 1.0
        for _ in 0..<step { weight *= discount }
        let count = rowsPerRequest
        let judged = options.objective == .q ? judgeLastActions() : []
        var best = BestCandidates(capacity: options.beamWidth)
        var kept: [BestCandidates.Candidate] = []
        scores = []
        for request in requests.indices {
            let rows = (request * count)..<((request + 1) * count)
            let least = leastLikelihood(rows)
            for row in rows {
                let place = row * options.horizon + step
                let before = returns[row]
                returns[row] += weight * rewards[place]
                // A critic's value includes the reward of the action that it judges.
                let score =
                    judged.isEmpty
                    ? returns[row] + weight * discount * values[place]
                    : before + weight * judged[row]
                guard !score.isNaN else { throw .notANumber(step: step) }
                scores.append(score)
            }
            let perNat = likelihoodWeight(amongScores: scores[rows])
            for row in rows where likelihoods[row] >= least {
                best.insert(scores[row] + perNat * actionLikelihoods[row], row)
            }
            let first = kept.count
            kept += best.takeBestFirst()
            if let row = suggestedRows[request] {
                suggestedRows[request] =
                    step + 1 < requests[request].suggestedActions.count
                    ? kept[first...].firstIndex { $0.index == row } : nil
            }
        }
        recordSelection(kept)
        select(kept.map { Int32($0.index) })
        step += 1
    }

    /// What a row's log-likelihood must not be below to be kept.
    private func leastLikelihood(_ rows: Range<Int>) -> Double {
        guard options.unlikelyShare > 0 else { return -.infinity }
        let unlikely = Int(options.unlikelyShare * Double(rows.count))
        return likelihoods[rows].sorted()[min(unlikely, rows.count - 1)]
    }

    /// What a nat of an action's log-likelihood counts in returns.
    private func likelihoodWeight(amongScores scores: ArraySlice<Double>) -> Double {
        guard options.likelihoodWeight > 0 else { return 0 }
        let mean = scores.reduce(0, +) / Double(scores.count)
        let variance = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count)
        return options.likelihoodWeight * variance.squareRoot()
    }

    /// Whether it matters how likely tokens of `dimension` are.
    func countsLikelihood(of dimension: Int) -> Bool {
        let counts = options.countsLikelihood
        return layout.actionRange.contains(dimension)
            ? counts.ofActions
            : layout.observationRange.contains(dimension) && counts.ofObservations
    }

    /// Adds to the rows' likelihoods those of the next tokens, which are of `dimension`, at the
    /// nodes that the rows stand on.
    mutating func countLikelihood(of tokens: some Collection<Int32>, dimension: Int) {
        guard countsLikelihood(of: dimension) else { return }
        logProbabilities?.read(frontier.nodes)
        let values = logProbabilities?.values ?? []
        let isAction = layout.actionRange.contains(dimension)
        for (row, token) in tokens.enumerated() {
            let value =
                values[Int(frontier.places[row]) * planner.model.vocabularySize + Int(token)]
            likelihoods[row] += value
            if isAction { actionLikelihoods[row] += value }
        }
    }

    /// What the critic says of each row's last observation and action, decoded.
    private func judgeLastActions() -> [Double] {
        guard let critic = planner.critic else {
            preconditionFailure("the objective q needs a critic")
        }
        let tokens = (0..<frontier.rowCount).map { row in
            frontier.row(row).suffix(layout.transitionDimension).map(Int.init)
        }
        return critic.values(
            observations: planner.discretizer.observations(tokens, layout),
            actions: planner.discretizer.actions(tokens, layout))
    }

    /// Whether another transition as long in planning as those before ends by `deadline`.
    func hasTime(until deadline: ContinuousClock.Instant?) -> Bool {
        guard let deadline else { return true }
        let now = ContinuousClock.now
        return now + (now - started) / step <= deadline
    }

    /// The best row of each request as a plan.
    func bestPlans(keepsCandidates: Bool) -> [Plan] {
        var statistics = frontier.statistics
        statistics.seconds = started.secondsUntilNow
        statistics.plans = requests.count
        statistics.horizon = step
        statistics.beamWidth = options.beamWidth
        return requests.indices.map { request in
            let rows = (request * rowsPerRequest)..<((request + 1) * rowsPerRequest)
            let tokens = plannedTokens(row: rows.lowerBound)
            let first = rows.lowerBound * options.horizon
            var plan = Plan(
                tokens: tokens, observations: planner.discretizer.observations(tokens, layout),
                actions: planner.discretizer.actions(tokens, layout),
                rewards: Array(rewards[first..<(first + step)]),
                values: Array(values[first..<(first + step)]), score: scores[rows.lowerBound],
                statistics: statistics)
            if options.averagedRows > 1 { plan.actions[0] = averageAction(rows) }
            if keepsCandidates {
                plan.candidates = rows.map { row in
                    Plan.Candidate(tokens: plannedTokens(row: row), score: scores[row])
                }
            }
            return plan
        }
    }

    /// The mean first action of the best rows.
    private func averageAction(_ rows: Range<Int>) -> [Double] {
        let first = rows.prefix(options.averagedRows).map { plannedTokens(row: $0)[0] }
        let actions = planner.discretizer.actions(first, layout)
        return actions[0].indices.map { index in
            actions.reduce(0) { $0 + $1[index] } / Double(actions.count)
        }
    }

    private func plannedTokens(row: Int) -> [[Int]] {
        frontier.row(row).suffix(step * layout.transitionDimension).transitions(of: layout)
    }

    // MARK: - Rows

    mutating func evaluate() throws(PlanningError) {
        if SearchInterruption.isRequested { throw .cancelled }
        try frontier.evaluate()
    }

    private mutating func select(_ sources: [Int32]) {
        frontier.select(sources)
        returns = sources.map { returns[Int($0)] }
        scores = sources.map { scores[Int($0)] }
        likelihoods = sources.map { likelihoods[Int($0)] }
        actionLikelihoods = sources.map { actionLikelihoods[Int($0)] }
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

    private mutating func draw(
        _ filter: TokenFilter, _ uniforms: inout [some UniformSource], dimension: Int
    ) {
        samplers.prepare(frontier.nodes, filter: filter)
        drawn.removeAll(keepingCapacity: true)
        let count = rowsPerRequest
        for request in requests.indices {
            for row in (request * count)..<((request + 1) * count) {
                drawn.append(samplers.draw(Int(frontier.places[row]), uniforms[request].next()))
            }
            if let row = suggestedRows[request], layout.actionRange.contains(dimension) {
                let action = requests[request].suggestedActions[step]
                drawn[row] = Int32(action[dimension - layout.actionRange.lowerBound])
            }
        }
        countLikelihood(of: drawn, dimension: dimension)
        trace?.callRows.append(frontier.rowCount)
        trace?.windowLengths.append(frontier.windowLength)
        trace?.draws.append(contentsOf: drawn.lazy.map(Int.init))
        frontier.append(drawn)
    }

    /// What the unfiltered distributions at the frontier's nodes stand for, one number for each
    /// node.
    private mutating func readDistributions(
        dimension: Int, record: WritableKeyPath<BeamTrace.Step, [[Float]]>
    ) -> [Double] {
        let (numbers, distributions) = samplers.read(
            frontier.nodes, readout: options.readout, dimension: dimension,
            discretizer: planner.discretizer, keeping: trace != nil)
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
