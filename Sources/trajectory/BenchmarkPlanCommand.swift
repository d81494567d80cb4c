import ArgumentParser
import Foundation
import Planning
import Tokenization
import Trajectories
import Transformer

/// `trajectory benchmark plan`: seconds to decide on one action.
struct BenchmarkPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Time planning one action.",
        discussion: """
            The authors' planning semantics: expansion 2, context 5, four past transitions before \
            the current observation, the window slides. The model has the paper's size and random \
            weights, so that rows share fewer prefixes than with a trained one.
            """)

    @Option(
        help:
            "The shape of a transition: \(BenchmarkShape.allValueStrings.joined(separator: ", ")).")
    var shape: BenchmarkShape = .hopper

    @Option(help: "Planned transitions; the authors' 15 for hopper, 5 for halfcheetah.")
    var horizon: Int?

    @Option(help: "Sequences kept; the authors' 128 for hopper, 32 for halfcheetah.")
    var beamWidth: Int?

    @Option(help: "Timed plans; the median counts.")
    var plans = 5

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard plans > 0 else { throw ValidationError("--plans must be positive") }
    }

    func run() async throws {
        let configuration = shape.configuration
        let layout = configuration.layout
        let model = TrajectoryTransformer(configuration, seed: 0)
        let decoder = PrefixDecoder(model)
        let discretizer = try Discretizer(
            uniformOver: [0, 1].flatMap {
                Array(repeating: Double($0), count: layout.transitionDimension)
            }, dimension: layout.transitionDimension, binCount: configuration.binCount)
        var options = PlannerOptions()
        options.horizon = horizon ?? (shape == .hopper ? 15 : 5)
        options.beamWidth = beamWidth ?? (shape == .hopper ? 128 : 32)
        options.expansionFactor = 2
        options.contextTransitions = 5
        let planner = try BeamPlanner(model: decoder, discretizer: discretizer, options: options)
        var uniforms = SeededUniforms(seed: 1)
        var seconds: [Double] = []
        var statistics = PlanStatistics()
        var forwarded = 0
        for index in 0..<(plans + 1) {
            let context = (0..<(4 * layout.transitionDimension + layout.observationDimension)).map {
                _ in Int(uniforms.next() * Double(configuration.binCount))
            }
            let before = decoder.statistics.computedTokens
            let plan = try planner.plan(context: context, uniforms: &uniforms)
            guard index > 0 else { continue }
            seconds.append(plan.statistics.seconds)
            statistics = plan.statistics
            forwarded = decoder.statistics.computedTokens - before
        }
        let median = seconds.sorted()[seconds.count / 2]
        let result = PlanningSpeed(
            shape: shape.rawValue, horizon: options.horizon, beamWidth: options.beamWidth,
            secondsPerPlan: median, computedTokens: forwarded,
            naiveTokens: statistics.tokensForwardedNaively)
        if json {
            try Console.printJSON(result)
        } else {
            print(
                "\(shape.rawValue), horizon \(options.horizon), beam \(options.beamWidth): "
                    + String(format: "%.3f s a plan", median)
                    + " (median of \(plans); \(forwarded) tokens computed, "
                    + "\(statistics.tokensForwardedNaively) without sharing)")
        }
    }
}

private struct PlanningSpeed: Encodable {
    let shape: String
    let horizon: Int
    let beamWidth: Int
    let secondsPerPlan: Double
    let computedTokens: Int
    let naiveTokens: Int

    enum CodingKeys: String, CodingKey {
        case shape, horizon
        case beamWidth = "beam_width"
        case secondsPerPlan = "seconds_per_plan"
        case computedTokens = "computed_tokens"
        case naiveTokens = "naive_tokens"
    }
}
