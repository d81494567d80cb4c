// Causal softmax with dropout over the score matrix of one head, forward and backward.
#pragma once

INLINE vi lanes_below(ptrdiff_t count) {
    return (vi)((vi){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(count > LANES ? LANES : count));
}

void FN(attention_softmax_forward)(float *scores, float *dropped, const float *visible,
                                   float scale, tt_dropout dropout, ptrdiff_t first_element,
                                   ptrdiff_t first_query, ptrdiff_t rows, ptrdiff_t columns,
                                   ptrdiff_t stride) {
    // `visible` is readable up to a multiple of 8 and `stride` is one, so whole vectors are safe;
    // lanes past the query's own position are masked.
    for (ptrdiff_t r = 0; r < rows; r++) {
        float *row = scores + r * stride;
        float *result = dropped + r * stride;
        ptrdiff_t count = first_query + r + 1;
        vf highest = splat(-INFINITY);
        for (ptrdiff_t j = 0; j < count; j += LANES) {
            vf s = load(row + j) * splat(scale) + load(visible + j);
            if (j + LANES > count) s = select(lanes_below(count - j), s, splat(-INFINITY));
            store(row + j, s);
            highest = vmax(highest, s);
        }
        vf top = splat(max_lanes(highest)), total = splat(0);
        for (ptrdiff_t j = 0; j < count; j += LANES) {
            vf e = vexp(load(row + j) - top);
            store(row + j, e);
            total += e;
        }
        vf normalizer = splat(1.0f / sum_lanes(total));
        ptrdiff_t element = first_element + (first_query + r) * stride;
        if (dropout.threshold) {
            for (ptrdiff_t j = 0; j < count; j += LANES) {
                vf p = load(row + j) * normalizer;
                vi lost = (vi)(hash_elements((uint32_t)(element + j), dropout) < dropout.threshold);
                store(row + j, (vf)((vi)p | (lost & (vi)splat(-0.0f))));
                store(result + j, (vf)(~lost & (vi)(p * splat(dropout.scale))));
            }
        } else {
            for (ptrdiff_t j = 0; j < count; j += LANES) {
                vf p = load(row + j) * normalizer;
                store(row + j, p);
                if (result != row) store(result + j, p);
            }
        }
        for (ptrdiff_t j = (count + LANES - 1) / LANES * LANES; j < columns; j++) {
            row[j] = 0;
            result[j] = 0;
        }
    }
}

void FN(attention_softmax_backward)(float *d, float *dropped, const float *probabilities,
                                    float scale, float dropout_scale, ptrdiff_t first_query,
                                    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        const float *signed_row = probabilities + r * stride;
        float *gradient = d + r * stride;
        float *result = dropped + r * stride;
        ptrdiff_t count = first_query + r + 1;
        vf total = splat(0);
        for (ptrdiff_t j = 0; j < count; j += LANES) {
            vi bits = (vi)load(signed_row + j);
            vi kept = (vi)(bits >= 0);
            vf p = (vf)(bits & 0x7FFFFFFF);
            vf after = (vf)(kept & (vi)(p * splat(dropout_scale)));
            store(result + j, after);
            // Columns past the query hold zero probability but any number in d: mask those.
            vf g = load(gradient + j);
            if (j + LANES > count) g = select(lanes_below(count - j), g, splat(0));
            total += after * g;
            store(gradient + j, g);
        }
        vf mean = splat(sum_lanes(total));
        for (ptrdiff_t j = 0; j < count; j += LANES) {
            vi bits = (vi)load(signed_row + j);
            vi kept = (vi)(bits >= 0);
            vf p = (vf)(bits & 0x7FFFFFFF);
            vf g = (vf)(kept & (vi)(load(gradient + j) * splat(dropout_scale)));
            store(gradient + j, p * (g - mean) * splat(scale));
        }
        for (ptrdiff_t j = (count + LANES - 1) / LANES * LANES; j < columns; j++) {
            gradient[j] = 0;
            result[j] = 0;
        }
    }
}
