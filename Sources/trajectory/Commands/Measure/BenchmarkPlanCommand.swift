import ArgumentParser
import Bounds
import Engines
import Foundation
import Jobs
import Planning
import Transformer

/// `trajectory benchmark plan`: seconds to decide on one action.
struct BenchmarkPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Time planning one action.",
        discussion: """
            The authors' planning settings: expansion 2, context 5, past transitions but one as \
            many before the current observation. The model has the paper's size, random weights \
            and a window of 10 transitions or the context, so that rows share fewer prefixes than \
            with a trained one; --checkpoint takes a trained one, with pasts that it predicts itself.

            Tokens computed are beside what forwarding every row's window would take; GFLOP/s are \
            those of all cores together, over the whole plan.
            """)

    private static let defaults = PlanningSpeedJob()

    @Option(
        help:
            "The shape of a transition: \(BenchmarkShape.allValueStrings.joined(separator: ", ")).")
    var shape = defaults.shape

    @Option(help: "Folder of a trained model, instead of random weights.", completion: .directory)
    var checkpoint: String?

    @Option(help: "Planned transitions; the authors' 15 for hopper, 5 for halfcheetah.")
    var horizon: Int?

    @Option(help: "Sequences kept; the authors' 128 for hopper, 32 for halfcheetah.")
    var beamWidth: Int?

    @Option(help: "Transitions the model sees, the one being planned included.")
    var contextTransitions = defaults.contextTransitions

    @Option(help: "exact slides the context with every planned transition; cached is faster.")
    var window = defaults.window

    @Option(help: "Plans made together, for as many episodes.")
    var together = defaults.together

    @Option(help: "Timed plans; the median counts.")
    var plans = defaults.plans

    @Flag(
        help: """
            Also tell where the time goes: milliseconds of one core a plan, and GFLOP/s of one core \
            at the products.
            """)
    var profile = false

    @OptionGroup(title: "Engine Options") var engine: EngineOptionsGroup

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        try require(.episodes, ["--plans": plans])
        try require(.together, ["--together": together])
        try GivenOptions.here.refuse(
            ["--shape"], unless: checkpoint == nil, "is for random weights, not for --checkpoint")
        guard (2...PlanningSpeedJob.mostTransitions).contains(contextTransitions) else {
            throw ValidationError(
                "--context-transitions must lie in 2 to \(PlanningSpeedJob.mostTransitions), found "
                    + "\(contextTransitions)")
        }
        try GivenOptions.here.refuse(
            ["--profile"], unless: engine.device != .cuda, "is for the processor")
        try engine.refuseUnused()
    }

    func run() async throws {
        var job = PlanningSpeedJob()
        job.shape = shape
        job.checkpoint = try checkpoint.map { try Checkpoint.url(named: $0) }
        job.horizon = horizon
        job.beamWidth = beamWidth
        job.contextTransitions = contextTransitions
        job.window = window
        job.together = together
        job.plans = plans
        job.profiles = profile
        job.engine = try engine.card()
        job.precision = engine.precision
        let result = try job.run()
        try Console.report(
            result, json: json,
            text: "\(result.shape), horizon \(result.horizon), beam \(result.beamWidth), context "
                + "\(result.contextTransitions), "
                + "\(result.window) window: "
                + String(format: "%.3f s a plan", result.secondsPerPlan)
                + " (median of \(plans); \(result.computedTokens) tokens computed, "
                + "\(result.naiveTokens) "
                + "without sharing"
                + (result.gigaflops.map { String(format: "; %.0f GFLOP/s)", $0) } ?? ")")
                + (result.profile.map { "\n" + $0.table } ?? ""))
    }
}

extension PlanReport {
    /// The profile for a person.
    fileprivate var table: String {
        let rows = (parts + [total]).map { part in
            [
                part.name, String(format: "%.2f", part.milliseconds),
                String(format: "%.1f %%", 100 * part.share),
                part.gigaflops.map { String(format: "%.1f", $0) } ?? "",
            ]
        }
        return TextTable.aligned([["one core's time", "ms/plan", "share", "GFLOP/s"]] + rows)
    }
}
