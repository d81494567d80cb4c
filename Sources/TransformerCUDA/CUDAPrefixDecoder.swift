public import CUDA
import Tensors
public import Trajectories
public import Transformer

/// The transformer over a growing tree of token prefixes, on a card.
///
/// Computes what `PrefixDecoder` does on the CPU: a node's keys and values once, and of each node
/// only what somebody will read. A call's nodes go to the card with one copy, their logits come
/// back with another, and between them is one kernel, or where a node's parent belongs to the same
/// call one for each layer (see `decoder.cu`).
public final class CUDAPrefixDecoder: PrefixTreeModel {
    let configuration: TransformerConfiguration
    let device: Device
    let stream: Stream
    /// For few rows and for many.
    private let decode: DecodeVariants
    /// Chooses tokens.
    let drawing: Kernel
    private let weights: Buffer<Float>
    /// The weights as products take them, where that is not as floats.
    private let roundedWeights: Buffer<UInt16>?
    var memory: DecoderMemory
    private var clock: (start: Event, end: Event)?
    /// Seconds of the last call's kernels on the card, where ``isTimed``.
    package private(set) var lastKernelSeconds = 0.0
    /// Whether kernels are timed, which costs a little.
    package var isTimed = false

    /// Of each node: the place of the nearest ancestor that has a path, itself perhaps, or -1 - the
    /// number of its goal.
    var anchors: [Int32] = []
    var positions: [Int32] = []
    /// Row of each node's logits, or -1.
    var logitRows: [Int32] = []
    var outputCount = 0
    /// The goals whose keys and values are kept.
    private var goals: KeptGoals
    /// Place of the first node: nodes lie behind the kept goals.
    var firstPlace: Int { goals.places }

    /// A decoder with an empty tree, of the model as it is now.
    ///
    /// - Throws: `EngineError` where the card cannot compute or hold the model.
    public convenience init(
        _ model: TrajectoryTransformer, on device: Device, precision: Precision
    ) throws(EngineError) {
        try self.init(model, on: device, precision: precision, blocks: nil)
    }

    /// A decoder whose rows are shared by `blocks` blocks; nil leaves that to the architecture.
    package init(
        _ model: TrajectoryTransformer, on device: Device, precision: Precision, blocks: Int?
    ) throws(EngineError) {
        configuration = model.configuration
        goals = KeptGoals(dimension: configuration.goalDimension)
        self.device = device
        let shape = KernelShape(configuration, precision: precision)
        if let problem = shape.problem {
            throw EngineError(code: .unsupported, engine: device.name, detail: problem)
        }
        do {
            stream = try Stream(device)
            let architecture = device.architecture
            let blocks = blocks ?? shape.decoderBlocks(architecture: architecture)
            let kernels = try Kernels(
                shape.decoderProgram(blocks: blocks, warps: 16), on: device)
            let many = try Kernels(shape.decoderProgram(blocks: 1, warps: 8), on: device)
            decode = DecodeVariants(
                few: try kernels.kernel("decode"), many: try many.kernel("decode"), blocks: blocks,
                multiprocessors: device.multiprocessorCount)
            drawing = try kernels.kernel("draw")
            let values = model.values
            weights = try Buffer(count: values.count + values.count % 2, on: device)
            try stream.write(values, to: weights)
            if precision == .fast {
                let rounded = try Buffer<UInt16>(count: weights.count, on: device)
                let pairs = weights.count / 2
                try stream.launch(
                    kernels.kernel("round_weights"), grid: ((pairs + 255) / 256, 1), threads: 256,
                    rounded, weights, Int32(pairs))
                roundedWeights = rounded
            } else {
                roundedWeights = nil
            }
            memory = try DecoderMemory(configuration, on: device)
            try memory.clearLogits(stream)
        } catch {
            throw EngineError(error, engine: device.name)
        }
    }

    /// Which token of a transition is which.
    public var layout: TransitionLayout { configuration.layout }
    /// Logits at a node.
    public var vocabularySize: Int { configuration.vocabularySize }
    /// Tokens that the model can see at once.
    public var contextLength: Int { configuration.contextLength }
    /// Tokens of a goal; 0 for a model without goals.
    public var goalDimension: Int { configuration.goalDimension }
    /// Threads of the host that may read logits side by side.
    public var workerCount: Int { WorkerPool.shared.count }
    /// Runs `body` once on each of these threads.
    public func concurrently(_ body: (_ worker: Int) -> Void) { WorkerPool.shared.run(body) }

    /// Forgets all nodes, not the goals.
    public func removeAll() {
        anchors.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        logitRows.removeAll(keepingCapacity: true)
        outputCount = 0
    }

    /// Forgets all nodes; trees from now on grow behind these goals, which are kept from tree to
    /// tree.
    ///
    /// - Throws: `EngineError` where the card fails.
    public func begin(goals tokens: [[Int]]) throws(EngineError) {
        removeAll()
        let (fresh, first) = goals.begin(tokens)
        guard !fresh.isEmpty else { return }
        do {
            try compute(fresh, from: first * goalDimension)
        } catch {
            goals.forget()
            throw EngineError(error, engine: device.name)
        }
    }

    /// Adds nodes, computes what they need, and returns their numbers in the order given.
    ///
    /// - Throws: `EngineError` where the card fails or its memory is full.
    public func extend(_ nodes: [PrefixNode]) throws(EngineError) -> Range<Int> {
        let first = positions.count
        let call = place(nodes)
        guard !call.order.isEmpty else { return first..<positions.count }
        do {
            try run(call, at: firstPlace + first)
        } catch {
            throw EngineError(error, engine: device.name)
        }
        outputCount += call.outputs
        return first..<positions.count
    }

    /// Lends the logits at a node that was added with output.
    public func withLogits<Result>(
        of node: Int, _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        let row = Int(logitRows[node])
        precondition(row >= 0, "node \(node) was added without output")
        let start = row * memory.logitStride
        return try memory.hostLogits.withSpan(start..<(start + vocabularySize), body)
    }

    // MARK: - One call

    /// What a call asks the card for.
    private struct Call {
        /// Four numbers for each node: `Node` of decoder.cu.
        var nodes: [Int32] = []
        /// Places of the nodes to be computed, those with output first.
        var order: [Int32] = []
        var outputs = 0
        /// Whether a node stands on another of the same call.
        var hasInnerParents = false
    }

    /// Notes where nodes stand and what of them is to be computed.
    private func place(_ nodes: [PrefixNode]) -> Call {
        let first = positions.count
        let dimension = layout.transitionDimension
        var call = Call()
        call.nodes.reserveCapacity(4 * nodes.count)
        var others: [Int32] = []
        for (index, node) in nodes.enumerated() {
            let number = first + index
            let place = Int32(firstPlace + number)
            let position: Int
            let anchor: Int32
            switch node.parent {
            case .goal(let goal):
                precondition(goal < max(goals.present.count, 1), "goal \(goal) does not exist")
                position = 0
                anchor = Int32(-1 - (goals.present.isEmpty ? 0 : goals.present[goal]))
            case .node(let parent):
                precondition(parent < number, "node \(parent) does not exist")
                position = Int(positions[parent]) + 1
                anchor = anchors[parent]
            }
            precondition(
                position < contextLength,
                "a prefix of \(position + 1) tokens exceeds the model's context of \(contextLength)"
            )
            let isComputed = node.needsOutput || position % dimension != dimension - 1
            call.nodes.append(anchor)
            call.nodes.append(Int32(embeddingRow(node.token, position)))
            call.nodes.append(Int32(position))
            call.nodes.append(node.needsOutput ? Int32(outputCount + call.outputs) : -1)
            if node.needsOutput {
                logitRows.append(Int32(outputCount + call.outputs))
                call.order.append(place)
                call.outputs += 1
            } else {
                logitRows.append(-1)
                if isComputed { others.append(place) }
            }
            if isComputed && anchor >= Int32(firstPlace + first) { call.hasInnerParents = true }
            positions.append(Int32(position))
            anchors.append(isComputed ? place : anchor)
        }
        call.order += others
        return call
    }

    /// Computes a call's nodes, whose places begin at `first`, and waits for their logits.
    private func run(_ call: Call, at first: Int) throws(CUDAError) {
        try memory.reserve(
            places: first + call.nodes.count / 4, rows: call.order.count,
            outputs: outputCount + call.outputs, stream)
        try memory.upload(nodes: call.nodes, at: first, order: call.order, stream)
        if isTimed {
            if clock == nil { clock = (try Event(device), try Event(device)) }
            if let clock { try stream.record(clock.start) }
        }
        let layers = configuration.layerCount
        if call.hasInnerParents {
            for phase in 0...layers { try launch(call, first, phase..<(phase + 1)) }
        } else {
            try launch(call, first, 0..<(layers + 1))
        }
        if isTimed, let clock { try stream.record(clock.end) }
        try memory.copyLogits(rows: outputCount..<(outputCount + call.outputs), stream)
        // Also without output: the host's copies of the nodes are free again.
        try stream.synchronize()
        if isTimed, let clock { lastKernelSeconds = try clock.end.seconds(since: clock.start) }
    }

    /// Computes the keys and values of goals, which begin at place `first`.
    private func compute(_ goals: [[Int]], from first: Int) throws(CUDAError) {
        var call = Call()
        call.hasInnerParents = true
        for goal in goals {
            for (dimension, token) in goal.enumerated() {
                precondition(
                    0..<configuration.binCount ~= token, "a goal's token \(token) is no bin")
                call.order.append(Int32(first + call.nodes.count / 4))
                call.nodes += [
                    -1, Int32(token + dimension * configuration.binCount), Int32(-1 - dimension),
                    -1,
                ]
            }
        }
        try memory.reserve(
            places: firstPlace, rows: call.order.count, outputs: 0, stream)
        try memory.upload(nodes: call.nodes, at: first, order: call.order, stream)
        for phase in 0..<configuration.layerCount { try launch(call, first, phase..<(phase + 1)) }
        try stream.synchronize()
    }

    private func launch(_ call: Call, _ first: Int, _ phases: Range<Int>) throws(CUDAError) {
        // Behind the last layer's keys and values only rows with output go on.
        let rows =
            phases.lowerBound == configuration.layerCount ? call.outputs : call.order.count
        try launchDecode(rows: rows, outputs: call.outputs, first: first, phases)
    }

    /// Asks for phases of the nodes whose places `memory.order` names.
    func launchDecode(
        rows: Int, outputs: Int, first: Int, _ phases: Range<Int>
    ) throws(CUDAError) {
        guard rows > 0 else { return }
        let variant = decode.variant(rows: rows)
        try stream.launch(
            variant.kernel, grid: (variant.blocks, 1), threads: variant.threads,
            memory.keysValues, memory.paths, memory.rows, memory.partialSums, memory.logits,
            weights, roundedWeights?.address ?? weights.address, memory.nodes, memory.order,
            Int32(rows), Int32(outputs), Int32(first), Int32(phases.lowerBound),
            Int32(phases.upperBound))
    }

    private func embeddingRow(_ token: Int, _ position: Int) -> Int {
        let bins = configuration.binCount
        precondition(0...bins ~= token, "token \(token) is not in the vocabulary")
        let dimension = layout.transitionDimension
        return token == bins ? bins * dimension : token + position % dimension * bins
    }
}

/// The decoder's kernel, compiled for calls of few rows and for calls of many.
private struct DecodeVariants {
    let few: Kernel
    let many: Kernel
    /// Blocks that share 16 rows where these are few.
    let blocks: Int
    let multiprocessors: Int

    /// What computes so many rows, in how many blocks of how many threads: all blocks at once while
    /// a multiprocessor is left for each.
    func variant(rows: Int) -> (kernel: Kernel, blocks: Int, threads: Int) {
        let tiles = (rows + 15) / 16
        return tiles * blocks <= multiprocessors
            ? (few, tiles * blocks, 512) : (many, tiles, 256)
    }
}
