public import ArgumentParser
public import Datasets
import Foundation
import Trajectories

/// `trajectory dataset convert`: from one dataset format to another.
struct DatasetConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert between D4RL-format HDF5 files and Minari datasets.",
        discussion: """
            The input's format is seen from its content. The output's is --format, or else D4RL's for \
            a file that ends in .hdf5 or .h5, and Minari's for a folder. Minari's own program finds \
            the dataset if the folder lies below its root (MINARI_DATASETS_PATH) at the path that \
            --dataset-id names.

            Two things are lost or made up, for want of them in the other format: in D4RL's, an \
            episode that breaks off without an end, unless it is the last, becomes one cut by a time \
            limit; in Minari's, the observation after the last step is the last one repeated.

            Examples:
              trajectory dataset convert hopper-medium-v2.hdf5 datasets/hopper/medium-v2 \
            --dataset-id hopper/medium-v2 --env Hopper-v4
              trajectory dataset convert ~/.minari/datasets/mujoco/hopper/medium-v0 hopper.hdf5
              trajectory dataset convert D4RL/pointmaze/umaze-v2 maze.hdf5 --observation-keys \
            observation,desired_goal

            Keys of the JSON object: input, output, format, transitions, episodes, \
            observation_dimension, action_dimension, notes.
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var input: String

    @Argument(help: "The file or folder to write.", completion: .file())
    var output: String

    @Option(help: "Format to write: d4rl or minari.")
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

        func validate() throws { _ = try limits(width: nil) }

        /// What the options say about data of this many action dimensions.
        func description(actionDimension: Int) throws -> MinariDescription {
            var description = MinariDescription()
            description.datasetID = datasetID
            description.environment = environment
            description.actionLimits = try limits(width: actionDimension)
            description.maxEpisodeSteps = maxEpisodeSteps
            description.algorithm = algorithm
            description.author = author
            description.summary = summary
            return description
        }

        private func limits(width: Int?) throws -> [ClosedRange<Float>]? {
            guard let actionLimits else { return nil }
            let ranges = try actionLimits.split(separator: ",").map { text in
                let ends = text.split(separator: ":").map { Float($0) }
                guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high,
                    low.isFinite, high.isFinite
                else {
                    throw ValidationError(
                        "--action-limits must be LOW:HIGH such as -1:1, found '\(text)'")
                }
                return low...high
            }
            return ranges.count == 1 ? Array(repeating: ranges[0], count: width ?? 1) : ranges
        }
    }

    private struct Result: Encodable {
        let input: String
        let output: String
        let format: DatasetFile.Format
        let transitions: Int
        let episodes: Int
        let observationDimension: Int
        let actionDimension: Int
        let notes: [String]

        enum CodingKeys: String, CodingKey {
            case input, output, format, transitions, episodes, notes
            case observationDimension = "observation_dimension"
            case actionDimension = "action_dimension"
        }
    }

    func run() async throws {
        let target = URL(fileURLWithPath: output)
        let isFile = ["hdf5", "h5"].contains(target.pathExtension.lowercased())
        let format = format ?? (isFile ? .d4rl : .minari)
        // Known before the work as well as after it.
        try Console.requireFolder(of: target)
        var dataset = try TrajectoryDataset(
            contentsOf: URL(fileURLWithPath: input), options: reading.options)
        dataset.notes.forEach(Console.progress)
        switch format {
        case .d4rl:
            if let environment = origin.environment {
                dataset.attributes["environment"] = environment
            }
            try dataset.write(to: target)
        case .minari:
            try dataset.writeMinari(
                to: target,
                description: origin.description(actionDimension: dataset.layout.actionDimension))
        }
        let result = Result(
            input: input, output: output, format: format, transitions: dataset.rowCount,
            episodes: dataset.trajectories.count,
            observationDimension: dataset.layout.observationDimension,
            actionDimension: dataset.layout.actionDimension, notes: dataset.notes)
        if json {
            try Console.printJSON(result)
        } else {
            print(
                "\(output): \(result.transitions) transitions in \(result.episodes) episodes "
                    + "(\(format.rawValue))")
        }
    }
}

extension DatasetFile.Format: ExpressibleByArgument {}
