import ArgumentParser
import Behavior
import Datasets
import Environments
import Episodes
import Foundation
import Jobs
import Policies

/// `trajectory demo`: the main job end to end, by the same commands a user would type.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Collect Hopper data, train on it from scratch, plan in closed loop, and compare.",
        discussion: """
            Prints the command that does the same before each step. The output folder holds the data, the checkpoint, \
            the learning curve (metrics.csv, learning-curve.png), a video of the planner \
            (episode.mp4) and the results (results.json).

            Example:
              trajectory demo --output runs/demo --pretrained Checkpoints/hopper
            """)

    @Option(help: "The folder to write.", completion: .directory)
    var output = "runs/demo"

    @Option(help: "A checkpoint trained longer, to compare with.", completion: .directory)
    var pretrained: String?

    @Option(help: "Episodes for each planner.")
    var episodes = 5

    @Option(help: "Seed of data, training and the first episode.")
    var seed: UInt64 = 0

    @Option(help: "Transitions to collect.")
    var transitions = 200_000

    @Option(help: "Training steps.")
    var steps = 3000

    /// Weights of behaviour levels in the data: few good episodes, many mediocre ones.
    static let policy = "mix:expert+0.1=2,medium+0.1=4,weak+0.1=3,random=1"

    func validate() throws {
        guard episodes > 0 else { throw ValidationError("--episodes must be positive") }
    }

    func run() async throws {
        let folder = URL(fileURLWithPath: output)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let model = "\(output)/model"
        try? FileManager.default.removeItem(atPath: model)
        try await collect()
        try train(model)

        let curve = "\(output)/learning-curve.png"
        announce("plot --run \(model) --output \(curve)")
        try LearningCurveJob(
            of: URL(fileURLWithPath: model), output: URL(fileURLWithPath: curve)
        ).run()

        var rows = [try await randomRow(), try dataRow()]
        rows.append(try plannerRow("planner, trained just now", checkpoint: model, video: nil))
        let video = "\(output)/episode.mp4"
        if let pretrained {
            rows.append(
                try plannerRow("planner, trained longer", checkpoint: pretrained, video: video))
        } else {
            _ = try plannerRow("", checkpoint: model, video: video, episodes: 1)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try encoder.encode(rows).write(
            to: folder.appendingPathComponent("results.json"), options: .atomic)
        print(Self.table(rows))
        Console.progress(
            "in \(output): data.hdf5, model/, learning-curve.png, episode.mp4, results.json")
    }

    // MARK: - Steps

    /// Prints the command that does the same as the next step.
    private func announce(_ command: String) {
        Console.progress("\n$ trajectory \(command)")
    }

    private var data: String { "\(output)/data.hdf5" }

    private func collect() async throws {
        announce(
            "collect --env hopper --policy \(Self.policy) --steps \(transitions) --seed \(seed) "
                + "--output \(data)")
        var job = CollectionJob(
            .policy(Self.policy, environment: "hopper"), output: URL(fileURLWithPath: data))
        job.steps = transitions
        job.seed = seed
        _ = try await CollectCommand.run(job)
    }

    private func train(_ model: String) throws {
        announce(
            "train --dataset \(data) --output \(model) --layers 2 --width 64 --window 5 --dropout 0 "
                + "--steps \(steps) --batch-size 64 --learning-rate 2e-3 --seed \(seed)")
        var job = TrainingJob(
            dataset: URL(fileURLWithPath: data), output: URL(fileURLWithPath: model))
        job.settings.model.layers = 2
        job.settings.model.width = 64
        job.settings.model.dropout = 0
        job.settings.tokenization.windowLength = 5
        job.settings.training.steps = steps
        job.settings.training.batchSize = 64
        job.settings.training.learningRate = 2e-3
        job.settings.training.seed = seed
        _ = try TrainCommand.run(job)
    }

    private func plannerRow(
        _ name: String, checkpoint: String, video: String?, episodes: Int? = nil
    ) throws -> Row {
        var model = PlanningModel(checkpoint: URL(fileURLWithPath: checkpoint))
        model.options.horizon = 5
        model.options.beamWidth = 16
        var job = EvaluationJob(.model(model), in: "hopper")
        job.episodes = episodes ?? self.episodes
        job.seed = seed
        job.parallel = ProcessInfo.processInfo.activeProcessorCount
        job.video = video.map { URL(fileURLWithPath: $0) }
        announce(
            "evaluate --checkpoint \(checkpoint) --env hopper --seed \(seed) --horizon 5 "
                + "--beam-width 16 --parallel \(job.parallel) --episodes \(job.episodes)"
                + (video.map { " --video \($0)" } ?? ""))
        let report = try EvaluateCommand.run(job)
        return Row(
            name: name, meanReturn: report.meanReturn, bestReturn: report.returns.max() ?? .nan,
            normalizedScore: report.normalizedScore,
            millisecondsPerPlan: report.millisecondsPerPlan, returns: report.returns)
    }

    private func dataRow() throws -> Row {
        let returns = DatasetSummary(
            try TrajectoryDataset(contentsOf: URL(fileURLWithPath: data))
        ).returns
        return Row(
            name: "the data", meanReturn: returns.mean, bestReturn: returns.maximum,
            normalizedScore: try EnvironmentRegistry.make("hopper").specification
                .normalizedScore(returns.mean))
    }

    private func randomRow() async throws -> Row {
        let workers = try EpisodeWorkers(count: 1) { try EnvironmentRegistry.make("hopper") }
        let policy = try PolicyParser(workers.specification).parse("random")
        let score = await PolicyScore.measure(
            policy, episodes: episodes, firstSeed: seed, workers: workers)
        return Row(
            name: "random policy", meanReturn: score.mean, bestReturn: score.returns.max() ?? .nan,
            normalizedScore: workers.specification.normalizedScore(score.mean),
            returns: score.returns)
    }

    // MARK: - Table

    private struct Row: Encodable {
        let name: String
        let meanReturn: Double
        let bestReturn: Double
        var normalizedScore: Double?
        var millisecondsPerPlan: Double?
        var returns: [Double]?
    }

    private static func table(_ rows: [Row]) -> String {
        func number(_ value: Double?, _ format: String) -> String {
            value.map { String(format: format, $0) } ?? ""
        }
        let header = ["Hopper", " mean return", "  best", " score", " ms a plan"]
        let cells = rows.map { row in
            [
                row.name, number(row.meanReturn, "%.0f"), number(row.bestReturn, "%.0f"),
                number(row.normalizedScore, "%.1f"), number(row.millisecondsPerPlan, "%.0f"),
            ]
        }
        var lines = TextTable.aligned([header] + cells).split(separator: "\n").map(String.init)
        lines.insert(String(repeating: "-", count: lines[0].count), at: 1)
        return lines.joined(separator: "\n")
    }
}
