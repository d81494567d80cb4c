public import Datasets
import Evaluation
public import Foundation
public import Tokenization
import Trajectories

/// Turns a dataset into a token file, for data larger than memory.
public struct TokenizationJob: Sendable {
    /// What was written.
    public struct Result: Sendable, Codable {
        /// The token file.
        public var output: String
        /// How much it holds.
        public var transitions, episodes, dimensions, bins, bytes: Int
        /// What reading left out or made up, and what was decided about terminal states.
        public var notes: [String]
        /// Wall-clock time.
        public var seconds: Double
    }

    /// The dataset.
    public var input: URL
    /// The token file to write.
    public var output: URL
    /// How rows become tokens; windows and masks do not matter.
    public var settings = TokenizedDataset.Settings()
    /// Bins that were fitted to other data, such as a checkpoint's; nil fits some to these.
    public var adoptedBins: Discretizer?
    /// How the dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()
    /// Whether to stop.
    public var isStopped: StopQuestion = { false }

    /// A job with the published settings.
    public init(from input: URL, to output: URL) {
        self.input = input
        self.output = output
    }

    /// Reads the dataset as often as it takes and writes the file.
    ///
    /// - Parameter report: Told what reading left out, and after each episode how far it is.
    /// - Returns: What was written.
    /// - Throws: ``JobError``, `DatasetError` and `TokenFileError`.
    public func run(
        report: (JobEvent<StreamingProgress>) -> Void = { _ in }
    ) throws -> Result {
        // Known before the work as well as after it.
        try output.requireWritable()
        let start = ContinuousClock.now
        let file = try DatasetFile(input, options: reading)
        file.notes.forEach { report(.note($0)) }
        var notes = file.notes
        var decision: String?
        var settings = settings
        settings.discrete = settings.discrete ?? file.attributes.discreteColumns(file.layout)
        if settings.terminationPenalty == .automatic {
            let states = try TerminalStates(of: file)
            decision = states.explanation
            settings = settings.decided(by: states)
        }
        let recorded = RecordedEnvironment(file.attributes, file: input.given)
        let watched = WatchedStream(file)
        let source = TokenFile.Source(
            name: input.lastPathComponent, format: file.format.rawValue,
            environment: recorded.name,
            observationDimensions: reading.observationDimensions)
        let description: TokenFile.Description
        do {
            description = try TokenFile.write(
                watched, settings: settings, bins: adoptedBins, source: source, to: output
            ) {
                report(.progress($0))
                if isStopped() {
                    throw JobError(
                        .stopped,
                        "stopped; no part of '\(output.given)' is kept, the same command begins "
                            + "anew")
                }
            }
        } catch let error as DiscretizerError {
            throw JobError(error, of: input)
        }
        for line in [decision].compactMap(\.self)
            + (recorded.notes + watched.warnings).map({ "warning: \($0)" })
        {
            notes.append(line)
            report(.note(line))
        }
        let bytes = try? output.resourceValues(forKeys: [.fileSizeKey]).fileSize
        return Result(
            output: output.given, transitions: description.rowCount,
            episodes: description.episodeCount,
            dimensions: description.layout.transitionDimension, bins: description.binCount,
            bytes: bytes ?? 0, notes: notes, seconds: elapsed(since: start))
    }
}
