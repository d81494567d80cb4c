import ArgumentParser
import Datasets
import Environments
import Foundation
import Tokenization

/// `trajectory dataset info`: what a dataset holds.
struct DatasetInfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Print what a dataset holds, and what in it looks odd.",
        discussion: """
            Bins are those that training fits by default, 100 quantiles in each dimension: how many \
            of them hold a value, how many evenly used ones would tell as much (the exponential of \
            the entropy), and the share of the fullest. Warned of are constant dimensions, NaN and \
            infinity, actions beyond the environment's limits, repeated quantiles and episodes of a \
            single step. The environment is the one that the file names, or --env.

            Examples:
              trajectory dataset info hopper-medium-v2.hdf5
              trajectory dataset info hopper-medium-v2.hdf5 --env hopper
              trajectory dataset info halfcheetah-medium-v0.hdf5 --max-episode-length 1000
              trajectory dataset info data.hdf5 --json | jq .returns.mean

            Keys of the JSON object: transitions, episodes, observation_dimension, \
            action_dimension, returns and lengths (minimum, mean, maximum), return_histogram \
            (edges, counts), endings, observations and actions (an array each) and rewards \
            (minimum, mean, maximum, standard_deviation, non_finite_rows, finite_rows), \
            action_limits (null where unknown), token_usage (an array over observation, action, \
            reward and value: name, used_bins, duplicate_bins, effective_bins, largest_share; null \
            where the data cannot be discretized), attributes, environment, warnings.
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var file: String

    @Option(
        name: .customLong("env"),
        help: "Environment of the data, such as hopper; the one that the file names if not given.")
    var environment: String?

    @OptionGroup var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() async throws {
        var options = reading.options
        options.allowsNonFinite = true  // It is this command's task to tell.
        let dataset = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: file), options: options)
        dataset.notes.forEach(Console.progress)
        let (specification, warning) = try DatasetEnvironment.specification(
            environment, for: dataset, file: file)
        let report = DatasetReport(dataset, specification: specification, warning: warning)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            print(report.text)
        }
    }
}

/// All that is told about a dataset: its summary, its environment and its tokens.
struct DatasetReport: Encodable {
    /// The numbers of the data.
    private(set) var summary: DatasetSummary
    /// The environment of the data, where it is known.
    let specification: EnvironmentSpecification?
    /// Use of the bins by each dimension of a transition; nil where the data cannot be discretized.
    let usage: [TokenUsage]?

    /// Looks through a dataset; `warning` is one that is known already.
    init(
        _ dataset: TrajectoryDataset, specification: EnvironmentSpecification?, warning: String?
    ) {
        self.specification = specification
        summary = DatasetSummary(dataset, actionLimits: specification?.actionLimits)
        if let warning { summary.warnings.append(warning) }
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
    static func names(_ summary: DatasetSummary) -> [String] {
        (0..<summary.observationDimension).map { "observation \($0)" }
            + (0..<summary.actionDimension).map { "action \($0)" } + ["reward", "value"]
    }

    // MARK: - JSON

    private struct Usage: Encodable {
        let name: String
        let usedBins: Int
        let duplicateBins: Int
        let effectiveBins: Double
        let largestShare: Double
    }

    private enum CodingKeys: String, CodingKey {
        case actionLimits, tokenUsage, environment
    }

    func encode(to encoder: any Encoder) throws {
        try summary.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(specification?.identifier, forKey: .environment)
        try container.encode(
            specification?.actionLimits.map { [$0.lowerBound, $0.upperBound] },
            forKey: .actionLimits)
        try container.encode(
            usage.map { usage in
                zip(Self.names(summary), usage).map {
                    Usage(
                        name: $0, usedBins: $1.usedBins, duplicateBins: $1.duplicateBins,
                        effectiveBins: $1.effectiveBins, largestShare: $1.largestShare)
                }
            }, forKey: .tokenUsage)
    }

    // MARK: - Text

    /// The report for a person.
    var text: String {
        ([facts, dimensions, histogram] + (summary.warnings.isEmpty ? [] : [warnings]))
            .joined(separator: "\n\n")
    }

    private var facts: String {
        func spread(_ spread: DatasetSummary.Spread, _ digits: Int) -> String {
            [("min", spread.minimum), ("mean", spread.mean), ("max", spread.maximum)].map {
                "\($0) \(String(format: "%.\(digits)f", $1))"
            }.joined(separator: "   ")
        }
        let endings = summary.endings.sorted { $0.key < $1.key }
            .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        var lines = [
            ("transitions", "\(summary.transitions)"),
            ("episodes", "\(summary.episodes) (\(endings))"),
            (
                "dimensions",
                "observation \(summary.observationDimension)   action \(summary.actionDimension)"
            ),
            ("return", spread(summary.returns, 2)),
        ]
        if let specification, let low = specification.normalizedScore(summary.returns.minimum),
            let mean = specification.normalizedScore(summary.returns.mean),
            let high = specification.normalizedScore(summary.returns.maximum)
        {
            lines.append(
                ("score", String(format: "min %.2f   mean %.2f   max %.2f", low, mean, high)))
        }
        lines.append(("length", spread(summary.lengths, 1)))
        lines += summary.attributes.sorted { $0.key < $1.key }
        if let specification, summary.attributes[DatasetEnvironment.attribute] == nil {
            lines.append((DatasetEnvironment.attribute, specification.identifier))
        }
        let width = lines.map(\.0.count).max() ?? 0
        return lines.map { name, text in
            name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + text
        }.joined(separator: "\n")
    }

    private var dimensions: String {
        func number(_ value: Double) -> String { String(format: "%.4g", value) }
        let columns = summary.observations + summary.actions + [summary.rewards]
        let limits =
            summary.observations.map { _ in "" }
            + (specification?.actionLimits.map {
                "\(number($0.lowerBound)) … \(number($0.upperBound))"
            }
                ?? summary.actions.map { _ in "" }) + [""]
        let bins = usage.map { $0.first?.counts.count ?? 0 } ?? 0
        var rows = [["", "min", "mean", "std", "max"]]
        if specification != nil { rows[0].append("limits") }
        if usage != nil { rows[0] += ["bins of \(bins)", "as even", "fullest"] }
        for (index, name) in Self.names(summary).enumerated() {
            var row = [name]
            if index < columns.count {
                let column = columns[index]
                row += [column.minimum, column.mean, column.standardDeviation, column.maximum]
                    .map(number)
                if specification != nil { row.append(limits[index]) }
            } else {
                // The value is not in the file; its tokens are what the model sees.
                row += Array(repeating: "", count: specification == nil ? 4 : 5)
            }
            if let usage {
                row += [
                    "\(usage[index].usedBins)", String(format: "%.1f", usage[index].effectiveBins),
                    String(format: "%.1f %%", 100 * usage[index].largestShare),
                ]
            }
            rows.append(row)
        }
        return TextTable.aligned(rows)
    }

    private var histogram: String {
        let histogram = summary.returnHistogram
        let largest = histogram.counts.max() ?? 0
        let rows = histogram.counts.enumerated().map { index, count in
            [
                index == 0 ? "return" : "", String(format: "%.6g", histogram.edges[index]), "…",
                String(format: "%.6g", histogram.edges[index + 1]), "\(count)",
            ]
        }
        let bars = histogram.counts.map { TextTable.bar(Double($0) / Double(max(1, largest))) }
        return zip(TextTable.aligned(rows).split(separator: "\n"), bars).map {
            $1.isEmpty ? String($0) : "\($0)  \($1)"
        }.joined(separator: "\n")
    }

    private var warnings: String {
        summary.warnings.map { "warning  " + $0 }.joined(separator: "\n")
    }
}
