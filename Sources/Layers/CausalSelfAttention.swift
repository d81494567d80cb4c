import CKernels
package import RandomNumbers
package import Tensors

/// Multi-head causal self-attention between the projections, with hidden keys and dropout.
///
///     P = softmax(Q Kᵀ / √h + mask);  output = dropout(P) V      for each sequence and head
///
/// Query i sees key j iff j <= i and j is visible; the first key must be. Shapes: `qkv` R × 3C
/// holds queries, keys and values side by side; heads are contiguous slices of h = C / H channels;
/// output R × C. Vaswani et al. 2017; the hidden keys are the value tokens, Janner et al. 2021,
/// appendix A.
///
/// Hidden keys and the future are left out of every product rather than masked.
package struct CausalSelfAttention: Sendable {
    /// Number of heads.
    package let heads: Int
    /// Channels in all.
    package let width: Int
    /// Longest sequence.
    package let length: Int

    /// Position of each visible key.
    private let position: IndexStorage
    /// For each position, the number of visible keys up to it.
    private let seen: IndexStorage
    /// Elements between rows of probabilities: the visible keys rounded up to whole panels.
    private let stride: Int

    /// Attention over sequences of up to `length` tokens; `isHidden` tells which keys nobody sees.
    package init(heads: Int, width: Int, length: Int, isHidden: (Int) -> Bool) {
        precondition(width % heads == 0, "\(heads) heads do not divide \(width) channels")
        precondition(!isHidden(0), "nobody sees the first key, so its query sees none")
        self.heads = heads
        self.width = width
        self.length = length
        position = IndexStorage(count: length)
        seen = IndexStorage(count: length)
        var count = 0
        for key in 0..<length {
            if !isHidden(key) {
                position.base[count] = Int32(key)
                count += 1
            }
            seen.base[key] = Int32(count)
        }
        stride = (count + Int(TT_PANEL) - 1) / Int(TT_PANEL) * Int(TT_PANEL)
    }

    /// Numbers kept for the backward pass for each sequence: the probabilities of every head.
    package var probabilitiesPerSequence: Int { heads * length * stride }

    /// Numbers of scratch that ``forward`` and ``backward`` need.
    package var scratchCount: Int { tt_attention_scratch(stride, width / heads) }

    /// Writes the heads' results for one sequence, number `sequence` of the batch.
    ///
    /// `probabilities` receives ``probabilitiesPerSequence`` numbers for the backward pass.
    package func forward(
        qkv: Matrix, output: Matrix, probabilities: UnsafeMutablePointer<Float>,
        scratch: FloatStorage, dropout: Dropout, sequence: Int
    ) {
        let shape = shape(qkv: qkv, output: output)
        for head in 0..<heads {
            let query = qkv.base + head * shape.width
            tt_attention_forward(
                output.base + head * shape.width, probabilities + head * length * stride, query,
                query + width, query + 2 * width, scratch.base, shape, dropout.kernel,
                (sequence * heads + head) * length * stride)
        }
    }

    /// Writes the gradient of `qkv` from that of the output, and what ``forward`` wrote.
    package func backward(
        qkv: Matrix, output: Matrix, dOutput: Matrix, dQKV: Matrix,
        probabilities: UnsafePointer<Float>, scratch: FloatStorage, dropout: Dropout
    ) {
        precondition(dQKV.stride == qkv.stride, "the gradient must lie as the matrix does")
        var shape = shape(qkv: qkv, output: output)
        shape.dout_row = dOutput.stride
        for head in 0..<heads {
            let query = qkv.base + head * shape.width
            let dQuery = dQKV.base + head * shape.width
            tt_attention_backward(
                dQuery, dQuery + width, dQuery + 2 * width, dOutput.base + head * shape.width,
                output.base + head * shape.width, probabilities + head * length * stride, query,
                query + width, query + 2 * width, scratch.base, shape, dropout.scale)
        }
    }

    /// The attention of one query over the keys up to its own, zero at hidden ones, as ``forward``
    /// without dropout left it for a sequence of `tokens` tokens.
    package func weights(
        in probabilities: UnsafePointer<Float>, head: Int, query: Int, tokens: Int
    ) -> [Float] {
        var place = 0
        tt_attention_place(&place, query, shape(tokens: tokens))
        var result = [Float](repeating: 0, count: query + 1)
        for key in 0..<Int(seen.base[query]) {
            result[Int(position.base[key])] = probabilities[head * length * stride + place + key]
        }
        return result
    }

    private func shape(qkv: Matrix, output: Matrix) -> tt_attention {
        precondition(
            output.rows == qkv.rows,
            "attention cannot take (\(qkv.rows),\(qkv.columns)) to "
                + "(\(output.rows),\(output.columns))")
        var shape = shape(tokens: qkv.rows)
        shape.qkv_row = qkv.stride
        shape.out_row = output.stride
        return shape
    }

    private func shape(tokens: Int) -> tt_attention {
        precondition(tokens <= length, "\(tokens) tokens in attention over \(length)")
        let headWidth = width / heads
        return tt_attention(
            tokens: tokens, keys: Int(seen.base[tokens - 1]), position: position.base,
            seen: seen.base, width: headWidth, row: stride, qkv_row: 0, out_row: 0, dout_row: 0,
            scale: 1 / Float(headWidth).squareRoot())
    }
}
