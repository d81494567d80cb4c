import ArgumentParser
import Bounds
import Foundation
import Jobs

/// `trajectory render`: an episode as a video or as a strip of frames.
struct RenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Draw an episode of a policy, a trained model or a dataset.",
        discussion: """
            The output is a video (mp4, gif) that plays at the speed of the simulation, or one \
            picture of several moments (png). No display is needed.

            With --plans, what the planner foresaw is drawn in translucent blue over what then \
            happened: in a video the latest plan that is being followed up, from now to its end, \
            at a fifth of the speed; in a picture a row for each of --plan-count plans.

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

    @OptionGroup var environment: EnvironmentOption

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
        completion: .file(extensions: PictureFile.scene))
    var output: String

    @Option(help: "Seed of the episode.")
    var seed: UInt64 = 0

    @Option(help: "First step to draw.")
    var firstStep = 0

    @Option(help: "End the episode after this many steps; without it at the environment's limit.")
    var maximumSteps: Int?

    @Flag(help: "Show what the planner foresaw (with --checkpoint).")
    var plans = false

    @OptionGroup var frame: FrameOptions

    @OptionGroup var reading: DatasetReadingOptions

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        try PictureFile.require(PictureFile.scene, output, option: "--output")
        guard [policy, checkpoint, dataset].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("give one of --policy, --checkpoint and --dataset")
        }
        guard policy == nil || environment.name != nil else {
            throw ValidationError("--policy needs --env")
        }
        guard !plans || checkpoint != nil else {
            throw ValidationError("--plans needs --checkpoint, since only a planner plans")
        }
        let given = GivenOptions.here
        try given.refuse(
            PlannerOptionsGroup.names, unless: checkpoint != nil,
            "is for a model that plans: --checkpoint")
        if checkpoint != nil { try planner.refuseUnused() }
        try given.refuse(
            ["--episode"] + DatasetReadingOptions.names, unless: dataset != nil, "is for --dataset")
        try given.refuse(["--seed"], unless: dataset == nil, "is for an episode that is acted")
        try frame.refuseUnused(picture: output.lowercased().hasSuffix(".png"), plans: plans)
        try require(.steps, ["--maximum-steps": maximumSteps])
        for (name, value) in [("--episode", episode), ("--first-step", firstStep)] where value < 0 {
            throw ValidationError("\(name) must not be negative, found \(value)")
        }
    }

    func run() async throws {
        let source: RenderJob.Source =
            if let dataset {
                .dataset(URL(fileURLWithPath: dataset), episode: episode)
            } else if let checkpoint {
                try .agent(.model(planner.model(in: checkpoint)), seed: seed)
            } else {
                .agent(.policy(policy ?? ""), seed: seed)
            }
        var job = RenderJob(source, output: URL(fileURLWithPath: output))
        job.environment = environment.name
        job.firstStep = firstStep
        job.maximumSteps = maximumSteps
        job.showsPlans = plans
        frame.apply(to: &job)
        job.reading = reading.options
        let line = ProgressLine()
        defer { line.finish() }
        let result = try job.run { line.show($0, text: \.line) }
        line.finish()
        try Console.report(
            result, json: json,
            text: String(
                format: "%@: %@, %@, %d steps, return %.1f, %d frames", output,
                result.environment, result.source, result.steps, result.return, result.frames))
    }
}
