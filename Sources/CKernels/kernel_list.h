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

/// out[r, :] = bias.
KERNEL(broadcast_rows,
       (float *out, const float *bias, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride),
       (out, bias, rows, width, stride))

/// sum[:] += sum over r of in[r, :], rows `stride` apart.
KERNEL(add_column_sums,
       (float *sum, const float *in, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride),
       (sum, in, rows, width, stride))

/// u += bias in place (kept for the backward), out = gelu(u) = u * (1 + erf(u / sqrt 2)) / 2.
KERNEL(gelu_forward,
       (float *out, float *u, const float *bias, ptrdiff_t rows, ptrdiff_t width,
        ptrdiff_t out_stride, ptrdiff_t u_stride),
       (out, u, bias, rows, width, out_stride, u_stride))

/// d = d * gelu'(u) in place, dbias += column sums of the result.
KERNEL(gelu_backward,
       (float *d, float *dbias, const float *u, ptrdiff_t rows, ptrdiff_t width,
        ptrdiff_t d_stride, ptrdiff_t u_stride),
       (d, dbias, u, rows, width, d_stride, u_stride))

/// out = x + dropout(y + bias).
KERNEL(residual_forward,
       (float *out, const float *x, const float *y, const float *bias, tt_dropout dropout,
        ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t width),
       (out, x, y, bias, dropout, first_row, rows, width))

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

/// Causal softmax of query rows `first_query ..< first_query + rows` of one head, in place.
///
/// Row i of `scores` (rows `stride` apart, row 0 is query `first_query`) becomes
/// softmax over j <= i of (scale * scores[i, j] + visible[j]), zero for later j up to `columns`;
/// visible[j] is 0 or -inf. `dropped` receives the probabilities after dropout (it may be `scores`
/// when nothing is dropped). With dropout, dropped entries of `scores` carry the sign bit.
KERNEL(attention_softmax_forward,
       (float *scores, float *dropped, const float *visible, float scale, tt_dropout dropout,
        ptrdiff_t first_element, ptrdiff_t first_query, ptrdiff_t rows, ptrdiff_t columns,
        ptrdiff_t stride),
       (scores, dropped, visible, scale, dropout, first_element, first_query, rows, columns,
        stride))

/// Backward of attention_softmax_forward: d holds the gradient of the dropped probabilities and
/// becomes the gradient of the unscaled scores; `dropped` receives the probabilities after dropout.
KERNEL(attention_softmax_backward,
       (float *d, float *dropped, const float *probabilities, float scale, float dropout_scale,
        ptrdiff_t first_query, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride),
       (d, dropped, probabilities, scale, dropout_scale, first_query, rows, columns, stride))

/// Weighted cross entropy: for each row, entropy[r] = -log softmax(logits[r, :])[target[r]], and
/// logits[r, :] becomes its gradient times weight[r]. `entropy` may be null.
KERNEL(cross_entropy,
       (float *logits, float *entropy, const int32_t *targets, const float *weights,
        ptrdiff_t rows, ptrdiff_t classes, ptrdiff_t stride),
       (logits, entropy, targets, weights, rows, classes, stride))

/// Attention of single queries over paths of a tree (planning).
///
/// Query q reads the nodes path[offset[q]] ..< path[offset[q + 1]]; node n keeps its key at
/// keys_values + n * 2 * width and its value right behind. Heads are contiguous slices of
/// width / heads channels. `scores` has room for heads * (longest path + 8).
KERNEL(path_attention,
       (float *out, const float *queries, const float *keys_values, const int32_t *path,
        const ptrdiff_t *offset, float *scores, ptrdiff_t rows, ptrdiff_t query_stride,
        ptrdiff_t width, ptrdiff_t heads),
       (out, queries, keys_values, path, offset, scores, rows, query_stride, width, heads))

/// *sum += sum of squares.
KERNEL(sum_of_squares, (double *sum, const float *x, ptrdiff_t count), (sum, x, count))

/// x += y.
KERNEL(accumulate, (float *x, const float *y, ptrdiff_t count), (x, y, count))

/// One AdamW update (Loshchilov and Hutter 2019) of `count` parameters; gradients are first
/// multiplied by `gradient_scale`. `correction1` = 1 - beta1^k, `correction2` = 1 - beta2^k.
KERNEL(adamw,
       (float *p, float *m, float *v, const float *g, float gradient_scale, float rate,
        float decay, float beta1, float beta2, float epsilon, float correction1,
        float correction2, ptrdiff_t count),
       (p, m, v, g, gradient_scale, rate, decay, beta1, beta2, epsilon, correction1,
        correction2, count))
