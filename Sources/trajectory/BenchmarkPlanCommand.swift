import ArgumentParser
import Foundation
import Planning
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// `trajectory benchmark plan`: seconds to decide on one action.
struct BenchmarkPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Time planning one action.",
        discussion: """
            The authors' planning settings: expansion 2, context 5, four past transitions before \
            the current observation. The model has the paper's size and random weights, so that \
            rows share fewer prefixes than with a trained one; --checkpoint takes a trained one, with \
            pasts that it predicts itself.

            Tokens computed are beside what forwarding every row's window would take; GFLOP/s are \
            those of all cores together, over the whole plan.
            """)

    @Option(
        help:
            "The shape of a transition: \(BenchmarkShape.allValueStrings.joined(separator: ", ")).")
    var shape: BenchmarkShape = .hopper

    @Option(help: "Folder of a trained model, instead of random weights.", completion: .directory)
    var checkpoint: String?

    @Option(help: "Planned transitions; the authors' 15 for hopper, 5 for halfcheetah.")
    var horizon: Int?

    @Option(help: "Sequences kept; the authors' 128 for hopper, 32 for halfcheetah.")
    var beamWidth: Int?

    @Option(help: "exact slides the context with every planned transition; cached is faster.")
    var window = PlannerOptions().window

    @Option(help: "Plans made together, for as many episodes.")
    var together = 1

    @Option(help: "Timed plans; the median counts.")
    var plans = 5

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard plans > 0, together > 0 else {
            throw ValidationError("--plans and --together must be positive")
        }
    }

    func run() async throws {
        let (model, discretizer) = try subject()
        let decoder = CPUEngine.cpu.prefixDecoder(model)
        var options = PlannerOptions()
        options.horizon = horizon ?? (shape == .hopper ? 15 : 5)
        options.beamWidth = beamWidth ?? (shape == .hopper ? 128 : 32)
        options.expansionFactor = 2
        options.contextTransitions = 5
        options.window = window
        let planner = try BeamPlanner(model: decoder, discretizer: discretizer, options: options)
        var sources = (0..<together).map { SeededUniforms(seed: UInt64(1 + $0)) }
        var measured: [(seconds: Double, work: PrefixDecoder.Statistics)] = []
        var naive = 0
        for index in 0..<(plans + 1) {
            var requests: [BeamPlanner.Request] = []
            for source in sources.indices {
                requests.append(
                    BeamPlanner.Request(
                        context: try past(of: planner, uniforms: &sources[source])))
            }
            let before = decoder.statistics
            let plan = try planner.plan(requests, uniforms: &sources)[0]
            guard index > 0 else { continue }
            measured.append((plan.statistics.seconds, decoder.statistics - before))
            naive = plan.statistics.tokensForwardedNaively
        }
        measured.sort { $0.seconds < $1.seconds }
        let (seconds, work) = measured[measured.count / 2]
        let result = PlanningSpeed(
            shape: checkpoint ?? shape.rawValue, horizon: options.horizon,
            beamWidth: options.beamWidth, window: window.rawValue, together: together,
            secondsPerPlan: seconds / Double(together), computedTokens: work.computedTokens,
            naiveTokens: naive, gigaflops: work.operations / seconds * 1e-9)
        if json {
            try Console.printJSON(result)
        } else {
            print(
                "\(result.shape), horizon \(options.horizon), beam \(options.beamWidth), "
                    + "\(window.rawValue) window: "
                    + String(format: "%.3f s a plan", result.secondsPerPlan)
                    + " (median of \(plans); \(result.computedTokens) tokens computed, \(naive) "
                    + String(format: "without sharing; %.0f GFLOP/s)", result.gigaflops))
        }
    }

    /// The model that plans, and what its tokens mean.
    private func subject() throws -> (TrajectoryTransformer, Discretizer) {
        if let checkpoint {
            let trained = try Checkpoint(directory: URL(fileURLWithPath: checkpoint))
            guard trained.goalColumns.isEmpty else {
                throw CheckpointError(
                    code: .mismatch, file: checkpoint,
                    detail: "it was trained to reach goals, and here is none; give a model trained "
                        + "without --goal-columns")
            }
            return (trained.model, trained.discretizer)
        }
        let configuration = shape.configuration
        let dimension = configuration.layout.transitionDimension
        let discretizer = try Discretizer(
            uniformOver: [0, 1].flatMap { Array(repeating: Double($0), count: dimension) },
            dimension: dimension, binCount: configuration.binCount)
        return (TrajectoryTransformer(configuration, seed: 0), discretizer)
    }

    /// Four transitions and an observation: random tokens, or what a trained model makes of a random
    /// start, since it has not learnt to plan from noise.
    private func past(
        of planner: BeamPlanner, uniforms: inout SeededUniforms
    ) throws -> [Int] {
        let layout = planner.model.layout
        let bins = planner.discretizer.binCount
        guard checkpoint != nil else {
            return (0..<(4 * layout.transitionDimension + layout.observationDimension)).map { _ in
                Int(uniforms.next() * Double(bins))
            }
        }
        var options = planner.options
        options.horizon = 5
        options.beamWidth = 1
        let sampler = try BeamPlanner(
            model: planner.model, discretizer: planner.discretizer, options: options)
        let start = (0..<layout.observationDimension).map { _ in
            Int((0.25 + uniforms.next() / 2) * Double(bins))
        }
        let tokens = try sampler.plan(context: start, uniforms: &uniforms).tokens
        return tokens.dropLast().flatMap { $0.map { min($0, bins - 1) } }
            + (tokens.last ?? []).prefix(layout.observationDimension).map { min($0, bins - 1) }
    }
}

private struct PlanningSpeed: Encodable {
    let shape: String
    let horizon: Int
    let beamWidth: Int
    let window: String
    let together: Int
    let secondsPerPlan: Double
    let computedTokens: Int
    let naiveTokens: Int
    let gigaflops: Double

    enum CodingKeys: String, CodingKey {
        case shape, horizon, window, together, gigaflops
        case beamWidth = "beam_width"
        case secondsPerPlan = "seconds_per_plan"
        case computedTokens = "computed_tokens"
        case naiveTokens = "naive_tokens"
    }
}
