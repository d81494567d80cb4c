public import Datasets
public import Episodes
public import Foundation
public import Tokenization
import Evaluation
import Trajectories

/// All that is told about a dataset: its summary, its environment and its tokens.
public struct DatasetReport: Encodable, Sendable {
    /// The numbers of the data.
    public private(set) var summary: DatasetSummary
    /// The environment of the data, where it is known.
    public let specification: EnvironmentSpecification?
    /// The returns that scores of 0 and 100 stand for: those that the data bring along (Minari's
    /// `ref_min_score` and `ref_max_score`), else the environment's.
    public let references: ReferenceScores?
    /// What the terminal states are, by which the bins of reward and value have a penalty or none.
    public let terminalStates: TerminalStates
    /// Use of the bins by each dimension of a transition; nil where the data cannot be discretized.
    public let usage: [TokenUsage]?

    /// Looks through a dataset; `warnings` are known already.
    public init(
        _ dataset: TrajectoryDataset, specification: EnvironmentSpecification?,
        warnings: [String] = []
    ) {
        self.specification = specification
        references = ReferenceScores(dataset.attributes) ?? specification?.referenceScores
        terminalStates = TerminalStates(of: dataset.trajectories)
        summary = DatasetSummary(dataset, actionLimits: specification?.actionLimits)
        summary.warnings += warnings
        do {
            let usage = try TokenUsage.measure(dataset.trajectories, layout: dataset.layout)
            self.usage = usage
            let names = Self.names(summary)
            // A constant dimension has been named already.
            let duplicates = zip(names, usage).filter { $1.duplicateBins > 0 && $1.usedBins > 1 }
            if !duplicates.isEmpty {
                summary.warnings.append(
                    "repeated quantiles leave bins without values: "
                        + duplicates.map { "\($0) (\($1.duplicateBins) of \($1.counts.count))" }
                        .joined(separator: ", "))
            }
        } catch {
            usage = nil
            summary.warnings.append("\(error)")
        }
    }

    /// The dimensions of a transition by name.
    public static func names(_ summary: DatasetSummary) -> [String] {
        names(summary.observationDimension, summary.actionDimension)
    }

    /// The same of a layout.
    static func names(_ layout: TransitionLayout) -> [String] {
        names(layout.observationDimension, layout.actionDimension)
    }

    private static func names(_ observations: Int, _ actions: Int) -> [String] {
        (0..<observations).map { "observation \($0)" } + (0..<actions).map { "action \($0)" }
            + ["reward", "value"]
    }

    // MARK: - JSON

    private struct Usage: Encodable {
        let name: String
        let usedBins: Int
        let duplicateBins: Int
        let effectiveBins: Double
        let largestShare: Double
    }

    private struct Scores: Encodable {
        let minimum, mean, maximum: Double
    }

    private struct States: Encodable {
        let episodes: Int
        let meaning: TerminalStates.Meaning
        let penalty: TerminationPenalty
        let explanation: String?
    }

    private enum CodingKeys: String, CodingKey {
        case actionLimits, tokenUsage, environment, terminalStates, normalizedReturns
    }

    /// Encodes the summary's numbers, and beside them the environment and the use of bins.
    public func encode(to encoder: any Encoder) throws {
        try summary.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(specification?.identifier, forKey: .environment)
        try container.encode(
            specification?.actionLimits.map { [$0.lowerBound, $0.upperBound] },
            forKey: .actionLimits)
        try container.encodeIfPresent(
            references.map { references in
                [summary.returns.minimum, summary.returns.mean, summary.returns.maximum]
                    .map(references.normalizedScore)
            }.map { Scores(minimum: $0[0], mean: $0[1], maximum: $0[2]) },
            forKey: .normalizedReturns)
        try container.encode(
            States(
                episodes: terminalStates.terminalEpisodes, meaning: terminalStates.meaning,
                penalty: terminalStates.penalty, explanation: terminalStates.explanation),
            forKey: .terminalStates)
        try container.encode(
            usage.map { usage in
                zip(Self.names(summary), usage).map {
                    Usage(
                        name: $0, usedBins: $1.usedBins, duplicateBins: $1.duplicateBins,
                        effectiveBins: $1.effectiveBins, largestShare: $1.largestShare)
                }
            }, forKey: .tokenUsage)
    }
}

/// Looks through a dataset.
public struct InspectionJob: Sendable {
    /// The dataset.
    public var dataset: URL
    /// Name of the environment of the data; the one that the file names if nil.
    public var environment: String?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()

    /// A job; see the properties.
    public init(_ dataset: URL, environment: String? = nil) {
        self.dataset = dataset
        self.environment = environment
    }

    /// Reads the dataset, numbers that are NaN or infinite included; `note` is told what reading
    /// left out.
    ///
    /// - Throws: Errors of reading and of the environment.
    public func run(note: (String) -> Void = { _ in }) throws -> DatasetReport {
        var options = reading
        options.allowsNonFinite = true  // It is this job's task to tell.
        let data = try TrajectoryDataset(contentsOf: dataset, options: options)
        data.notes.forEach(note)
        return try report(data)
    }

    func report(_ data: TrajectoryDataset) throws -> DatasetReport {
        let (specification, warnings) = try DatasetEnvironment.specification(
            environment, for: data, file: dataset.given)
        return DatasetReport(data, specification: specification, warnings: warnings)
    }
}

extension ReferenceScores {
    /// Those that a Minari dataset says of itself; nil where they are missing or make no scale.
    init?(_ attributes: [String: String]) {
        guard let low = attributes["ref_min_score"].flatMap(Double.init),
            let high = attributes["ref_max_score"].flatMap(Double.init), low.isFinite,
            high.isFinite, low < high
        else { return nil }
        self.init(random: low, expert: high)
    }
}
