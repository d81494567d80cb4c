import Tokenization
import Transformer

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The filtered distributions at the distinct nodes of one sampling call, and draws from them.
///
/// Rows that share a node share its distribution, so filtering and softmax are done once for each
/// node. Storage is kept from call to call. A class, so that each worker can fill one of its own.
final class TokenSampler {
    private let vocabularySize: Int
    /// Cumulative probabilities of the nodes that leave a choice, one after the other; summed in
    /// double precision over single-precision probabilities.
    private var cumulative: [Double] = []
    /// For each node the only token it leaves, or -1 - s where there is a choice and s is the start
    /// of its ``cumulative``.
    private var choices: [Int] = []
    private var logits: [Float]
    private var scratch: [Float] = []
    /// What ``read(_:of:readout:dimension:discretizer:keeping:)`` found, one number for each node.
    private(set) var numbers: [Double] = []
    /// The distributions it was found in, where they were to be kept.
    private(set) var distributions: [[Float]] = []

    init(vocabularySize: Int) {
        self.vocabularySize = vocabularySize
        logits = Array(repeating: 0, count: vocabularySize)
    }

    /// Prepares the distributions at `nodes`; the draws name them by their place in `nodes`.
    func prepare(
        _ nodes: ArraySlice<Int>, of model: any PrefixTreeModel, filter: TokenFilter
    ) {
        choices.removeAll(keepingCapacity: true)
        cumulative.removeAll(keepingCapacity: true)
        for node in nodes {
            model.withLogits(of: node) { add($0, filter: filter) }
        }
    }

    /// Reads from the unfiltered distributions at `nodes` what their tokens stand for.
    func read(
        _ nodes: ArraySlice<Int>, of model: any PrefixTreeModel, readout: ReturnReadout,
        dimension: Int, discretizer: Discretizer, keeping keepsDistributions: Bool
    ) {
        numbers.removeAll(keepingCapacity: true)
        distributions.removeAll(keepingCapacity: true)
        for node in nodes {
            model.withLogits(of: node) { source in
                for index in logits.indices { logits[index] = source[index] }
            }
            softmax(&logits)
            numbers.append(readout.read(logits, dimension: dimension, discretizer: discretizer))
            if keepsDistributions { distributions.append(logits) }
        }
    }

    /// Adds one distribution.
    private func add(_ source: Span<Float>, filter: TokenFilter) {
        // With k = 1 the order of the logits decides; ties at the top leave a choice, so they go
        // the long way.
        if filter.topK == 1, filter.cdf == nil, let token = uniqueLargest(source) {
            choices.append(token)
            return
        }
        choices.append(-1 - cumulative.count)
        for index in logits.indices { logits[index] = source[index] }
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
        guard choices[place] < 0 else { return Int32(choices[place]) }
        let start = -1 - choices[place]
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
        let power = exponential(logits[index] - most)
        logits[index] = power
        sum += power
    }
    for index in logits.indices { logits[index] /= sum }
}

/// exp(x); zero at once where single precision has nothing smaller, which the library finds out on
/// its slow path.
@inline(__always)
func exponential(_ x: Float) -> Float {
    x < -104 ? 0 : exp(x)
}
