import Behavior
import Bounds
import Bounds
import Datasets
import Environments
import Episodes
import Evaluation
import Files
public import Foundation
import Planning
import Policies
import Tokenization
public import Training
import Transformer

/// The main job end to end on Hopper: collect, train, plan in closed loop, and compare.
public struct DemoJob: Sendable {
    /// What the job says while it runs.
    public enum Event: Sendable {
        /// The arguments of the command line that do the same as the next step.
        case command(String)
        /// What its steps say.
        case collecting(JobEvent<Share>)
        /// What its steps say.
        case training(JobEvent<TrainingProgress>)
        /// What its steps say.
        case evaluating(JobEvent<EvaluationJob.Progress>)
    }

    /// Returns of somebody who acts.
    public struct Row: Sendable, Codable {
        /// Who.
        public var name: String
        /// Mean and best return.
        public var meanReturn, bestReturn: Double
        /// D4RL score of the mean.
        public var normalizedScore: Double?
        /// Median time of a plan; nil where none was made.
        public var millisecondsPerPlan: Double?
        /// Return of each episode, where they are few.
        public var returns: [Double]?
    }

    /// The folder to write.
    public var output: URL
    /// The folder of a model trained longer, to compare with.
    public var pretrained: URL?
    /// Episodes for each planner.
    public var episodes = 5
    /// Seed of data, training and the first episode.
    public var seed: UInt64 = 0
    /// Transitions to collect.
    public var transitions = 200_000
    /// Training steps.
    public var steps = 3000

    /// Weights of behaviour levels in the data: few good episodes, many mediocre ones.
    public static let policy = "mix:ars-expert+0.1=2,ars-medium+0.1=4,ars-weak+0.1=3,random=1"
    private static let environment = "hopper"

    /// A job; see the properties.
    public init(output: URL) {
        self.output = output
    }

    private func file(_ name: String) -> URL {
        URL(fileURLWithPath: "\(output.given)/\(name)")
    }

    /// Does everything and writes data, checkpoint, learning curve, video and results.
    ///
    /// - Returns: The rows of the comparison.
    /// - Throws: What the steps throw.
    public func run(report: (Event) -> Void = { _ in }) async throws -> [Row] {
        try require(.episodes, ["episodes": episodes])
        try require(.steps, ["transitions": transitions, "steps": steps])
        try output.requireWritableFolder()
        let model = file("model")
        try? FileManager.default.removeItem(at: model)
        try await collect(report)
        try train(model, report)
        let curve = file("learning-curve.png")
        report(.command("plot --run \(model.given) --output \(curve.given)"))
        try LearningCurveJob(of: model, output: curve).run()

        var rows = [try await randomRow(), try dataRow()]
        rows.append(try plannerRow("planner, trained just now", model, video: nil, report))
        let video = file("episode.mp4")
        if let pretrained {
            rows.append(
                try plannerRow("planner, trained longer", pretrained, video: video, report))
        } else {
            _ = try plannerRow("", model, episodes: 1, video: video, report)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try OutputFile.write(encoder.encode(rows), to: file("results.json"))
        return rows
    }

    private func collect(_ report: (Event) -> Void) async throws {
        let data = file("data.hdf5")
        report(
            .command(
                "collect --env \(Self.environment) --policy \(Self.policy) --steps \(transitions) "
                    + "--seed \(seed) --output \(data.given)"))
        var job = CollectionJob(.policy(Self.policy, environment: Self.environment), output: data)
        job.steps = transitions
        job.seed = seed
        _ = try await job.run { report(.collecting($0)) }
    }

    private func train(_ model: URL, _ report: (Event) -> Void) throws {
        let data = file("data.hdf5")
        report(
            .command(
                "train --dataset \(data.given) --output \(model.given) --recipe authors --layers 2 "
                    + "--width 64 --window 5 --dropout 0 --steps \(steps) --batch-size 64 "
                    + "--learning-rate 2e-3 --seed \(seed)"))
        var job = TrainingJob(dataset: data, output: model)
        job.settings.model.layerCount = 2
        job.settings.model.embeddingWidth = 64
        job.settings.model.dropout = 0
        job.settings.tokenization.windowLength = 5
        job.settings.training.steps = steps
        job.settings.training.batchSize = 64
        job.settings.training.learningRate = 2e-3
        job.settings.training.seed = seed
        try job.run { report(.training($0)) }
    }

    private func plannerRow(
        _ name: String, _ checkpoint: URL, episodes: Int? = nil, video: URL?,
        _ report: (Event) -> Void
    ) throws -> Row {
        var model = PlanningModel(checkpoint: checkpoint)
        model.options.horizon = 5
        model.options.beamWidth = 16
        var job = EvaluationJob(.model(model), in: Self.environment)
        job.episodes = episodes ?? self.episodes
        job.seed = seed
        job.parallel = Cores.available
        job.video = video
        report(
            .command(
                "evaluate --checkpoint \(checkpoint.given) --env \(Self.environment) "
                    + "--seed \(seed) --preset authors --horizon 5 --beam-width 16 "
                    + "--parallel \(job.parallel) --episodes \(job.episodes)"
                    + (video.map { " --video \($0.given)" } ?? "")))
        let evaluation = try job.run { report(.evaluating($0)) }
        return Row(
            name: name, meanReturn: evaluation.meanReturn,
            bestReturn: evaluation.returns.max() ?? .nan,
            normalizedScore: evaluation.normalizedScore,
            millisecondsPerPlan: evaluation.millisecondsPerPlan, returns: evaluation.returns)
    }

    private func dataRow() throws -> Row {
        let returns = DatasetSummary(try TrajectoryDataset(contentsOf: file("data.hdf5"))).returns
        let specification = try EnvironmentRegistry.make(Self.environment).specification
        return Row(
            name: "the data", meanReturn: returns.mean, bestReturn: returns.maximum,
            normalizedScore: specification.normalizedScore(returns.mean))
    }

    private func randomRow() async throws -> Row {
        let workers = try EpisodeWorkers(count: 1) {
            try EnvironmentRegistry.make(Self.environment)
        }
        let policy = try PolicyParser(workers.specification).parse("random")
        let score = await PolicyScore.measure(
            policy, episodes: episodes, firstSeed: seed, workers: workers)
        return Row(
            name: "random policy", meanReturn: score.mean, bestReturn: score.returns.max() ?? .nan,
            normalizedScore: workers.specification.normalizedScore(score.mean),
            returns: score.returns)
    }
}
