import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

@Suite struct CPUEngineTests {
    private func model(seed: UInt64) -> TrajectoryTransformer {
        var configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 2, actionDimension: 1),
            contextTransitions: 3)
        configuration.binCount = 6
        configuration.layerCount = 1
        configuration.headCount = 2
        configuration.embeddingWidth = 16
        return TrajectoryTransformer(configuration, seed: seed)
    }

    @Test
    func
        `decoders compute with their own model's weights, whatever models came before`()
        throws
    {
        let engine = CPUEngine(workers: 1)
        let kept = model(seed: 100)
        let first = engine.prefixDecoder(kept)
        for seed in 0..<50 {
            let model = model(seed: UInt64(seed))
            let expected = try CPUTransformer(model).logits([1, 2])
            for _ in 0..<2 {
                #expect(try engine.logits(model, [1, 2]) == engine.logits(model, [1, 2]))
                #expect(
                    relativeError(try engine.logits(model, [1, 2])[1], expected[1])
                        < goldenTolerance)
            }
        }
        _ = first.extend([PrefixNode(parent: .root, token: 3, needsOutput: true)])
        #expect(first.logits(of: 0) == (try engine.logits(kept, [3])[0]))
    }

    @Test func `a model stays as it is while an engine learns`() throws {
        let model = model(seed: 3)
        let before = model.values
        let engine = try CPUEngine(workers: 2).training(model)
        var batch = batch(of: model)
        for step in 0..<3 {
            batch.inputs[0] = Int32(step)
            try engine.step(batch, rate: 1e-2, dropoutStream: nil)
        }
        #expect(model.values == before)
        let state = try engine.state()
        #expect(state.parameters != before && state.updates == 3)
        // Three steps, told of once.
        #expect(try engine.summary().steps == 3)
        #expect(try engine.summary().steps == 0)
    }

    @Test func `tokens that there are not are refused`() {
        let transformer = CPUTransformer(model(seed: 1))
        for tokens in [[], [7], [-1], Array(repeating: 0, count: 15)] {
            let error = #expect(throws: EngineError.self) { try transformer.logits(tokens) }
            #expect(error?.code == .mismatch)
        }
        #expect(throws: EngineError.self) { try transformer.attentionWeights([1], goal: [1]) }
    }

    private func batch(of model: TrajectoryTransformer) -> TokenBatch {
        TokenBatch(rows: 5, length: model.configuration.contextLength)
    }
}
