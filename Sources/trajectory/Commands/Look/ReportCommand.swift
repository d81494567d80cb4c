import ArgumentParser
import Bounds
import Foundation
import Jobs
import Transformer

/// `trajectory report`: one page about a trained model.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write one page (HTML) about a trained model, with an episode to be played.",
        discussion: """
            Settings, learning curve, evaluations with intervals, an episode with the plan ahead as \
            on the live page, what was predicted against what happened, the use of the tokens, and \
            attention. The page is one file that needs nothing beside it. Evaluations are what \
            `trajectory evaluate --json` printed: files in the run's folder, and those that are \
            given. Tokens and attention are those of --dataset, or of the episode.

            Examples:
              trajectory report runs/hopper
              trajectory report Checkpoints/hopper --output hopper.html --evaluation hopper.json \
            --horizon 15

            Keys of the JSON object: output, bytes, environment, steps, return (of the episode), \
            evaluations, curve (how many), notes.
            """)

    @Argument(help: "Folder of the trained model.", completion: .directory)
    var checkpoint: String

    @Option(
        help: "The page to write; report.html in the folder if not given.",
        completion: .file(extensions: ["html"]))
    var output: String?

    @OptionGroup var environment: EnvironmentOption

    @Option(
        help: ArgumentHelp(
            "What `trajectory evaluate --json` printed; may be given several times.",
            valueName: "file"), completion: .file(extensions: ["json"]))
    var evaluation: [String] = []

    @Option(help: "Data whose use of tokens is shown: an HDF5 file or a Minari folder.")
    var dataset: String?

    @Option(help: "Seed of the episode.")
    var seed: UInt64 = 0

    @Option(help: "End the episode after this many steps; without it at the environment's limit.")
    var maximumSteps: Int?

    @OptionGroup(title: "Reading Options") var reading: DatasetReadingOptions

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @OptionGroup(title: "Planner Options") var planner: PlannerOptionsGroup

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        try require(.steps, ["--maximum-steps": maximumSteps])
        try GivenOptions.here.refuse(
            DatasetReadingOptions.names, unless: dataset != nil, "is for --dataset")
        guard !planner.warmStart else {
            throw ValidationError("--warm-start is not for a report, whose plans stand alone")
        }
    }

    func run() async throws {
        let model = try planner.model(in: checkpoint, on: engine.engine())
        let folder =
            model.checkpoint.pathExtension == "json"
            ? model.checkpoint.deletingLastPathComponent() : model.checkpoint
        var job = ReportJob(
            model,
            output: output.map { URL(fileURLWithPath: $0) }
                ?? folder.appendingPathComponent("report.html"))
        job.environment = environment.name
        job.evaluations = evaluation.map { URL(fileURLWithPath: $0) }
        job.dataset = dataset.map { URL(fileURLWithPath: $0) }
        job.reading = reading.options
        job.seed = seed
        job.maximumSteps = maximumSteps
        let line = ProgressLine()
        defer { line.finish() }
        let result = try job.run { event in
            line.show(event) { String(format: "step %d  return %.0f", $0.steps, $0.totalReward) }
        }
        line.finish()
        let missing = result.notes.map { "\n" + $0 }.joined()
        try Console.report(
            result, json: json,
            text: "\(result.output): \(result.bytes / 1000) kB" + missing)
    }
}
