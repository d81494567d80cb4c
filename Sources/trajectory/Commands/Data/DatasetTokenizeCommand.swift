public import ArgumentParser
import Foundation
import Jobs
public import Tokenization
import Signals
import Training
import Transformer

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

            Settings come from the defaults (the authors'), then from the section tokenization of \
            --config, then from the options given here.

            Examples:
              trajectory dataset tokenize halfcheetah.hdf5 --output halfcheetah.tokens
              trajectory dataset tokenize D4RL/pointmaze/umaze-v2 --output maze.tokens --bins 200 \
            --discretizer uniform
              trajectory train --dataset halfcheetah.tokens --output runs/halfcheetah
              trajectory dataset tokenize more.hdf5 --output more.tokens --initial runs/halfcheetah

            Keys of the JSON object: output, transitions, episodes, dimensions, bins, bytes, \
            notes, seconds.
            """)

    private static let defaults = TokenizedDataset.Settings()

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var input: String

    @Option(help: "The token file to write.", completion: .file(extensions: ["tokens"]))
    var output: String

    @Option(
        help: "A YAML file with settings.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(help: "Bins in each dimension (\(defaults.binCount)).")
    var bins: Int?

    @Option(
        help: "Where the edges of the bins come from: quantile or uniform (\(defaults.strategy)).")
    var discretizer: Discretizer.Strategy?

    @Option(
        help:
            "Factor of a reward for each step it lies ahead (\(defaults.discount))."
    )
    var discount: Double?

    @Option(
        help: "Take bins and discount of this checkpoint, for training that begins with it.",
        completion: .directory)
    var initial: String?

    @OptionGroup var penalty: PenaltyOptions

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard initial == nil || (bins == nil && discretizer == nil) else {
            throw ValidationError(
                "The bins are those of --initial; give no --bins or --discretizer.")
        }
    }

    func run() async throws {
        var overrides = TrainingOverrides()
        overrides.set(\.tokenization.binCount, bins)
        overrides.set(\.tokenization.strategy, discretizer)
        overrides.set(\.tokenization.discount, discount)
        overrides.set(\.tokenization.terminationPenalty, penalty.penalty)
        var choice = try TrainingChoice(
            overrides, base: TrainingSettings(),
            file: config.map { TrainingSettings.file(URL(fileURLWithPath: $0)) })
        choice.settings.training.initialCheckpoint = initial
        let adopted = try choice.settings.takeInitial(settling: &choice.settled)
        var job = TokenizationJob(
            from: URL(fileURLWithPath: input), to: URL(fileURLWithPath: output))
        job.settings = choice.settings.tokenization
        job.adoptedBins = adopted
        job.reading = reading.options
        job.isStopped = Signals.watch()
        let line = ProgressLine()
        defer { line.finish() }
        let result = try job.run { event in
            line.show(event) {
                "pass \($0.pass) of \($0.passCount)  \($0.rows) of \($0.rowCount) transitions"
            }
        }
        line.finish()
        try Console.report(
            result, json: json,
            text: "\(output): \(result.transitions) transitions of \(result.dimensions) tokens in "
                + "\(result.episodes) episodes, \(result.bytes / 1_000_000) MB")
    }
}

extension Discretizer.Strategy: ExpressibleByArgument {}
