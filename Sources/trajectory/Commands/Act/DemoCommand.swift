import ArgumentParser
import Behavior
import Datasets
import Environments
import Evaluation
import Foundation

/// `trajectory demo`: the main job end to end, by the same commands a user would type.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Collect Hopper data, train on it from scratch, plan in closed loop, and compare.",
        discussion: """
            Prints each command before it runs. The output folder holds the data, the checkpoint, \
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
        let data = "\(output)/data.hdf5"
        let model = "\(output)/model"
        try? FileManager.default.removeItem(atPath: model)

        try await command(
            CollectCommand.self, "collect",
            [
                "--env", "hopper", "--policy", Self.policy, "--steps", "\(transitions)",
                "--seed", "\(seed)", "--output", data,
            ])
        try await command(
            TrainCommand.self, "train",
            [
                "--dataset", data, "--output", model, "--layers", "2", "--width", "64",
                "--window", "5", "--dropout", "0", "--steps", "\(steps)", "--batch-size", "64",
                "--learning-rate", "2e-3", "--seed", "\(seed)",
            ])
        try await command(
            PlotCommand.self, "plot", ["--run", model, "--output", "\(output)/learning-curve.png"])

        var rows = [try await randomRow()]
        let summary = DatasetSummary(
            try TrajectoryDataset(contentsOf: URL(fileURLWithPath: data)))
        let specification = try EnvironmentRegistry.make("hopper").specification
        rows.append(
            Row(
                "the data", summary.returns.mean, best: summary.returns.maximum,
                score: specification.normalizedScore(summary.returns.mean)))
        rows.append(
            try await plannerRow("planner, trained just now", checkpoint: model, video: nil))
        let video = "\(output)/episode.mp4"
        if let pretrained {
            rows.append(
                try await plannerRow(
                    "planner, trained longer", checkpoint: pretrained, video: video))
        } else {
            try await evaluate(model, extra: ["--episodes", "1", "--video", video])
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(rows).write(
            to: folder.appendingPathComponent("results.json"), options: .atomic)
        print(Self.table(rows))
        Console.progress(
            "in \(output): data.hdf5, model/, learning-curve.png, episode.mp4, results.json")
    }

    // MARK: - Steps

    /// Prints and runs one command of this program.
    @discardableResult
    private func command<Command: AsyncParsableCommand>(
        _ type: Command.Type, _ name: String, _ arguments: [String]
    ) async throws -> Command {
        Console.progress("\n$ trajectory \(name) " + arguments.joined(separator: " "))
        var command = try type.parse(arguments)
        try await command.run()
        return command
    }

    @discardableResult
    private func evaluate(_ checkpoint: String, extra: [String]) async throws -> EvaluationReport {
        let arguments =
            [
                "--checkpoint", checkpoint, "--env", "hopper", "--seed", "\(seed)", "--horizon",
                "5", "--beam-width", "16", "--parallel",
                "\(ProcessInfo.processInfo.activeProcessorCount)",
            ] + extra
        Console.progress("\n$ trajectory evaluate " + arguments.joined(separator: " "))
        return try await EvaluateCommand.parse(arguments).evaluate()
    }

    private func plannerRow(_ name: String, checkpoint: String, video: String?) async throws -> Row
    {
        let extra = ["--episodes", "\(episodes)"] + (video.map { ["--video", $0] } ?? [])
        let report = try await evaluate(checkpoint, extra: extra)
        return Row(
            name, report.meanReturn, best: report.returns.max() ?? .nan,
            score: report.normalizedScore, milliseconds: report.millisecondsPerPlan,
            returns: report.returns)
    }

    private func randomRow() async throws -> Row {
        let workers = try EpisodeWorkers(count: 1) { try EnvironmentRegistry.make("hopper") }
        let policy = try PolicyParser(workers.specification).parse("random")
        let score = await PolicyScore.measure(
            policy, episodes: episodes, firstSeed: seed, workers: workers)
        return Row(
            "random policy", score.mean, best: score.returns.max() ?? .nan,
            score: workers.specification.normalizedScore(score.mean), returns: score.returns)
    }

    // MARK: - Table

    private struct Row: Encodable {
        let name: String
        let meanReturn: Double
        let bestReturn: Double
        let normalizedScore: Double?
        let millisecondsPerPlan: Double?
        let returns: [Double]?

        init(
            _ name: String, _ mean: Double, best: Double, score: Double? = nil,
            milliseconds: Double? = nil, returns: [Double]? = nil
        ) {
            self.name = name
            meanReturn = mean
            bestReturn = best
            normalizedScore = score
            millisecondsPerPlan = milliseconds
            self.returns = returns
        }

        enum CodingKeys: String, CodingKey {
            case name, returns
            case meanReturn = "mean_return"
            case bestReturn = "best_return"
            case normalizedScore = "normalized_score"
            case millisecondsPerPlan = "milliseconds_per_plan"
        }
    }

    private static func table(_ rows: [Row]) -> String {
        func column(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        func number(_ value: Double?, _ format: String) -> String {
            value.map { String(format: format, $0) } ?? ""
        }
        let name = rows.map(\.name.count).max() ?? 0
        let header =
            "Hopper".padding(toLength: name, withPad: " ", startingAt: 0)
            + column("mean return", 14) + column("best", 8) + column("score", 8)
            + column("ms a plan", 12)
        let lines = rows.map { row in
            row.name.padding(toLength: name, withPad: " ", startingAt: 0)
                + column(number(row.meanReturn, "%.0f"), 14)
                + column(number(row.bestReturn, "%.0f"), 8)
                + column(number(row.normalizedScore, "%.1f"), 8)
                + column(number(row.millisecondsPerPlan, "%.0f"), 12)
        }
        return ([header, String(repeating: "-", count: header.count)] + lines)
            .joined(separator: "\n")
    }
}
