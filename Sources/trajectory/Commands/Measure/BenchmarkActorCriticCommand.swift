public import ArgumentParser
import Bounds
import Foundation
public import Jobs

extension ActorCriticSpeedJob.Shape: ExpressibleByArgument {}

/// `trajectory benchmark sac`: updates of soft actor-critic a second.
struct BenchmarkActorCriticCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sac",
        abstract: "Time updates of soft actor-critic on the processor.",
        discussion: """
            Updates from 100,000 random transitions, with networks of 256 x 256; no environment \
            acts. Beside it the ceiling: what the same threads reach at the largest matrix product \
            of an update alone.

            Examples:
              trajectory benchmark sac
              trajectory benchmark sac --shape humanoid --workers 1 --json

            Keys of the JSON object: observation_dimension, action_dimension, batch_size, workers, \
            updates_per_second, gigaflops_per_update, gigaflops_ceiling, updates_ceiling.
            """)

    private static let defaults = ActorCriticSpeedJob()

    @Option(help: "Whose observations and actions.")
    var shape = defaults.shape

    @Option(help: "Transitions of a batch.")
    var batchSize = defaults.batchSize

    @Option(help: "Threads.")
    var workers = defaults.workers

    @Option(help: "Seconds to measure for; the median of groups of ten updates counts.")
    var seconds = defaults.seconds

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        try require(.batch, ["--batch-size": batchSize])
        try require(.workers, ["--workers": workers])
        try requirePositive(["--seconds": seconds])
    }

    func run() throws {
        var job = ActorCriticSpeedJob()
        job.shape = shape
        job.batchSize = batchSize
        job.workers = workers
        job.seconds = seconds
        let result = try job.run()
        try Console.report(
            result, json: json,
            text: String(
                format: "%@: %.0f updates/s of %.2f GFLOP on %d threads; products alone %.0f/s "
                    + "(%.0f GFLOP/s)", shape.rawValue, result.updatesPerSecond,
                result.gigaflopsPerUpdate, workers, result.updatesCeiling,
                result.gigaflopsCeiling))
    }
}
