import Planning
import Safetensors
import TestSupport
import Testing

@Suite struct BeamSearchGoldenTests {
    @Test(
        arguments: GoldenModel.allCases,
        [
            ("w1", 1, nil), ("w4", 4, nil), ("w16", 16, nil), ("w4_k3", 4, 3), ("w16_k3", 16, 3),
        ] as [(String, Int, Int?)])
    func `a recorded search for likelihood is repeated token for token`(
        _ kind: GoldenModel, _ setting: (name: String, width: Int, topK: Int?)
    ) throws {
        let file = try golden.tensors("beam_search.safetensors")
        var options = PlannerOptions()
        options.beamWidth = setting.width
        options.likelihoodTopK = setting.topK
        options.window = .cached
        let planner = try LikelihoodPlanner(
            model: kind.make(), discretizer: goldenDiscretizer(), options: options)
        var recording: [LikelihoodPlanner.TraceStep]? = []
        let beam = try planner.search(
            prefix: file.integers("prefix"), steps: 14, trace: &recording)
        let trace = try #require(recording)

        func expected<Number>(_ numbers: [Number]) -> [[Number]] { rows(numbers, setting.width) }
        let key = setting.name + "."
        let parents = expected(try file.integers(key + "step_parent"))
        let tokens = expected(try file.integers(key + "step_token"))
        let totals = expected(try file.floats(key + "step_logp"))
        #expect(trace.count == 14)
        for (step, record) in trace.enumerated() {
            let unused = setting.width - record.tokens.count
            #expect(record.parents + Array(repeating: -1, count: unused) == parents[step])
            #expect(record.tokens + Array(repeating: -1, count: unused) == tokens[step])
            let padded =
                record.logProbabilities.map(Float.init)
                + Array(repeating: -Float.infinity, count: unused)
            #expect(relativeError(padded, totals[step]) < goldenTolerance)
        }
        #expect(beam.tokens.first == (try file.integers(key + "best")))
        #expect(
            relativeError(
                beam.logProbabilities.map(Float.init), try file.floats(key + "logp"))
                < goldenTolerance)
    }
}
