import ArgumentParser
import Bounds
import Foundation
import Jobs
import Learning
import Policies

/// `trajectory train-behavior`: a policy that makes data, by augmented random search.
struct TrainBehaviorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-behavior",
        abstract: "Train a behaviour policy by augmented random search.",
        discussion: """
            Trains a linear policy (Mania, Guy and Recht 2018, V2-t; the defaults are the \
            published settings for Hopper) and measures it every few iterations. The output file \
            always holds the best policy measured so far; training ends after --steps, or as soon \
            as a measured mean return reaches --target-return. The same settings give the same \
            policy, whatever the number of workers.

            Examples:
              trajectory train-behavior --env hopper --output hopper.safetensors --seed 3
              trajectory train-behavior --env hopper --output medium.safetensors \
            --target-return 1000

            Keys of the JSON object: output, mean_return, standard_deviation, best_iteration, \
            iterations, steps, seconds.
            """)

    private static let defaults = BehaviorTrainingJob(
        environment: "", output: URL(fileURLWithPath: ""))

    @Option(name: .customLong("env"), help: "Environment, such as hopper or hopper-v5.")
    var environment: String

    @Option(help: "File for the best policy (safetensors).")
    var output: String

    @Option(help: "Folder that also gets every measured policy.")
    var snapshots: String?

    @Option(help: "Environment steps to train for, about.")
    var steps = defaults.steps

    @Option(help: "Seed of directions and starts.")
    var seed = defaults.settings.seed

    @Option(help: "Directions tried in an iteration.")
    var directions = defaults.settings.directions

    @Option(help: "Directions used of them, the best.")
    var topDirections = defaults.settings.topDirections

    @Option(help: "Step size.")
    var stepSize = defaults.settings.stepSize

    @Option(help: "Size of the disturbance along a direction.")
    var noise = defaults.settings.noise

    @Option(help: "Iterations between measurements.")
    var measureEvery = defaults.measurementInterval

    @Option(help: "Episodes of a measurement.")
    var episodes = defaults.episodes

    @Option(help: "Stop as soon as a measured mean return reaches this.")
    var targetReturn: Double?

    @Option(help: "Threads that simulate.")
    var workers = defaults.workers

    @Flag(help: "Print the result as JSON.")
    var json = false

    mutating func validate() throws {
        try require(.steps, ["--steps": steps, "--measure-every": measureEvery])
        try require(.episodes, ["--episodes": episodes])
        try require(.workers, ["--workers": workers])
    }

    func run() async throws {
        var job = BehaviorTrainingJob(
            environment: environment, output: URL(fileURLWithPath: output))
        job.snapshots = snapshots.map { URL(fileURLWithPath: $0) }
        job.settings.directions = directions
        job.settings.topDirections = topDirections
        job.settings.stepSize = stepSize
        job.settings.noise = noise
        job.settings.seed = seed
        job.steps = steps
        job.measurementInterval = measureEvery
        job.episodes = episodes
        job.targetReturn = targetReturn
        job.workers = workers
        let result = try await job.run { now in
            Console.progress(
                String(
                    format: "iteration %d  steps %d  return %.0f ± %.0f  length %.0f  best %.0f",
                    now.iteration, now.steps, now.score.mean, now.score.deviation,
                    now.score.meanLength, now.best)
                    + "  \(Console.duration(seconds: now.seconds))")
        }
        try Console.report(
            result, json: json,
            text: String(
                format: "%@: return %.0f ± %.0f over %d episodes, from iteration %d", output,
                result.meanReturn, result.standardDeviation, episodes, result.bestIteration))
    }
}
