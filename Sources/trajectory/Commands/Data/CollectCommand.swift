import ArgumentParser
import Behavior
import Datasets
import Environments
import Foundation
import Trajectories

/// `trajectory collect`: episodes of a policy, logged to a dataset file.
struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collect",
        abstract: "Log episodes of a policy to a D4RL-format HDF5 file.",
        discussion: """
            A policy is one of random, weak, medium, expert, or a file that `trajectory \
            train-behavior` wrote; +X adds Gaussian noise of X times half the action range \
            (medium+0.2); mix:POLICY=WEIGHT,... draws one policy for each episode by weight.

            --dataset makes a whole dataset like D4RL's by its name: an environment and random, \
            medium, medium-replay (every episode that training saw up to the medium policy), \
            medium-expert or expert, with 5 % of noise; or a maze of the point, where a noisy PD \
            controller follows waypoints from goal to goal (maze2d-umaze, maze2d-medium, \
            maze2d-large, pointmaze-fourrooms, pointmaze:map.txt and others). It has as many \
            transitions as D4RL's unless --steps says otherwise. With --until-goal an episode in a maze \
            ends at its goal, so that all of it shows how to get to where it ends.

            @K at the end of an environment's name holds every action for K steps: a transition is then \
            K steps long.

            The same settings give the same file, whatever the number of workers. Where the last \
            episode does not fit into --steps it is cut and left without an end.

            Examples:
              trajectory collect --dataset hopper-medium-replay --output hopper-medium-replay.hdf5
              trajectory collect --dataset maze2d-large --steps 200000 --output maze.hdf5
              trajectory collect --dataset pointmaze-fourrooms@5 --until-goal --steps 200000 \
            --output rooms.hdf5
              trajectory collect --env hopper --policy expert --steps 100000 --output expert.hdf5
              trajectory collect --env hopper --policy medium+0.1 --steps 100000 --seed 7 \
            --output medium.hdf5
              trajectory collect --env hopper --policy mix:expert=1,medium+0.1=2,random=1 \
            --steps 100000 --output mixed.hdf5

            Keys of the JSON object: output, environment, policy, seed, transitions, episodes, \
            mean_return, standard_deviation, best_return, best_tenth_return (mean of the best \
            tenth of the episodes), normalized_score and best_tenth_score, mean_length, seconds. Returns \
            and lengths are those of whole episodes.
            """)

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

    @Option(help: "Seed of starts, noise and mixing.")
    var seed: UInt64 = 0

    @Option(help: "File to write (HDF5).", completion: .file(extensions: ["hdf5", "h5"]))
    var output: String

    @Option(help: "Threads that simulate.")
    var workers = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        if let steps, steps < 1 {
            throw ValidationError("--steps must be positive, found \(steps)")
        }
        if dataset != nil {
            guard environment == nil, policy == nil else {
                throw ValidationError(
                    "--dataset names environment and policy itself; leave them out")
            }
        } else if environment == nil || policy == nil || steps == nil {
            throw ValidationError("give --dataset, or all of --env, --policy and --steps")
        }
    }

    private struct Result: Encodable {
        let output: String
        let environment: String
        let policy: String
        let seed: UInt64
        let transitions: Int
        let episodes: Int
        let meanReturn: Double
        let standardDeviation: Double
        let bestReturn: Double
        let bestTenthReturn: Double
        let normalizedScore: Double?
        let bestTenthScore: Double?
        let meanLength: Double
        let seconds: Double

        enum CodingKeys: String, CodingKey {
            case output, environment, policy, seed, transitions, episodes, seconds
            case meanReturn = "mean_return"
            case standardDeviation = "standard_deviation"
            case bestReturn = "best_return"
            case bestTenthReturn = "best_tenth_return"
            case normalizedScore = "normalized_score"
            case bestTenthScore = "best_tenth_score"
            case meanLength = "mean_length"
        }
    }

    func run() async throws {
        let recipe = try dataset.map(DatasetRecipe.init(named:))
        if untilGoal, recipe?.kind != .navigation {
            throw CommandError(
                description: "cannot use --until-goal: only --dataset of a point maze has goals to "
                    + "go to; leave it out or give one, as in pointmaze-fourrooms")
        }
        let name = recipe?.environment ?? environment ?? ""
        let policy = recipe?.policy ?? policy ?? ""
        let steps = steps ?? recipe?.kind.defaultSteps ?? 0
        let pool = try EpisodeWorkers(count: workers) { try EnvironmentRegistry.make(name) }
        let mixture = recipe == nil ? try PolicyParser(pool.specification).parse(policy) : nil
        let url = URL(fileURLWithPath: output)
        // Known before the work as well as after it.
        try Console.requireFolder(of: url)

        let clock = ContinuousClock()
        let start = clock.now
        var reported = (at: start, steps: 0)
        func progress(_ done: Int, of total: Int) {
            guard clock.now - reported.at > .seconds(2) || done >= total else { return }
            let rate = Double(done - reported.steps) / Console.seconds(clock.now - reported.at)
            reported = (clock.now, done)
            Console.progress(
                String(format: "%d of %d steps  %.0f steps/s", min(done, total), total, rate))
        }
        let trajectories: [Trajectory]
        if let mixture {
            trajectories = await Collector(mixture, workers: pool, seed: seed)
                .collect(steps: steps) { progress($0, of: steps) }
        } else if let recipe {
            trajectories = try await recipe.collect(
                steps: steps, seed: seed, workers: pool, untilGoal: untilGoal,
                progress: progress(_:of:))
        } else {
            trajectories = []
        }
        var attributes = [
            "environment": pool.specification.identifier, "policy": policy, "seed": "\(seed)",
        ]
        if let name = self.dataset { attributes["dataset"] = name }
        if untilGoal { attributes["until_goal"] = "true" }
        let dataset = TrajectoryDataset(
            layout: pool.specification.layout, trajectories: trajectories, attributes: attributes)
        try dataset.write(to: url)

        let whole = trajectories.filter { $0.ending != .unfinished }
        let score = PolicyScore(of: whole.isEmpty ? trajectories : whole)
        let result = Result(
            output: output, environment: pool.specification.identifier, policy: policy, seed: seed,
            transitions: dataset.rowCount, episodes: trajectories.count,
            meanReturn: score.mean, standardDeviation: score.deviation,
            bestReturn: score.returns.max() ?? 0, bestTenthReturn: score.bestTenth,
            normalizedScore: pool.specification.normalizedScore(score.mean),
            bestTenthScore: pool.specification.normalizedScore(score.bestTenth),
            meanLength: score.meanLength,
            seconds: Console.seconds(clock.now - start))
        if json {
            try Console.printJSON(result)
        } else {
            print(
                String(
                    format: "%@: %d transitions, %d episodes, return %.0f ± %.0f, best %.0f",
                    output,
                    result.transitions, result.episodes, score.mean, score.deviation,
                    result.bestReturn))
        }
    }
}
