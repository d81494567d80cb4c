import ArgumentParser
import Foundation
import Jobs

/// `trajectory dataset info`: what a dataset holds.
struct DatasetInfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Print what a dataset holds, and what in it looks odd.",
        discussion: """
            Bins are those that training fits by default, 100 quantiles in each dimension: how \
            many of them hold a value, how many evenly used ones would tell as much (the \
            exponential of the entropy), and the share of the fullest. Warned of are constant \
            dimensions, NaN and infinity, actions beyond the environment's limits, repeated \
            quantiles and episodes of a single step. The environment is the one that the file \
            names, or --env.

            Examples:
              trajectory dataset info hopper-medium-v2.hdf5
              trajectory dataset info hopper-medium-v2.hdf5 --env hopper
              trajectory dataset info halfcheetah-medium-v0.hdf5 --max-episode-length 1000
              trajectory dataset info data.hdf5 --json | jq .returns.mean

            Keys of the JSON object: transitions, episodes, observation_dimension, \
            action_dimension, returns and lengths (minimum, mean, maximum), return_histogram \
            (edges, counts), endings, observations and actions (an array each) and rewards \
            (minimum, mean, maximum, standard_deviation, non_finite_rows, finite_rows), \
            terminal_states (episodes, meaning: none, failure, goal or timeLimit, penalty: what \
            takes the place of their last reward in training, null for nothing, explanation), \
            normalized_returns (where references are known), \
            action_limits (null where unknown), token_usage (an array over observation, action, \
            reward and value: name, used_bins, duplicate_bins, effective_bins, largest_share; null \
            where the data cannot be discretized), attributes, environment, warnings.
            """)

    @Argument(help: "The dataset: an HDF5 file or a Minari folder.", completion: .file())
    var file: String

    @OptionGroup var environment: EnvironmentOption

    @OptionGroup var reading: DatasetReadingOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() async throws {
        var job = InspectionJob(URL(fileURLWithPath: file), environment: environment.name)
        job.reading = reading.options
        let report = try job.run(note: Console.progress)
        try Console.report(report, json: json, text: report.text)
    }
}
