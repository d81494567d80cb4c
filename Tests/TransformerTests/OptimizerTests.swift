import Safetensors
import TestSupport
import Tensors
import Testing
import Tokenization
import Training
import Transformer

@Suite struct OptimizerTests {
    private struct Golden5: Decodable {
        struct Table: Decodable {
            struct Row: Decodable {
                let nTokens: Int
                let lrMult: Double
            }
            let warmupTokens, finalTokens: Int
            let rows: [Row]
        }
        let learningRate: Double
        let warmupTokens, finalTokens: Int
        let losses, gradNormsBeforeClip, lrUsed: [Double]
        let lrAfterLastStep: Double
        let nTokensAfterStep: [Int]
        let decayParameters: [String]
        let scheduleTable: Table
    }

    @Test(arguments: TestedEngine.all)
    func `five training steps agree with the authors' code`(_ tested: TestedEngine) throws {
        let expected = try Golden.data.json("optimizer.json", as: Golden5.self, snakeCase: true)
        let tensors = try Golden.data.tensors("optimizer.safetensors")
        let model = try Golden.model("model_tiny")
        let engine = try tested.engine.training(model)
        let schedule = LearningRateSchedule(
            rate: expected.learningRate, warmupTokens: expected.warmupTokens,
            finalTokens: expected.finalTokens, ending: .authors)
        var tokens = 0
        for step in 0..<5 {
            let batch = try Golden.batch(tensors, step: step)
            let rate = schedule.rate(afterTokens: tokens)
            #expect(abs(rate / expected.lrUsed[step] - 1) < 1e-12)
            try engine.step(batch, rate: rate, dropoutStream: nil)
            let summary = try engine.summary()
            #expect(summary.steps == 1 && summary.finiteSteps == nil)
            #expect(abs(summary.lastLoss / expected.losses[step] - 1) < 2e-6)
            #expect(summary.lossSum == summary.lastLoss)
            #expect(
                abs(summary.lastGradientNorm / expected.gradNormsBeforeClip[step] - 1) < 2e-6)
            tokens += batch.targets.count { $0 != 10 }
            #expect(tokens == expected.nTokensAfterStep[step])
        }
        #expect(abs(schedule.rate(afterTokens: tokens) / expected.lrAfterLastStep - 1) < 1e-12)
        // The key biases have rounding noise for gradients, which Adam turns into steps of any
        // sign.
        let state = try engine.state()
        #expect(state.updates == 5)
        for name in model.parameterNames where !name.hasSuffix("attn.key.bias") {
            let values = Array(state.parameters[try #require(model.range(ofParameter: name))])
            #expect(absoluteError(values, try tensors.floats("final.\(name)")) < 1e-5, "\(name)")
        }
        for name in ["head.weight", "blocks.0.attn.query.weight"] {
            let range = try #require(model.range(ofParameter: name))
            let first = Array(state.firstMoment[range])
            let second = Array(state.secondMoment[range])
            #expect(relativeError(first, try tensors.floats("exp_avg.\(name)")) < goldenTolerance)
            #expect(
                relativeError(second, try tensors.floats("exp_avg_sq.\(name)")) < goldenTolerance)
        }
    }

    @Test func `exactly the authors' parameters decay`() throws {
        let expected = try Golden.data.json("optimizer.json", as: Golden5.self, snakeCase: true)
        let decayed = try Golden.model("model_tiny").parameters.layout.entries.filter(\.decays)
        #expect(Set(decayed.map(\.name)) == Set(expected.decayParameters))
    }

    @Test func `the authors' schedule rises again after its end, the default holds`() throws {
        let table = try Golden.data.json("optimizer.json", as: Golden5.self, snakeCase: true)
            .scheduleTable
        var schedule = LearningRateSchedule(
            rate: 1, warmupTokens: table.warmupTokens, finalTokens: table.finalTokens,
            ending: .authors)
        for row in table.rows {
            #expect(abs(schedule.multiplier(afterTokens: row.nTokens) - row.lrMult) < 1e-12)
        }
        schedule.ending = .hold
        for row in table.rows where row.nTokens >= table.finalTokens {
            #expect(schedule.multiplier(afterTokens: row.nTokens) == 0.1)
        }
    }
}
