import Layers
import Safetensors
import TestSupport
import Tensors
import Testing
import Tokenization
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

    @Test func `five training steps agree with the authors' code`() throws {
        let expected = try Golden.data.json("optimizer.json", as: Golden5.self, snakeCase: true)
        let tensors = try Golden.data.tensors("optimizer.safetensors")
        let model = try Golden.model("model_tiny")
        let evaluator = LossEvaluator(model, length: 27)
        var optimizer = AdamW(model.parameters.layout)
        let schedule = LearningRateSchedule(
            rate: expected.learningRate, warmupTokens: expected.warmupTokens,
            finalTokens: expected.finalTokens, ending: .authors)
        var tokens = 0
        for step in 0..<5 {
            let batch = try Golden.batch(tensors, step: step)
            let loss = evaluator.lossAndGradient(batch, dropoutStream: nil)
            #expect(abs(loss / expected.losses[step] - 1) < 2e-6)
            let rate = schedule.rate(afterTokens: tokens)
            #expect(abs(rate / expected.lrUsed[step] - 1) < 1e-12)
            let norm = evaluator.update(with: &optimizer, rate: Float(rate), gradientLimit: 1)
            #expect(abs(Double(norm) / expected.gradNormsBeforeClip[step] - 1) < 2e-6)
            tokens += batch.targets.count { $0 != 10 }
            #expect(tokens == expected.nTokensAfterStep[step])
        }
        #expect(abs(schedule.rate(afterTokens: tokens) / expected.lrAfterLastStep - 1) < 1e-12)
        // The key biases have rounding noise for gradients, which Adam turns into steps of any sign.
        for name in model.parameterNames where !name.hasSuffix("attn.key.bias") {
            let values = try #require(model.parameter(named: name)).values
            #expect(absoluteError(values, try tensors.floats("final.\(name)")) < 1e-5, "\(name)")
        }
        for name in ["head.weight", "blocks.0.attn.query.weight"] {
            let slot = try #require(model.parameters.layout.entry(named: name)).slot
            let first = optimizer.firstMoment.values(in: slot.range)
            let second = optimizer.secondMoment.values(in: slot.range)
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
