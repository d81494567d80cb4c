import Tokenization
import Transformer

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The renormalised log-probabilities of all tokens at the nodes of one call, computed by the
/// model's workers.
struct LogProbabilities {
    /// Node after node, one number for each token.
    private(set) var values: [Double] = []

    private let model: any PrefixTreeModel
    private let filter: TokenFilter
    private let buffers: [Buffer]

    init(model: any PrefixTreeModel, filter: TokenFilter) {
        self.model = model
        self.filter = filter
        buffers = (0..<model.workerCount).map { _ in Buffer() }
    }

    /// Fills ``values`` with those at `nodes`, of which all tokens that `filter` removes have -inf.
    mutating func read(_ nodes: [Int]) {
        let active = model.share(nodes, among: buffers.count) {
            buffers[$0].read($1, of: model, filter: filter)
        }
        values.removeAll(keepingCapacity: true)
        for buffer in buffers[..<active] { values += buffer.values }
    }

    /// One worker's share; a class, so that each can fill its own.
    private final class Buffer {
        private(set) var values: [Double] = []
        private var logits: [Float] = []
        private var scratch: [Float] = []

        func read(_ nodes: ArraySlice<Int>, of model: any PrefixTreeModel, filter: TokenFilter) {
            values.removeAll(keepingCapacity: true)
            for node in nodes {
                logits.removeAll(keepingCapacity: true)
                model.withLogits(of: node) { source in
                    for index in source.indices { logits.append(source[index]) }
                }
                filter.apply(to: &logits, scratch: &scratch)
                let most = logits.max() ?? 0
                var sum = 0.0
                for logit in logits { sum += Double(exponential(logit - most)) }
                let logSum = log(sum)
                for logit in logits { values.append(Double(logit - most) - logSum) }
            }
        }
    }
}
