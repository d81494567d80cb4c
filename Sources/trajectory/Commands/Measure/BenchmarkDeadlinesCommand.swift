import ArgumentParser
import Bounds
import Files
import Evaluation
import Foundation
import Jobs
import Transformer

/// `trajectory benchmark deadlines`: what an action is worth when it must be decided in time.
struct BenchmarkDeadlinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadlines",
        abstract: "Measure return against milliseconds per action.",
        discussion: """
            Evaluates a trained model under one deadline after the other, one episode at a time, \
            and draws the returns. Run on an otherwise idle machine: its speed decides how far and \
            wide the planner searches.

            Example:
              trajectory benchmark deadlines --checkpoint Checkpoints/hopper --env hopper \
            --deadlines 2,5,10,20 --episodes 5 --output hopper.png --json
            """)

    @Option(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(name: .customLong("env"), help: "Environment, such as hopper.")
    var environment: String

    @Option(help: "Milliseconds per action, separated by commas.")
    var deadlines = "2,5,10,20,40"

    @Option(help: "Episodes for each deadline.")
    var episodes = 5

    @Option(help: "Seed of the first episode.")
    var seed: UInt64 = 0

    @Option(help: "Cut episodes after this many steps; without it at the environment's limit.")
    var maximumSteps: Int?

    @Option(help: "Picture to write (png or svg).", completion: .file(extensions: ["png", "svg"]))
    var output: String?

    @Flag(help: "Print the reports as a JSON array.")
    var json = false

    func validate() throws {
        try PictureFile.require(PictureFile.chart, output, option: "--output")
        try require(.episodes, ["--episodes": episodes])
        try require(.steps, ["--maximum-steps": maximumSteps])
        guard !limits.isEmpty, limits.allSatisfy({ $0 > 0 }) else {
            throw ValidationError(
                "--deadlines cannot be \(deadlines): give milliseconds above 0, such as 2,5,10")
        }
    }

    private var limits: [Double] {
        deadlines.split(separator: ",").map { Double($0) ?? -1 }
    }

    func run() async throws {
        let chart = output.map { URL(fileURLWithPath: $0) }
        var job = try EvaluationJob(
            .model(PlanningModel(checkpoint: Checkpoint.url(named: checkpoint))), in: environment)
        job.episodes = episodes
        job.seed = seed
        job.maximumSteps = maximumSteps
        let study = DeadlineJob(job, deadlines: limits, chart: chart)
        var lines = EvaluateCommand.Lines()
        let reports = try study.run(
            report: { limit, report in
                if !json { try OutputFile.print(line(limit, report)) }
            }, progress: { lines.show($0) })
        if json { try Console.printJSON(reports) }
    }

    private func line(_ limit: Double, _ report: EvaluationReport) -> String {
        String(
            format: "%6.1f ms  return %7.1f ± %6.1f  horizon %4.1f  beam %5.1f  median %6.2f ms  "
                + "longest %6.2f ms",
            limit, report.meanReturn, report.standardDeviation, report.meanHorizon ?? 0,
            report.meanBeamWidth ?? 0, report.millisecondsPerPlan ?? 0,
            report.longestSearchMilliseconds ?? 0)
    }
}
