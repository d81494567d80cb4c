import ArgumentParser
import Datasets
import Environments
import Evaluation
import Foundation
import Planning
import Rendering
import Transformer

/// `trajectory render`: an episode as a video or as a strip of frames.
struct RenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Draw an episode of a policy, a trained model or a dataset.",
        discussion: """
            The output is a video (mp4, gif) that plays at the speed of the simulation, or one \
            picture of several moments (png). No display is needed.

            With --plans, what the planner foresaw is drawn in translucent blue over what then \
            happened: in a video the latest plan that is being followed up, from now to its end, at a \
            fifth of the speed; in a picture a row for each of --plan-count plans.

            Observations of a dataset leave out where on the ground a robot is; it is integrated \
            from the observed velocities.

            Examples:
              trajectory render --env hopper --policy expert --output expert.mp4
              trajectory render --dataset hopper.hdf5 --episode 3 --output episode.gif
              trajectory render --checkpoint runs/hopper --seed 4 --output episode.mp4
              trajectory render --checkpoint runs/hopper --plans --maximum-steps 200 \
            --output plans.png

            Keys of the JSON object: output, environment, source, steps, return, frames, width, \
            height (of a frame), plans (with --plans: step, horizon, planned_return, actual_return \
            over the steps of the plan that the episode reached).
            """)

    @Option(
        name: .customLong("env"),
        help: "Environment, such as hopper; that of the checkpoint or dataset if not given.")
    var environment: String?

    @Option(help: "Draw this policy: random, weak, medium, expert, FILE, POLICY+NOISE or mix:....")
    var policy: String?

    @Option(help: "Draw the trained model in this folder.", completion: .directory)
    var checkpoint: String?

    @Option(help: "Draw an episode of this file.", completion: .file(extensions: ["hdf5", "h5"]))
    var dataset: String?

    @Option(help: "Episode of the dataset, counted from 0.")
    var episode = 0

    @Option(
        help: "File to write (mp4, gif or png).",
        completion: .file(extensions: ["mp4", "gif", "png"]))
    var output: String

    @Option(help: "Seed of the episode.")
    var seed: UInt64 = 0

    @Option(help: "First step to draw.")
    var firstStep = 0

    @Option(help: "End the episode after this many steps; without it at the environment's limit.")
    var maximumSteps: Int?

    @Flag(help: "Show what the planner foresaw (with --checkpoint).")
    var plans = false

    @Option(help: "Steps from one plan shown to the next; the horizon if not given.")
    var planInterval: Int?

    @Option(help: "Plans in a picture.")
    var planCount = 3

    @Option(help: "Frames of a picture; with --plans, of each plan. 8 and 5 if not given.")
    var frames: Int?

    @Option(help: "Frames side by side in a picture without plans.")
    var columns = 4

    @Option(help: "Speed of a video, 1 as the simulation; with --plans 0.2 if not given.")
    var speed: Double?

    @Option(help: "Width of a frame in pixels; 480, in pictures 320, if not given.")
    var width: Int?

    @Option(help: "Height of a frame in pixels; three quarters of the width if not given.")
    var height: Int?

    @OptionGroup var reading: DatasetReadingOptions

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @Flag(help: "Print a JSON object.")
    var json = false

    private var isPicture: Bool {
        URL(fileURLWithPath: output).pathExtension.lowercased() == "png"
    }

    func validate() throws {
        let format = URL(fileURLWithPath: output).pathExtension.lowercased()
        guard ["mp4", "gif", "png"].contains(format) else {
            throw ValidationError("--output must end in .mp4, .gif or .png, found \(output)")
        }
        guard [policy, checkpoint, dataset].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("give one of --policy, --checkpoint and --dataset")
        }
        guard policy == nil || environment != nil else {
            throw ValidationError("--policy needs --env")
        }
        guard !plans || checkpoint != nil else {
            throw ValidationError("--plans needs --checkpoint, since only a planner plans")
        }
        for (name, value) in [
            ("--maximum-steps", maximumSteps), ("--plan-interval", planInterval),
            ("--plan-count", planCount), ("--frames", frames), ("--columns", columns),
        ] {
            if let value, value < 1 {
                throw ValidationError("\(name) must be positive, found \(value)")
            }
        }
        for (name, value) in [("--episode", episode), ("--first-step", firstStep)] where value < 0 {
            throw ValidationError("\(name) must not be negative, found \(value)")
        }
        for (name, value) in [("--width", width), ("--height", height)] {
            if let value, !(16...4096).contains(value) || !value.isMultiple(of: 2) {
                throw ValidationError(
                    "\(name) must be an even number from 16 to 4096, found \(value)")
            }
        }
        if let speed, !(speed > 0 && speed.isFinite) {
            throw ValidationError("--speed must be positive, found \(speed)")
        }
    }

    private struct Result: Encodable {
        struct Plan: Encodable {
            let step: Int
            let horizon: Int
            let plannedReturn: Double
            let actualReturn: Double

            enum CodingKeys: String, CodingKey {
                case step, horizon
                case plannedReturn = "planned_return"
                case actualReturn = "actual_return"
            }
        }

        let output: String
        let environment: String
        let source: String
        let steps: Int
        let totalReward: Double
        let frames: Int
        let width: Int
        let height: Int
        let plans: [Plan]?

        enum CodingKeys: String, CodingKey {
            case output, environment, source, steps, frames, width, height, plans
            case totalReward = "return"
        }
    }

    func run() async throws {
        let url = URL(fileURLWithPath: output)
        // Known before the work as well as after it.
        try Console.requireFolder(of: url)
        try VideoWriter.requireProgram(for: url)
        let source = try source()
        let simulation = source.environment
        var settings = SceneRenderer.Settings(
            for: simulation.specification, model: simulation.model)
        settings.width = width ?? (isPicture ? 320 : 480)
        // Even, as MP4 asks for.
        settings.height = height ?? (settings.width * 3 / 8) * 2
        let renderer = try SceneRenderer(model: simulation.model, settings: settings)

        let recorded = try source.record()
        let last = min(
            recorded.states.count, maximumSteps.map { $0 + 1 } ?? recorded.states.count)
        guard firstStep < last else {
            throw CommandError(
                description: "there is no step \(firstStep) to draw in \(recorded.source): it has "
                    + "\(last) states; give a smaller --first-step")
        }
        let drawing = EpisodeDrawing(
            episode: recorded, steps: firstStep..<last, stepDuration: simulation.stepDuration,
            renderer: renderer)
        let drawn =
            if !isPicture {
                try drawing.video(to: url, speed: speed ?? (plans ? 0.2 : 1))
            } else if plans {
                try drawing.planStrip(to: url, count: planCount, columns: frames ?? 5)
            } else {
                try drawing.strip(to: url, count: frames ?? 8, columns: columns)
            }
        try report(recorded, simulation.specification, settings, frames: drawn)
    }

    private func report(
        _ recorded: RecordedEpisode, _ specification: EnvironmentSpecification,
        _ settings: SceneRenderer.Settings, frames: Int
    ) throws {
        let result = Result(
            output: output, environment: specification.identifier, source: recorded.source,
            steps: recorded.rewards.count, totalReward: recorded.rewards.reduce(0, +),
            frames: frames, width: settings.width, height: settings.height,
            plans: !plans
                ? nil
                : recorded.forecasts.map { forecast in
                    let actual = recorded.rewards.dropFirst(forecast.step)
                        .prefix(forecast.rewards.count)
                    return Result.Plan(
                        step: forecast.step, horizon: forecast.rewards.count,
                        plannedReturn: forecast.rewards.prefix(actual.count).reduce(0, +),
                        actualReturn: actual.reduce(0, +))
                })
        if json {
            try Console.printJSON(result)
        } else {
            print(
                String(
                    format: "%@: %@, %@, %d steps, return %.1f, %d frames", output,
                    result.environment, result.source, result.steps, result.totalReward, frames))
        }
    }

    // MARK: - Where the episode comes from

    /// An environment, and how to get the episode in it.
    private struct Source {
        let environment: any SimulatedEnvironment
        let record: () throws -> RecordedEpisode
    }

    /// Checks what is to be drawn; running it is left to the source, since it may take long.
    private func source() throws -> Source {
        if let dataset {
            let data = try TrajectoryDataset(
                contentsOf: URL(fileURLWithPath: dataset), options: reading.options)
            let simulation = try DatasetEnvironment.make(
                environment, for: data, file: dataset, allowsFewerObservations: true)
            let recorded = try RecordedEpisode.read(
                data, file: dataset, episode: episode, environment: simulation)
            return Source(environment: simulation) { recorded }
        }
        if let checkpoint {
            let trained = try Checkpoint(directory: URL(fileURLWithPath: checkpoint))
            guard let name = environment ?? trained.description.environment else {
                throw CommandError(
                    description: "cannot use checkpoint '\(checkpoint)': it does not name its "
                        + "environment; give --env")
            }
            let simulation = try EnvironmentRegistry.make(name)
            let controller = try planner.controller(
                of: trained, named: checkpoint, in: simulation)
            let interval = plans ? planInterval ?? controller.options.horizon : nil
            return Source(environment: simulation) {
                try RecordedEpisode.run(
                    controller: controller, named: checkpoint, in: simulation, seed: seed,
                    maximumSteps: maximumSteps, interval: interval)
            }
        }
        let simulation = try EnvironmentRegistry.make(environment ?? "")
        let policy = policy ?? ""
        return Source(environment: simulation) {
            try RecordedEpisode.run(
                policy: policy, in: simulation, seed: seed, maximumSteps: maximumSteps)
        }
    }
}
