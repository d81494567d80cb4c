import Planning
import Safetensors
import TestSupport
import Testing
import Tokenization
import Transformer

/// Settings of the recorded plans, as `beam_plan.json` has them.
private struct PlanCases: Decodable {
    struct Case: Decodable {
        var horizon, beamWidth, expansionFactor, contextTransitions: Int
        var observationTopK, actionTopK, rewardTopK: Int?
        var observationCDF, actionCDF, rewardCDF: Double?
        var percentile: Percentile

        enum CodingKeys: String, CodingKey {
            case horizon = "n_steps"
            case beamWidth = "beam_width"
            case expansionFactor = "n_expand"
            case contextTransitions = "max_context_transitions"
            case observationTopK = "k_obs"
            case actionTopK = "k_act"
            case rewardTopK = "k_rew"
            case observationCDF = "cdf_obs"
            case actionCDF = "cdf_act"
            case rewardCDF = "cdf_rew"
            case percentile
        }

        func options(_ rule: TokenFilter.CDFRule) -> PlannerOptions {
            var options = PlannerOptions()
            options.horizon = horizon
            options.beamWidth = beamWidth
            options.expansionFactor = expansionFactor
            options.contextTransitions = contextTransitions
            options.observationTopK = observationTopK
            options.actionTopK = actionTopK
            options.rewardTopK = rewardTopK
            options.observationCDF = observationCDF
            options.actionCDF = actionCDF
            options.rewardCDF = rewardCDF
            options.readout = percentile.readout
            options.cdfRule = rule
            return options
        }
    }

    struct Percentile: Decodable {
        var readout: ReturnReadout

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            readout =
                (try? container.decode(Double.self)).map { .percentile($0, .authors) } ?? .mean
        }
    }

    var cases: [String: Case]
}

@Suite struct BeamPlanGoldenTests {
    @Test(arguments: GoldenModel.allCases, ["a", "b", "c", "d"])
    func `a recorded plan is repeated token for token`(
        _ kind: GoldenModel, _ name: String
    ) throws {
        try check(name, model: kind.make(), rule: .authors)
    }

    @Test(arguments: ["a", "b", "c", "d"])
    func `the careful CDF filter changes nothing in the recorded plans`(_ name: String) throws {
        try check(name, model: GoldenModel.reference.make(), rule: .careful)
    }

    private func check(
        _ name: String, model: any PrefixTreeModel, rule: TokenFilter.CDFRule
    ) throws {
        let settings = try golden.json("beam_plan.json", as: PlanCases.self)
        let options = try #require(settings.cases[name]).options(rule)
        let file = try golden.tensors("beam_plan_\(name).safetensors")
        let planner = try BeamPlanner(
            model: model, discretizer: goldenDiscretizer(), options: options)
        var uniforms = RecordedUniforms(try file.floats("uniforms").map(Double.init))
        var recording: BeamTrace? = BeamTrace()
        let plan = try planner.plan(
            context: file.integers("context"), uniforms: &uniforms, trace: &recording)
        let trace = try #require(recording)

        #expect(uniforms.used == uniforms.numbers.count)
        #expect(trace.callRows == (try file.integers("call_rows")))
        #expect(trace.windowLengths == (try file.integers("forward_lengths")))
        #expect(trace.draws == (try file.integers("draws")))
        #expect(trace.steps.count == options.horizon)
        for (index, step) in trace.steps.enumerated() {
            let key = "step\(index)."
            #expect(
                step.candidateTokens.flatMap(\.self)
                    == (try file.integers(key + "candidate_tokens")))
            let probabilities = zip(step.rewardProbabilities, step.valueProbabilities)
                .flatMap { $0 + $1 }
            try expectClose(probabilities, file.floats(key + "reward_value_probs"))
            try expectClose(step.rewards.map(Float.init), file.floats(key + "reward"))
            try expectClose(step.values.map(Float.init), file.floats(key + "value"))
            try expectClose(
                step.candidateScores.map(Float.init), file.floats(key + "candidate_values"))
            #expect(step.kept == (try file.integers(key + "kept")))
            try expectClose(step.keptScores.map(Float.init), file.floats(key + "kept_values"))
            if index < options.horizon - 1 {
                #expect(
                    step.tokensAfterObservation.flatMap(\.self)
                        == (try file.integers(key + "tokens_after_observation")))
            }
        }
        #expect(plan.tokens.flatMap(\.self) == (try file.integers("best_sequence")))
        #expect(Float(plan.score) == Float(trace.steps[options.horizon - 1].keptScores[0]))
    }

    private func expectClose(
        _ actual: [Float], _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(relativeError(actual, expected) < goldenTolerance, sourceLocation: sourceLocation)
    }
}
