import Layers
import Tensors
public import Trajectories
public import Transformer

/// The transformer over a growing tree of token prefixes: its key/value cache, shared by reference.
///
/// A node is a token at the end of the prefix that its ancestors spell. Its keys and values are
/// computed and stored once, however many rows of a search stand on it, and read by all its
/// descendants. What nobody will read is not computed: a value token without output costs nothing
/// (nothing attends to it), and the last layer of a node without output stops at keys and values.
/// Goals stand at the root: their keys and values depend on nothing else, so they are kept from
/// tree to tree and computed once.
///
/// A decoder serves one search at a time; searches on several threads take a decoder each.
public final class PrefixDecoder: PrefixTreeModel {
    /// Work done since the decoder was made.
    public struct Statistics: Sendable, Equatable {
        /// Floating-point operations of all products, attention included.
        public internal(set) var operations = 0.0
        /// Of these, scores and weighted sums of attention.
        public internal(set) var attentionOperations = 0.0
        /// Of these, products of the heads.
        public internal(set) var headOperations = 0.0
        /// Tokens whose keys and values or logits were computed, goals included.
        public internal(set) var computedTokens = 0
        /// Of these, tokens with logits.
        public internal(set) var outputTokens = 0
        /// Calls of ``PrefixDecoder/extend(_:)`` that computed anything.
        public internal(set) var passes = 0

        /// What was done after `earlier`.
        public static func - (later: Statistics, earlier: Statistics) -> Statistics {
            var difference = later
            difference.operations -= earlier.operations
            difference.attentionOperations -= earlier.attentionOperations
            difference.headOperations -= earlier.headOperations
            difference.computedTokens -= earlier.computedTokens
            difference.outputTokens -= earlier.outputTokens
            difference.passes -= earlier.passes
            return difference
        }
    }

    private let model: CPUTransformer
    /// Work done so far.
    public private(set) var statistics = Statistics()

    /// Where nodes stand; -1 for a parent means none.
    private var parents: [Int32] = []
    private var positions: [Int32] = []
    /// Row of each node's logits, or -1.
    private var logitRows: [Int32] = []
    private var outputCount = 0

    /// For each layer, place × 2C: key, then value; the goals' tokens, then the nodes.
    private var keysValues: [FloatStorage]
    /// The goals whose keys and values are kept.
    private var goals: KeptGoals
    /// Place of the first node: nodes lie behind the kept goals.
    private var firstPlace: Int { goals.places }
    /// For each node the number of its goal; empty for a model without goals.
    private var goalOfNode: [Int32] = []
    private var capacity: Int
    private var logitStorage: FloatStorage
    private let logitStride: Int
    private let pool: WorkerPool
    private let workers: [DecoderWorker]
    private var clock: LapClock<DecoderProfile.Part>?
    private var elapsed = 0.0

    /// A decoder with an empty tree.
    init(_ model: CPUTransformer, pool: WorkerPool) {
        self.model = model
        let configuration = model.configuration
        goals = KeptGoals(dimension: configuration.goalDimension)
        capacity = 1024
        logitStride = (configuration.vocabularySize + 7) / 8 * 8
        keysValues = (0..<configuration.layerCount).map { [capacity] _ in
            FloatStorage(count: capacity * 2 * configuration.embeddingWidth)
        }
        logitStorage = FloatStorage(count: 256 * logitStride)
        self.pool = pool
        workers = (0..<pool.count).map { _ in DecoderWorker(model) }
    }

    /// Whether to measure where the time goes, from now on.
    public var isProfiling: Bool {
        get { clock != nil }
        set {
            clock = newValue ? LapClock() : nil
            for worker in workers { worker.clock = newValue ? LapClock() : nil }
            elapsed = 0
        }
    }

    /// Where the time went since ``isProfiling`` was set.
    public var profile: DecoderProfile {
        var profile = DecoderProfile()
        for case let clock? in workers.map(\.clock) + [clock] { profile += clock }
        profile.elapsed = elapsed
        return profile
    }

    private func timed<Result>(_ body: () -> Result) -> Result {
        guard let clock else { return body() }
        clock.start()
        let start = ContinuousClock.now
        defer { elapsed += (ContinuousClock.now - start) / .seconds(1) }
        return body()
    }

    /// Which token of a transition is which.
    public var layout: TransitionLayout { model.configuration.layout }
    /// Logits at a node: the bins and termination.
    public var vocabularySize: Int { model.configuration.vocabularySize }
    /// Tokens the model can see at once.
    public var contextLength: Int { model.configuration.contextLength }
    /// Its keys and values in every layer, and its place.
    public var bytesPerNode: Int {
        8 * model.configuration.layerCount * model.configuration.embeddingWidth + 16
    }
    /// Tokens of a goal; 0 for a model without goals.
    public var goalDimension: Int { model.configuration.goalDimension }

    /// Forgets all nodes; trees from now on grow behind these goals, which are computed unless they
    /// were before and are still kept.
    ///
    /// - Parameter tokens: For each goal its tokens, ``goalDimension`` bins.
    public func begin(goals tokens: [[Int]]) {
        removeAll()
        let (fresh, first) = goals.begin(tokens)
        if !fresh.isEmpty { compute(fresh, from: first) }
    }

    /// Forgets all nodes, not the goals; node numbers start at 0 again.
    public func removeAll() {
        goalOfNode.removeAll(keepingCapacity: true)
        parents.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        logitRows.removeAll(keepingCapacity: true)
        outputCount = 0
    }

    /// Adds nodes, computes what they need, and returns their numbers in the order given.
    ///
    /// All nodes of a call pass through the network together, also where one is the parent of
    /// another. The goals of ``begin(goals:)`` stand in front.
    public func extend(_ nodes: [PrefixNode]) -> Range<Int> {
        timed { add(nodes) }
    }

    private func add(_ nodes: [PrefixNode]) -> Range<Int> {
        let first = parents.count
        let dimension = layout.transitionDimension
        var outputs: [Int32] = []
        var others: [Int32] = []
        var hasInnerParents = false
        for (index, node) in nodes.enumerated() {
            let number = first + index
            let position: Int32
            let parent: Int32
            switch node.parent {
            case .goal(let goal):
                precondition(
                    goal >= 0 && goal < max(goals.present.count, 1), "the tree has no goal \(goal)")
                position = 0
                parent = -1
            case .node(let node):
                precondition(node >= 0 && node < number, "node \(node) does not exist")
                position = positions[node] + 1
                parent = Int32(node)
                if node >= first { hasInnerParents = true }
            }
            if goalDimension > 0 {
                precondition(!goals.present.isEmpty, "a tree without the goal that its model needs")
                switch node.parent {
                case .goal(let goal): goalOfNode.append(Int32(goals.present[goal]))
                case .node(let node): goalOfNode.append(goalOfNode[node])
                }
            }
            precondition(
                Int(position) < contextLength,
                "a prefix of \(position + 1) tokens exceeds the model's context of \(contextLength)"
            )
            parents.append(parent)
            positions.append(position)
            logitRows.append(-1)
            if node.needsOutput {
                logitRows[number] = Int32(outputCount + outputs.count)
                outputs.append(Int32(number))
            } else if Int(position) % dimension != dimension - 1 {
                others.append(Int32(number))
            }
        }
        guard !outputs.isEmpty || !others.isEmpty else { return first..<parents.count }
        reserve(nodes: parents.count, outputs: outputCount + outputs.count)
        statistics.computedTokens += outputs.count + others.count
        statistics.outputTokens += outputs.count
        statistics.passes += 1
        for node in outputs { countOperations(of: node, withOutput: true) }
        for node in others { countOperations(of: node, withOutput: false) }
        clock?.lap(.gathering)
        compute(nodes, first: first, outputs, others, meeting: hasInnerParents)
        outputCount += outputs.count
        return first..<parents.count
    }

    /// Lends the logits at a node that was added with `PrefixNode.needsOutput`.
    public func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        let row = Int(logitRows[node])
        precondition(row >= 0, "node \(node) was added without output")
        let buffer = UnsafeBufferPointer(
            start: logitStorage.base + row * logitStride, count: vocabularySize)
        return try body(buffer.span)
    }

    /// A multiplication and an addition for every weight that a node meets, and for every channel
    /// of the keys and values on its path.
    private func countOperations(of node: Int32, withOutput: Bool) {
        let position = Int(positions[Int(node)]) + 1
        let attended = goalDimension + position - position / layout.transitionDimension
        countOperations(attended: attended, withOutput: withOutput)
    }

    private func countOperations(attended: Int, withOutput: Bool) {
        let configuration = model.configuration
        let width = configuration.embeddingWidth
        let layers = withOutput ? configuration.layerCount : configuration.layerCount - 1
        let keysValues = withOutput ? 0 : 2 * width
        let head = withOutput ? 2 * width * configuration.vocabularySize : 0
        let attention = 4 * width * layers * attended
        statistics.attentionOperations += Double(attention)
        statistics.headOperations += Double(head)
        statistics.operations += Double(
            2 * width * (layers * 12 * width + keysValues) + attention + head)
    }

    /// Threads that compute.
    public var workerCount: Int { pool.count }

    /// Runs `body` once on every worker, with the worker's number, and returns when all are done.
    ///
    /// Logits may be read inside; nodes must not be added.
    public func concurrently(_ body: (_ worker: Int) -> Void) {
        guard clock != nil else { return pool.run(body) }
        timed {
            pool.run { index in
                workers[index].clock?.start()
                body(index)
                workers[index].clock?.lap(.sampling)
            }
        }
    }

    /// Makes room; what is stored stays.
    private func reserve(nodes: Int, outputs: Int) {
        let width = 2 * model.configuration.embeddingWidth
        if firstPlace + nodes > capacity {
            capacity = max(firstPlace + nodes, 2 * capacity)
            keysValues = keysValues.map { $0.resized(to: capacity * width) }
        }
        if outputs * logitStride > logitStorage.count {
            logitStorage = logitStorage.resized(
                to: max(outputs * logitStride, 2 * logitStorage.count))
        }
    }

    /// Computes the keys and values of goals, to be kept as numbers `first` on; one worker
    /// suffices.
    private func compute(_ goals: [[Int]], from first: Int) {
        guard let embedding = model.layers.goalEmbedding else { return }
        reserve(nodes: 0, outputs: 0)
        let count = goalDimension
        statistics.computedTokens += goals.count * count
        statistics.passes += 1
        for dimension in 0..<count {
            for _ in goals { countOperations(attended: dimension + 1, withOutput: false) }
        }
        let last = model.configuration.layerCount - 1
        pool.run { index in
            guard index == 0 else { return }
            let worker = workers[0]
            worker.begin(rows: goals.count * count)
            for (offset, goal) in goals.enumerated() {
                let place = Int32((first + offset) * count)
                for (dimension, token) in goal.enumerated() {
                    worker.add(
                        node: place + Int32(dimension),
                        embeddingRow: model.configuration.goalEmbeddingRow(
                            token: token, dimension: dimension),
                        position: 0, isAttended: true
                    ) { $0.append(contentsOf: place...(place + Int32(dimension))) }
                }
            }
            worker.embedGoals(model, embedding)
            for layer in 0...last {
                let queries = layer == last ? 0 : worker.rows
                worker.computeKeysValues(
                    model, layer: layer, queries: queries, store: keysValues[layer])
                worker.finishLayer(
                    model, layer: layer, queries: queries, store: keysValues[layer])
            }
        }
    }

    /// Each worker takes a share of the nodes with output and a share of the others.
    private func compute(
        _ nodes: [PrefixNode], first: Int, _ outputs: [Int32], _ others: [Int32], meeting: Bool
    ) {
        let dimension = layout.transitionDimension
        let last = model.configuration.layerCount - 1
        pool.run { index in
            let worker = workers[index]
            worker.clock?.start()
            let mine = outputs[pool.share(of: outputs.count, worker: index)]
            let rest = others[pool.share(of: others.count, worker: index)]
            worker.begin(rows: mine.count + rest.count)
            for number in mine { add(number) }
            for number in rest { add(number) }
            func add(_ number: Int32) {
                let position = Int(positions[Int(number)])
                worker.add(
                    node: Int32(firstPlace) + number,
                    embeddingRow: model.configuration.embeddingRow(
                        token: nodes[Int(number) - first].token, position: position),
                    position: position, isAttended: position % dimension != dimension - 1
                ) { appendPath(to: Int(number), &$0) }
            }
            worker.clock?.lap(.gathering)
            worker.embed(model)
            worker.clock?.lap(.embeddingAndHeads)
            for layer in 0...last {
                let queries = layer == last ? mine.count : worker.rows
                worker.computeKeysValues(
                    model, layer: layer, queries: queries, store: keysValues[layer])
                // Ancestors may be another worker's: wait until all keys and values are there.
                if meeting {
                    pool.barrier()
                    worker.clock?.start()
                }
                worker.finishLayer(
                    model, layer: layer, queries: queries, store: keysValues[layer])
            }
            worker.computeLogits(model, rows: mine.count) { row in
                let node = Int(mine[mine.startIndex + row])
                return (
                    head: Int(positions[node]) % dimension,
                    output: logitStorage.base + Int(logitRows[node]) * logitStride
                )
            }
        }
    }

    /// Adds the places that `node` attends to: its goal's, its ancestors' and its own, without
    /// value tokens.
    private func appendPath(to node: Int, _ path: inout [Int32]) {
        let dimension = layout.transitionDimension
        let position = Int(positions[node])
        let count = position + 1 - (position + 1) / dimension
        if goalDimension > 0 {
            let goal = goalOfNode[node] * Int32(goalDimension)
            path.append(contentsOf: goal..<(goal + Int32(goalDimension)))
        }
        let first = path.count
        let base = Int32(firstPlace)
        path.append(contentsOf: repeatElement(0, count: count))
        path.withUnsafeMutableBufferPointer { path in
            parents.withUnsafeBufferPointer { parents in
                var place = first + count
                var current = Int32(node)
                var column = position % dimension
                while place > first {
                    if column != dimension - 1 {
                        place -= 1
                        path[place] = base + current
                    }
                    current = parents[Int(current)]
                    column = column == 0 ? dimension - 1 : column - 1
                }
            }
        }
    }
}
