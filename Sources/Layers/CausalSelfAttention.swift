internal import CKernels
package import Tensors

/// Multi-head causal self-attention between the projections, with hidden keys and dropout.
///
///     P = softmax(Q Kᵀ / √h + mask);  output = dropout(P) V      for each sequence and head
///
/// Query i sees key j iff j <= i and j is visible. Shapes: `qkv` R × 3C holds queries, keys and values
/// side by side; heads are contiguous slices of h = C / H channels; output R × C. Vaswani et al. 2017;
/// the hidden keys are the value tokens, Janner et al. 2021, appendix A.
///
/// Scores are computed in blocks of queries, so that the future half is mostly never computed.
package struct CausalSelfAttention: Sendable {
    /// Number of heads.
    package let heads: Int
    /// Channels in all.
    package let width: Int
    /// Longest sequence.
    package let length: Int
    /// Elements between rows of a score matrix: the length rounded up to whole vectors.
    package let stride: Int

    private let visible: FloatStorage

    /// Queries scored together: large enough for fast products, small enough to skip the future.
    private static let block = 64

    /// Attention over sequences of up to `length` tokens; `isHidden` tells which keys nobody sees.
    package init(heads: Int, width: Int, length: Int, isHidden: (Int) -> Bool) {
        precondition(width % heads == 0, "\(heads) heads do not divide \(width) channels")
        self.heads = heads
        self.width = width
        self.length = length
        stride = (length + 7) / 8 * 8
        visible = FloatStorage(count: stride)
        for key in 0..<length { visible.base[key] = isHidden(key) ? -.infinity : 0 }
    }

    /// Numbers kept for the backward pass for each sequence: the probabilities of every head.
    package var probabilitiesPerSequence: Int { heads * length * stride }

    /// Room for one head's score matrix.
    package var scratchCount: Int { length * stride }

    /// Writes the heads' results for whole sequences of `tokens` tokens.
    ///
    /// The rows are sequences number `firstSequence`... of the batch. `scratch` holds two buffers of
    /// ``scratchCount``; only the first is used here.
    package func forward(
        qkv: Matrix, tokens: Int, output: Matrix, probabilities: UnsafeMutablePointer<Float>,
        scratch: FloatStorage, dropout: Dropout, firstSequence: Int
    ) {
        let headWidth = width / heads
        let scale = 1 / Float(headWidth).squareRoot()
        for sequence in 0..<(qkv.rows / tokens) {
            let rows = qkv.rows((sequence * tokens)..<((sequence + 1) * tokens))
            let results = output.rows((sequence * tokens)..<((sequence + 1) * tokens))
            for head in 0..<heads {
                let (query, key, value) = slices(rows, head, headWidth)
                let scores = Matrix(
                    base: probabilities + (sequence * heads + head) * length * stride,
                    rows: tokens, columns: tokens, stride: stride)
                let dropped =
                    dropout.isActive
                    ? Matrix(base: scratch.base, rows: tokens, columns: tokens, stride: stride)
                    : scores
                let element = ((firstSequence + sequence) * heads + head) * length * stride
                for block in blocks(tokens) {
                    let seen = 0..<block.upperBound
                    multiply(
                        query.rows(block), key.rows(seen).transposed,
                        into: scores.rows(block).columns(seen))
                    tt_attention_softmax_forward(
                        scores.rows(block).base, dropped.rows(block).base, visible.base, scale,
                        dropout.kernel, element, block.lowerBound, block.count, block.upperBound,
                        stride)
                    multiply(
                        dropped.rows(block).columns(seen), value.rows(seen),
                        into: results.rows(block).columns(
                            (head * headWidth)..<((head + 1) * headWidth)))
                }
            }
        }
    }

    /// Writes the gradient of `qkv` from that of the output.
    package func backward(
        qkv: Matrix, tokens: Int, dOutput: Matrix, dQKV: Matrix,
        probabilities: UnsafeMutablePointer<Float>, scratch: FloatStorage, dropout: Dropout
    ) {
        let headWidth = width / heads
        let scale = 1 / Float(headWidth).squareRoot()
        let dropped = Matrix(base: scratch.base, rows: tokens, columns: tokens, stride: stride)
        let dScores = Matrix(
            base: scratch.base + scratchCount, rows: tokens, columns: tokens, stride: stride)
        for sequence in 0..<(qkv.rows / tokens) {
            let range = (sequence * tokens)..<((sequence + 1) * tokens)
            for head in 0..<heads {
                let (query, key, value) = slices(qkv.rows(range), head, headWidth)
                let (dQuery, dKey, dValue) = slices(dQKV.rows(range), head, headWidth)
                let dResult = dOutput.rows(range).columns(
                    (head * headWidth)..<((head + 1) * headWidth))
                let kept = probabilities + (sequence * heads + head) * length * stride
                for block in blocks(tokens) {
                    let seen = 0..<block.upperBound
                    multiply(
                        dResult.rows(block), value.rows(seen).transposed,
                        into: dScores.rows(block).columns(seen))
                    tt_attention_softmax_backward(
                        dScores.rows(block).base, dropped.rows(block).base,
                        kept + block.lowerBound * stride, scale, dropout.scale, block.lowerBound,
                        block.count, block.upperBound, stride)
                    multiply(
                        dScores.rows(block).columns(seen), key.rows(seen),
                        into: dQuery.rows(block))
                }
                for block in blocks(tokens) {
                    // Keys of this block are seen by its own and all later queries.
                    let queries = block.lowerBound..<tokens
                    multiply(
                        dropped.rows(queries).columns(block).transposed,
                        dResult.rows(queries), into: dValue.rows(block))
                    multiply(
                        dScores.rows(queries).columns(block).transposed,
                        query.rows(queries), into: dKey.rows(block))
                }
            }
        }
    }

    private func slices(_ rows: Matrix, _ head: Int, _ headWidth: Int) -> (
        Matrix, Matrix, Matrix
    ) {
        let start = head * headWidth
        func part(_ index: Int) -> Matrix {
            rows.columns((index * width + start)..<(index * width + start + headWidth))
        }
        return (part(0), part(1), part(2))
    }

    private func blocks(_ tokens: Int) -> some Sequence<Range<Int>> {
        let count = max(1, (tokens + Self.block / 2) / Self.block)
        return (0..<count).lazy.map { (tokens * $0 / count)..<(tokens * ($0 + 1) / count) }
    }
}
