public import ArgumentParser
import Bounds
public import Datasets
import Foundation
import Jobs

/// `trajectory dataset convert`: from one dataset format to another.
struct DatasetConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract:
            "Write a dataset in another format: D4RL's HDF5, Minari's, or an archive of NumPy's.",
        discussion: """
            The input's format is seen from its content: D4RL's, Minari's, NumPy's (OGBench's \
            too), d3rlpy's or robomimic's. The output's is --format, or else D4RL's for a file that \
            ends in .hdf5 or .h5, NumPy's for .npz, and Minari's for a folder. Episodes go through \
            one by one; memory holds the longest, and of HDF5 the file that is made. Minari's own \
            program finds the dataset if the folder lies below its root (MINARI_DATASETS_PATH) at \
            the path that --dataset-id names.

            Two things are lost or made up, for want of them in the other format: in D4RL's and \
            NumPy's, an episode that breaks off without an end, unless it is the last, becomes one \
            cut by a time limit; in Minari's, the observation after the last step is the last one \
            repeated.

            Examples:
              trajectory dataset convert hopper-medium-v2.hdf5 datasets/hopper/medium-v2 \
            --dataset-id hopper/medium-v2 --env Hopper-v4
              trajectory dataset convert ~/.minari/datasets/mujoco/hopper/medium-v0 hopper.hdf5
              trajectory dataset convert D4RL/pointmaze/umaze-v2 maze.hdf5 --observation-keys \
            observation,desired_goal

            Keys of the JSON object: input, output, format, transitions, episodes, \
            observation_dimension, action_dimension, returns, notes.
            """)

    @Argument(help: "The dataset: a file, a folder or a Minari name.", completion: .file())
    var input: String

    @Argument(help: "The file or folder to write.", completion: .file())
    var output: String

    @Option(help: "Format to write: d4rl, minari or npz.")
    var format: DatasetFile.Format?

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @OptionGroup(title: "What a Minari dataset says about itself") var origin: MinariOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    /// What a Minari dataset says about itself where the source does not know.
    struct MinariOptions: ParsableArguments {
        @Option(help: "Name such as hopper/medium-v0; the folder's own name when not given.")
        var datasetID: String?

        @Option(
            name: .customLong("env"), help: "Environment, such as Hopper-v5; of D4RL files too.")
        var environment: String?

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp(
                "Limits of the actions: LOW:HIGH for all dimensions, or one for each, with commas.",
                discussion: "-1:1 when not given, or the range of the actions where that is wider.",
                valueName: "limits"))
        var actionLimits: String?

        @Option(help: "Steps after which the environment's time limit ends an episode.")
        var maxEpisodeSteps: Int?

        @Option(help: "The algorithm that made the data.")
        var algorithm: String?

        @Option(help: "Who made the data.")
        var author: String?

        @Option(help: "What the data are.")
        var summary: String?

        func validate() throws {
            _ = try limits()
            try require(.steps, ["--max-episode-steps": maxEpisodeSteps])
        }

        /// What the options say, but for the limits of actions.
        var description: MinariDescription {
            var description = MinariDescription()
            description.datasetID = datasetID
            description.environment = environment
            description.maxEpisodeSteps = maxEpisodeSteps
            description.algorithm = algorithm
            description.author = author
            description.summary = summary
            return description
        }

        /// The limits, one pair for all dimensions or one for each.
        func limits() throws -> [ClosedRange<Float>]? {
            try actionLimits?.split(separator: ",").map { text in
                let ends = text.split(separator: ":").map { Float($0) }
                guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high,
                    low.isFinite, high.isFinite
                else {
                    throw ValidationError(
                        "--action-limits must be LOW:HIGH such as -1:1, found '\(text)'")
                }
                return low...high
            }
        }
    }

    func validate() throws {
        let format = format ?? .forOutput(URL(fileURLWithPath: output))
        try GivenOptions.here.refuse(
            [
                "--dataset-id", "--action-limits", "--max-episode-steps", "--algorithm", "--author",
                "--summary",
            ], unless: format == .minari,
            "is for a Minari dataset; other formats have no place for it")
    }

    func run() async throws {
        var job = ConversionJob(
            from: URL(fileURLWithPath: input), to: URL(fileURLWithPath: output))
        job.format = format
        job.reading = reading.options
        job.description = origin.description
        let limits = try origin.limits()
        // One pair of limits is for all dimensions.
        if limits?.count == 1 { job.actionLimits = limits?[0] }
        job.description.actionLimits = limits
        let result = try job.run(note: Console.progress)
        try Console.report(
            result, json: json,
            text: result.line)
    }
}

extension DatasetFile.Format: ExpressibleByArgument {}

extension ConversionJob.Result {
    /// What was written, for a person.
    var line: String {
        "\(output): \(transitions) transitions in \(episodes) episodes (\(format.rawValue))"
    }
}
