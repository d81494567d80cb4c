import ArgumentParser
import Bounds
import Datasets
import Foundation

/// The options of every command that reads a dataset.
struct DatasetReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Cut episodes after so many steps, as a time limit that the file does not mark did.",
            discussion: "1000 for D4RL's older locomotion files, which lack 'timeouts'.",
            valueName: "steps"))
    var maxEpisodeLength: Int?

    @Flag(help: "Episodes end at terminal states alone, in a file without 'timeouts' or the like.")
    var noTimeLimit = false

    @Flag(help: "Leave out the last row of the file, as the authors' code does.")
    var dropLastRow = false

    @Option(
        help: ArgumentHelp(
            "Keep the first so many observation dimensions.",
            discussion: "All when not given, except for Ant: 27 of its 111. A checkpoint keeps the "
                + "number.", valueName: "count"))
    var observationDimensions: Int?

    @Option(
        help: ArgumentHelp(
            "Entries of dictionary observations to join, in this order, with commas.",
            discussion: "All when not given, 'observation' first. Minari only.", valueName: "keys"))
    var observationKeys: String?

    @Flag(help: "Leave out episodes that hold NaN or infinite numbers, instead of refusing them.")
    var dropNanEpisodes = false

    @Flag(
        help: ArgumentHelp(
            "Follow links and data that lie in other files.",
            discussion: "A file can name any file that you may read; only for files you trust."))
    var followExternal = false

    func validate() throws {
        try require(.steps, ["--max-episode-length": maxEpisodeLength])
        try require(.dimension, ["--observation-dimensions": observationDimensions])
        guard maxEpisodeLength == nil || !noTimeLimit else {
            throw ValidationError("--max-episode-length and --no-time-limit exclude each other")
        }
    }

    var options: TrajectoryDataset.ReadingOptions {
        var options = TrajectoryDataset.ReadingOptions()
        options.dropsLastRow = dropLastRow
        options.hasNoTimeLimit = noTimeLimit
        options.maxEpisodeLength = maxEpisodeLength
        options.observationDimensions = observationDimensions
        options.observationKeys = observationKeys?.split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        options.dropsNonFiniteEpisodes = dropNanEpisodes
        options.followsExternal = followExternal
        options.reader = .thisProgram
        return options
    }

    /// The options for reading several datasets as one, of which the first is the job's own.
    func options(joining datasets: [String]) -> TrajectoryDataset.ReadingOptions {
        var options = options
        options.joined = datasets.dropFirst().map { URL(fileURLWithPath: $0) }
        return options
    }
}
