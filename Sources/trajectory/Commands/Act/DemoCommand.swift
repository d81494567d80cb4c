import ArgumentParser
import Bounds
import Files
import Foundation
import Jobs
import Transformer

/// `trajectory demo`: the main job end to end, by the same commands a user would type.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Collect Hopper data, train on it from scratch, plan in closed loop, and compare.",
        discussion: """
            Prints the command that does the same before each step. The output folder holds the \
            data, the checkpoint, the learning curve (metrics.csv, learning-curve.png), a video of \
            the planner (episode.mp4) and the results (results.json).

            Example:
              trajectory demo --output runs/demo --pretrained Checkpoints/hopper
            """)

    private static let defaults = DemoJob(output: URL(fileURLWithPath: ""))

    @Option(help: "The folder to write.", completion: .directory)
    var output = "runs/demo"

    @Option(help: "A checkpoint trained longer, to compare with.", completion: .directory)
    var pretrained: String?

    @Option(help: "Episodes for each planner.")
    var episodes = defaults.episodes

    @Option(help: "Seed of data, training and the first episode.")
    var seed = defaults.seed

    @Option(help: "Transitions to collect.")
    var transitions = defaults.transitions

    @Option(help: "Training steps.")
    var steps = defaults.steps

    func validate() throws {
        try require(.episodes, ["--episodes": episodes])
        try require(.steps, ["--transitions": transitions, "--steps": steps])
    }

    func run() async throws {
        var job = DemoJob(output: URL(fileURLWithPath: output))
        job.pretrained = try pretrained.map { try Checkpoint.url(named: $0) }
        job.episodes = episodes
        job.seed = seed
        job.transitions = transitions
        job.steps = steps
        let line = ProgressLine()
        defer { line.finish() }
        var collection = CollectCommand.Lines()
        var evaluation = EvaluateCommand.Lines()
        let rows = try await job.run { event in
            switch event {
            case .command(let command): Console.progress("\n$ trajectory \(command)")
            case .collecting(let event): collection.show(event)
            case .training(let event): TrainCommand.show(event, on: line)
            case .evaluating(let event): evaluation.show(event)
            }
        }
        try OutputFile.print(Self.table(rows))
        Console.progress(
            "in \(output): data.hdf5, model/, learning-curve.png, episode.mp4, results.json")
    }

    private static func table(_ rows: [DemoJob.Row]) -> String {
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
