import Behavior
import Bounds
import Datasets
import Environments
import Episodes
public import Foundation
public import Learning
import Policies
public import Processes
import Trajectories

/// Logs episodes of a policy, or makes a whole dataset of a name like D4RL's, to an HDF5 file.
///
/// The same settings give the same file, whatever the number of workers.
public struct CollectionJob: Sendable {
    /// Where the episodes come from.
    public enum Source: Sendable, Hashable {
        /// A dataset's name, such as `hopper-medium-replay` or `maze2d-large` (`DatasetRecipe`).
        case dataset(String)
        /// A policy as `PolicyParser` reads it, in an environment.
        case policy(String, environment: String)
    }

    /// What was logged.
    ///
    /// Returns and lengths are those of whole episodes.
    public struct Result: Sendable, Codable {
        /// The file.
        public var output: String
        /// Canonical name of the environment.
        public var environment: String
        /// Who acted.
        public var policy: String
        /// Seed of starts, noise and mixing.
        public var seed: UInt64
        /// How much was logged.
        public var transitions, episodes: Int
        /// Mean and standard deviation of the returns, the best, and the mean of the best tenth.
        public var meanReturn, standardDeviation, bestReturn, bestTenthReturn: Double
        /// D4RL scores of the mean and of the best tenth; nil where there are no reference scores.
        public var normalizedScore, bestTenthScore: Double?
        /// Mean number of steps.
        public var meanLength: Double
        /// Of AntMaze's datasets: share of the walks that got where they were sent, and the mean
        /// number of steps until then.
        public var successRate, meanStepsToGoal: Double?
        /// Wall-clock time.
        public var seconds: Double
    }

    /// Where the episodes come from.
    public var source: Source
    /// The file to write.
    public var output: URL
    /// Transitions; as many as D4RL's dataset has if nil, where the source is one.
    public var steps: Int?
    /// Whether an episode in a maze ends at its goal.
    public var untilGoal = false
    /// Who walks in AntMaze's datasets, as `PolicyParser` reads it for the environment `ant-goal`.
    public var walker: String?
    /// Seed of starts, noise and mixing.
    public var seed: UInt64 = 0
    /// Threads that simulate.
    public var workers = Cores.available
    /// What computes a replay of soft actor-critic; nil for the processor.
    public var engine: SoftActorCriticTrainer.EngineMaker?
    /// What the file calls the device that computed.
    public var device = "cpu"
    /// Who collects together.
    ///
    /// All of them run the same job, each some of the episodes, and the first one writes. A replay is
    /// one training, which is not divided.
    public var group: any ProcessGroup = SingleProcess()
    /// Whether to keep the whole episodes so far and stop.
    public var isStopped: StopQuestion = { false }

    /// A job; see the properties.
    public init(_ source: Source, output: URL) {
        self.source = source
        self.output = output
    }

    /// Whether the source is a replay of soft actor-critic, which alone takes an ``engine``.
    public var takesEngine: Bool {
        guard case .dataset(let name) = source else { return false }
        return (try? DatasetRecipe(named: name))?.isLearntAgain == true
    }

    /// Collects and writes the file; `report` is told the steps that were taken.
    ///
    /// - Throws: ``JobError``, and errors of policies, environments and writing.
    public func run(report: (JobEvent<Share>) -> Void = { _ in }) async throws -> Result {
        if case .dataset(let name) = source, let task = AntMazeTask(named: name) {
            return try await run(task, report: report)
        }
        guard walker == nil else {
            throw JobError(
                .invalidSetting,
                "only AntMaze's datasets, such as antmaze-large-play, take a walker; leave it out")
        }
        var recipe: DatasetRecipe?
        var (name, policy) = ("", "")
        switch source {
        case .dataset(let dataset):
            let made = try DatasetRecipe(named: dataset)
            (recipe, name, policy) = (made, made.environment, made.policy)
        case .policy(let text, let environment): (name, policy) = (environment, text)
        }
        if untilGoal, recipe?.kind != .navigation {
            throw JobError(
                .noGoal,
                "cannot end episodes at a goal: only a dataset of a point maze has goals to go to")
        }
        guard engine == nil || takesEngine else {
            throw JobError(
                .invalidSetting,
                "only a replay of soft actor-critic, such as hopper-medium-replay, can be computed "
                    + "on another device than the processor; leave it out")
        }
        guard group.isAlone || recipe?.isReplay != true else {
            throw JobError(
                .invalidSetting,
                "a replay is one training, which several processes cannot divide; collect it in one"
            )
        }
        let environment = name
        let pool = try EpisodeWorkers(count: workers, group: group) {
            try EnvironmentRegistry.make(environment)
        }
        let mixture = recipe == nil ? try PolicyParser(pool.specification).parse(policy) : nil
        let steps = steps ?? recipe?.kind.defaultSteps ?? 0
        try require(.steps, ["steps": steps])
        try pool.specification.layout.requireMemory(transitions: steps)
        // Known before the work as well as after it.
        if group.isFirst { try output.requireWritable() }
        let start = ContinuousClock.now
        let trajectories =
            if let mixture {
                try await Collector(mixture, workers: pool, seed: seed, until: isStopped)
                    .collect(steps: steps) {
                        report(.progress(Share("steps", $0, of: steps)))
                    }
            } else {
                try await recipe?.collect(
                    steps: steps, seed: seed, workers: pool, engine: engine, untilGoal: untilGoal,
                    until: isStopped,
                    progress: { report(.progress(Share("steps", $0, of: $1))) }) ?? []
            }
        var attributes = [
            "environment": pool.specification.identifier, "policy": policy, "seed": "\(seed)",
        ]
        if case .dataset(let name) = source { attributes["dataset"] = name }
        if untilGoal { attributes["until_goal"] = "true" }
        // A replay that was stopped early says so.
        if let recipe, let whole = try recipe.trainingSteps(for: pool.specification) {
            attributes["training_steps"] = "\(min(steps, whole)) of \(whole)"
            if engine != nil { attributes["device"] = device }
        }
        var dataset = TrajectoryDataset(
            layout: pool.specification.layout, trajectories: trajectories, attributes: attributes)
        dataset.metadata = try metadata(recipe, policy: policy, in: pool.specification)
        if try group.any(isStopped()), dataset.rowCount < steps { try keep(dataset, of: steps) }
        if group.isFirst { try dataset.write(to: output) }
        return result(of: dataset, policy: policy, in: pool.specification, since: start)
    }

    /// What is told of a dataset that was written.
    func result(
        of dataset: TrajectoryDataset, policy: String, in specification: EnvironmentSpecification,
        since start: ContinuousClock.Instant
    ) -> Result {
        let whole = dataset.trajectories.filter { $0.ending != .unfinished }
        let score = PolicyScore(of: whole.isEmpty ? dataset.trajectories : whole)
        return Result(
            output: output.given, environment: specification.identifier, policy: policy,
            seed: seed, transitions: dataset.rowCount, episodes: dataset.trajectories.count,
            meanReturn: score.mean, standardDeviation: score.deviation,
            bestReturn: score.returns.max() ?? 0, bestTenthReturn: score.bestTenth,
            normalizedScore: specification.normalizedScore(score.mean),
            bestTenthScore: specification.normalizedScore(score.bestTenth),
            meanLength: score.meanLength, seconds: elapsed(since: start))
    }

    /// Keeps what a collection has that was stopped.
    func keep(_ dataset: TrajectoryDataset, of steps: Int) throws {
        guard dataset.rowCount > 0 else {
            throw JobError(
                .stopped,
                "stopped before the first episode was over; nothing is kept, the same command begins "
                    + "anew")
        }
        if group.isFirst { try dataset.write(to: output.partial) }
        throw JobError(
            .stopped,
            "stopped after \(dataset.rowCount) of \(steps) steps; these \(dataset.trajectories.count) "
                + "episodes are in '\(output.partial.given)', the same command begins anew")
    }
}
