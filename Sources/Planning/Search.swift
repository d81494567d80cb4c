import Bounds
import Tokenization
import Transformer

/// The search that an objective asks for: the one place where objectives are told apart.
enum Search {
    case expectedReturn(BeamPlanner)
    case likelihood(LikelihoodPlanner)

    /// Checks that everything belongs together.
    ///
    /// Under `conditions` with levels of return a search for return judges apart from what it
    /// proposes (``JudgedTree``); one for likelihood judges nothing, and may be guided.
    init(
        model: any PrefixTreeModel, discretizer: Discretizer, conditions: Conditions?,
        options: PlannerOptions, critic: (any TransitionCritic)?
    ) throws {
        let model = JudgedTree(model, under: conditions, options: options) ?? model
        self =
            switch options.objective {
            case .expectedReturn, .q:
                .expectedReturn(
                    try BeamPlanner(
                        model: model, discretizer: discretizer, options: options, critic: critic))
            case .likelihood:
                .likelihood(
                    try LikelihoodPlanner(model: model, discretizer: discretizer, options: options))
            }
    }

    private var model: any PrefixTreeModel {
        switch self {
        case .expectedReturn(let planner): planner.model
        case .likelihood(let planner): planner.model
        }
    }

    /// The options, complete.
    var options: PlannerOptions {
        switch self {
        case .expectedReturn(let planner): planner.options
        case .likelihood(let planner): planner.options
        }
    }

    /// Plans for situations whose contexts are equally long; a size other than the options' and a
    /// deadline are for searches for return alone, as ``PlannerOptions/validate()`` has it.
    func plan(
        _ requests: [BeamPlanner.Request], uniforms: inout [SeededUniforms],
        size: SearchSize? = nil, deadline: ContinuousClock.Instant? = nil, keepsCandidates: Bool
    ) throws(PlanningError) -> [Plan] {
        do {
            try options.memoryNeed(for: model, together: requests.count).require()
        } catch {
            throw PlanningError(code: .mismatch, detail: "\(error) (\(requests.count) at once)")
        }
        switch self {
        case .expectedReturn(let planner):
            return try (size.map(planner.resized) ?? planner).plan(
                requests, uniforms: &uniforms, deadline: deadline, keepsCandidates: keepsCandidates)
        case .likelihood(let planner):
            return try planner.plan(requests, keepsCandidates: keepsCandidates)
        }
    }
}

/// A search that keeps to its deadline, where the options have one, by what it measured before.
struct PacedSearch {
    private let search: Search
    /// Chooses the size of searches under a deadline; nil without one.
    private(set) var pacer: SearchPacer?

    /// The options, complete.
    var options: PlannerOptions { search.options }

    init(_ search: Search) {
        self.search = search
        let options = search.options
        pacer = options.deadlineMilliseconds.map {
            SearchPacer(
                largest: SearchSize(horizon: options.horizon, beamWidth: options.beamWidth),
                limit: $0 / 1000)
        }
    }

    /// Learns what another search of the same kind has measured.
    mutating func keepPace(of other: PacedSearch) {
        pacer = other.pacer
    }

    /// Plans for several situations; those with equally long contexts share every call of the
    /// model.
    ///
    /// Each has its source of uniforms, which stays as it is where anything is thrown.
    mutating func plan(
        _ requests: [BeamPlanner.Request], uniforms: inout [SeededUniforms],
        keepsCandidates: Bool = false
    ) throws(PlanningError) -> [Plan] {
        var plans = [Plan?](repeating: nil, count: requests.count)
        var used = uniforms
        // Early in an episode there is less past.
        let groups = Dictionary(grouping: requests.indices) { requests[$0].context.count }
        for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
            var sources = group.map { used[$0] }
            let found = try planTogether(
                group.map { requests[$0] }, uniforms: &sources, keepsCandidates: keepsCandidates)
            for (place, index) in group.enumerated() {
                plans[index] = found[place]
                used[index] = sources[place]
            }
        }
        uniforms = used
        return plans.compactMap(\.self)
    }

    /// Plans for equally long contexts, as large as the pacer allows.
    private mutating func planTogether(
        _ requests: [BeamPlanner.Request], uniforms: inout [SeededUniforms], keepsCandidates: Bool
    ) throws(PlanningError) -> [Plan] {
        guard var pacer else {
            return try search.plan(
                requests, uniforms: &uniforms, keepsCandidates: keepsCandidates)
        }
        if !pacer.hasMeasured {
            // Twice: the first search also makes room in memory.
            for _ in 0..<2 {
                var trial = uniforms
                let plans = try search.plan(
                    requests, uniforms: &trial, size: pacer.ladder[0], keepsCandidates: false)
                pacer.record(pacer.ladder[0], seconds: plans[0].statistics.seconds)
            }
        }
        let size = pacer.size
        let plans = try search.plan(
            requests, uniforms: &uniforms, size: size, deadline: .now + .seconds(pacer.limit),
            keepsCandidates: keepsCandidates)
        if plans[0].statistics.horizon == size.horizon {
            pacer.record(size, seconds: plans[0].statistics.seconds)
        } else {
            pacer.recordLate(size)
        }
        self.pacer = pacer
        return plans
    }
}
