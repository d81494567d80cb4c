import ArgumentParser
import Bounds
import Foundation
import Jobs

/// `trajectory benchmark environments`: environment steps a second.
struct BenchmarkEnvironmentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "environments",
        abstract: "Time stepping several copies of an environment on all cores.",
        discussion: """
            Actions are uniform random numbers drawn beforehand; episodes that end begin anew, \
            which counts into the time.

            Examples:
              trajectory benchmark environments --env hopper
              trajectory benchmark environments --env ant --copies 16 --json

            Keys of the JSON object: environment, copies, workers, steps_per_second.
            """)

    private static let defaults = EnvironmentSpeedJob()

    @Option(name: .customLong("env"), help: "Environment, such as hopper or hopper-v5.")
    var environment = defaults.environment

    @Option(help: "Copies that step at the same time.")
    var copies = defaults.copies

    @Option(help: "Threads.")
    var workers = defaults.workers

    @Option(help: "Seconds to measure for; the median of five parts counts.")
    var seconds = defaults.seconds

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        try require(.together, ["--copies": copies])
        try require(.workers, ["--workers": workers])
        try requirePositive(["--seconds": seconds])
    }

    func run() throws {
        var job = EnvironmentSpeedJob()
        job.environment = environment
        job.copies = copies
        job.workers = workers
        job.seconds = seconds
        let result = try job.run()
        try Console.report(
            result, json: json,
            text: String(
                format: "%@: %.0f steps/s with %d copies on %d threads", result.environment,
                result.stepsPerSecond, copies, workers))
    }
}
