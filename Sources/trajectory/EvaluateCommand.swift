import ArgumentParser
import Environments
import Evaluation
import Foundation
import Planning
import Rendering
import Tokenization
import Trajectories
import Transformer

/// `trajectory evaluate`: a trained model plans in closed loop, and is scored.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Let a trained model control an environment by planning, and score it.",
        discussion: """
            Every episode starts from a seed of its own, --seed, --seed + 1 and so on, so that two \
            checkpoints or settings meet the same starts. The planner's defaults are those of the \
            paper's Hopper experiments; smaller --horizon and --beam-width plan faster.

            Examples:
              trajectory evaluate --checkpoint runs/hopper --env hopper --episodes 5 --seed 0
              trajectory evaluate --checkpoint runs/hopper --env hopper --horizon 5 \
            --beam-width 32 --json
              trajectory evaluate --checkpoint runs/hopper --env hopper --episodes 1 \
            --video episode.mp4

            Keys of the JSON object: returns, mean_return, standard_deviation, normalized_score, \
            milliseconds_per_plan (median), mean_milliseconds_per_plan, plans, lengths, seeds, \
            environment, planner.
            """)

    @Option(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(name: .customLong("env"), help: "Environment, such as hopper or hopper-v5.")
    var environment: String

    @Option(help: "Episodes to run.")
    var episodes = 5

    @Option(help: "Seed of the first episode.")
    var seed: UInt64 = 0

    @Option(help: "Cut episodes after this many steps; without it at the environment's limit.")
    var maximumSteps: Int?

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @Option(
        help: "Draw the first episode to this file (mp4 or gif).",
        completion: .file(extensions: ["mp4", "gif"]))
    var video: String?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard episodes > 0 else {
            throw ValidationError("--episodes must be positive, found \(episodes)")
        }
        if let maximumSteps, maximumSteps < 1 {
            throw ValidationError("--maximum-steps must be positive, found \(maximumSteps)")
        }
        if let video,
            !["mp4", "gif"].contains(URL(fileURLWithPath: video).pathExtension.lowercased())
        {
            throw ValidationError("--video must end in .mp4 or .gif, found \(video)")
        }
    }

    func run() async throws {
        let simulation = try EnvironmentRegistry.make(environment)
        let trained = try Checkpoint(directory: URL(fileURLWithPath: checkpoint))
        let specification = simulation.specification
        guard trained.model.configuration.layout == specification.layout else {
            let layout = trained.model.configuration.layout
            throw CheckpointError(
                code: .mismatch, file: checkpoint,
                detail: "it was trained for \(layout.observationDimension) observation and "
                    + "\(layout.actionDimension) action dimensions, \(specification.identifier) has "
                    + "\(specification.layout.observationDimension) and "
                    + "\(specification.layout.actionDimension); give the environment of its data")
        }
        let options = planner.options
        var controller = try Controller(
            model: PrefixDecoder(trained.model), discretizer: trained.discretizer,
            actionLimits: specification.actionLimits, options: options)

        var progress = EpisodeProgress(episodes: episodes)
        let (report, rollouts) = try EvaluationReport.evaluate(
            &controller, in: simulation, episodes: episodes, seed: seed, planner: options,
            maximumSteps: maximumSteps, recordedEpisodes: video == nil ? 0 : 1
        ) { progress.update(episode: $0, $1) }
        if let video, let rollout = rollouts.first {
            try draw(rollout, of: simulation, to: video)
        }
        if json {
            try Console.printJSON(report)
        } else {
            print(Self.table(report))
        }
    }

    private func draw(
        _ rollout: Rollout, of simulation: any SimulatedEnvironment, to file: String
    ) throws {
        Console.progress("drawing episode 1 to \(file)")
        try SceneRenderer(model: simulation.model).renderEpisode(
            states: rollout.states, stepDuration: simulation.stepDuration,
            to: URL(fileURLWithPath: file),
            caption: { step in
                let sum = rollout.rewards.prefix(step).reduce(0, +)
                return String(format: "step %d  return %.0f", step, sum)
            })
    }

    private static func table(_ report: EvaluationReport) -> String {
        var lines = zip(report.seeds, zip(report.returns, report.lengths)).map { seed, episode in
            String(format: "seed %llu  return %.1f  steps %d", seed, episode.0, episode.1)
        }
        lines.append(
            String(
                format: "%@: mean return %.1f ± %.1f", report.environment, report.meanReturn,
                report.standardDeviation)
                + (report.normalizedScore.map { String(format: ", normalized score %.1f", $0) }
                    ?? "")
        )
        if let median = report.millisecondsPerPlan, let mean = report.meanMillisecondsPerPlan {
            lines.append(
                String(
                    format: "%.0f ms a plan (median of %d, mean %.0f)", median, report.plans, mean))
        }
        return lines.joined(separator: "\n")
    }
}

/// Says now and then how far an evaluation has come.
private struct EpisodeProgress {
    let episodes: Int
    private var last = ContinuousClock.now

    init(episodes: Int) {
        self.episodes = episodes
    }

    mutating func update(episode: Int, _ rollout: Rollout) {
        guard ContinuousClock.now - last > .seconds(5) else { return }
        last = .now
        let recent = rollout.planSeconds.suffix(20)
        let pace = 1000 * recent.reduce(0, +) / Double(max(1, recent.count))
        Console.progress(
            String(
                format: "episode %d of %d  step %d  return %.0f  %.0f ms a plan", episode + 1,
                episodes, rollout.rewards.count, rollout.totalReward, pace))
    }
}
