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

    /// What a head's attention is spent on, over the queries of the window's last transition.
    public struct Shares: Sendable, Equatable, Codable {
        /// Share on tokens of the present and the last transition: 1 is Markovian.
        public let recent: Double
        /// Of what is spent on predicting actions, the share on actions of earlier transitions.
        public let pastActions: Double
        /// Of what is spent on predicting observations and actions, the share on the same dimension
        /// of earlier transitions: the stripes of the paper's figure 4.
        public let sameDimension: Double

        /// The shares of weights, query × key.
        init(_ map: [[Float]], layout: TransitionLayout) {
            let transition = layout.transitionDimension
            let start = (map.count - 1) / transition * transition
            let queries = start..<map.count
            func share(_ queries: [Int], of keys: (_ query: Int, _ key: Int) -> Bool) -> Double {
                let sum = queries.reduce(0.0) { total, query in
                    total
                        + map[query].indices.reduce(0.0) {
                            $0 + (keys(query, $1) ? Double(map[query][$1]) : 0)
                        }
                }
                return queries.isEmpty ? 0 : sum / Double(queries.count)
            }
            // The token at a position predicts the next one.
            func predicts(_ kinds: Set<DimensionKind>) -> [Int] {
                queries.filter { kinds.contains(layout.kind(at: $0 + 1)) }
            }
            recent = share(Array(queries)) { $1 >= start - transition }
            pastActions = share(predicts([.action])) {
                $1 < start && layout.kind(at: $1) == .action
            }
            sameDimension = share(predicts([.observation, .action])) {
                $1 < start && ($1 - $0 - 1).isMultiple(of: transition)
            }
        }
    }

    /// The shares of each head: layer × head.
    public var shares: [[Shares]] {
        weights.map { heads in heads.map { Shares($0, layout: layout) } }
    }

    /// The shares of a head that looks at all that it may alike: what the others are to be compared
    /// with.
    public var evenShares: Shares {
        let length = weights[0][0].count
        let even = (0..<length).map { query -> [Float] in
            // Values are hidden from every query.
            let seen = (0...query).filter { layout.kind(at: $0) != .value }
            return (0..<length).map { seen.contains($0) ? 1 / Float(seen.count) : 0 }
        }
        return Shares(even, layout: layout)
    }
}
