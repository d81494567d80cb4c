// Attention of single queries over the keys and values on their path through the prefix tree.
#pragma once

/// Dot products of one head's query with eight keys, transposed into one vector.
INLINE v8 eight_dots(const float *q, const float *const *keys, ptrdiff_t channel,
                     ptrdiff_t head_width) {
    vf sums[8];
    for (int k = 0; k < 8; k++) sums[k] = splat(0);
    for (ptrdiff_t c = 0; c < head_width; c += LANES) {
        vf query = load(q + channel + c);
#pragma clang loop unroll(full)
        for (int k = 0; k < 8; k++) sums[k] += query * load(keys[k] + channel + c);
    }
    // Transpose by halves: each step adds pairs, so that lane k ends as the sum of sums[k].
    v8 a[4], b[2];
    for (int k = 0; k < 4; k++) {
        v8 x = fold(sums[2 * k]), y = fold(sums[2 * k + 1]);
        a[k] = __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14)
            + __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int k = 0; k < 2; k++) {
        v8 x = a[2 * k], y = a[2 * k + 1];
        b[k] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13)
            + __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    return __builtin_shufflevector(b[0], b[1], 0, 1, 2, 3, 8, 9, 10, 11)
        + __builtin_shufflevector(b[0], b[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

/// out = sum over k of p[k] * values[k], `vectors` vectors of channels at a time.
INLINE void weighted_sum(float *out, const float *p, const float *keys_values,
                         const int32_t *path, ptrdiff_t count, ptrdiff_t offset,
                         ptrdiff_t node_stride, int vectors) {
    vf sums[4];
    for (int c = 0; c < vectors; c++) sums[c] = splat(0);
    for (ptrdiff_t k = 0; k < count; k++) {
        const float *value = keys_values + path[k] * node_stride + offset;
        vf weight = splat(p[k]);
#pragma clang loop unroll(full)
        for (int c = 0; c < vectors; c++) sums[c] += weight * load(value + c * LANES);
    }
    for (int c = 0; c < vectors; c++) store(out + c * LANES, sums[c]);
}

void FN(path_attention)(float *out, const float *queries, const float *keys_values,
                        const int32_t *path, const ptrdiff_t *offset, float *scores,
                        ptrdiff_t rows, ptrdiff_t query_stride, ptrdiff_t width,
                        ptrdiff_t heads) {
    ptrdiff_t head_width = width / heads, node_stride = 2 * width;
    float scale = 1.0f / sqrtf((float)head_width);
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *q = queries + r * query_stride;
        const int32_t *nodes = path + offset[r];
        ptrdiff_t count = offset[r + 1] - offset[r];
        ptrdiff_t padded = (count + LANES - 1) / LANES * LANES;
        for (ptrdiff_t k = 0; k < padded; k += 8) {
            const float *keys[8];
            for (int i = 0; i < 8; i++)
                keys[i] = keys_values + nodes[k + i < count ? k + i : count - 1] * node_stride;
            for (ptrdiff_t h = 0; h < heads; h++) {
                v8 s;
                if (head_width % LANES == 0) {
                    s = eight_dots(q, keys, h * head_width, head_width);
                } else {
                    for (int i = 0; i < 8; i++) {
                        float sum = 0;
                        for (ptrdiff_t c = h * head_width; c < (h + 1) * head_width; c++)
                            sum += q[c] * keys[i][c];
                        s[i] = sum;
                    }
                }
                s *= scale;
                for (int i = 0; i < 8; i++)
                    if (k + i >= count) s[i] = -INFINITY;
                *(v8_unaligned *)(scores + h * padded + k) = s;
            }
        }
        for (ptrdiff_t h = 0; h < heads; h++) {
            float *p = scores + h * padded;
            vf highest = splat(-INFINITY), total = splat(0);
            for (ptrdiff_t k = 0; k < padded; k += LANES) highest = vmax(highest, load(p + k));
            vf top = splat(max_lanes(highest));
            for (ptrdiff_t k = 0; k < padded; k += LANES) {
                vf e = vexp(load(p + k) - top);
                store(p + k, e);
                total += e;
            }
            vf normalizer = splat(1.0f / sum_lanes(total));
            for (ptrdiff_t k = 0; k < padded; k += LANES) store(p + k, load(p + k) * normalizer);
            float *result = out + r * width + h * head_width;
            ptrdiff_t first = width + h * head_width;
            ptrdiff_t c = 0;
            for (; c + 4 * LANES <= head_width; c += 4 * LANES)
                weighted_sum(result + c, p, keys_values, nodes, count, first + c, node_stride, 4);
            for (; c + LANES <= head_width; c += LANES)
                weighted_sum(result + c, p, keys_values, nodes, count, first + c, node_stride, 1);
            for (; c < head_width; c++) {
                float sum = 0;
                for (ptrdiff_t k = 0; k < count; k++)
                    sum += p[k] * keys_values[nodes[k] * node_stride + first + c];
                result[c] = sum;
            }
        }
    }
}
