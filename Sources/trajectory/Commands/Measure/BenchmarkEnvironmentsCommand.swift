import ArgumentParser
import Environments
import Foundation
import Trajectories

/// `trajectory benchmark environments`: environment steps a second.
struct BenchmarkEnvironmentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "environments",
        abstract: "Time stepping several copies of an environment on all cores.",
        discussion: """
            Actions are uniform random numbers drawn beforehand; episodes that end begin anew, which \
            counts into the time.

            Examples:
              trajectory benchmark environments --env hopper
              trajectory benchmark environments --env ant --copies 16 --json

            Keys of the JSON object: environment, copies, workers, steps_per_second.
            """)

    @Option(name: .customLong("env"), help: "Environment, such as hopper or hopper-v5.")
    var environment = "hopper"

    @Option(help: "Copies that step at the same time.")
    var copies = 32

    @Option(help: "Threads.")
    var workers = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Seconds to measure for; the median of five parts counts.")
    var seconds = 5.0

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard copies > 0, workers > 0, seconds > 0 else {
            throw ValidationError("--copies, --workers and --seconds must be positive")
        }
    }

    private struct Result: Encodable {
        let environment: String
        let copies: Int
        let workers: Int
        let stepsPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case environment, copies, workers
            case stepsPerSecond = "steps_per_second"
        }
    }

    func run() throws {
        let vector = try VectorEnvironment(count: copies, workers: workers) {
            try EnvironmentRegistry.make(environment)
        }
        var generator = PCG64(seed: 0)
        let actions = (0..<64).map { _ in
            (0..<copies).map { _ in
                vector.specification.actionLimits.map {
                    generator.uniform($0.lowerBound, $0.upperBound)
                }
            }
        }
        _ = vector.reset(seed: 0)
        for step in 0..<32 { _ = vector.step(actions[step % actions.count]) }
        let clock = ContinuousClock()
        let rates = (0..<5).map { _ in
            let start = clock.now
            var steps = 0
            while clock.now - start < .seconds(seconds / 5) {
                for _ in 0..<8 {
                    _ = vector.step(actions[steps % actions.count])
                    steps += 1
                }
            }
            return Double(steps * copies) / Console.seconds(clock.now - start)
        }
        let result = Result(
            environment: vector.specification.identifier, copies: copies, workers: workers,
            stepsPerSecond: rates.sorted()[2])
        if json {
            try Console.printJSON(result)
        } else {
            print(
                String(
                    format: "%@: %.0f steps/s with %d copies on %d threads", result.environment,
                    result.stepsPerSecond, copies, workers))
        }
    }
}
