import ArgumentParser
import Bounds
import Engines
import Foundation
import Jobs
import Signals

/// `trajectory collect`: episodes of a policy, logged to a dataset file.
struct CollectCommand: AsyncParsableCommand, DividedCommand {
    static let configuration = CommandConfiguration(
        commandName: "collect",
        abstract: "Log episodes of a policy to a D4RL-format HDF5 file.",
        discussion: """
            A policy is random, weak, medium, expert, or a file that `trajectory train-behavior` \
            or `train-policy` wrote. A stochastic one acts by its mean; sample: before it draws. \
            ars-weak and so on are those of random search. +X adds Gaussian noise of X times half \
            the action range; mix:POLICY=WEIGHT,... draws one policy for each episode by weight. \
            What a trained model plans, `trajectory evaluate --log` keeps.

            --dataset makes a whole dataset like D4RL's by its name: an environment and random, \
            medium, expert (drawn from the level's policy), medium-expert, or medium-replay and \
            full-replay, for which soft actor-critic is trained again and all that it sees is \
            kept: as many steps as its policy took, or --steps (with --device cuda on a card, which \
            takes minutes less and rounds otherwise). ars-medium, ars-medium-replay and \
            so on are random search's. Or a maze of the point, where a noisy PD controller goes \
            from goal to goal, with --until-goal one goal an episode; or one of AntMaze's \
            (antmaze-umaze, -umaze-diverse, -medium-play, -medium-diverse, -large-play, \
            -large-diverse), where --walker, a policy of ant-goal, is told the way. Its size is \
            D4RL's, or --steps.

            @K after an environment's name holds every action for K steps. The same settings give \
            the same file, whatever the number of workers; an episode that does not fit into \
            --steps is cut and left without an end.

            Examples:
              trajectory collect --dataset hopper-medium-replay --output hopper-medium-replay.hdf5
              trajectory collect --dataset pointmaze-fourrooms@5 --until-goal --steps 200000 \
            --output rooms.hdf5
              trajectory collect --env hopper --policy mix:expert=1,medium+0.1=2,random=1 \
            --steps 100000 --seed 7 --output mixed.hdf5

            Keys of the JSON object: output, environment, policy, seed, transitions, episodes, \
            mean_return, standard_deviation, best_return, best_tenth_return (mean of the best \
            tenth of the episodes), normalized_score and best_tenth_score, mean_length, seconds. \
            Returns and lengths are those of whole episodes. Of AntMaze also success_rate (share \
            of the walks that got where they were sent) and mean_steps_to_goal.
            """)

    private static let defaults = CollectionJob(
        .dataset(""), output: URL(fileURLWithPath: ""))

    @Option(help: "Dataset to make, such as walker2d-medium-expert or maze2d-large.")
    var dataset: String?

    @Option(name: .customLong("env"), help: "Environment, such as hopper or hopper-v5.")
    var environment: String?

    @Option(help: "Policy: random, weak, medium, expert, FILE, POLICY+NOISE or mix:....")
    var policy: String?

    @Option(help: "Transitions to log.")
    var steps: Int?

    @Flag(help: "With --dataset of a maze, end an episode when its goal is reached.")
    var untilGoal = false

    @Option(help: "With --dataset of AntMaze, who walks; the one that comes along if not given.")
    var walker: String?

    @Option(help: "Seed of starts, noise and mixing.")
    var seed = defaults.seed

    @Option(help: "File to write (HDF5).", completion: .file(extensions: ["hdf5", "h5"]))
    var output: String

    @Option(help: "Threads that simulate.")
    var workers = defaults.workers

    @Option(
        help:
            "Of a replay, what computes: cpu, cuda (an NVIDIA card), or auto: a card if there is one."
    )
    var device: ComputeDevice?

    @Flag(help: "Print a JSON object.")
    var json = false

    mutating func validate() throws {
        try require(.steps, ["--steps": steps])
        try require(.workers, ["--workers": workers])
        if dataset != nil {
            guard environment == nil, policy == nil else {
                throw ValidationError(
                    "--dataset names environment and policy itself; leave them out")
            }
        } else if environment == nil || policy == nil || steps == nil {
            throw ValidationError("give --dataset, or all of --env, --policy and --steps")
        }
    }

    func run() async throws {
        var job = CollectionJob(
            dataset.map { .dataset($0) } ?? .policy(policy ?? "", environment: environment ?? ""),
            output: URL(fileURLWithPath: output))
        job.steps = steps
        job.untilGoal = untilGoal
        job.walker = walker
        job.seed = seed
        job.workers = workers
        // A card that is found helps replays alone; one that is asked for is refused elsewhere.
        if let device, device != .auto || job.takesEngine,
            let (engine, name) = try device.actorCritic()
        {
            job.engine = engine
            job.device = name
        }
        job.group = Together.group
        job.isStopped = Signals.watch()
        var lines = Lines()
        let result = try await job.run { lines.show($0) }
        let success = result.successRate.map { String(format: ", goals reached %.1f %%", 100 * $0) }
        try Console.report(
            result, json: json,
            text: String(
                format: "%@: %d transitions, %d episodes, return %.0f ± %.0f, best %.0f", output,
                result.transitions, result.episodes, result.meanReturn, result.standardDeviation,
                result.bestReturn) + (success ?? ""))
    }

    /// Says now and then how far a collection is.
    struct Lines {
        private var pace = Pace(every: .seconds(2))
        private var reported = 0

        mutating func show(_ event: JobEvent<Share>) {
            guard case .progress(let share) = event,
                let seconds = pace.due(always: share.done >= share.total)
            else { return }
            let rate = Double(share.done - reported) / seconds
            reported = share.done
            Console.progress(
                String(
                    format: "%d of %d steps  %.0f steps/s", min(share.done, share.total),
                    share.total, rate))
        }
    }
}
