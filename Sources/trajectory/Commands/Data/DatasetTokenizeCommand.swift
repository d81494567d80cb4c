public import ArgumentParser
import Datasets
import Foundation
public import Tokenization
import Trajectories

/// `trajectory dataset tokenize`: from a dataset file to a token file.
struct DatasetTokenizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn a dataset file into tokens on disk, for data larger than memory.",
        discussion: """
            The dataset is read several times, a few megabytes at a time; memory holds the counts \
            from which the bins come (about 64 MB) and the longest episode, however long the file. \
            'trajectory train --dataset' takes the token file in place of the dataset and maps it; \
            the run is the same, step for step.

            Settings come from the defaults (the paper's), then from the section tokenization of \
            --config, then from the options given here.

            Examples:
              trajectory dataset tokenize halfcheetah.hdf5 --output halfcheetah.tokens
              trajectory dataset tokenize D4RL/pointmaze/umaze-v2 --output maze.tokens --bins 200 \
            --discretizer uniform
              trajectory train --dataset halfcheetah.tokens --output runs/halfcheetah

            Keys of the JSON object: output, transitions, episodes, dimensions, bins, bytes, notes, \
            seconds.
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var input: String

    @Option(help: "The token file to write.", completion: .file(extensions: ["tokens"]))
    var output: String

    @Option(
        help: "A YAML file with settings.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(help: "Bins in each dimension (100).")
    var bins: Int?

    @Option(help: "Where the edges of the bins come from: quantile or uniform (quantile).")
    var discretizer: Discretizer.Strategy?

    @Option(help: "Factor by which a reward counts less for each step it lies ahead (0.99).")
    var discount: Double?

    @Option(help: "Takes the place of the last reward of an episode with a terminal state (-100).")
    var terminationPenalty: Double?

    @Flag(help: "Keep the last reward of episodes with a terminal state.")
    var noTerminationPenalty = false

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard terminationPenalty == nil || !noTerminationPenalty else {
            throw ValidationError(
                "--termination-penalty and --no-termination-penalty exclude each other")
        }
    }

    private struct Result: Encodable {
        let output: String
        let transitions: Int
        let episodes: Int
        let dimensions: Int
        let bins: Int
        let bytes: Int
        let notes: [String]
        let seconds: Double
    }

    func run() async throws {
        var settings =
            try config.map(TrainingSettings.init(file:))?.tokenization
            ?? TokenizedDataset.Settings()
        settings.binCount = bins ?? settings.binCount
        settings.strategy = discretizer ?? settings.strategy
        settings.discount = discount ?? settings.discount
        settings.terminationPenalty =
            noTerminationPenalty ? nil : terminationPenalty ?? settings.terminationPenalty
        let target = URL(fileURLWithPath: output)
        // Known before the work as well as after it.
        try Console.requireFolder(of: target)

        let clock = ContinuousClock()
        let start = clock.now
        let url = URL(fileURLWithPath: input)
        let file = try DatasetFile(url, options: reading.options)
        file.notes.forEach(Console.progress)
        let line = ProgressLine()
        var shown = start
        let source = TokenFile.Source(
            name: url.lastPathComponent, format: file.format.rawValue,
            environment: file.attributes["environment"],
            observationDimensions: reading.observationDimensions)
        let description: TokenFile.Description
        do {
            description = try TokenFile.write(
                file, settings: settings, source: source, to: target
            ) { progress in
                guard clock.now - shown > .milliseconds(200) else { return }
                shown = clock.now
                line.show(
                    "pass \(progress.pass) of \(progress.passCount)  \(progress.rows) of "
                        + "\(progress.rowCount) transitions")
            }
        } catch {
            line.finish()
            throw (error as? DiscretizerError).map { CommandError($0, of: url) } ?? error
        }
        line.finish()
        let values = try? target.resourceValues(forKeys: [.fileSizeKey])
        let result = Result(
            output: output, transitions: description.rowCount, episodes: description.episodeCount,
            dimensions: description.layout.transitionDimension, bins: description.binCount,
            bytes: values?.fileSize ?? 0, notes: file.notes,
            seconds: Console.seconds(clock.now - start))
        if json {
            try Console.printJSON(result)
        } else {
            print(
                "\(output): \(result.transitions) transitions of \(result.dimensions) tokens in "
                    + "\(result.episodes) episodes, \(result.bytes / 1_000_000) MB")
        }
    }
}

extension Discretizer.Strategy: ExpressibleByArgument {}
