import TestSupport
import Testing
import Trajectories
import Transformer
import TransformerCPU

@Suite struct PrefixDecoderTests {
    /// Grows a random tree in random batches and compares every output with a whole forward pass.
    private func check(
        _ tested: TestedEngine, _ model: TrajectoryTransformer, passes: Int, batch: Int,
        seed: UInt64
    ) throws {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let whole = CPUTransformer(model)
        let decoder = try tested.engine.decoder(model)
        for _ in 0..<2 {
            try decoder.removeAll()
            var prefixes: [[Int]] = []
            for _ in 0..<passes {
                var nodes: [PrefixNode] = []
                let first = prefixes.count
                for _ in 0..<Int.random(in: 1...batch, using: &generator) {
                    // Prefer recent parents, some of them of this very call.
                    let recent = max(-1, prefixes.count - 3 * batch)
                    var parent = Int.random(
                        in: recent...max(prefixes.count - 1, recent), using: &generator)
                    if parent >= 0 && prefixes[parent].count == model.configuration.contextLength {
                        parent = -1
                    }
                    let token = Int.random(in: 0..<decoder.vocabularySize, using: &generator)
                    prefixes.append((parent < 0 ? [] : prefixes[parent]) + [token])
                    nodes.append(
                        PrefixNode(
                            parent: parent < 0 ? .root : .node(parent), token: token,
                            needsOutput: Bool.random(using: &generator)))
                }
                #expect(try decoder.extend(nodes) == first..<prefixes.count)
                for (index, node) in nodes.enumerated() where node.needsOutput {
                    let expected = try whole.logits(prefixes[first + index]).last ?? []
                    let error = relativeError(decoder.logits(of: first + index), expected)
                    #expect(error < goldenTolerance, "prefix \(prefixes[first + index])")
                }
            }
        }
    }

    @Test(arguments: TestedEngine.all)
    func `every node's logits equal those of its whole prefix, golden weights`(
        _ tested: TestedEngine
    ) throws {
        try check(tested, try Golden.model("model_tiny"), passes: 40, batch: 12, seed: 1)
    }

    @Test(arguments: TestedEngine.all)
    func `every node's logits equal those of its whole prefix, the paper's size`(
        _ tested: TestedEngine
    ) throws {
        try check(tested, try Golden.model("model_mid"), passes: 4, batch: 300, seed: 2)
    }

    @Test(arguments: TestedEngine.cpu)
    func `heads and widths that are no multiple of a vector work too`(_ tested: TestedEngine) throws
    {
        var configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 2, actionDimension: 1),
            contextTransitions: 4)
        configuration.binCount = 5
        configuration.layerCount = 2
        configuration.headCount = 3
        configuration.embeddingWidth = 15
        try check(
            tested, TrajectoryTransformer(configuration, seed: 3), passes: 20, batch: 9, seed: 3)
    }

    @Test func `a value token without output costs nothing`() throws {
        let decoder = CPUEngine.cpu.prefixDecoder(try Golden.model("model_tiny"))
        var nodes = (0..<7).map {
            PrefixNode(parent: $0 == 0 ? .root : .node($0 - 1), token: 1, needsOutput: false)
        }
        nodes.append(PrefixNode(parent: .node(6), token: 2, needsOutput: true))
        _ = decoder.extend(nodes)
        #expect(decoder.statistics.computedTokens == 7)
        #expect(decoder.statistics.outputTokens == 1)
    }
}
