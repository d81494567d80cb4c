import ArgumentParser
import Bounds
import Evaluation
import Foundation
import Jobs
import Planning
import Signals
import Transformer

/// `trajectory evaluate`: a trained model plans in closed loop, or a policy acts, and is scored.
struct EvaluateCommand: AsyncParsableCommand, DividedCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Let a trained model plan, or a policy act, in an environment, and score it.",
        discussion: """
            Episodes start from the seeds --seed, --seed + 1 and so on, so that two checkpoints or \
            settings meet the same starts. The planner's defaults plan within about \
            20 ms; --preset authors/hopper-medium is the authors' for that dataset. A policy \
            is written as for 'trajectory collect' and makes no plans.

            In a maze, a model or policy trained with --goal-columns is given the goal of each \
            episode; how often, after how many steps and by how long a path goals were reached is \
            reported for all, beside the shortest paths of the same episodes. --paths draws the \
            first episodes, and below each the first plan, where it looks ahead. A map written out \
            fixes start and goal: --env 'pointmaze:11111;1r0g1;11111@5'.

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
              trajectory evaluate --checkpoint runs/hopper --env hopper --log planned.hdf5
              trajectory evaluate --checkpoint runs/maze --env pointmaze-umaze --objective \
            imitation --horizon 1 --beam-width 4 --until-goal --paths paths.png

            Keys of the JSON object: returns, mean_return, standard_deviation, normalized_score, normalized_score_error (standard error \
            of the mean), normalized_scores (each episode's), milliseconds_per_plan (median), mean_milliseconds_per_plan, \
            plan_milliseconds (p50, p99, p99.9, maximum), plans, lengths, seeds, environment, planner, longest_search_milliseconds, \
            mean_horizon, mean_beam_width, seconds; in mazes also success_rate and, of the successful episodes, mean_steps_to_goal, \
            mean_path_length and mean_shortest_path (metres).
            """)

    private static let defaults = EvaluationJob(.policy(""))

    @Option(
        help: """
            Folder of the trained model, of which the best checkpoint is taken where it was kept \
            (FOLDER/checkpoint.json is the last), or its name in a folder of \
            \(Checkpoint.searchPathVariable); this or --policy.
            """, completion: .directory)
    var checkpoint: String?

    @Option(
        help: "Policy to score: random, weak, medium, expert, FILE, POLICY+NOISE or mix:....",
        completion: .file(extensions: ["safetensors"]))
    var policy: String?

    @OptionGroup var environment: EnvironmentOption

    @Option(help: "Episodes to run.")
    var episodes = defaults.episodes

    @Option(help: "Seed of the first episode.")
    var seed = defaults.seed

    @Option(help: "Episodes to run at the same time; they plan together, with the same returns.")
    var parallel = defaults.parallel

    @Option(help: "Cut episodes after this many steps; without it at the environment's limit.")
    var maximumSteps: Int?

    @Flag(help: "End an episode when its goal is reached (mazes).")
    var untilGoal = false

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @Option(
        help: "Draw the first episode to this file (mp4 or gif).",
        completion: .file(extensions: PictureFile.video))
    var video: String?

    @Option(
        help: """
            Draw the first episodes (up to \(EvaluationJob.mostPaths)) in a maze to this file \
            (png or svg).
            """, completion: .file(extensions: PictureFile.chart))
    var paths: String?

    @Flag(help: "With --paths shade all, up to \(EvaluationJob.mostShadedPaths) episodes, by time.")
    var pathsByTime = false

    @Option(
        help: "Also write the episodes as a dataset (HDF5); actions are then rounded to 32 bits.",
        completion: .file(extensions: ["hdf5", "h5"]))
    var log: String?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard (checkpoint == nil) != (policy == nil) else {
            throw ValidationError(
                checkpoint == nil
                    ? "give --checkpoint or --policy" : "give --checkpoint or --policy, not both")
        }
        try GivenOptions.here.refuse(
            ["--parallel"] + PlannerOptionsGroup.names + EngineOptionsGroup.names,
            unless: policy == nil, "is for a model that plans, not for --policy")
        try engine.refuseUnused()
        try planner.refuseUnused()
        try require(.episodes, ["--episodes": episodes])
        try require(.together, ["--parallel": parallel])
        try require(.steps, ["--maximum-steps": maximumSteps])
        try PictureFile.require(PictureFile.video, video, option: "--video")
        try PictureFile.require(PictureFile.chart, paths, option: "--paths")
        try GivenOptions.here.refuse(["--paths-by-time"], unless: paths != nil, "is for --paths")
    }

    func run() async throws {
        let agent: AgentChoice =
            if let checkpoint {
                .model(try planner.model(in: checkpoint, on: engine.engine()))
            } else { .policy(policy ?? "") }
        var job = EvaluationJob(agent, in: environment.name)
        job.episodes = episodes
        job.seed = seed
        job.parallel = parallel
        job.maximumSteps = maximumSteps
        job.untilGoal = untilGoal
        job.video = video.map { URL(fileURLWithPath: $0) }
        job.shadesPathsByTime = pathsByTime
        job.paths = paths.map { URL(fileURLWithPath: $0) }
        job.log = log.map { URL(fileURLWithPath: $0) }
        job.group = Together.group
        job.isStopped = Signals.watch()
        var lines = Lines()
        let report = try job.run { lines.show($0) }
        try Console.report(report, json: json, text: report.text)
        try job.requireWhole(report)
    }
}
