import ArgumentParser
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

    func validate() throws {
        if let maxEpisodeLength, maxEpisodeLength < 1 {
            throw ValidationError("--max-episode-length must be at least 1")
        }
        guard maxEpisodeLength == nil || !noTimeLimit else {
            throw ValidationError("--max-episode-length and --no-time-limit exclude each other")
        }
        if let observationDimensions, observationDimensions < 1 {
            throw ValidationError("--observation-dimensions must be at least 1")
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
        return options
    }
}
