import CUDA
import Planning
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

/// Whole plans on the emulated card, which draws tokens itself, beside those of the CPU.
@Suite struct PlanTests {
    private func planner(
        _ model: any PrefixTreeModel, _ options: PlannerOptions
    ) throws -> BeamPlanner {
        let dimension = model.layout.transitionDimension
        let discretizer = try Discretizer(
            uniformOver: [0, 1].flatMap { Array(repeating: Double($0), count: dimension) },
            dimension: dimension, binCount: model.vocabularySize - 1)
        return try BeamPlanner(model: model, discretizer: discretizer, options: options)
    }

    static let variants: [PlannerOptions] = {
        var plain = PlannerOptions()
        plain.horizon = 4
        plain.beamWidth = 6
        plain.contextTransitions = 3
        var sharp = plain
        sharp.temperature = 0.5
        sharp.observationTopK = nil
        sharp.actionTopK = 3
        sharp.actionCDF = nil
        var cached = plain
        cached.window = .cached
        cached.observationTopK = 2
        cached.rewardTopK = nil
        cached.readout = .percentile(0.7, .exact)
        var authors = plain
        authors.cdfRule = .authors
        authors.observationCDF = 0.3
        authors.observationTopK = nil
        return [plain, sharp, cached, authors]
    }()

    @Test(arguments: variants.indices)
    func `plans are the CPU's token for token`(_ variant: Int) throws {
        let options = Self.variants[variant]
        let model = try smallModel(goals: variant == 1 ? 2 : 0, seed: 20 + UInt64(variant))
        let expected = try planner(CPUEngine(workers: 1).decoder(model), options)
        let actual = try planner(
            CUDAPrefixDecoder(model, on: emulatedDevice(), precision: .exact), options)
        for round in 0..<3 {
            let requests = (0..<2).map { number in
                var request = BeamPlanner.Request(
                    context: (0..<3).map { ($0 * 3 + 5 * round + number) % 10 },
                    goal: variant == 1 ? [number, 3] : [])
                if number == 1 { request.suggestedActions = [[1, 2], [3, 4], [5, 6]] }
                return request
            }
            var first = [SeededUniforms(seed: 1), SeededUniforms(seed: UInt64(2 + round))]
            var second = first
            let theirs = try expected.plan(requests, uniforms: &first)
            let mine = try actual.plan(requests, uniforms: &second)
            #expect(mine.map(\.tokens) == theirs.map(\.tokens))
            for (a, b) in zip(mine, theirs) {
                #expect(relativeError(a.rewards, b.rewards) < 1e-5)
                #expect(abs(a.score - b.score) < 1e-4 * abs(b.score))
            }
            // As many numbers were taken.
            #expect(
                first.map {
                    var source = $0; return source.next()
                }
                    == second.map {
                        var source = $0; return source.next()
                    })
        }
    }
}
