// Layer norm, bias, GELU, residual connections and embeddings: one row of channels at a time.
// Widths are multiples of 8 in every model worth training; the tails keep other widths correct.
#pragma once

void FN(layer_norm_forward)(float *out, float *mean, float *rstd, const float *in,
                            const float *weight, const float *bias, const int32_t *destination,
                            ptrdiff_t rows, ptrdiff_t width,
                            ptrdiff_t out_stride) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *x = in + r * width;
        float *y = out + (destination ? destination[r] : r) * out_stride;
        vf total = splat(0);
        FOR_LANES(c, width) total += load_tail(x, c, width);
        float m = sum_lanes(total) / (float)width;
        vf squares = splat(0);
        FOR_LANES(c, width) {
            vf d = load_tail(x, c, width) - splat(m);
            if (c + LANES > width) d = load_partial((const float *)&d, width - c, 0);
            squares += d * d;
        }
        float s = 1.0f / sqrtf(sum_lanes(squares) / (float)width + 1e-5f);
        FOR_LANES(c, width) {
            vf normalized = (load_tail(x, c, width) - splat(m)) * splat(s);
            store_tail(y, normalized * load_tail(weight, c, width) + load_tail(bias, c, width), c,
                       width);
        }
        if (mean) mean[r] = m;
        if (rstd) rstd[r] = s;
    }
}

void FN(layer_norm_backward)(float *dx, float *dweight, float *dbias, const float *dout,
                             const float *in, const float *mean, const float *rstd,
                             const float *weight, const int32_t *destination, ptrdiff_t rows,
                             ptrdiff_t width) {
    for (ptrdiff_t first = 0; first < rows; first += 4) {
        ptrdiff_t end = first + 4 < rows ? first + 4 : rows;
        FOR_LANES(c, width) {
            vf scale_sum = load_tail(dweight, c, width), shift_sum = load_tail(dbias, c, width);
            for (ptrdiff_t r = first; r < end; r++) {
                vf g = load_tail(dout + (destination ? destination[r] : r) * width, c, width);
                __builtin_prefetch(in + (r + 4) * width + c);
                vf x = load_tail(in + r * width, c, width);
                scale_sum += g * ((x - splat(mean[r])) * splat(rstd[r]));
                shift_sum += g;
            }
            store_tail(dweight, scale_sum, c, width);
            store_tail(dbias, shift_sum, c, width);
        }
        for (ptrdiff_t r = first; r < end; r++) {
            const float *x = in + r * width;
            const float *g = dout + (destination ? destination[r] : r) * width;
            float *d = dx + r * width;
            vf m = splat(mean[r]), s = splat(rstd[r]);
            vf sum_g = splat(0), sum_gx = splat(0);
            FOR_LANES(c, width) {
                vf weighted = load_tail(g, c, width) * load_tail(weight, c, width);
                sum_g += weighted;
                sum_gx += weighted * ((load_tail(x, c, width) - m) * s);
            }
            vf mean_g = splat(sum_lanes(sum_g) / (float)width);
            vf mean_gx = splat(sum_lanes(sum_gx) / (float)width);
            FOR_LANES(c, width) {
                vf normalized = (load_tail(x, c, width) - m) * s;
                vf weighted = load_tail(g, c, width) * load_tail(weight, c, width);
                vf gradient = s * (weighted - mean_g - normalized * mean_gx);
                store_tail(d, load_tail(d, c, width) + gradient, c, width);
            }
        }
    }
}

/// Adds the sums over `rows` <= 4 rows of `in` to `sum`.
INLINE void add_few_rows(float *sum, const float *in, ptrdiff_t stride, ptrdiff_t rows,
                         ptrdiff_t width) {
    FOR_LANES(c, width) {
        vf total = load_tail(sum, c, width);
        for (ptrdiff_t r = 0; r < rows; r++) total += load_tail(in + r * stride, c, width);
        store_tail(sum, total, c, width);
    }
}

void FN(add_column_sums)(float *sum, const float *in, ptrdiff_t rows, ptrdiff_t width,
                         ptrdiff_t stride) {
    ptrdiff_t r = 0;
    for (; r + 4 <= rows; r += 4) add_few_rows(sum, in + r * stride, stride, 4, width);
    if (r < rows) add_few_rows(sum, in + r * stride, stride, rows - r, width);
}

void FN(gelu_forward)(float *out, float *u, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t out_stride,
                      ptrdiff_t u_stride) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        FOR_LANES(c, width) {
            vf derivative;
            vf activated = gelu(load_tail(u + r * u_stride, c, width), &derivative);
            store_tail(u + r * u_stride, derivative, c, width);
            store_tail(out + r * out_stride, activated, c, width);
        }
    }
}

void FN(gelu_backward)(float *d, float *dbias, const float *derivative, ptrdiff_t rows,
                       ptrdiff_t width, ptrdiff_t d_stride, ptrdiff_t derivative_stride) {
    // Four rows at a time, so that the sums of the columns are loaded and stored a fourth as often.
    for (ptrdiff_t first = 0; first < rows; first += 4) {
        ptrdiff_t end = first + 4 < rows ? first + 4 : rows;
        FOR_LANES(c, width) {
            vf sum = load_tail(dbias, c, width);
            for (ptrdiff_t r = first; r < end; r++) {
                __builtin_prefetch(derivative + (r + 4) * derivative_stride + c);
                vf g = load_tail(d + r * d_stride, c, width)
                    * load_tail(derivative + r * derivative_stride, c, width);
                store_tail(d + r * d_stride, g, c, width);
                sum += g;
            }
            store_tail(dbias, sum, c, width);
        }
    }
}

void FN(relu_forward)(float *x, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride) {
    for (ptrdiff_t r = 0; r < rows; r++, x += stride)
        FOR_LANES(c, width) store_tail(x, vmax(load_tail(x, c, width), splat(0)), c, width);
}

void FN(relu_backward)(float *d, const float *out, ptrdiff_t rows, ptrdiff_t width,
                       ptrdiff_t d_stride, ptrdiff_t out_stride) {
    for (ptrdiff_t r = 0; r < rows; r++, d += d_stride, out += out_stride)
        FOR_LANES(c, width) {
            vi passed = (vi)(load_tail(out, c, width) > splat(0));
            store_tail(d, (vf)(passed & (vi)load_tail(d, c, width)), c, width);
        }
}

void FN(residual_forward)(float *out, const float *x, const float *y, tt_dropout dropout,
                          ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t width) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        FOR_LANES(c, width) {
            vf added = load_tail(y + r * width, c, width);
            if (dropout.threshold)
                added *= dropout_factors((first_row + r) * width + c, dropout);
            store_tail(out + r * width, load_tail(x + r * width, c, width) + added, c, width);
        }
    }
}

void FN(residual_backward)(float *dy, float *dbias, const float *dout, tt_dropout dropout,
                           ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t width,
                           ptrdiff_t dy_stride) {
    for (ptrdiff_t first = 0; first < rows; first += 4) {
        ptrdiff_t end = first + 4 < rows ? first + 4 : rows;
        FOR_LANES(c, width) {
            vf sum = load_tail(dbias, c, width);
            for (ptrdiff_t r = first; r < end; r++) {
                __builtin_prefetch(dout + (r + 4) * width + c);
                vf g = load_tail(dout + r * width, c, width);
                if (dropout.threshold)
                    g *= dropout_factors((first_row + r) * width + c, dropout);
                store_tail(dy + r * dy_stride, g, c, width);
                sum += g;
            }
            store_tail(dbias, sum, c, width);
        }
    }
}

void FN(embedding_forward)(float *x, const int32_t *index, const float *table,
                           const float *position, tt_dropout dropout, ptrdiff_t first_row,
                           ptrdiff_t rows, ptrdiff_t length, ptrdiff_t width) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *token = table + index[r] * width;
        const float *place = position + (r % length) * width;
        FOR_LANES(c, width) {
            vf sum = load_tail(token, c, width) + load_tail(place, c, width);
            if (dropout.threshold) sum *= dropout_factors((first_row + r) * width + c, dropout);
            store_tail(x + r * width, sum, c, width);
        }
    }
}

void FN(embedding_backward)(float *dtable, float *dposition, const float *dx,
                            const int32_t *index, tt_dropout dropout, ptrdiff_t first_row,
                            ptrdiff_t rows, ptrdiff_t length, ptrdiff_t width) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        float *token = dtable + index[r] * width;
        float *place = dposition + (r % length) * width;
        FOR_LANES(c, width) {
            vf g = load_tail(dx + r * width, c, width);
            if (dropout.threshold) g *= dropout_factors((first_row + r) * width + c, dropout);
            store_tail(token, load_tail(token, c, width) + g, c, width);
            store_tail(place, load_tail(place, c, width) + g, c, width);
        }
    }
}
