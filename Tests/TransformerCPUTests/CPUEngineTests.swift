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

    /// A batch of tokens drawn with a seed, everything of which counts.
    private func drawnBatch(of model: TrajectoryTransformer, rows: Int) -> TokenBatch {
        var batch = TokenBatch(rows: rows, length: model.configuration.contextLength)
        var generator = SeededGenerator(seed: 5)
        for index in batch.inputs.indices {
            batch.inputs[index] = Int32.random(in: 0...5, using: &generator)
            batch.targets[index] = Int32.random(in: 0...5, using: &generator)
        }
        return batch
    }

    @Test(.enabled(if: (try? CPUEngine(precision: .fast)) != nil))
    func `fast products give loss and gradient to the precision of their factors`() throws {
        let model = model(seed: 8)
        let exact = try CPUEngine(workers: 1).training(model)
        let fast = try CPUEngine(workers: 2, precision: .fast).training(model)
        let batch = drawnBatch(of: model, rows: 7)
        let expected = try exact.lossAndGradient(batch, dropoutStream: 3)
        let loss = try fast.lossAndGradient(batch, dropoutStream: 3)
        // Eight bits: 2^-9 of each factor.
        #expect(loss != expected && abs(loss - expected) < 2e-3 * expected)
        let error = relativeError(try fast.gradient(), try exact.gradient())
        #expect(error > 1e-5 && error < 2e-2)
    }

    @Test(.enabled(if: (try? CPUEngine(precision: .fast)) != nil))
    func `fast decoders compute what fast training computes, exact ones beside them as before`()
        throws
    {
        let model = model(seed: 9)
        let before = try CPUEngine(workers: 1).logits(model, [1, 2, 3])
        let engine = try CPUEngine(workers: 1, precision: .fast)
        #expect(engine.name == "cpu, 1 worker, bfloat16")
        let fast = try engine.logits(model, [1, 2, 3])
        let error = relativeError(fast[2], before[2])
        #expect(error > 1e-6 && error < 2e-2)
        #expect(try CPUEngine(workers: 1).logits(model, [1, 2, 3]) == before)
    }

    private func batch(of model: TrajectoryTransformer) -> TokenBatch {
        TokenBatch(rows: 5, length: model.configuration.contextLength)
    }
}
