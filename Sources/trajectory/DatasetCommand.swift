import ArgumentParser
import Datasets
import Foundation

/// Commands about dataset files.
struct DatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Look into dataset files.",
        subcommands: [Info.self, DatasetConvertCommand.self, DatasetTokenizeCommand.self])

    /// Prints what a dataset holds.
    struct Info: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a D4RL-format HDF5 file holds, and what in it looks odd.",
            discussion: """
                Examples:
                  trajectory dataset info hopper-medium-v2.hdf5
                  trajectory dataset info halfcheetah-medium-v0.hdf5 --max-episode-length 1000
                  trajectory dataset info data.hdf5 --json | jq .returns.mean

                Keys of the JSON object: transitions, episodes, observation_dimension, \
                action_dimension, returns and lengths (minimum, mean, maximum), endings, attributes, \
                warnings.
                """)

        @Argument(help: "The HDF5 file.", completion: .file(extensions: ["hdf5", "h5"]))
        var file: String

        @OptionGroup var reading: DatasetReadingOptions

        @Flag(help: "Print a JSON object.")
        var json = false

        func run() async throws {
            var options = reading.options
            options.allowsNonFinite = true  // It is this command's task to tell.
            let dataset = try TrajectoryDataset(
                contentsOf: URL(fileURLWithPath: file), options: options)
            let summary = DatasetSummary(dataset)
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                encoder.keyEncodingStrategy = .convertToSnakeCase
                encoder.nonConformingFloatEncodingStrategy = .convertToString(
                    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
                print(String(decoding: try encoder.encode(summary), as: UTF8.self))
            } else {
                print(Info.table(summary))
            }
        }

        private static func table(_ summary: DatasetSummary) -> String {
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
                    "observation \(summary.observationDimension)   action "
                        + "\(summary.actionDimension)"
                ),
                ("return", spread(summary.returns, 2)),
                ("length", spread(summary.lengths, 1)),
            ]
            lines += summary.attributes.sorted { $0.key < $1.key }
            lines += summary.warnings.map { ("warning", $0) }
            let width = lines.map(\.0.count).max() ?? 0
            return lines.map { name, text in
                name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + text
            }.joined(separator: "\n")
        }
    }
}

/// The options of every command that reads a dataset.
struct DatasetReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Steps after which the time limit cut an episode, for files without 'timeouts'.",
            discussion: "1000 for D4RL's older locomotion files.", valueName: "steps"))
    var maxEpisodeLength: Int?

    @Flag(help: "Leave out the last row of the file, as the authors' code does.")
    var dropLastRow = false

    @Option(
        help: ArgumentHelp(
            "Keep the first so many observation dimensions.",
            discussion: "All when not given, except for Ant: 27 of its 111.", valueName: "count"))
    var observationDimensions: Int?

    @Option(
        help: ArgumentHelp(
            "Entries of dictionary observations to join, in this order, with commas.",
            discussion: "All when not given, 'observation' first. Minari only.", valueName: "keys"))
    var observationKeys: String?

    func validate() throws {
        if let maxEpisodeLength, maxEpisodeLength < 1 {
            throw ValidationError("--max-episode-length must be at least 1")
        }
        if let observationDimensions, observationDimensions < 1 {
            throw ValidationError("--observation-dimensions must be at least 1")
        }
    }

    var options: TrajectoryDataset.ReadingOptions {
        var options = TrajectoryDataset.ReadingOptions()
        options.dropsLastRow = dropLastRow
        options.maxEpisodeLength = maxEpisodeLength
        options.observationDimensions = observationDimensions
        options.observationKeys = observationKeys?.split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        return options
    }
}
