import ArgumentParser
import Behavior
import Environments
import Foundation

/// `trajectory train-behavior`: a policy that makes data, by augmented random search.
struct TrainBehaviorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-behavior",
        abstract: "Train a behaviour policy by augmented random search.",
        discussion: """
            Trains a linear policy (Mania, Guy and Recht 2018, V2-t; the defaults are the published \
            settings for Hopper) and measures it every few iterations. The output file always holds \
            the best policy measured so far; training ends after --steps, or as soon as a measured \
            mean return reaches --target-return. The same settings give the same policy, whatever \
            the number of workers.

            Examples:
              trajectory train-behavior --env hopper --output hopper.safetensors --seed 3
              trajectory train-behavior --env hopper --output medium.safetensors \
            --target-return 1000

            Keys of the JSON object: output, mean_return, standard_deviation, iterations, steps, \
            seconds.
            """)

    @Option(name: .customLong("env"), help: "Environment, such as hopper or hopper-v5.")
    var environment: String

    @Option(help: "File for the best policy (safetensors).")
    var output: String

    @Option(help: "Folder that also gets every measured policy.")
    var snapshots: String?

    @Option(help: "Environment steps to train for, about.")
    var steps = 3_000_000

    @Option(help: "Seed of directions and starts.")
    var seed: UInt64 = 0

    @Option(help: "Directions tried in an iteration.")
    var directions = RandomSearch.Settings().directions

    @Option(help: "Directions used of them, the best.")
    var topDirections = RandomSearch.Settings().topDirections

    @Option(help: "Step size.")
    var stepSize = RandomSearch.Settings().stepSize

    @Option(help: "Size of the disturbance along a direction.")
    var noise = RandomSearch.Settings().noise

    @Option(help: "Iterations between measurements.")
    var measureEvery = 10

    @Option(help: "Episodes of a measurement.")
    var episodes = 10

    @Option(help: "Stop as soon as a measured mean return reaches this.")
    var targetReturn: Double?

    @Option(help: "Threads that simulate.")
    var workers = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print the result as JSON.")
    var json = false

    mutating func validate() throws {
        guard steps > 0 else { throw ValidationError("--steps must be positive, found \(steps)") }
        guard measureEvery > 0 else {
            throw ValidationError("--measure-every must be positive, found \(measureEvery)")
        }
        guard episodes > 0 else {
            throw ValidationError("--episodes must be positive, found \(episodes)")
        }
    }

    private struct Result: Encodable {
        let output: String
        let meanReturn: Double
        let standardDeviation: Double
        let iterations: Int
        let steps: Int
        let seconds: Double

        enum CodingKeys: String, CodingKey {
            case output, iterations, steps, seconds
            case meanReturn = "mean_return"
            case standardDeviation = "standard_deviation"
        }
    }

    mutating func run() async throws {
        let name = environment
        let pool = try EpisodeWorkers(count: workers) { try EnvironmentRegistry.make(name) }
        var settings = RandomSearch.Settings()
        settings.directions = directions
        settings.topDirections = topDirections
        settings.stepSize = stepSize
        settings.noise = noise
        settings.seed = seed
        var search = try RandomSearch(settings, workers: pool)
        if let snapshots {
            try FileManager.default.createDirectory(
                atPath: snapshots, withIntermediateDirectories: true)
        }

        // Known before the work as well as after it.
        try Console.requireFolder(of: URL(fileURLWithPath: output))

        let clock = ContinuousClock()
        let start = clock.now
        var best: PolicyScore?
        var bestIteration = 0
        while search.steps < steps {
            let progress = await search.advance()
            guard progress.iteration.isMultiple(of: measureEvery) || progress.steps >= steps else {
                continue
            }
            // Starts that training, which draws its own at random, practically never sees.
            let score = await PolicyScore.measure(
                PolicyMixture(search.policy), episodes: episodes, firstSeed: 1 << 40,
                workers: pool)
            let metadata = metadata(of: search, score, pool.specification)
            if let snapshots {
                let file = String(
                    format: "iteration-%05d-return-%.0f.safetensors", progress.iteration, score.mean
                )
                try search.policy.write(
                    to: URL(fileURLWithPath: snapshots).appendingPathComponent(file),
                    metadata: metadata)
            }
            if score.mean > best?.mean ?? -.infinity {
                best = score
                bestIteration = progress.iteration
                try search.policy.write(to: URL(fileURLWithPath: output), metadata: metadata)
            }
            Console.progress(
                String(
                    format: "iteration %d  steps %d  return %.0f ± %.0f  length %.0f  best %.0f",
                    progress.iteration, progress.steps, score.mean, score.deviation,
                    score.meanLength, best?.mean ?? score.mean)
                    + "  \(Console.duration(clock.now - start))")
            if let targetReturn, score.mean >= targetReturn { break }
        }
        guard let best else { return }
        let result = Result(
            output: output, meanReturn: best.mean, standardDeviation: best.deviation,
            iterations: search.iteration, steps: search.steps,
            seconds: Console.seconds(clock.now - start))
        if json {
            try Console.printJSON(result)
        } else {
            print(
                String(
                    format: "%@: return %.0f ± %.0f over %d episodes, from iteration %d",
                    output, best.mean, best.deviation, episodes, bestIteration))
        }
    }

    private func metadata(
        of search: RandomSearch, _ score: PolicyScore, _ specification: EnvironmentSpecification
    ) -> [String: String] {
        search.record.metadata.merging([
            "environment": specification.identifier,
            "mean_return": String(format: "%.1f", score.mean),
        ]) { $1 }
    }
}
