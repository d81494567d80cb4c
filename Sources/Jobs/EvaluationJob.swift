import Bounds
import Datasets
import Environments
import Episodes
public import Evaluation
import Figures
public import Foundation
import Planning
public import Processes
import Rendering
import Trajectories

/// Lets a trained model plan, or a policy act, in an environment, and scores it.
///
/// ```swift
/// var job = EvaluationJob(.model(PlanningModel(checkpoint: folder)))
/// job.episodes = 20
/// job.parallel = 10
/// print(try job.run().meanReturn)
/// ```
public struct EvaluationJob: Sendable {
    /// How far an evaluation has come.
    public struct Progress: Sendable {
        /// The episode, from 0, and how many there are.
        public let episode, episodes: Int
        /// Steps of the episode so far.
        public let steps: Int
        /// Its return so far.
        public let totalReward: Double
        /// Mean time of its latest plans; nil where none was made.
        public let millisecondsPerPlan: Double?
    }

    /// Who acts.
    public var agent: AgentChoice
    /// Name of the environment; the one that the checkpoint or the policy's file names if nil.
    public var environment: String?
    /// Number of episodes.
    public var episodes = 5
    /// Seed of the first episode; the others have the numbers after it.
    public var seed: UInt64 = 0
    /// Episodes that run at the same time and plan together, with the same returns; only of a
    /// model.
    public var parallel = 1
    /// Ends episodes earlier than the environment's time limit.
    public var maximumSteps: Int?
    /// Whether an episode ends when its goal is reached.
    public var untilGoal = false
    /// A video of the first episode (mp4 or gif).
    public var video: URL?
    /// A picture of the first episodes in a maze (png or svg).
    public var paths: URL?
    /// Whether the picture shades all episodes by time, from the first step to the last, in the
    /// place of a colour for each of the first.
    public var shadesPathsByTime = false
    /// A dataset of all episodes (HDF5); actions are then rounded to `Float` before they are taken,
    /// so that what is logged is what was done.
    public var log: URL?

    /// Episodes that one picture of a maze can show, each in a colour of its own.
    public static let mostPaths = 8
    /// Episodes that one picture of a maze can show, shaded by time.
    public static let mostShadedPaths = 100

    /// Threads on which a policy acts, each in an episode of its own; a model plans on those of its
    /// engine.
    public var workers = Cores.available
    /// Who evaluates together; all of them run the same job, each some of the episodes, and the first
    /// one draws and writes.
    public var group: any ProcessGroup = SingleProcess()

    /// Whether to give up the episodes under way and stop.
    public var isStopped: StopQuestion = { false }

    /// A job; see the properties.
    public init(_ agent: AgentChoice, in environment: String? = nil) {
        self.agent = agent
        self.environment = environment
    }

    /// Runs the episodes, and writes what is asked for.
    ///
    /// - Parameter report: Told what a user should know, and after every step how far it is.
    /// - Returns: What came of all episodes.
    /// - Throws: ``JobError``, errors of loading who acts, of planning, drawing and writing.
    public func run(report: (JobEvent<Progress>) -> Void = { _ in }) throws -> EvaluationReport {
        try require(.episodes, ["episodes": episodes])
        try require(.together, ["parallel": parallel])
        try require(.workers, ["workers": workers])
        try require(.steps, ["maximumSteps": maximumSteps])
        // Known before the work as well as after it.
        if group.isFirst {
            for file in [video, paths, log].compactMap(\.self) { try file.requireWritable() }
        }
        let loaded = try LoadedAgent(agent, in: environment, check: requireKind) {
            report(.note($0))
        }
        let environment = loaded.environment
        if let own = foreign(loaded) {
            let given = environment.specification.identifier
            report(.note("it was trained for \(own) and is evaluated in \(given)"))
        }
        let evaluation: EvaluationReport
        let rollouts: [Rollout]
        do {
            (evaluation, rollouts) = try evaluate(loaded) { episode, rollout in
                report(.progress(progress(episode, rollout)))
            }
        } catch let error as EvaluationStopped {
            throw JobError(.stopped, "\(error); the same command begins anew")
        }
        guard group.isFirst else { return evaluation }
        let isWhole = evaluation.returns.count == episodes
        if let video, isWhole, let rollout = rollouts.first,
            let simulation = environment as? any SimulatedEnvironment
        {
            report(.note("drawing episode 1 to \(video.given)"))
            try draw(rollout, of: simulation, to: video)
        }
        if let paths, isWhole, let mapped = environment as? any MappedEnvironment {
            let shown = Array(
                rollouts.prefix(shadesPathsByTime ? Self.mostShadedPaths : Self.mostPaths))
            let coloring = shadesPathsByTime ? MazePlot.Coloring.time : .trajectory
            let plot =
                (mapped as? RoomsEnvironment).map {
                    MazePlot(of: shown, eachOnItsMap: $0, coloring: coloring)
                } ?? MazePlot(of: shown, in: mapped, coloring: coloring)
            try plot.write(to: paths)
            report(.note("drew \(shown.count) episodes to \(paths.given)"))
        }
        if let log {
            try TrajectoryDataset(
                layout: environment.specification.layout,
                trajectories: rollouts.compactMap(\.trajectory),
                attributes: [
                    DatasetEnvironment.attribute: environment.specification.identifier,
                    "policy": agent.name, "seed": "\(seed)",
                ]
            ).write(to: isWhole ? log : log.partial)
        }
        return evaluation
    }

    /// Refuses the report of an evaluation that was stopped.
    ///
    /// - Throws: ``JobError`` that says how far it came, and what was kept.
    public func requireWhole(_ report: EvaluationReport) throws(JobError) {
        guard report.returns.count < episodes else { return }
        let kept = log.map { "; their log is in '\($0.partial.given)'" } ?? ""
        let missing = (video ?? paths).map { _ in "; no picture is drawn" } ?? ""
        throw JobError(
            .stopped,
            "stopped after \(report.returns.count) of \(episodes) episodes, which the report sums up"
                + kept + missing + "; the same command begins anew")
    }

    /// The environment of training where it is not this one: other maps, or actions held for
    /// another time, make no error.
    private func foreign(_ loaded: LoadedAgent) -> String? {
        let given = loaded.environment.specification.identifier
        guard let recorded = loaded.recorded, recorded != given else { return nil }
        let own = (try? EnvironmentRegistry.make(recorded).specification.identifier) ?? recorded
        return own == given ? nil : own
    }

    private func requireKind(_ environment: any Environment) throws(JobError) {
        let identifier = environment.specification.identifier
        if untilGoal, !(environment is any GoalEnvironment) {
            throw JobError(
                .noGoal, "cannot end episodes at their goal: \(identifier) has none; give a maze")
        }
        if video != nil, !(environment is any SimulatedEnvironment) {
            throw JobError(
                .noSimulation,
                "cannot draw a video: \(identifier) is no simulation of a robot; draw its paths")
        }
        if paths != nil, !(environment is any MappedEnvironment) {
            throw JobError(
                .noMaze, "cannot draw paths: \(identifier) is no maze; give one")
        }
    }

    /// Runs this process's share of the episodes, and sums up those of all.
    private func evaluate(_ loaded: LoadedAgent, onStep: (Int, Rollout) -> Void) throws
        -> (EvaluationReport, [Rollout])
    {
        let start = ContinuousClock.now
        let share = group.share(of: episodes)
        var own: (report: EvaluationReport, rollouts: [Rollout])?
        do {
            if !share.isEmpty { own = try evaluate(share, loaded, onStep: onStep) }
        } catch is EvaluationStopped where !group.isAlone {
            // Others may have whole episodes.
        }
        if let own, group.isAlone { return own }
        let rollouts = try group.gather(values: own?.rollouts ?? []).flatMap(\.self)
        guard !rollouts.isEmpty else { throw EvaluationStopped() }
        var planner: PlannerOptions?
        if case .planner(let controller) = loaded.kind { planner = controller.options }
        var report = EvaluationReport(
            rollouts, in: loaded.environment.specification, planner: planner)
        report.seconds = elapsed(since: start)
        return (report, rollouts)
    }

    /// Runs some of the episodes.
    private func evaluate(
        _ share: Range<Int>, _ loaded: LoadedAgent, onStep: (Int, Rollout) -> Void
    ) throws -> (EvaluationReport, [Rollout]) {
        let options = Rollout.Options(
            maximumSteps: maximumSteps, untilGoal: untilGoal, keepsTrajectory: log != nil)
        let recorded = video != nil && share.lowerBound == 0 ? 1 : 0
        let first = share.lowerBound
        let seed = seed &+ UInt64(first)
        let name = loaded.environment.specification.identifier
        switch loaded.kind {
        case .planner(let controller):
            return try EvaluationReport.evaluate(
                episodes: share.count, parallel: parallel, seed: seed, controller: controller,
                options: options, recordedEpisodes: recorded,
                environment: { try EnvironmentRegistry.make(name) }, until: isStopped,
                onStep: { onStep(first + $0, $1) })
        case .policy(let agent):
            let start = ContinuousClock.now
            var (report, rollouts) = try EvaluationReport.evaluate(
                agent, episodes: share.count, workers: workers, seed: seed, options: options,
                recordedEpisodes: recorded, environment: { try EnvironmentRegistry.make(name) },
                until: isStopped, onStep: { onStep(first + $0, $1) })
            report.seconds = elapsed(since: start)
            return (report, rollouts)
        }
    }

    private func progress(_ episode: Int, _ rollout: Rollout) -> Progress {
        let recent = rollout.plans.suffix(20)
        let pace = recent.reduce(0) { $0 + $1.seconds / Double($1.plans) }
        return Progress(
            episode: episode, episodes: episodes, steps: rollout.rewards.count,
            totalReward: rollout.totalReward,
            millisecondsPerPlan: recent.isEmpty ? nil : 1000 * pace / Double(recent.count))
    }

    private func draw(
        _ rollout: Rollout, of simulation: any SimulatedEnvironment, to file: URL
    ) throws {
        let settings = SceneRenderer.Settings(
            for: simulation.specification, model: simulation.model)
        let drawing = EpisodeDrawing(
            of: RecordedEpisode(rollout, source: agent.name), steps: rollout.states.indices,
            stepDuration: simulation.stepDuration,
            renderer: try SceneRenderer(model: simulation.model, settings: settings))
        _ = try drawing.video(to: file, speed: 1)
    }
}
