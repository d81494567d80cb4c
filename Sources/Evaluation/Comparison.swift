public import Statistics

/// Methods side by side, over the environments that all of them were evaluated in.
///
/// Measures and intervals are those of Agarwal et al. 2021 (arXiv 2108.13264), with environments as
/// tasks; the first method is what the others are compared with.
public struct Comparison: Sendable, Hashable, Encodable {
    /// What makes up a score, and is drawn anew by the bootstrap.
    public enum Unit: String, Sendable, Codable, CaseIterable {
        /// The mean of an evaluation: what another training run would change.
        case runs
        /// An episode, whichever evaluation it is of.
        case episodes
    }

    /// What the scores are.
    public enum Score: String, Sendable, Codable {
        /// D4RL's, 0 as the random policy and 100 as the expert.
        case normalized
        /// Returns, of a single environment.
        case returns
    }

    /// A number and the bounds of its interval; nil where there is nothing to draw from.
    public struct Estimate: Sendable, Hashable, Encodable {
        /// The number.
        public var value: Double
        /// The interval's bounds.
        public var lower, upper: Double?
    }

    /// A method in one environment.
    public struct InEnvironment: Sendable, Hashable, Encodable {
        /// The environment.
        public var environment: String
        /// Evaluations, and episodes of all of them.
        public var runs, episodes: Int
        /// Mean score.
        public var mean: Estimate
        /// Mean difference from the first method over the starts that both met; nil of the first
        /// method and without such starts.
        public var pairedDifference: Estimate?
        /// Number of these starts.
        public var pairs: Int
    }

    /// A method in all environments.
    public struct Method: Sendable, Hashable, Encodable {
        /// Its name.
        public var name: String
        /// Evaluations, and episodes of all of them.
        public var runs, episodes: Int
        /// See `TaskScores`.
        public var interquartileMean, mean, median: Estimate
        /// What is missing to a normalized score of 100; nil of returns.
        public var optimalityGap: Estimate?
        /// How likely it is better than the first method; nil of that.
        public var probabilityOfImprovement: Estimate?
        /// Difference of the means over the starts that both met, which its interval is over; nil of
        /// the first method, and where some environment has fewer than two such starts.
        public var pairedDifference: Estimate?
        /// The share of its scores above each of ``Comparison/thresholds``.
        public var profile: [Double]
        /// Environment by environment.
        public var environments: [InEnvironment]
    }

    /// The environments in which all methods were evaluated.
    public var environments: [String]
    /// Environments that some method lacks.
    public var leftOut: [String]
    /// What the scores are.
    public var score: Score
    /// What makes up one of them.
    public var unit: Unit
    /// Whether in some method one environment has more scores than another, and weighs more in
    /// interquartile mean, gap and profile.
    public var isUneven: Bool
    /// Share of the draws that an interval holds.
    public var confidence: Double
    /// Number of draws.
    public var draws: Int
    /// What decides on the draws.
    public var seed: UInt64
    /// Scores of which the profile says how many are above.
    public var thresholds: [Double]
    /// The methods, the first what the others are compared with.
    public var methods: [Method]
}

// MARK: - How it is made

extension Comparison {
    /// An evaluation of a method.
    public struct Run: Sendable, Hashable {
        /// Canonical name of the environment.
        public var environment: String
        /// Seed of each episode, which decides on its start.
        public var seeds: [UInt64]
        /// Return of each episode.
        public var returns: [Double]
        /// Normalized score of each episode, where the environment has any.
        public var normalizedScores: [Double]?

        /// An evaluation of at least one episode, with as many numbers of each kind.
        public init(
            environment: String, seeds: [UInt64], returns: [Double], normalizedScores: [Double]?
        ) {
            precondition(
                !seeds.isEmpty && seeds.count == returns.count
                    && normalizedScores?.count ?? seeds.count == seeds.count,
                "\(seeds.count) episodes with \(returns.count) returns")
            self.environment = environment
            self.seeds = seeds
            self.returns = returns
            self.normalizedScores = normalizedScores
        }
    }

    /// Compares methods, given by name with their evaluations.
    ///
    /// - Parameters:
    ///   - methods: At least one; each evaluated at least once.
    ///   - unit: What is drawn anew; if nil runs, where all methods have at least two in each
    ///     environment, else episodes.
    ///   - bootstrap: How intervals are drawn.
    /// - Throws: ``ComparisonError`` where no environment is shared, or returns of several cannot be
    ///   summed up.
    public init(
        _ methods: [(name: String, runs: [Run])], unit: Unit? = nil,
        bootstrap: Bootstrap = Bootstrap()
    ) throws(ComparisonError) {
        let names = methods.map { Set($0.runs.map(\.environment)) }
        let shared = names.dropFirst().reduce(names.first ?? []) { $0.intersection($1) }.sorted()
        guard !shared.isEmpty else {
            let all = zip(methods, names).map {
                "\($0.name) in \($1.sorted().joined(separator: ", "))"
            }
            throw ComparisonError(
                .noSharedEnvironment,
                "there is no environment in which all were evaluated: "
                    + all.joined(separator: "; "))
        }
        // For each method and shared environment the evaluations.
        let table = methods.map { method in
            shared.map { name in method.runs.filter { $0.environment == name } }
        }
        let all = table.flatMap(\.self).flatMap(\.self)
        let isNormalized = all.allSatisfy { $0.normalizedScores != nil }
        if !isNormalized, shared.count > 1 {
            let name = all.first { $0.normalizedScores == nil }?.environment ?? ""
            throw ComparisonError(
                .noNormalizedScore,
                "\(name) has no normalized score, and returns cannot be summed up over "
                    + "\(shared.count) environments; compare one environment at a time")
        }
        func scores(_ run: Run) -> [Double] {
            isNormalized ? run.normalizedScores ?? [] : run.returns
        }
        let hasRuns = table.allSatisfy { $0.allSatisfy { $0.count > 1 } }
        let drawn = unit ?? (hasRuns ? .runs : .episodes)
        let tasks = table.map { row in
            TaskScores(
                row.map { runs in
                    switch drawn {
                    case .runs: runs.map { scores($0).reduce(0, +) / Double($0.seeds.count) }
                    case .episodes: runs.flatMap(scores)
                    }
                })
        }
        let starts = table.map { row in row.map { Self.starts($0, scores) } }
        let thresholds = Self.thresholds(tasks, isNormalized: isNormalized)

        self.environments = shared
        leftOut = names.reduce(Set<String>()) { $0.union($1) }.subtracting(shared).sorted()
        score = isNormalized ? .normalized : .returns
        self.unit = drawn
        isUneven = tasks.contains { Set($0.tasks.map(\.count)).count > 1 }
        confidence = bootstrap.confidence
        draws = bootstrap.draws
        seed = bootstrap.seed
        self.thresholds = thresholds
        self.methods = methods.indices.map { index in
            Self.method(
                methods[index].name, table[index], tasks[index],
                pairs: index == 0
                    ? nil : shared.indices.map { Self.pairs(starts[0][$0], starts[index][$0]) },
                first: index == 0 ? nil : tasks[0], environments: shared,
                thresholds: thresholds, gapLimit: isNormalized ? 100 : nil, bootstrap)
        }
    }

    /// For each seed the mean score of the episodes that began with it.
    private static func starts(_ runs: [Run], _ scores: (Run) -> [Double]) -> [UInt64: Double] {
        var all: [UInt64: [Double]] = [:]
        for run in runs {
            for (seed, score) in zip(run.seeds, scores(run)) {
                all[seed, default: []].append(score)
            }
        }
        return all.mapValues { $0.reduce(0, +) / Double($0.count) }
    }

    /// What `second` has more than `first` for each seed that both have, in the seeds' order.
    private static func pairs(_ first: [UInt64: Double], _ second: [UInt64: Double]) -> [Double] {
        first.keys.sorted().compactMap { seed in
            guard let own = second[seed], let other = first[seed] else { return nil }
            return own - other
        }
    }

    /// Eleven scores: from 0 to 100, or over the range of the returns.
    private static func thresholds(_ tasks: [TaskScores], isNormalized: Bool) -> [Double] {
        let all = tasks.flatMap { $0.tasks.flatMap(\.self) }
        let (lowest, highest) =
            isNormalized ? (0, 100) : (all.min() ?? 0, all.max() ?? 0)
        return (0...10).map { lowest + Double($0) * (highest - lowest) / 10 }
    }

    private static func method(
        _ name: String, _ runs: [[Run]], _ scores: TaskScores, pairs: [[Double]]?,
        first: TaskScores?, environments: [String], thresholds: [Double], gapLimit: Double?,
        _ bootstrap: Bootstrap
    ) -> Method {
        func estimates(_ scores: TaskScores, _ measures: (TaskScores) -> [Double]) -> [Estimate] {
            let values = measures(scores)
            guard scores.tasks.contains(where: { $0.count > 1 }) else {
                return values.map { Estimate(value: $0) }
            }
            return zip(values, bootstrap.intervals(of: scores, measures)).map {
                Estimate(value: $0, lower: $1.lowerBound, upper: $1.upperBound)
            }
        }
        func mean(_ scores: [Double]) -> Estimate {
            estimates(TaskScores([scores])) { [$0.mean] }[0]
        }
        func counts(_ runs: [Run]) -> (Int, Int) {
            (runs.count, runs.reduce(0) { $0 + $1.seeds.count })
        }
        let (all, episodes) = counts(runs.flatMap(\.self))
        let measures = estimates(scores) { scores in
            [
                scores.interquartileMean, scores.mean, scores.median,
                gapLimit.map { scores.optimalityGap(below: $0) } ?? 0,
            ]
        }
        var improvement: Estimate?
        if let first {
            let hasDraws = (scores.tasks + first.tasks).contains { $0.count > 1 }
            let interval = bootstrap.interval(of: scores, first) {
                $0.probabilityOfImprovement(over: $1)
            }
            improvement = Estimate(
                value: scores.probabilityOfImprovement(over: first),
                lower: hasDraws ? interval.lowerBound : nil,
                upper: hasDraws ? interval.upperBound : nil)
        }
        var difference: Estimate?
        if let pairs, pairs.allSatisfy({ $0.count > 1 }) {
            difference = estimates(TaskScores(pairs)) { [$0.mean] }[0]
        }
        return Method(
            name: name, runs: all, episodes: episodes, interquartileMean: measures[0],
            mean: measures[1], median: measures[2],
            optimalityGap: gapLimit == nil ? nil : measures[3],
            probabilityOfImprovement: improvement, pairedDifference: difference,
            profile: scores.profile(at: thresholds),
            environments: environments.indices.map { index in
                let (own, episodes) = counts(runs[index])
                let differences = pairs?[index] ?? []
                return InEnvironment(
                    environment: environments[index], runs: own, episodes: episodes,
                    mean: mean(scores.tasks[index]),
                    pairedDifference: differences.isEmpty ? nil : mean(differences),
                    pairs: differences.count)
            })
    }
}

/// Evaluations that cannot be compared.
public struct ComparisonError: Error, CustomStringConvertible, Sendable, Hashable {
    /// What is wrong.
    public enum Code: Sendable, Hashable {
        /// No environment is in all methods.
        case noSharedEnvironment
        /// Returns of several environments would have to be summed up.
        case noNormalizedScore
    }
    /// What is wrong.
    public let code: Code
    private let detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// One line: what, where, what to do.
    public var description: String { "cannot compare: \(detail)" }
}
