import CUDA
import Transformer

/// What a decoder keeps on the card and beside it; grows, and keeps what is stored.
struct DecoderMemory {
    /// places × layers × 2C: key, then value.
    private(set) var keysValues: Buffer<Float>
    /// places × longest path: the places that a node attends to.
    private(set) var paths: Buffer<Int32>
    /// Four numbers for each place.
    private(set) var nodes: Buffer<Int32>
    /// A call's places, and for each of its rows 2C numbers between phases.
    private(set) var order: Buffer<Int32>
    private(set) var rows: Buffer<Float>
    /// What blocks that share rows exchange: twice 16 rows of sums for each of the blocks, of which
    /// there are no more than multiprocessors.
    let partialSums: Buffer<Float>
    /// The logits of all nodes of the tree with output, and those of them that the host may read.
    private(set) var logits: Buffer<Float>
    private(set) var hostLogits: PinnedBuffer<Float>
    private var staging: PinnedBuffer<Int32>
    private var stagedNumbers: PinnedBuffer<Double>
    /// What rows draw with and from, and what they drew.
    private(set) var standing: Buffer<Int32>
    private(set) var uniforms: Buffer<Double>
    private(set) var forced: Buffer<Int32>
    private(set) var drawn: Buffer<Int32>

    /// Numbers between rows of logits.
    let logitStride: Int
    private let width: Int
    private let layers: Int
    private let longestPath: Int
    private var places = 2048
    private let device: Device

    init(_ configuration: TransformerConfiguration, on device: Device)
        throws(CUDAError)
    {
        self.device = device
        width = configuration.embeddingWidth
        layers = configuration.layerCount
        longestPath = configuration.goalDimension + configuration.contextLength
        logitStride = (configuration.vocabularySize + 3) / 4 * 4
        keysValues = try Buffer(count: places * layers * 2 * width, on: device)
        paths = try Buffer(count: places * longestPath, on: device)
        nodes = try Buffer(count: 4 * places, on: device)
        order = try Buffer(count: 512, on: device)
        rows = try Buffer(count: 512 * 2 * width, on: device)
        partialSums = try Buffer(count: device.multiprocessorCount * 2 * 16 * width, on: device)
        standing = try Buffer(count: 512, on: device)
        uniforms = try Buffer(count: 8192, on: device)
        forced = try Buffer(count: 8192, on: device)
        drawn = try Buffer(count: 8192, on: device)
        logits = try Buffer(count: 2048 * logitStride, on: device)
        hostLogits = try PinnedBuffer(count: 2048 * logitStride, on: device)
        staging = try PinnedBuffer(count: 4096, on: device)
        stagedNumbers = try PinnedBuffer(count: 8192, on: device)
    }

    /// Clears what copies to the host read between rows of logits, where nobody writes.
    func clearLogits(_ stream: Stream) throws(CUDAError) { try stream.fill(logits) }

    /// Makes room for a tree of `places`, `outputs` of them with output, and a call of `rows`.
    mutating func reserve(
        places needed: Int, rows: Int, outputs: Int, _ stream: Stream
    ) throws(CUDAError) {
        if needed > places {
            let count = max(needed, 2 * places)
            keysValues = try grown(keysValues, count * layers * 2 * width, stream)
            paths = try grown(paths, count * longestPath, stream)
            nodes = try grown(nodes, 4 * count, stream)
            places = count
        }
        if rows > order.count {
            order = try Buffer(count: max(rows, 2 * order.count), on: device)
            self.rows = try Buffer(count: order.count * 2 * width, on: device)
        }
        if outputs * logitStride > logits.count {
            logits = try grown(
                logits, max(outputs * logitStride, 2 * logits.count), stream, isCleared: true)
            let larger = try PinnedBuffer<Float>(count: logits.count, on: device)
            larger.write(hostLogits)
            hostLogits = larger
        }
    }

    /// Asks for logits on the host.
    func copyLogits(rows: Range<Int>, _ stream: Stream) throws(CUDAError) {
        try stream.copy(
            logits, from: rows.lowerBound * logitStride, count: rows.count * logitStride,
            to: hostLogits, at: rows.lowerBound * logitStride)
    }

    /// Sends what rows draw with.
    mutating func upload(
        _ draws: TokenDraws, standing places: [Int32], _ stream: Stream
    ) throws(CUDAError) {
        if places.count > standing.count {
            standing = try Buffer(count: 2 * places.count, on: device)
        }
        let count = draws.uniforms.count
        if count > uniforms.count {
            uniforms = try Buffer(count: 2 * count, on: device)
            forced = try Buffer(count: 2 * count, on: device)
            drawn = try Buffer(count: 2 * count, on: device)
        }
        let tokens = draws.forced ?? []
        if places.count + tokens.count > staging.count {
            staging = try PinnedBuffer(count: 2 * (places.count + tokens.count), on: device)
        }
        if count > stagedNumbers.count {
            stagedNumbers = try PinnedBuffer(count: 2 * count, on: device)
        }
        staging.write(places)
        staging.write(tokens, at: places.count)
        stagedNumbers.write(draws.uniforms)
        try stream.copy(staging, count: places.count, to: standing)
        try stream.copy(staging, from: places.count, count: tokens.count, to: forced)
        try stream.copy(stagedNumbers, count: count, to: uniforms)
    }

    /// Sends what the host says of a call's nodes; their copies must not change until they are
    /// there.
    mutating func upload(
        nodes values: [Int32], at first: Int, order places: [Int32], _ stream: Stream
    ) throws(CUDAError) {
        if values.count + places.count > staging.count {
            staging = try PinnedBuffer(
                count: max(values.count + places.count, 2 * staging.count), on: device)
        }
        staging.write(values)
        staging.write(places, at: values.count)
        try stream.copy(staging, count: values.count, to: nodes, at: 4 * first)
        try stream.copy(staging, from: values.count, count: places.count, to: order)
    }

    private func grown<Element>(
        _ buffer: Buffer<Element>, _ count: Int, _ stream: Stream, isCleared: Bool = false
    ) throws(CUDAError) -> Buffer<Element> {
        let larger = try Buffer<Element>(count: count, on: device)
        if isCleared { try stream.fill(larger) }
        try stream.copy(buffer, count: buffer.count, to: larger)
        // The old buffer goes away when this returns.
        try stream.synchronize()
        return larger
    }
}
