import Bounds
public import Foundation
public import Planning
import Tokenization
import Trajectories
public import Transformer
import TransformerCPU

/// Times planning one action, with the authors' settings for the shape.
///
/// The model has the paper's size and random weights, so that rows share fewer prefixes than with a
/// trained one; or it is a trained one, with pasts that it predicts itself.
public struct PlanningSpeedJob: Sendable {
    /// How fast it was.
    public struct Result: Sendable, Codable {
        /// Name of the shape, or the checkpoint's folder.
        public var shape: String
        /// Transitions planned, sequences kept, and transitions that the model sees.
        public var horizon, beamWidth, contextTransitions: Int
        /// How the context moves.
        public var window: String
        /// Plans made together.
        public var together: Int
        /// The median of the timed searches, shared by the plans made together.
        public var secondsPerPlan: Double
        /// Tokens computed, and those that forwarding every row's window would take.
        public var computedTokens, naiveTokens: Int
        /// Speed of all cores together over the whole plan; nil for an engine that does not count.
        public var gigaflops: Double?
        /// Where the time went, if that was asked for.
        public var profile: PlanReport?
    }

    /// The shape of a transition.
    public var shape = BenchmarkShape.hopper
    /// The folder of a trained model, instead of random weights.
    public var checkpoint: URL?
    /// Planned transitions; the authors' 15 for hopper, 5 for halfcheetah, if nil.
    public var horizon: Int?
    /// Sequences kept; the authors' 128 for hopper, 32 for halfcheetah, if nil.
    public var beamWidth: Int?
    /// Transitions that the model sees, the one being planned included.
    public var contextTransitions = PlannerOptions().contextTransitions
    /// How the context moves.
    public var window = PlannerOptions().window
    /// Plans made together, for as many episodes.
    public var together = 1
    /// Timed searches.
    public var plans = 5
    /// Whether to measure where the time goes, on the processor.
    public var profiles = false
    /// How precisely the processor computes products; an `engine` has its own.
    public var precision = Precision.exact
    /// What computes the model; the processor if nil.
    public var engine: (any Engine)?

    /// Transitions that a model of random weights is made to see at most.
    public static let mostTransitions = 100

    /// A job; see the properties.
    public init() {}

    /// Times the searches, after one that is not timed.
    ///
    /// - Throws: ``JobError`` for a model that wants goals; errors of loading and planning.
    public func run() throws -> Result {
        try require(.together, ["together": together])
        try require(.episodes, ["plans": plans])
        // Before a model is made as long.
        guard (2...Self.mostTransitions).contains(contextTransitions) else {
            throw JobError(
                .invalidSetting,
                "contextTransitions must lie in 2 to \(Self.mostTransitions), found "
                    + "\(contextTransitions)")
        }
        let (model, discretizer) = try subject()
        let counting =
            engine == nil ? try CPUEngine(precision: precision).prefixDecoder(model) : nil
        let decoder: any PrefixTreeModel =
            if let counting { counting } else { try (engine ?? CPUEngine.cpu).decoder(model) }
        var options = PlannerOptions()
        options.horizon = horizon ?? (shape == .hopper ? 15 : 5)
        options.beamWidth = beamWidth ?? (shape == .hopper ? 128 : 32)
        options.expansionFactor = 2
        options.contextTransitions = contextTransitions
        options.window = window
        let planner = try BeamPlanner(model: decoder, discretizer: discretizer, options: options)
        options.horizon = max(1, contextTransitions)
        options.beamWidth = 1
        let sampler = try BeamPlanner(model: decoder, discretizer: discretizer, options: options)
        var sources = (0..<together).map { SeededUniforms(seed: UInt64(1 + $0)) }
        var measured: [(seconds: Double, tokens: Int, operations: Double?)] = []
        var naive = 0
        var profile = DecoderProfile()
        var works: [PrefixDecoder.Statistics] = []
        for index in 0..<(plans + 1) {
            var requests: [BeamPlanner.Request] = []
            for source in sources.indices {
                requests.append(
                    BeamPlanner.Request(context: try past(sampler, uniforms: &sources[source])))
            }
            // Of the search alone: pasts are planned by the same decoder.
            counting?.isProfiling = profiles
            let before = counting?.statistics
            let plan = try planner.plan(requests, uniforms: &sources)[0]
            guard index > 0 else { continue }
            let work = counting.flatMap { decoder in before.map { decoder.statistics - $0 } }
            if let counting { profile += counting.profile }
            works += [work].compactMap(\.self)
            measured.append(
                (
                    plan.statistics.seconds,
                    work?.computedTokens ?? plan.statistics.nodesComputed, work?.operations
                ))
            naive = plan.statistics.tokensForwardedNaively
        }
        measured.sort { $0.seconds < $1.seconds }
        let (seconds, tokens, operations) = measured[measured.count / 2]
        return Result(
            shape: checkpoint?.given ?? shape.rawValue, horizon: planner.options.horizon,
            beamWidth: planner.options.beamWidth,
            contextTransitions: planner.options.contextTransitions, window: window.rawValue,
            together: together,
            secondsPerPlan: seconds / Double(together), computedTokens: tokens,
            naiveTokens: naive, gigaflops: operations.map { $0 / seconds * 1e-9 },
            profile: profiles
                ? counting.map {
                    PlanReport(
                        profile, works, elapsed: measured.reduce(0) { $0 + $1.seconds },
                        workers: $0.workerCount)
                } : nil)
    }

    /// The model that plans, and what its tokens mean.
    private func subject() throws -> (TrajectoryTransformer, Discretizer) {
        if let checkpoint {
            let trained = try Checkpoint(at: checkpoint)
            guard !trained.takesPrefix else {
                throw JobError(
                    .mismatch,
                    "cannot use checkpoint '\(checkpoint.given)': it was trained to reach goals or "
                        + "under conditions, and here are none; give a model trained without")
            }
            var asked = PlannerOptions()
            asked.contextTransitions = contextTransitions
            _ = try asked.fitted(toWindowOf: trained.description.tokenization.windowLength)
            return (trained.model, trained.discretizer)
        }
        let configuration = TransformerConfiguration(
            layout: shape.configuration.layout, contextTransitions: max(10, contextTransitions))
        let dimension = configuration.layout.transitionDimension
        let discretizer = try Discretizer(
            uniformOver: [0, 1].flatMap { Array(repeating: Double($0), count: dimension) },
            dimension: dimension, binCount: configuration.binCount)
        return (TrajectoryTransformer(configuration, seed: 0), discretizer)
    }

    /// Transitions but for one of the context, and an observation: random tokens, or what a trained model makes of a
    /// random start, since it has not learnt to plan from noise.
    private func past(
        _ sampler: BeamPlanner, uniforms: inout SeededUniforms
    ) throws -> [Int] {
        let layout = sampler.model.layout
        let bins = sampler.discretizer.binCount
        guard checkpoint != nil else {
            return
                (0..<((contextTransitions - 1) * layout.transitionDimension
                + layout.observationDimension)).map { _ in
                    Int(uniforms.next() * Double(bins))
                }
        }
        let start = (0..<layout.observationDimension).map { _ in
            Int((0.25 + uniforms.next() / 2) * Double(bins))
        }
        let tokens = try sampler.plan(context: start, uniforms: &uniforms).tokens
        return tokens.dropLast().flatMap { $0.map { min($0, bins - 1) } }
            + (tokens.last ?? []).prefix(layout.observationDimension).map { min($0, bins - 1) }
    }
}
