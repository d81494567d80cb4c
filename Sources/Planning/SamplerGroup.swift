import Tokenization
import Transformer

/// A sampler for each worker of a model, which share the nodes of a call.
struct SamplerGroup {
    private let model: any PrefixTreeModel
    private let samplers: [TokenSampler]
    /// Nodes of the present call, and how many samplers share them.
    private var count = 0
    private var active = 1

    init(model: any PrefixTreeModel) {
        self.model = model
        samplers = (0..<model.workerCount).map { _ in
            TokenSampler(vocabularySize: model.vocabularySize)
        }
    }

    /// Prepares the filtered distributions at `nodes`; draws name them by their place in `nodes`.
    mutating func prepare(_ nodes: [Int], filter: TokenFilter) {
        share(nodes) { [model] in $0.prepare($1, of: model, filter: filter) }
    }

    /// The token that the uniform number `u` selects at the node in place `place`.
    func draw(_ place: Int, _ u: Double) -> Int32 {
        // The sampler whose share holds the place: shares are count / active, rounded down.
        let worker = ((place + 1) * active - 1) / count
        return samplers[worker].draw(place - count * worker / active, u)
    }

    /// What the unfiltered distributions at `nodes` stand for, and if asked for these themselves.
    mutating func read(
        _ nodes: [Int], readout: ReturnReadout, dimension: Int, discretizer: Discretizer,
        keeping keepsDistributions: Bool
    ) -> (numbers: [Double], distributions: [[Float]]) {
        share(nodes) { [model] in
            $0.read(
                $1, of: model, readout: readout, dimension: dimension, discretizer: discretizer,
                keeping: keepsDistributions)
        }
        let used = samplers[..<active]
        return (used.flatMap(\.numbers), used.flatMap(\.distributions))
    }

    private mutating func share(_ nodes: [Int], _ body: (TokenSampler, ArraySlice<Int>) -> Void) {
        count = nodes.count
        active = model.share(nodes, among: samplers.count) { body(samplers[$0], $1) }
    }
}

extension PrefixTreeModel {
    /// Has the model's workers read `nodes`, an equal and consecutive share each.
    ///
    /// - Parameters:
    ///   - nodes: What is to be read.
    ///   - count: Workers at most; there are fewer where a share would be quicker read than handed
    ///     out.
    ///   - body: Called for worker 0, 1 and so on, at the same time.
    /// - Returns: The number of workers w, of which worker i had the nodes from n i / w on.
    func share(
        _ nodes: [Int], among count: Int, _ body: (_ worker: Int, ArraySlice<Int>) -> Void
    ) -> Int {
        let fewest = 16
        let active = max(1, min(count, nodes.count / fewest))
        guard active > 1 else {
            body(0, nodes[...])
            return 1
        }
        concurrently { worker in
            guard worker < active else { return }
            let first = nodes.count * worker / active
            body(worker, nodes[first..<(nodes.count * (worker + 1) / active)])
        }
        return active
    }
}
