import Trajectories
public import Transformer

/// Where a model looks: its attention weights over windows of data, averaged.
///
/// Janner et al. 2021 tell two patterns apart (section 4.1, "attention patterns"): attention to the
/// present and the last transition alone, as if the process were Markovian, and attention to
/// several past actions, which smooths them.
public struct AttentionPattern: Sendable {
    /// Mean weights: layer × head × query × key; a query's weights sum to 1.
    public let weights: [[[[Float]]]]
    private let layout: TransitionLayout

    /// Averages the weights over windows of equal length.
    ///
    /// - Parameters:
    ///   - model: Whose attention.
    ///   - windows: Tokens of each, from the first observation dimension on.
    /// - Throws: `EngineError` when a window is longer than the model sees or has an unknown
    ///   token.
    public init(_ model: TrajectoryTransformer, windows: [[Int]]) throws(EngineError) {
        let length = windows[0].count
        precondition(
            windows.allSatisfy { $0.count == length }, "windows of different lengths")
        layout = model.configuration.layout
        let configuration = model.configuration
        var sum = Array(
            repeating: Array(
                repeating: Array(
                    repeating: Array(repeating: Float(0), count: length), count: length),
                count: configuration.headCount), count: configuration.layerCount)
        let transformer = CPUTransformer(model)
        for window in windows {
            let one = try transformer.attentionWeights(window)
            for layer in sum.indices {
                for head in sum[layer].indices {
                    for query in 0..<length {
                        for key in 0...query {
                            sum[layer][head][query][key] +=
                                one[layer][head][query][key] / Float(windows.count)
                        }
                    }
                }
            }
        }
        weights = sum
    }

    /// What a head's attention is spent on.
    public struct Shares: Sendable, Equatable, Codable {
        /// Layer, from 0.
        public let layer: Int
        /// Head, from 0.
        public let head: Int
        /// Share on tokens of the present and the last transition: 1 is Markovian.
        public let recent: Double
        /// Of what is spent on predicting actions, the share on actions of earlier transitions.
        public let pastActions: Double
    }

    /// The shares of each head, over the queries of the window's last transition.
    public var shares: [Shares] {
        let transition = layout.transitionDimension
        return weights.enumerated().flatMap { layer, heads in
            heads.enumerated().map { head, map in
                let start = (map.count - 1) / transition * transition
                let queries = start..<map.count
                func share(_ queries: some Collection<Int>, of keys: (Int) -> Bool) -> Double {
                    let sum = queries.reduce(0.0) { total, query in
                        total
                            + map[query].indices.reduce(0.0) {
                                $0 + (keys($1) ? Double(map[query][$1]) : 0)
                            }
                    }
                    return queries.isEmpty ? 0 : sum / Double(queries.count)
                }
                // The token at a position predicts the next one.
                let predictsAction = queries.filter { layout.kind(at: $0 + 1) == .action }
                return Shares(
                    layer: layer, head: head, recent: share(queries) { $0 >= start - transition },
                    pastActions: share(predictsAction) {
                        $0 < start && layout.kind(at: $0) == .action
                    })
            }
        }
    }
}
