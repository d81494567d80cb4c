// The list of kernels, expanded once for each purpose: KERNEL(name, (parameters), (arguments)).
// No include guard on purpose.

/// out[r', :] = (in[r, :] - mean[r]) * rstd[r] * weight + bias, where r' = destination[r], or r when
/// `destination` is null. Biased variance, eps 1e-5. `mean` and `rstd` are kept for the backward.
KERNEL(layer_norm_forward,
       (float *out, float *mean, float *rstd, const float *in, const float *weight,
        const float *bias, const int32_t *destination, ptrdiff_t rows, ptrdiff_t width,
        ptrdiff_t out_stride),
       (out, mean, rstd, in, weight, bias, destination, rows, width, out_stride))

/// Backward of layer_norm_forward: dx, dweight and dbias are added to.
KERNEL(layer_norm_backward,
       (float *dx, float *dweight, float *dbias, const float *dout, const float *in,
        const float *mean, const float *rstd, const float *weight, const int32_t *destination,
        ptrdiff_t rows, ptrdiff_t width),
       (dx, dweight, dbias, dout, in, mean, rstd, weight, destination, rows, width))

/// sum[:] += sum over r of in[r, :], rows `stride` apart.
KERNEL(add_column_sums,
       (float *sum, const float *in, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride),
       (sum, in, rows, width, stride))

/// u becomes gelu'(u) in place (kept for the backward), out = gelu(u) = u * (1 + erf(u / sqrt 2)) / 2.
KERNEL(gelu_forward,
       (float *out, float *u, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t out_stride,
        ptrdiff_t u_stride),
       (out, u, rows, width, out_stride, u_stride))

/// d = d * derivative in place, dbias += column sums of the result.
KERNEL(gelu_backward,
       (float *d, float *dbias, const float *derivative, ptrdiff_t rows, ptrdiff_t width,
        ptrdiff_t d_stride, ptrdiff_t derivative_stride),
       (d, dbias, derivative, rows, width, d_stride, derivative_stride))

/// x = max(x, 0) in place.
KERNEL(relu_forward, (float *x, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride),
       (x, rows, width, stride))

/// d = d where out > 0, else 0, in place; `out` is what relu_forward left.
KERNEL(relu_backward,
       (float *d, const float *out, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t d_stride,
        ptrdiff_t out_stride),
       (d, out, rows, width, d_stride, out_stride))

/// out = x + dropout(y).
KERNEL(residual_forward,
       (float *out, const float *x, const float *y, tt_dropout dropout, ptrdiff_t first_row,
        ptrdiff_t rows, ptrdiff_t width),
       (out, x, y, dropout, first_row, rows, width))

/// Backward of residual_forward with respect to y: dy = dropout'(dout), dbias += column sums.
KERNEL(residual_backward,
       (float *dy, float *dbias, const float *dout, tt_dropout dropout, ptrdiff_t first_row,
        ptrdiff_t rows, ptrdiff_t width, ptrdiff_t dy_stride),
       (dy, dbias, dout, dropout, first_row, rows, width, dy_stride))

/// x[r, :] = dropout(table[index[r], :] + position[r mod length, :]).
KERNEL(embedding_forward,
       (float *x, const int32_t *index, const float *table, const float *position,
        tt_dropout dropout, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t length,
        ptrdiff_t width),
       (x, index, table, position, dropout, first_row, rows, length, width))

/// Backward of embedding_forward: dtable and dposition are added to.
KERNEL(embedding_backward,
       (float *dtable, float *dposition, const float *dx, const int32_t *index,
        tt_dropout dropout, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t length,
        ptrdiff_t width),
       (dtable, dposition, dx, index, dropout, first_row, rows, length, width))

/// C = A B + bias, or C += A B when `accumulate`; C is rows x columns, `depth` is summed over.
///
/// A is rows x depth, rows `a_stride` apart, or where `a_transposed` depth x rows. B is depth x
/// columns, rows `b_row` apart, or where `b_packed` as pack_panels lays it. `bias` may be null.
/// Nothing outside of A, B and C is touched. Meanwhile `upcoming`, which may be null, comes nearer: a
/// product leaves most of the memory's bandwidth to others.
KERNEL(product,
       (float *c, const float *a, const float *b, const float *bias, ptrdiff_t c_row,
        ptrdiff_t a_stride, int a_transposed, ptrdiff_t b_row, int b_packed, ptrdiff_t rows,
        ptrdiff_t columns, ptrdiff_t depth, int accumulate, const tt_upcoming *upcoming),
       (c, a, b, bias, c_row, a_stride, a_transposed, b_row, b_packed, rows, columns, depth,
        accumulate, upcoming))

/// Lays a depth x columns matrix out in panels of TT_PANEL columns, the last padded with zeros.
///
/// Number (k, j) goes to packed[j / TT_PANEL * TT_PANEL * depth + k * TT_PANEL + j % TT_PANEL]. The
/// matrix lies in rows `stride` apart; where `transposed`, as columns x depth.
KERNEL(pack_panels,
       (float *packed, const float *matrix, ptrdiff_t stride, int transposed, ptrdiff_t columns,
        ptrdiff_t depth),
       (packed, matrix, stride, transposed, columns, depth))

/// Causal attention of one head over one sequence: out = dropout(softmax(scale Q K')) V.
///
/// `probabilities` (room for tokens x shape.row) receives each query's probabilities over the visible
/// keys before dropout, dropped ones with the sign bit set, where attention_place says. `scratch` has room for tt_attention_scratch numbers. Element
/// numbers of the dropout count from `first_element`.
KERNEL(attention_forward,
       (float *out, float *probabilities, const float *query, const float *key,
        const float *value, float *scratch, tt_attention shape, tt_dropout dropout,
        ptrdiff_t first_element),
       (out, probabilities, query, key, value, scratch, shape, dropout, first_element))

/// The place of a query's first probability.
KERNEL(attention_place, (ptrdiff_t *place, ptrdiff_t query, tt_attention shape),
       (place, query, shape))

/// Backward of attention_forward, from what it wrote: writes dquery, dkey and dvalue.
KERNEL(attention_backward,
       (float *dquery, float *dkey, float *dvalue, const float *dout, const float *out,
        const float *probabilities, const float *query, const float *key, const float *value,
        float *scratch, tt_attention shape, float dropout_scale),
       (dquery, dkey, dvalue, dout, out, probabilities, query, key, value, scratch, shape,
        dropout_scale))

/// Weighted cross entropy: for each row, entropy[r] = -log softmax(logits[r, :])[target[r]], and
/// logits[r, :] becomes its gradient times weight[r]. `entropy` may be null.
KERNEL(cross_entropy,
       (float *logits, float *entropy, const int32_t *targets, const float *weights,
        ptrdiff_t rows, ptrdiff_t classes, ptrdiff_t stride),
       (logits, entropy, targets, weights, rows, classes, stride))

/// Attention of single queries over paths of a tree (planning).
///
/// Query q reads the nodes path[offset[q]] ..< path[offset[q + 1]], from the root on, at most
/// `longest`; node n keeps its key at keys_values + n * 2 * width and its value right behind. Heads
/// are contiguous slices of width / heads channels. `scratch` has room for
/// tt_path_attention_scratch numbers.
KERNEL(path_attention,
       (float *out, const float *queries, const float *keys_values, const int32_t *path,
        const ptrdiff_t *offset, float *scratch, ptrdiff_t longest, ptrdiff_t rows,
        ptrdiff_t query_stride, ptrdiff_t width, ptrdiff_t heads),
       (out, queries, keys_values, path, offset, scratch, longest, rows, query_stride, width,
        heads))

/// *sum += sum of squares.
KERNEL(sum_of_squares, (double *sum, const float *x, ptrdiff_t count), (sum, x, count))

/// x += y.
KERNEL(accumulate, (float *x, const float *y, ptrdiff_t count), (x, y, count))

/// x += share * (y - x).
KERNEL(approach, (float *x, const float *y, float share, ptrdiff_t count), (x, y, share, count))

/// One AdamW update (Loshchilov and Hutter 2019) of `count` parameters; gradients are first
/// multiplied by `gradient_scale`. `correction1` = 1 - beta1^k, `correction2` = 1 - beta2^k.
KERNEL(adamw,
       (float *p, float *m, float *v, const float *g, float gradient_scale, float rate,
        float decay, float beta1, float beta2, float epsilon, float correction1,
        float correction2, ptrdiff_t count),
       (p, m, v, g, gradient_scale, rate, decay, beta1, beta2, epsilon, correction1,
        correction2, count))

/// m = decay * m + s g, x = s g + decay * m (Nesterov), with s = `gradient_scale`.
KERNEL(momentum,
       (float *x, float *m, const float *g, float gradient_scale, float decay, ptrdiff_t count),
       (x, m, g, gradient_scale, decay, count))

/// x = own * x + other * y.
KERNEL(weighted_sum, (float *x, float own, const float *y, float other, ptrdiff_t count),
       (x, own, y, other, count))
