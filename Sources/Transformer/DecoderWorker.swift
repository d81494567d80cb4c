internal import Layers
internal import Tensors
internal import Trajectories

/// One worker's share of a pass of ``PrefixDecoder``: a few rows, each a node, layer by layer.
///
/// Rows go through a layer in chunks whose intermediate results stay in the processor's cache.
final class DecoderWorker {
    /// Rows of the pass.
    private(set) var rows = 0

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
    private let projected: Matrix
    private let attended: Matrix
    private let branch: Matrix
    private let hidden: Matrix
    private let activated: Matrix
    private let owned: [FloatStorage]

    init(_ model: TrajectoryTransformer) {
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
        projected = matrix(3 * width)
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

    /// Adds a row for `node`, which attends to the nodes of `path`.
    func add(
        node: Int32, embeddingRow: Int, position: Int, isAttended: Bool,
        path: some Sequence<Int32>
    ) {
        embeddingRows.base[rows] = Int32(embeddingRow)
        nodes.append(node)
        positions.append(position)
        self.isAttended.append(isAttended)
        self.path.append(contentsOf: path)
        longestPath = max(longestPath, self.path.count - (pathOffset.last ?? 0))
        pathOffset.append(self.path.count)
        rows += 1
    }

    /// Token plus position embedding of all rows.
    func embed(_ model: TrajectoryTransformer) {
        let table = model.values.matrix(model.parameters.embedding.table)
        let position = model.values.matrix(model.parameters.embedding.position)
        let x = residual.matrix(columns: width)
        for row in 0..<rows {
            let token = table.base + Int(embeddingRows.base[row]) * width
            let place = position.base + positions[row] * width
            let output = x.base + row * width
            for channel in 0..<width { output[channel] = token[channel] + place[channel] }
        }
    }

    /// Keys and values of all rows go to `store`; the first `queries` rows' queries are kept.
    func computeKeysValues(
        _ model: TrajectoryTransformer, layer: Int, queries count: Int, store: FloatStorage
    ) {
        let block = model.parameters.blocks[layer]
        for range in chunks(0..<rows) {
            let size = range.count
            block.norm1.forward(
                model.values, input: residual.matrix(columns: width).rows(range),
                output: normalized.rows(0..<size), statistics: nil)
            // Rows past `count` need no query: their part of the product is left out.
            let whole = range.upperBound <= count
            let skipped = range.lowerBound >= count ? width : 0
            let part = whole ? block.qkv : block.qkv.rows(skipped..<(3 * width))
            let output = Matrix(
                base: projected.base, rows: size, columns: 3 * width - skipped)
            part.forward(model.values, input: normalized.rows(0..<size), output: output)
            for (index, row) in range.enumerated() {
                let source = output.base + index * output.stride
                if row < count {
                    (queries.base + row * width).update(from: source, count: width)
                }
                if isAttended[row] {
                    (store.base + Int(nodes[row]) * 2 * width).update(
                        from: source + width - skipped, count: 2 * width)
                }
            }
        }
    }

    /// Attention and the rest of the layer for the first `count` rows.
    func finishLayer(
        _ model: TrajectoryTransformer, layer: Int, queries count: Int, store: FloatStorage
    ) {
        let block = model.parameters.blocks[layer]
        let scratch = heads * (longestPath + 8)
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
                        heads: heads, scratch: attentionScratch.base, output: attended)
                }
            }
            let branch = self.branch.rows(0..<size)
            block.projection.forwardWithoutBias(model.values, input: attended, output: branch)
            Residual.forward(
                model.values, bias: block.projection.bias, x: x, branch: branch, output: x,
                dropout: .none, firstRow: 0)
            let normalized = self.normalized.rows(0..<size)
            block.norm2.forward(model.values, input: x, output: normalized, statistics: nil)
            let hidden = self.hidden.rows(0..<size)
            let activated = self.activated.rows(0..<size)
            block.expansion.forwardWithoutBias(model.values, input: normalized, output: hidden)
            GELU.forward(
                model.values, bias: block.expansion.bias, input: hidden, output: activated)
            block.contraction.forwardWithoutBias(model.values, input: activated, output: branch)
            Residual.forward(
                model.values, bias: block.contraction.bias, x: x, branch: branch, output: x,
                dropout: .none, firstRow: 0)
        }
    }

    /// The final norm and the heads for the first `count` rows; neighbours of one head together.
    func computeLogits(
        _ model: TrajectoryTransformer, rows count: Int,
        place: (Int) -> (head: Int, output: UnsafeMutablePointer<Float>)
    ) {
        let vocabulary = model.configuration.vocabularySize
        let heads = model.values.matrix(model.parameters.head)
        let stride = (vocabulary + 7) / 8 * 8
        for range in chunks(0..<count) {
            model.parameters.finalNorm.forward(
                model.values, input: residual.matrix(columns: width).rows(range),
                output: normalized.rows(0..<range.count), statistics: nil)
            var start = range.lowerBound
            while start < range.upperBound {
                let (head, output) = place(start)
                var end = start + 1
                while end < range.upperBound, place(end).head == head { end += 1 }
                multiply(
                    normalized.rows((start - range.lowerBound)..<(end - range.lowerBound)),
                    heads.rows((head * vocabulary)..<((head + 1) * vocabulary)).transposed,
                    into: Matrix(
                        base: output, rows: end - start, columns: vocabulary, stride: stride))
                start = end
            }
        }
    }

    private func chunks(_ range: Range<Int>) -> some Sequence<Range<Int>> {
        stride(from: range.lowerBound, to: range.upperBound, by: Self.chunk).lazy.map {
            $0..<min($0 + Self.chunk, range.upperBound)
        }
    }
}
