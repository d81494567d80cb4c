import Bounds
public import Datasets
import Environments
import Episodes
import Evaluation
import Figures
public import Foundation
import Planning
import Rendering

/// Draws an episode of a policy, a trained model or a dataset, as a video or as a picture.
public struct RenderJob: Sendable {
    /// Where the episode comes from.
    public enum Source: Sendable {
        /// Somebody acts; starts and whatever is random depend on the seed.
        case agent(AgentChoice, seed: UInt64)
        /// An episode of a dataset, counted from 0.
        case dataset(URL, episode: Int)
    }

    /// How far the job has come.
    public enum Progress: Sendable {
        /// The planner's episode: steps and return so far.
        case planning(steps: Int, totalReward: Double)
        /// The share of the video that is drawn.
        case drawing(Double)
    }

    /// What was drawn.
    public struct Result: Sendable, Codable {
        /// A plan that was kept.
        public struct Plan: Sendable, Codable {
            /// The step at which it was made, and how many it foresaw.
            public var step, horizon: Int
            /// What it foresaw, and what came, over the steps that the episode reached.
            public var plannedReturn, actualReturn: Double
        }
        /// The file.
        public var output: String
        /// Canonical name of the environment.
        public var environment: String
        /// Where the episode comes from, for a person.
        public var source: String
        /// Steps of the episode.
        public var steps: Int
        /// Its return.
        public var `return`: Double
        /// Frames that were drawn, and their size in pixels.
        public var frames, width, height: Int
        /// The plans, if they were asked for.
        public var plans: [Plan]?
    }

    /// Where the episode comes from.
    public var source: Source
    /// The file to write (mp4, gif or png).
    public var output: URL
    /// Name of the environment; the one that checkpoint, policy file or dataset name if nil.
    public var environment: String?
    /// First step to draw.
    public var firstStep = 0
    /// Ends the episode earlier than the environment's time limit.
    public var maximumSteps: Int?
    /// Whether to show what the planner foresaw.
    public var showsPlans = false
    /// Steps from one plan shown to the next; the horizon if nil.
    public var planInterval: Int?
    /// Plans in a picture.
    public var planCount = 3
    /// Frames of a picture, or of each plan in it; 8 or 5 if nil.
    public var frames: Int?
    /// Frames side by side in a picture without plans.
    public var columns = 4
    /// Speed of a video, 1 as the simulation; 1, or 0.2 with plans, if nil.
    public var speed: Double?
    /// Width of a frame in pixels; 320 in a picture, else 480, if nil.
    public var width: Int?
    /// Height of a frame in pixels; three quarters of the width if nil.
    public var height: Int?
    /// How a dataset is read.
    public var reading = TrajectoryDataset.ReadingOptions()

    /// A job; see the properties.
    public init(_ source: Source, output: URL) {
        self.source = source
        self.output = output
    }

    private var isPicture: Bool { output.pathExtension.lowercased() == "png" }

    /// Runs or reads the episode and draws it.
    ///
    /// - Throws: ``JobError``, `FigureError`, errors of loading, planning and drawing.
    public func run(report: (JobEvent<Progress>) -> Void = { _ in }) throws -> Result {
        try require(.steps, ["maximumSteps": maximumSteps])
        try require(
            .episodes,
            [
                "planInterval": planInterval, "planCount": planCount, "frames": frames,
                "columns": columns,
            ])
        try require(Bound.steps.orNone, ["firstStep": firstStep])
        try require(.pixels, ["width": width, "height": height])
        guard speed.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw JobError(.invalidSetting, "speed must be positive, found \(speed ?? 0)")
        }
        // Known before the work as well as after it.
        try output.requireWritable()
        try VideoWriter.requireProgram(for: output)
        let (simulation, record) = try load { report(.note($0)) }
        var settings = SceneRenderer.Settings(
            for: simulation.specification, model: simulation.model)
        settings.width = width ?? (isPicture ? 320 : 480)
        // Even, as MP4 asks for.
        settings.height = height ?? (settings.width * 3 / 8) * 2
        let renderer = try SceneRenderer(model: simulation.model, settings: settings)

        let episode = try record { report(.progress($0)) }
        let count = episode.states.count
        let last = min(count, maximumSteps.map { $0 + 1 } ?? count)
        guard firstStep < last else {
            throw FigureError(
                code: .noStep, subject: "step \(firstStep) of \(episode.source)",
                detail: "it has \(last) states")
        }
        let drawing = EpisodeDrawing(
            of: episode, steps: firstStep..<last, stepDuration: simulation.stepDuration,
            renderer: renderer)
        let drawn =
            if !isPicture {
                try drawing.video(to: output, speed: speed ?? (showsPlans ? 0.2 : 1)) {
                    report(.progress(.drawing($0)))
                }
            } else if showsPlans {
                try drawing.planStrip(to: output, count: planCount, columns: frames ?? 5)
            } else {
                try drawing.strip(to: output, count: frames ?? 8, columns: columns)
            }
        return Result(
            output: output.given, environment: simulation.specification.identifier,
            source: episode.source, steps: episode.rewards.count,
            return: episode.rewards.reduce(0, +), frames: drawn, width: settings.width,
            height: settings.height, plans: showsPlans ? plans(of: episode) : nil)
    }

    private func plans(of episode: RecordedEpisode) -> [Result.Plan] {
        episode.forecasts.map { forecast in
            let actual = episode.rewards.dropFirst(forecast.step).prefix(forecast.rewards.count)
            return Result.Plan(
                step: forecast.step, horizon: forecast.rewards.count,
                plannedReturn: forecast.rewards.prefix(actual.count).reduce(0, +),
                actualReturn: actual.reduce(0, +))
        }
    }

    // MARK: - Where the episode comes from

    private typealias Record = ((Progress) -> Void) throws -> RecordedEpisode

    /// Checks what is to be drawn; running it is left to the second value, since it may take long.
    private func load(note: (String) -> Void) throws -> (any SimulatedEnvironment, Record) {
        switch source {
        case .dataset(let file, let index):
            let data = try TrajectoryDataset(contentsOf: file, options: reading)
            let simulation = try DatasetEnvironment.make(
                environment, for: data, file: file.given, allowsFewerObservations: true)
            let episode = try RecordedEpisode(
                of: data, file: file, episode: index, environment: simulation)
            return (simulation, { _ in episode })
        case .agent(let choice, let seed):
            let loaded = try LoadedAgent(choice, in: environment, check: { _ in }, note: note)
            let simulation = try requireSimulation(loaded.environment)
            return (
                simulation,
                {
                    try record(
                        loaded, in: simulation, named: choice.name, seed: seed, progress: $0)
                }
            )
        }
    }

    private func requireSimulation(
        _ environment: any Environment
    ) throws(JobError) -> any SimulatedEnvironment {
        guard let simulation = environment as? any SimulatedEnvironment else {
            throw JobError(
                .noSimulation,
                "cannot draw an episode: \(environment.specification.identifier) is no simulation of "
                    + "a robot; evaluate in it and draw the paths")
        }
        return simulation
    }

    private func record(
        _ loaded: LoadedAgent, in environment: any SimulatedEnvironment, named name: String,
        seed: UInt64, progress: (Progress) -> Void
    ) throws -> RecordedEpisode {
        let options = Rollout.Options(maximumSteps: maximumSteps, recordsStates: true)
        switch loaded.kind {
        case .policy(var agent):
            let rollout = try Rollout(
                of: &agent, in: environment, seed: seed, options: options)
            return RecordedEpisode(rollout, source: "policy \(name), seed \(seed)")
        case .planner(let controller):
            let interval = showsPlans ? planInterval ?? controller.options.horizon : .max
            var agent = PlanRecorder(controller, interval: interval)
            let rollout = try Rollout(
                of: &agent, in: environment, seed: seed, options: options
            ) {
                progress(.planning(steps: $0.rewards.count, totalReward: $0.totalReward))
            }
            var episode = RecordedEpisode(rollout, source: "checkpoint \(name), seed \(seed)")
            if showsPlans {
                try episode.addPlans(
                    agent.entries.map { ($0.step, $0.plan) }, in: environment)
            }
            return episode
        }
    }
}
