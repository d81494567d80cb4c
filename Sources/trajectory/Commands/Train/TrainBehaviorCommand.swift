import ArgumentParser
import Bounds
import Engines
import Foundation
import Jobs
import Learning
import Policies
import Signals

/// `trajectory train-behavior`: a policy that makes data.
struct TrainBehaviorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-behavior",
        abstract: "Train a behaviour policy by soft actor-critic or random search.",
        discussion: """
            --method sac trains a neural, stochastic policy by soft actor-critic (Haarnoja et al. \
            2018), as D4RL's are; ars a linear one by augmented random search (Mania, Guy and \
            Recht 2018, V2-t). The policy is measured now and then; the output file always holds \
            the best one measured so far, and training ends after --steps, or as soon as a \
            measured mean return reaches --target-return. The same settings give the same policy, \
            whatever the number of workers.

            Beside the output, sac keeps the learning curve (.csv) and a snapshot \
            (.snapshot.safetensors) from which --resume goes on: exactly with --keep-memory from \
            the start, and otherwise the policy fills the memory again first.

            Examples:
              trajectory train-behavior --env hopper --output hopper.safetensors --seed 3
              trajectory train-behavior --env hopper --output medium.safetensors \
            --target-return 1000 --snapshots hopper
              trajectory train-behavior --env hopper --method ars --output linear.safetensors

            Keys of the JSON object: output, mean_return, standard_deviation, best_steps, steps, \
            seconds; of sac updates; of ars best_iteration, iterations.
            """)

    private static let defaults = BehaviorTrainingJob(
        environment: "", output: URL(fileURLWithPath: ""))

    @Option(name: .customLong("env"), help: "Environment, such as hopper or hopper-v5.")
    var environment: String

    @Option(help: "File for the best policy (safetensors).")
    var output: String

    @Option(help: "sac: soft actor-critic. ars: augmented random search.")
    var method = BehaviorMethod.sac

    @Option(help: "Folder that also gets every measured policy.")
    var snapshots: String?

    @Option(help: "Environment steps to train for; by default 1,000,000, of ars about 3,000,000.")
    var steps: Int?

    @Option(help: "Seed of all that is random.")
    var seed: UInt64 = 0

    @Option(help: "Steps (default 10,000), or iterations of ars (10), between measurements.")
    var measureEvery: Int?

    @Option(help: "Episodes of a measurement.")
    var episodes = defaults.episodes

    @Option(help: "Stop as soon as a measured mean return reaches this.")
    var targetReturn: Double?

    @Option(help: "Threads that simulate and compute.")
    var workers = defaults.workers
    @OptionGroup var events: TensorBoardOption

    @OptionGroup(title: "Soft Actor-Critic") var actorCritic: ActorCriticOptions

    @OptionGroup(title: "Random Search") var search: RandomSearchOptions

    @Flag(help: "Print the result as JSON.")
    var json = false

    mutating func validate() throws {
        try require(.steps, ["--steps": steps, "--measure-every": measureEvery])
        try require(.episodes, ["--episodes": episodes])
        try require(.workers, ["--workers": workers])
        if let option = method == .sac ? search.given : actorCritic.given {
            throw ValidationError("\(option) is no option of --method \(method.rawValue)")
        }
    }

    func run() async throws {
        var job = BehaviorTrainingJob(
            environment: environment, output: URL(fileURLWithPath: output))
        job.snapshots = snapshots.map { URL(fileURLWithPath: $0) }
        job.method =
            method == .sac
            ? .softActorCritic(actorCritic.settings(seed: seed))
            : .randomSearch(search.settings(seed: seed))
        job.tensorBoard = events.folder
        job.steps = steps
        job.measurementInterval = measureEvery
        job.episodes = episodes
        job.targetReturn = targetReturn
        job.workers = workers
        job.isStopped = Signals.watch()
        job.resumes = actorCritic.resume
        job.keepsMemory = actorCritic.keepMemory
        job.timeLimit = actorCritic.timeLimit
        if let (engine, name) = try (actorCritic.device ?? .cpu).actorCritic() {
            job.engine = engine
            job.device = name
        }
        let line = ProgressLine()
        let result = try await job.run { Self.show($0, on: line) }
        line.finish()
        try Console.report(
            result, json: json,
            text: String(
                format: "%@: return %.0f ± %.0f over %d episodes, after %d steps", output,
                result.meanReturn, result.standardDeviation, episodes, result.bestSteps))
    }

    /// Shows how far training is: measurements stay.
    static func show(_ event: BehaviorTrainingJob.Event, on line: ProgressLine) {
        let shown: JobEvent<(text: String, stays: Bool)> =
            switch event {
            case .note(let text): .note(text)
            case .progress(let now): .progress((text(now), false))
            case .measurement(let now): .progress((text(now), true))
            }
        line.show(shown, isMilestone: \.stays, text: \.text)
    }

    private static func text(_ now: BehaviorTrainingJob.Progress) -> String {
        var text = String(format: "step %d of %d", now.steps, now.total)
        if let mean = now.meanReturn { text += String(format: "  return %.0f", mean) }
        guard now.updates.count > 0 else { return text }
        return text
            + String(
                format: "  temperature %.4f  Q %.1f  %.0f updates/s", now.updates.temperature,
                now.updates.q, now.updatesPerSecond)
    }

    private static func text(_ now: BehaviorTrainingJob.Measurement) -> String {
        var text = now.iteration.map { "iteration \($0)  " } ?? ""
        text += String(
            format: "steps %d  return %.0f ± %.0f  length %.0f  best %.0f", now.steps,
            now.score.mean, now.score.deviation, now.score.meanLength, now.best)
        if let updates = now.updates, updates.count > 0 {
            text += String(format: "  temperature %.4f  Q %.1f", updates.temperature, updates.q)
        }
        return text + "  \(Console.duration(seconds: now.seconds))"
    }
}
