import Foundation

/// The filtered distributions at the distinct nodes of one sampling call, and draws from them.
///
/// Rows that share a node share its distribution, so filtering and softmax are done once for each
/// node. Storage is kept from call to call.
struct TokenSampler {
    private let vocabularySize: Int
    /// Cumulative probabilities, node after node; summed in double precision over single-precision
    /// probabilities.
    private var cumulative: [Double] = []
    /// The only token a node leaves, or -1 where there is a choice.
    private var forced: [Int32] = []
    private var logits: [Float] = []
    private var scratch: [Float] = []

    init(vocabularySize: Int) {
        self.vocabularySize = vocabularySize
    }

    /// Prepares the distributions at `nodes`; the draws name them by their place in `nodes`.
    mutating func prepare(
        _ nodes: [Int], of model: any PrefixTreeModel, filter: TokenFilter
    ) {
        forced.removeAll(keepingCapacity: true)
        cumulative.removeAll(keepingCapacity: true)
        for node in nodes {
            model.withLogits(of: node) { add($0, filter: filter) }
        }
    }

    /// Adds one distribution.
    mutating func add(_ source: Span<Float>, filter: TokenFilter) {
        let place = forced.count
        forced.append(-1)
        if filter.topK == 1, filter.cdf == nil {
            // The order of the logits decides; ties at the top leave a choice, so they go the
            // long way.
            if let token = uniqueLargest(source) {
                forced[place] = Int32(token)
                cumulative.append(contentsOf: repeatElement(0, count: vocabularySize))
                return
            }
        }
        logits.removeAll(keepingCapacity: true)
        for index in source.indices { logits.append(source[index]) }
        filter.apply(to: &logits, scratch: &scratch)
        softmax(&logits)
        var sum = 0.0
        for probability in logits {
            sum += Double(probability)
            cumulative.append(sum)
        }
    }

    /// The token that the uniform number `u` selects at the node in place `place`: the first whose
    /// cumulative probability exceeds `u`.
    func draw(_ place: Int, _ u: Double) -> Int32 {
        guard forced[place] < 0 else { return forced[place] }
        let start = place * vocabularySize
        for token in 0..<vocabularySize where cumulative[start + token] > u { return Int32(token) }
        // Rounding left the sum at or below u: the last token with any probability.
        let total = cumulative[start + vocabularySize - 1]
        for token in 0..<vocabularySize where cumulative[start + token] == total {
            return Int32(token)
        }
        return Int32(vocabularySize - 1)
    }

    private func uniqueLargest(_ logits: Span<Float>) -> Int? {
        var best = 0
        var ties = 0
        for index in 1..<logits.count {
            if logits[index] > logits[best] {
                best = index
                ties = 0
            } else if logits[index] == logits[best] {
                ties += 1
            }
        }
        return ties == 0 ? best : nil
    }
}

/// Turns logits into probabilities, in place.
func softmax(_ logits: inout [Float]) {
    let most = logits.max() ?? 0
    var sum: Float = 0
    for index in logits.indices {
        let power = exp(logits[index] - most)
        logits[index] = power
        sum += power
    }
    for index in logits.indices { logits[index] /= sum }
}
