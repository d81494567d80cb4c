import ArgumentParser
import Behavior
import Environments
import Evaluation
import Foundation
import Planning
import Rendering
import Tokenization
import Trajectories
import Transformer

/// `trajectory evaluate`: a trained model plans in closed loop, or a policy acts, and is scored.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Let a trained model plan, or a policy act, in an environment, and score it.",
        discussion: """
            Every episode starts from a seed of its own, --seed, --seed + 1 and so on, so that two \
            checkpoints or settings meet the same starts. The planner's defaults are those of the \
            paper's Hopper experiments; smaller --horizon and --beam-width plan faster. A policy is \
            written as for 'trajectory collect' and makes no plans.

            In a maze, a model or policy trained with --goal-columns is given the goal of each episode; \
            how often, after how many steps and by how long a path goals were reached is reported for \
            all, beside the shortest paths of the same episodes. --paths draws the first episodes, and \
            below each the first plan, where it looks ahead.

            Examples:
              trajectory evaluate --checkpoint runs/hopper --env hopper --episodes 5 --seed 0
              trajectory evaluate --checkpoint runs/hopper --env hopper --horizon 5 \
            --beam-width 32 --json
              trajectory evaluate --checkpoint runs/hopper --env hopper --episodes 1 \
            --video episode.mp4
              trajectory evaluate --checkpoint runs/hopper --env hopper --deadline-ms 20
              trajectory evaluate --checkpoint runs/hopper --env hopper --episodes 20 --parallel 10
              trajectory evaluate --checkpoint runs/hopper --env hopper --objective q \
            --critic critic.safetensors
              trajectory evaluate --policy bc.safetensors --env hopper --episodes 5 --seed 0
              trajectory evaluate --checkpoint runs/maze --env pointmaze-umaze --objective imitation \
            --horizon 1 --beam-width 4 --until-goal --paths paths.png

            Keys of the JSON object: returns, mean_return, standard_deviation, normalized_score, \
            normalized_score_error (standard error of the mean), \
            milliseconds_per_plan (median), mean_milliseconds_per_plan, plans, lengths, seeds, \
            environment, planner, longest_search_milliseconds, mean_horizon, mean_beam_width, seconds; in \
            mazes also success_rate and, of the successful episodes, mean_steps_to_goal, \
            mean_path_length and mean_shortest_path (metres).
            """)

    @Option(help: "Folder of the trained model; this or --policy.", completion: .directory)
    var checkpoint: String?

    @Option(
        help: "Policy to score: random, weak, medium, expert, FILE, POLICY+NOISE or mix:....",
        completion: .file(extensions: ["safetensors"]))
    var policy: String?

    @Option(
        name: .customLong("env"),
        help:
            "Environment, such as hopper or hopper-v5; that of the checkpoint or policy file if not given."
    )
    var environment: String?

    @Option(help: "Episodes to run.")
    var episodes = 5

    @Option(help: "Seed of the first episode.")
    var seed: UInt64 = 0

    @Option(help: "Episodes to run at the same time; they plan together, with the same returns.")
    var parallel = 1

    @Option(help: "Cut episodes after this many steps; without it at the environment's limit.")
    var maximumSteps: Int?

    @Flag(help: "End an episode when its goal is reached (mazes).")
    var untilGoal = false

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @Option(
        help: "Draw the first episode to this file (mp4 or gif).",
        completion: .file(extensions: ["mp4", "gif"]))
    var video: String?

    @Option(
        help: "Draw the first episodes (up to \(mostPaths)) in a maze to this file (png or svg).",
        completion: .file(extensions: ["png", "svg"]))
    var paths: String?

    /// Episodes that one picture of a maze can show.
    static let mostPaths = 8

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard (checkpoint == nil) != (policy == nil) else {
            throw ValidationError(
                checkpoint == nil
                    ? "give --checkpoint or --policy" : "give --checkpoint or --policy, not both")
        }
        if policy != nil, parallel != 1 || planner.options != PlannerOptions() {
            throw ValidationError(
                "a policy does not plan; leave out --parallel and the planner's options")
        }
        guard episodes > 0 else {
            throw ValidationError("--episodes must be positive, found \(episodes)")
        }
        guard parallel > 0 else {
            throw ValidationError("--parallel must be positive, found \(parallel)")
        }
        if let maximumSteps, maximumSteps < 1 {
            throw ValidationError("--maximum-steps must be positive, found \(maximumSteps)")
        }
        if let video,
            !["mp4", "gif"].contains(URL(fileURLWithPath: video).pathExtension.lowercased())
        {
            throw ValidationError("--video must end in .mp4 or .gif, found \(video)")
        }
        if let paths,
            !["png", "svg"].contains(URL(fileURLWithPath: paths).pathExtension.lowercased())
        {
            throw ValidationError("--paths must end in .png or .svg, found \(paths)")
        }
    }

    func run() async throws {
        let report = try await evaluate()
        if json {
            try Console.printJSON(report)
        } else {
            print(Self.table(report))
        }
    }

    /// Runs the episodes and draws the video, if one is asked for.
    func evaluate() async throws -> EvaluationReport {
        let trained = try checkpoint.map { try Checkpoint(directory: URL(fileURLWithPath: $0)) }
        let recorded = recordedEnvironment(trained)
        guard let name = environment ?? recorded else {
            throw CommandError(
                description:
                    "cannot evaluate '\(checkpoint ?? policy ?? "")': it does not name its "
                    + "environment; give --env")
        }
        let simulation = try EnvironmentRegistry.make(name)
        if untilGoal, !(simulation is any GoalEnvironment) {
            throw CommandError(
                description: "cannot use --until-goal: \(simulation.specification.identifier) has "
                    + "no goal; leave it out or give a maze")
        }
        if paths != nil, !(simulation is any MazeSimulation) {
            throw CommandError(
                description: "cannot draw --paths: \(simulation.specification.identifier) is no "
                    + "maze; leave it out or give one")
        }
        var progress = EpisodeProgress(episodes: episodes)
        let (report, rollouts) = try run(trained, in: simulation, recorded: recorded) {
            progress.update(episode: $0, $1)
        }
        if let video, let rollout = rollouts.first {
            try draw(rollout, of: simulation, to: video)
        }
        if let paths, let maze = simulation as? any MazeSimulation {
            let shown = Array(rollouts.prefix(Self.mostPaths))
            try MazePlot(of: shown, in: maze).write(to: URL(fileURLWithPath: paths))
            Console.progress("drew \(shown.count) episodes to \(paths)")
        }
        return report
    }

    /// The environment that whoever acts was trained for, where that is recorded.
    private func recordedEnvironment(_ trained: Checkpoint?) -> String? {
        // What is no file of a policy is for the parser of policies to name.
        let metadata = policy.flatMap {
            try? LinearPolicy.metadata(ofFile: URL(fileURLWithPath: $0))
        }
        return trained?.description.environment ?? metadata?["environment"]
    }

    /// Says so where an environment was given that is not the one of training: other maps, or actions
    /// held for another time, make no error.
    private func noteForeign(_ simulation: any SimulatedEnvironment, _ recorded: String?) {
        let given = simulation.specification.identifier
        guard let recorded, recorded != given,
            let own = try? EnvironmentRegistry.make(recorded).specification.identifier, own != given
        else { return }
        Console.progress("it was trained for \(own) and is evaluated in \(given)")
    }

    /// Runs the episodes of whoever is to act.
    private func run(
        _ trained: Checkpoint?, in simulation: any SimulatedEnvironment, recorded: String?,
        onStep: (Int, Rollout) -> Void
    ) throws -> (report: EvaluationReport, rollouts: [Rollout]) {
        let specification = simulation.specification
        let recordedEpisodes = video == nil ? 0 : 1
        if let trained {
            let controller = try planner.controller(
                of: trained, named: checkpoint ?? "", in: simulation)
            noteForeign(simulation, recorded)
            return try EvaluationReport.evaluate(
                episodes: episodes, parallel: parallel, seed: seed, controller: controller,
                maximumSteps: maximumSteps, untilGoal: untilGoal,
                recordedEpisodes: recordedEpisodes,
                environment: { try EnvironmentRegistry.make(specification.identifier) },
                onStep: onStep)
        }
        var agent = PolicyAgent(try PolicyParser(specification).parse(policy ?? ""))
        noteForeign(simulation, recorded)
        let start = ContinuousClock.now
        let (report, rollouts) = try EvaluationReport.evaluate(
            &agent, in: simulation, episodes: episodes, seed: seed, maximumSteps: maximumSteps,
            untilGoal: untilGoal, recordedEpisodes: recordedEpisodes, onStep: onStep)
        var timed = report
        timed.seconds = Console.seconds(ContinuousClock.now - start)
        return (timed, rollouts)
    }

    private func draw(
        _ rollout: Rollout, of simulation: any SimulatedEnvironment, to file: String
    ) throws {
        Console.progress("drawing episode 1 to \(file)")
        let settings = SceneRenderer.Settings(
            for: simulation.specification, model: simulation.model)
        try SceneRenderer(model: simulation.model, settings: settings).renderEpisode(
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
        if let rate = report.successRate {
            lines.append(
                String(format: "reached the goal in %.0f %% of the episodes", 100 * rate)
                    + (report.meanStepsToGoal.map {
                        String(format: ", after %.0f steps on average", $0)
                    } ?? ""))
        }
        if let length = report.meanPathLength {
            lines.append(
                String(format: "by paths of %.1f m", length)
                    + (report.meanShortestPath.map {
                        String(format: ", where the shortest have %.1f m", $0)
                    } ?? ""))
        }
        if let median = report.millisecondsPerPlan, let mean = report.meanMillisecondsPerPlan {
            lines.append(
                String(
                    format: "%.0f ms a plan (median of %d, mean %.0f)", median, report.plans, mean))
        }
        if let limit = report.planner?.deadlineMilliseconds, let horizon = report.meanHorizon,
            let width = report.meanBeamWidth, let longest = report.longestSearchMilliseconds
        {
            lines.append(
                String(
                    format: "within %.0f ms: planned %.1f transitions with a beam of %.1f on "
                        + "average, longest search %.0f ms", limit, horizon, width, longest))
        }
        if let seconds = report.seconds {
            lines.append(
                String(
                    format: "%d episodes in %.1f s, %.1f a minute", report.returns.count, seconds,
                    60 * Double(report.returns.count) / seconds))
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
        let recent = rollout.plans.suffix(20)
        let pace =
            1000 * recent.reduce(0) { $0 + $1.seconds / Double($1.plans) }
            / Double(max(1, recent.count))
        let line = String(
            format: "episode %d of %d  step %d  return %.0f", episode + 1, episodes,
            rollout.rewards.count, rollout.totalReward)
        Console.progress(
            recent.isEmpty ? line : line + String(format: "  %.0f ms a plan", pace))
    }
}

extension MazePlot {
    /// A plot of episodes in a maze until their goals were reached, with what was planned first.
    fileprivate init(of rollouts: [Rollout], in maze: some MazeSimulation) {
        func points(_ places: [[Double]]) -> [Point] { places.map { ($0[0], $0[1]) } }
        self.init(of: maze, trajectories: rollouts.map { points($0.path) })
        let reached = rollouts.filter { $0.stepsToGoal != nil }.count
        title =
            "\(maze.specification.identifier): \(reached) of \(rollouts.count) reached the goal"
        coloring = .trajectory
        starts = rollouts.compactMap { points($0.places).first }
        goals = points(rollouts.compactMap(\.goal))
        // A plan of one transition leads nowhere.
        plans = rollouts.map { $0.plannedPlaces.count > 1 ? points($0.plannedPlaces) : [] }
    }
}
