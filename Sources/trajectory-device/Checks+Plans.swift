import CUDA
import Planning
import Tokenization
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

extension Checks {
    /// Plans on the card and on the CPU, from the same numbers.
    mutating func checkPlans(_ device: Device, quick: Bool) {
        let shapes: [(String, TransformerConfiguration, Int)] =
            quick
            ? [("small", Self.small, 3)]
            : [
                ("small", Self.small, 1000),
                ("hopper", DeviceShape.hopper.configuration, 10),
            ]
        for (name, configuration, count) in shapes {
            run("plans, exact, \(name)") {
                let model = TrajectoryTransformer(configuration, seed: 5)
                let engine = CPUEngine()
                let reference = try Self.planner(engine.decoder(model), configuration)
                let judged = try JudgedDraws(
                    CUDAPrefixDecoder(model, on: device, precision: .exact),
                    reference: engine.decoder(model), tolerance: Self.drawTolerance)
                let subject = try Self.planner(judged, configuration)
                var different = 0
                for index in 0..<count {
                    var first = SeededUniforms(seed: UInt64(index))
                    var second = SeededUniforms(seed: UInt64(index))
                    let context = (0..<configuration.layout.observationDimension).map {
                        ($0 * 31 + index * 17) % configuration.binCount
                    }
                    let expected = try reference.plan(context: context, uniforms: &first)
                    let actual = try subject.plan(context: context, uniforms: &second)
                    if expected.tokens != actual.tokens { different += 1 }
                }
                try Self.require(
                    judged.farthest, below: Self.drawTolerance,
                    "a draw lies too far from the boundary between its token and the CPU's")
                return "\(count - different) of \(count) token for token the CPU's; "
                    + "\(judged.different) of \(judged.draws) draws differ, their numbers within "
                    + "\(judged.farthest.scientific) of a boundary"
            }
        }
    }

    /// How far from the boundary between two tokens a draw may lie that differs from the CPU's, as
    /// cumulative probability: what the logits' tolerance makes of a large one.
    private static let drawTolerance = 1e-4

    private static func planner(
        _ model: any PrefixTreeModel, _ configuration: TransformerConfiguration
    ) throws -> BeamPlanner {
        let dimension = configuration.layout.transitionDimension
        let discretizer = try Discretizer(
            uniformOver: [0, 1].flatMap { Array(repeating: Double($0), count: dimension) },
            dimension: dimension, binCount: configuration.binCount)
        var options = PlannerOptions()
        options.horizon = 4
        options.beamWidth = 8
        options.contextTransitions = 3
        return try BeamPlanner(model: model, discretizer: discretizer, options: options)
    }
}
