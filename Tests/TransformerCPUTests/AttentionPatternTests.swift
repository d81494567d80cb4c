import Testing
import Trajectories
import Transformer
import TransformerCPU

@Suite struct AttentionPatternTests {
    private let model: TrajectoryTransformer = {
        var configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 2, actionDimension: 1),
            contextTransitions: 4)
        configuration.binCount = 6
        configuration.layerCount = 2
        configuration.headCount = 2
        configuration.embeddingWidth = 16
        return TrajectoryTransformer(configuration, seed: 3)
    }()

    /// Windows of the model's 19 tokens.
    private let windows = (0..<3).map { window in (0..<19).map { ($0 * 7 + window * 5) % 6 } }

    @Test func `weights are the mean over windows and sum to one for each query`() throws {
        let pattern = try AttentionPattern(model, windows: windows)
        let single = try windows.map { try AttentionPattern(model, windows: [$0]).weights }
        #expect(pattern.weights.count == 2 && pattern.weights[0].count == 2)
        for (layer, heads) in pattern.weights.enumerated() {
            for (head, map) in heads.enumerated() {
                for query in 0..<19 {
                    #expect(abs(map[query].reduce(0, +) - 1) < 1e-5)
                    for key in 0..<19 {
                        let mean = single.reduce(0) { $0 + $1[layer][head][query][key] } / 3
                        #expect(abs(map[query][key] - mean) < 1e-6)
                        // Nobody sees the future, nor values, but the first query has only itself.
                        if key > query { #expect(map[query][key] == 0) }
                        if key % 5 == 4 { #expect(map[query][key] == 0) }
                    }
                }
            }
        }
    }

    @Test func `shares add up what falls on recent transitions and on past actions`() throws {
        let pattern = try AttentionPattern(model, windows: windows)
        let map = pattern.weights[1][0]
        // The last transition begins at token 15; its action, token 17, is predicted at token 16.
        let recent =
            (15..<19).reduce(0.0) { total, query in
                total + (10..<19).reduce(0.0) { $0 + Double(map[query][$1]) }
            } / 4
        let actions = [2, 7, 12].reduce(0.0) { $0 + Double(map[16][$1]) }
        // The second observation dimension, token 16, is predicted at token 15.
        let same =
            [(15, [1, 6, 11]), (16, [2, 7, 12])].reduce(0.0) { total, row in
                total + row.1.reduce(0.0) { $0 + Double(map[row.0][$1]) }
            } / 2
        #expect(pattern.shares.map(\.count) == [2, 2])
        let shares = pattern.shares[1][0]
        #expect(abs(shares.recent - recent) < 1e-9)
        #expect(abs(shares.pastActions - actions) < 1e-9)
        #expect(abs(shares.sameDimension - same) < 1e-9)
    }

    @Test func `even attention looks at all alike but the values and the future`() throws {
        let even = try AttentionPattern(model, windows: windows).evenShares
        // Queries 15 to 18 see 13 to 16 tokens, 3 of them past actions, 5 to 8 of them recent.
        let recent = (5.0 / 13 + 6.0 / 14 + 7.0 / 15 + 8.0 / 16) / 4
        #expect(abs(even.recent - recent) < 1e-6)
        #expect(abs(even.pastActions - 3.0 / 14) < 1e-6)
        #expect(abs(even.sameDimension - (3.0 / 13 + 3.0 / 14) / 2) < 1e-6)
    }
}
