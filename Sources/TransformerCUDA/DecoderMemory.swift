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
    /// What blocks that share rows exchange: for every 16 rows twice as many sums as blocks.
    private(set) var partialSums: Buffer<Float>
    /// A call's logits.
    private(set) var logits: Buffer<Float>
    /// The logits of all nodes of the tree.
    private(set) var hostLogits: PinnedBuffer<Float>
    private var staging: PinnedBuffer<Int32>

    /// Numbers between rows of logits.
    let logitStride: Int
    private let width: Int
    private let layers: Int
    private let longestPath: Int
    private var places = 2048
    private let device: Device

    private let blocks: Int

    init(_ configuration: TransformerConfiguration, blocks: Int, on device: Device)
        throws(CUDAError)
    {
        self.device = device
        self.blocks = blocks
        width = configuration.embeddingWidth
        layers = configuration.layerCount
        longestPath = configuration.goalDimension + configuration.contextLength
        logitStride = (configuration.vocabularySize + 3) / 4 * 4
        keysValues = try Buffer(count: places * layers * 2 * width, on: device)
        paths = try Buffer(count: places * longestPath, on: device)
        nodes = try Buffer(count: 4 * places, on: device)
        order = try Buffer(count: 512, on: device)
        rows = try Buffer(count: 512 * 2 * width, on: device)
        partialSums = try Buffer(count: 512 * 2 * blocks * width, on: device)
        logits = try Buffer(count: 512 * logitStride, on: device)
        hostLogits = try PinnedBuffer(count: 2048 * logitStride, on: device)
        staging = try PinnedBuffer(count: 4096, on: device)
    }

    /// Makes room for a tree of `places`, a call of `rows`, `outputs` of them with output, and
    /// `hostOutputs` in the whole tree.
    mutating func reserve(
        places needed: Int, rows: Int, outputs: Int, hostOutputs: Int, _ stream: Stream
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
            partialSums = try Buffer(
                count: (order.count + 15) / 16 * 16 * 2 * blocks * width, on: device)
        }
        if outputs * logitStride > logits.count {
            logits = try Buffer(count: max(outputs * logitStride, 2 * logits.count), on: device)
        }
        if hostOutputs * logitStride > hostLogits.count {
            let larger = try PinnedBuffer<Float>(
                count: max(hostOutputs * logitStride, 2 * hostLogits.count), on: device)
            hostLogits.withSpan(0..<hostLogits.count) { old in
                for index in old.indices { larger[index] = old[index] }
            }
            hostLogits = larger
        }
    }

    /// Sends what the host says of a call's nodes; their copies must not change until they are there.
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
        _ buffer: Buffer<Element>, _ count: Int, _ stream: Stream
    ) throws(CUDAError) -> Buffer<Element> {
        let larger = try Buffer<Element>(count: count, on: device)
        try stream.copy(buffer, count: buffer.count, to: larger)
        // The old buffer goes away when this returns.
        try stream.synchronize()
        return larger
    }
}
