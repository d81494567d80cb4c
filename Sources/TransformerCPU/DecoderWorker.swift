import Layers
import RandomNumbers
import Tensors
import Trajectories
import Transformer

/// One worker's share of a pass of ``PrefixDecoder``: a few rows, each a node, layer by layer.
///
/// Rows go through a layer in chunks whose intermediate results stay in the processor's cache.
final class DecoderWorker {
    /// Rows of the pass.
    private(set) var rows = 0
    /// Measures where the time goes, if it is to be measured.
    var clock: LapClock<DecoderProfile.Part>?

    private static let chunk = 128

    private let width: Int
    private let heads: Int
    private var capacity = 0
    /// The residual stream and the queries of all rows.
    private var residual = FloatStorage(count: 0)
    private var queries = FloatStorage(count: 0)
    private var embeddingRows = IndexStorage(count: 0)
    private var positions: [Int] = []
    private var nodes: [Int32] = []
    private var isAttended: [Bool] = []
    private var path: [Int32] = []
    private var pathOffset: [Int] = [0]
    private var longestPath = 0
    private var attentionScratch = FloatStorage(count: 0)

    /// Intermediate results of a chunk.
    private let normalized: Matrix
    private let keysValues: Matrix
    private let attended: Matrix
    private let branch: Matrix
    private let hidden: Matrix
    private let activated: Matrix
    private let owned: [FloatStorage]

    init(_ model: CPUTransformer) {
        let width = model.configuration.embeddingWidth
        self.width = width
        heads = model.configuration.headCount
        var owned: [FloatStorage] = []
        func matrix(_ columns: Int) -> Matrix {
            let storage = FloatStorage(count: Self.chunk * columns)
            owned.append(storage)
            return storage.matrix(columns: columns)
        }
        normalized = matrix(width)
        keysValues = matrix(2 * width)
        attended = matrix(width)
        branch = matrix(width)
        hidden = matrix(4 * width)
        activated = matrix(4 * width)
        self.owned = owned
    }

    /// Starts a pass of `rows` rows, to be added one by one.
    func begin(rows: Int) {
        if rows > capacity {
            capacity = max(rows, 2 * capacity, Self.chunk)
            residual = FloatStorage(count: capacity * width)
            queries = FloatStorage(count: capacity * width)
            embeddingRows = IndexStorage(count: capacity)
        }
        self.rows = 0
        nodes.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        isAttended.removeAll(keepingCapacity: true)
        path.removeAll(keepingCapacity: true)
        pathOffset.removeAll(keepingCapacity: true)
        pathOffset.append(0)
        longestPath = 0
    }

    /// Adds a row for `node`, by its place among the keys and values; `appendPath` adds the nodes
    /// that it attends to, from the root on.
    func add(
        node: Int32, embeddingRow: Int, position: Int, isAttended: Bool,
        appendPath: (_ path: inout [Int32]) -> Void
    ) {
        embeddingRows.base[rows] = Int32(embeddingRow)
        nodes.append(node)
        positions.append(position)
        self.isAttended.append(isAttended)
        appendPath(&path)
        longestPath = max(longestPath, path.count - (pathOffset.last ?? 0))
        pathOffset.append(path.count)
        rows += 1
    }

    /// Token plus position embedding of all rows.
    func embed(_ model: CPUTransformer) {
        let table = model.weights.values.matrix(model.layers.embedding.table)
        let position = model.weights.values.matrix(model.layers.embedding.position)
        let x = residual.matrix(columns: width)
        for row in 0..<rows {
            let token = table.base + Int(embeddingRows.base[row]) * width
            let place = position.base + positions[row] * width
            let output = x.base + row * width
            for channel in 0..<width { output[channel] = token[channel] + place[channel] }
        }
    }

    /// Goal embedding of all rows.
    func embedGoals(_ model: CPUTransformer, _ embedding: GoalEmbedding) {
        embedding.forward(
            model.weights, index: embeddingRows.base,
            output: residual.matrix(columns: width).rows(0..<rows), dropout: .none, firstRow: 0)
    }

    /// Keys and values of all rows go to `store`; the first `queries` rows' queries are kept.
    func computeKeysValues(
        _ model: CPUTransformer, layer: Int, queries count: Int, store: FloatStorage
    ) {
        let block = model.layers.blocks[layer]
        for range in chunks(0..<rows) {
            let size = range.count
            let normalized = self.normalized.rows(0..<size)
            block.norm1.forward(
                model.weights, input: residual.matrix(columns: width).rows(range),
                output: normalized, statistics: nil)
            clock?.lap(.elementwise)
            let asking = range.clamped(to: 0..<count)
            block.query.forward(
                model.weights, input: normalized.rows(0..<asking.count),
                output: queries.matrix(columns: width).rows(asking))
            let output = keysValues.rows(0..<size)
            block.keyValue.forward(model.weights, input: normalized, output: output)
            clock?.lap(.products)
            for (index, row) in range.enumerated() where isAttended[row] {
                (store.base + Int(nodes[row]) * 2 * width).update(
                    from: output.base + index * output.stride, count: 2 * width)
            }
            clock?.lap(.gathering)
        }
    }

    /// Attention and the rest of the layer for the first `count` rows.
    func finishLayer(
        _ model: CPUTransformer, layer: Int, queries count: Int, store: FloatStorage
    ) {
        let block = model.layers.blocks[layer]
        let scratch = PathAttention.scratchCount(
            longest: longestPath, width: width, heads: heads)
        if attentionScratch.count < scratch { attentionScratch = FloatStorage(count: 2 * scratch) }
        for range in chunks(0..<count) {
            let size = range.count
            let x = residual.matrix(columns: width).rows(range)
            let attended = self.attended.rows(0..<size)
            path.withUnsafeBufferPointer { path in
                pathOffset.withUnsafeBufferPointer { offset in
                    guard let path = path.baseAddress, let offset = offset.baseAddress else {
                        return
                    }
                    PathAttention.forward(
                        queries: queries.matrix(columns: width).rows(range),
                        keysValues: store.base, path: path, offset: offset + range.lowerBound,
                        longest: longestPath, heads: heads, scratch: attentionScratch.base,
                        output: attended)
                }
            }
            clock?.lap(.attention)
            let branch = self.branch.rows(0..<size)
            block.projection.forward(model.weights, input: attended, output: branch)
            clock?.lap(.products)
            Residual.forward(x: x, branch: branch, output: x, dropout: .none, firstRow: 0)
            let normalized = self.normalized.rows(0..<size)
            block.norm2.forward(model.weights, input: x, output: normalized, statistics: nil)
            clock?.lap(.elementwise)
            let hidden = self.hidden.rows(0..<size)
            let activated = self.activated.rows(0..<size)
            block.expansion.forward(model.weights, input: normalized, output: hidden)
            clock?.lap(.products)
            GELU.forward(input: hidden, output: activated)
            clock?.lap(.elementwise)
            block.contraction.forward(model.weights, input: activated, output: branch)
            clock?.lap(.products)
            Residual.forward(x: x, branch: branch, output: x, dropout: .none, firstRow: 0)
            clock?.lap(.elementwise)
        }
    }

    /// The final norm and the heads for the first `count` rows; neighbours of one head together.
    func computeLogits(
        _ model: CPUTransformer, rows count: Int,
        place: (Int) -> (head: Int, output: UnsafeMutablePointer<Float>)
    ) {
        let vocabulary = model.configuration.vocabularySize
        let stride = (vocabulary + 7) / 8 * 8
        for range in chunks(0..<count) {
            model.layers.finalNorm.forward(
                model.weights, input: residual.matrix(columns: width).rows(range),
                output: normalized.rows(0..<range.count), statistics: nil)
            clock?.lap(.elementwise)
            var start = range.lowerBound
            while start < range.upperBound {
                let (head, output) = place(start)
                var end = start + 1
                while end < range.upperBound, place(end).head == head { end += 1 }
                model.layers.heads[head].forward(
                    model.weights,
                    input: normalized.rows((start - range.lowerBound)..<(end - range.lowerBound)),
                    output: Matrix(
                        base: output, rows: end - start, columns: vocabulary, stride: stride))
                start = end
            }
            clock?.lap(.embeddingAndHeads)
        }
    }

    private func chunks(_ range: Range<Int>) -> some Sequence<Range<Int>> {
        stride(from: range.lowerBound, to: range.upperBound, by: Self.chunk).lazy.map {
            $0..<min($0 + Self.chunk, range.upperBound)
        }
    }
}
