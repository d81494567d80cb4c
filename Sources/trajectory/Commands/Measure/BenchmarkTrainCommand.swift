import ArgumentParser
import Bounds
import Engines
import Foundation
import Jobs
import Training

/// `trajectory benchmark train`: tokens per second of full training steps.
struct BenchmarkTrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Time full training steps: forward, backward, clipping, optimizer.",
        discussion: """
            The model has the paper's size (4 layers, 4 heads, width 128, ten transitions of \
            context), dropout 0.1, random weights and random tokens.

            --profile splits a step into its parts: microseconds a token of one core's time, and \
            the speed at which the part's products are computed. What oneDNN reaches with the same \
            shapes, 'swift run -c release speed' says.
            """)

    private static let defaults = TrainingSpeedJob()

    @Option(
        help:
            "The shape of a transition: \(BenchmarkShape.allValueStrings.joined(separator: ", ")).")
    var shape = defaults.shape

    @Option(help: "Windows in a batch.")
    var batch = defaults.batch

    @Option(help: "What parameters learn by: adamw, or muon (the blocks' matrices).")
    var optimizer = defaults.optimizer

    @Option(help: "Timed steps; the median counts.")
    var steps = defaults.steps

    @Option(help: "Worker threads; as many as cores when not given.")
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "Windows a worker passes through the model together.", visibility: .hidden))
    var sequencesPerPass = defaults.sequencesPerPass

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @Flag(help: "Say where the time goes (the processor alone).")
    var profile = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        try require(.batch, ["--batch": batch, "--sequences-per-pass": sequencesPerPass])
        try require(.episodes, ["--steps": steps])
        try require(.workers, ["--workers": workers])
        try engine.refuseUnused()
        try GivenOptions.here.refuse(
            ["--profile", "--sequences-per-pass"], unless: engine.device != .cuda,
            "is for the processor")
    }

    func run() async throws {
        var job = TrainingSpeedJob()
        job.shape = shape
        job.batch = batch
        job.steps = steps
        job.optimizer = optimizer
        job.workers = workers
        job.sequencesPerPass = sequencesPerPass
        job.profiles = profile
        job.engine = try engine.card()
        job.precision = engine.precision
        let result = try job.run()
        try Console.report(result, json: json, text: text(result))
    }

    private func text(_ result: TrainingSpeedJob.Result) -> String {
        let line =
            "\(result.shape), batch \(batch): \(Int(result.tokensPerSecond)) tokens/s "
            + String(
                format: "(%.1f ms a step of %d tokens, median of %d)", 1e3 * result.secondsPerStep,
                result.tokensPerStep, steps)
        return ([line] + (result.profile.map { [$0.table] } ?? [])).joined(separator: "\n")
    }
}

extension StepReport {
    /// The profile for a person.
    fileprivate var table: String {
        let rows = (parts + [total]).map { part in
            [
                part.name, String(format: "%.2f", part.microsecondsPerToken),
                String(format: "%.1f %%", 100 * part.share),
                part.gigaflops.map { String(format: "%.1f", $0) } ?? "",
            ]
        }
        return TextTable.aligned([["one core's time", "us/token", "share", "GFLOP/s"]] + rows)
    }
}
