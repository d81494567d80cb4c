// Causal attention of one head over one sequence, forward and backward.
//
// Keys that nobody sees are left out at the start: keys and values of the visible ones are gathered,
// and "key k" below is the k-th visible one. A query then sees the first seen[query] keys. Queries go
// through in tiles of a few rows, so that of the future next to nothing is computed. Probabilities are
// kept tile after tile, rows of a tile as long as its last query needs.
#pragma once

/// Queries whose gradients of scores are held at once in the backward pass: whole tiles.
#define QUERY_BLOCK (64 / TILE * TILE + TILE)
_Static_assert(QUERY_BLOCK <= TT_MOST_QUERIES, "scratch is sized for fewer queries");

INLINE ptrdiff_t padded_width(ptrdiff_t width) { return (width + LANES - 1) / LANES * LANES; }

/// The visible rows of `source`, one after the other, each padded with zeros to whole vectors.
INLINE void gather_rows(float *gathered, const float *source, tt_attention shape) {
    ptrdiff_t wide = padded_width(shape.width);
    for (ptrdiff_t k = 0; k < shape.keys; k++)
        FOR_LANES(c, shape.width)
    store(gathered + k * wide + c,
          load_tail(source + shape.position[k] * shape.qkv_row, c, shape.width));
}

/// Gathered rows as columns: panels of PANEL keys, each width x PANEL; zeros past the last key.
INLINE void turn_rows(float *panels, const float *gathered, tt_attention shape) {
    ptrdiff_t wide = padded_width(shape.width);
    for (ptrdiff_t first = 0; first < shape.keys; first += 8) {
        float *columns = panels + first / PANEL * PANEL * shape.width + first % PANEL;
        const float *rows = gathered + first * wide;
        if (shape.width % 8 == 0 && first + 8 <= shape.keys) {
            for (ptrdiff_t c = 0; c < shape.width; c += 8)
                transpose_8x8(columns + c * PANEL, PANEL, rows + c, wide);
        } else {
            for (ptrdiff_t c = 0; c < shape.width; c++)
                for (ptrdiff_t j = 0; j < 8; j++)
                    columns[c * PANEL + j] = first + j < shape.keys ? rows[j * wide + c] : 0;
        }
    }
    for (ptrdiff_t k = (shape.keys + 7) / 8 * 8; k % PANEL; k += 8)
        for (ptrdiff_t c = 0; c < shape.width; c++)
            for (ptrdiff_t j = 0; j < 8; j++)
                panels[k / PANEL * PANEL * shape.width + c * PANEL + k % PANEL + j] = 0;
}

INLINE void zero(float *from, ptrdiff_t count) { memset(from, 0, (size_t)count * sizeof(float)); }

/// Softmax of `count` scores in place, with dropout; zeros from there to `columns`.
///
/// `dropped` receives the probabilities after dropout (it may be `row` when nothing is dropped). With
/// dropout, dropped entries of `row` carry the sign bit.
INLINE void softmax_row(float *row, float *dropped, float scale, tt_dropout dropout,
                        ptrdiff_t element, ptrdiff_t count, ptrdiff_t columns) {
    ptrdiff_t whole = count / LANES * LANES;
    vi inside = lanes_below(count - whole);
    vf highest = splat(-INFINITY);
    for (ptrdiff_t j = 0; j < whole; j += LANES) highest = vmax(highest, load(row + j));
    if (whole < count)
        highest = vmax(highest, select(inside, load(row + whole), splat(-INFINITY)));
    vf top = splat(max_lanes(highest) * scale), total = splat(0);
    for (ptrdiff_t j = 0; j < whole; j += LANES) {
        vf e = vexp(load(row + j) * splat(scale) - top);
        store(row + j, e);
        total += e;
    }
    if (whole < count) {
        vf e = vexp(load(row + whole) * splat(scale) - top);
        e = (vf)((vi)e & inside);
        store(row + whole, e);
        total += e;
    }
    vf normalizer = splat(1.0f / sum_lanes(total));
    vf scaled = normalizer * splat(dropout.scale);
    ptrdiff_t j = 0;
    for (; j < count; j += LANES) {
        vf e = load(row + j);
        if (dropout.threshold) {
            vi lost = (vi)(hash_elements((uint32_t)(element + j), dropout) < dropout.threshold);
            store(row + j, (vf)((vi)(e * normalizer) | (lost & (vi)splat(-0.0f))));
            store(dropped + j, (vf)(~lost & (vi)(e * scaled)));
        } else {
            store(row + j, e * normalizer);
            if (dropped != row) store(dropped + j, e * normalizer);
        }
    }
    for (; j < columns; j++) {
        row[j] = 0;
        dropped[j] = 0;
    }
}

void FN(attention_forward)(float *out, float *probabilities, const float *query, const float *key,
                           const float *value, float *scratch, tt_attention shape,
                           tt_dropout dropout, ptrdiff_t first_element) {
    ptrdiff_t width = shape.width, wide = padded_width(width), row = shape.row;
    float *keys = scratch;
    float *values = keys + row * width;
    float *after = values + row * wide;
    fetcher nothing = fetcher_of(0, scratch);
    gather_rows(values, key, shape);
    turn_rows(keys, values, shape);
    gather_rows(values, value, shape);
    right_operand by_key = {keys, width * PANEL, PANEL, 1};
    right_operand by_channel = {values, PANEL, wide, 1};
    float *scores = probabilities;
    for (ptrdiff_t first = 0; first < shape.tokens; first += TILE) {
        ptrdiff_t rows = shape.tokens - first < TILE ? shape.tokens - first : TILE;
        ptrdiff_t seen = shape.seen[first + rows - 1], step = padded_width(seen);
        product_rows(scores, step, query + first * shape.qkv_row, shape.qkv_row, 0, by_key, rows,
                     step, width, 0, 0, 0, &nothing);
        float *weights = dropout.threshold ? after : scores;
        for (ptrdiff_t i = 0; i < rows; i++)
            softmax_row(scores + i * step, weights + i * step, shape.scale, dropout,
                        first_element + (first + i) * row, shape.seen[first + i], step);
        product_rows(out + first * shape.out_row, shape.out_row, weights, step, 0, by_channel, rows,
                     width, seen, 0, 0, 0, &nothing);
        scores += rows * step;
    }
}

void FN(attention_place)(ptrdiff_t *place, ptrdiff_t query, tt_attention shape) {
    *place = 0;
    for (ptrdiff_t first = 0; first <= query; first += TILE) {
        ptrdiff_t rows = shape.tokens - first < TILE ? shape.tokens - first : TILE;
        ptrdiff_t step = padded_width(shape.seen[first + rows - 1]);
        *place += (query - first < rows ? query - first : rows) * step;
    }
}

/// From the gradient of the dropped probabilities to that of the unscaled scores, in place.
///
/// `mean` is the row's sum of dropped probability times gradient. `dropped` receives the
/// probabilities after dropout, both zeros from `count` to `columns`.
INLINE void softmax_row_backward(float *d, float *dropped, const float *probabilities, float mean,
                                 float scale, float dropout_scale, ptrdiff_t count,
                                 ptrdiff_t columns) {
    ptrdiff_t j = 0;
    // Past `count` the probabilities are zero, and so is what becomes of them.
    for (; j < count; j += LANES) {
        vi bits = (vi)load(probabilities + j);
        vi kept = (vi)(bits >= 0);
        vf p = (vf)(bits & 0x7FFFFFFF);
        vf g = (vf)(kept & (vi)(load(d + j) * splat(dropout_scale)));
        store(d + j, p * (g - splat(mean)) * splat(scale));
        store(dropped + j, (vf)(kept & (vi)(p * splat(dropout_scale))));
    }
    for (; j < columns; j++) {
        d[j] = 0;
        dropped[j] = 0;
    }
}

void FN(attention_backward)(float *dquery, float *dkey, float *dvalue, const float *dout,
                            const float *out, const float *probabilities, const float *query,
                            const float *key, const float *value, float *scratch,
                            tt_attention shape, float dropout_scale) {
    ptrdiff_t width = shape.width, wide = padded_width(width), row = shape.row;
    float *keys = scratch;
    float *values = keys + row * wide;
    float *dkeys = values + row * width;
    float *dvalues = dkeys + row * wide;
    float *dscores = dvalues + row * wide;
    float *dropped = dscores + QUERY_BLOCK * row;
    fetcher nothing = fetcher_of(0, scratch);
    gather_rows(keys, value, shape);
    turn_rows(values, keys, shape);
    gather_rows(keys, key, shape);
    zero(dkeys, shape.keys * wide);
    zero(dvalues, shape.keys * wide);
    right_operand by_key = {values, width * PANEL, PANEL, 1};
    right_operand by_channel = {keys, PANEL, wide, 1};
    const float *weights = probabilities;
    for (ptrdiff_t begin = 0; begin < shape.tokens; begin += QUERY_BLOCK) {
        ptrdiff_t end = begin + QUERY_BLOCK < shape.tokens ? begin + QUERY_BLOCK : shape.tokens;
        ptrdiff_t block_seen = shape.seen[end - 1];
        for (ptrdiff_t first = begin; first < end; first += TILE) {
            ptrdiff_t rows = end - first < TILE ? end - first : TILE;
            ptrdiff_t seen = shape.seen[first + rows - 1], step = padded_width(seen);
            float *d = dscores + (first - begin) * row;
            // The next rows of probabilities, and keys and values of the next head.
            for (ptrdiff_t i = 0; i < rows; i++) {
                for (ptrdiff_t j = 0; j < step; j += 16)
                    __builtin_prefetch(weights + (rows + i) * step + j);
                for (ptrdiff_t j = 0; j < width; j += 16) {
                    __builtin_prefetch(key + (first + i) * shape.qkv_row + width + j);
                    __builtin_prefetch(value + (first + i) * shape.qkv_row + width + j);
                    __builtin_prefetch(query + (first + i) * shape.qkv_row + width + j);
                }
            }
            product_rows(d, row, dout + first * shape.dout_row, shape.dout_row, 0, by_key, rows,
                         step, width, 0, 0, 0, &nothing);
            for (ptrdiff_t i = 0; i < rows; i++) {
                const float *g = dout + (first + i) * shape.dout_row;
                const float *o = out + (first + i) * shape.out_row;
                vf mean = splat(0);
                FOR_LANES(c, width) mean += load_tail(g, c, width) * load_tail(o, c, width);
                softmax_row_backward(d + i * row, dropped + (first - begin + i) * row,
                                     weights + i * step, sum_lanes(mean),
                                     shape.scale, dropout_scale, shape.seen[first + i],
                                     block_seen);
            }
            product_rows(dquery + first * shape.qkv_row, shape.qkv_row, d, row, 0, by_channel,
                         rows, width, seen, 0, 0, 0, &nothing);
            weights += rows * step;
        }
        for (ptrdiff_t first = 0; first < block_seen; first += TILE) {
            ptrdiff_t rows = block_seen - first < TILE ? block_seen - first : TILE;
            // Queries before the first of these keys see none of them.
            ptrdiff_t from = shape.position[first] > begin ? shape.position[first] : begin;
            ptrdiff_t skip = (from - begin) * row + first;
            right_operand results = {dout + from * shape.dout_row, PANEL, shape.dout_row, 0};
            right_operand queries = {query + from * shape.qkv_row, PANEL, shape.qkv_row, 0};
            product_rows(dvalues + first * wide, wide, dropped + skip, row, 1, results, rows, width,
                         end - from, 0, 1, 0, &nothing);
            product_rows(dkeys + first * wide, wide, dscores + skip, row, 1, queries, rows, width,
                         end - from, 0, 1, 0, &nothing);
        }
    }
    for (ptrdiff_t t = 0, k = 0; t < shape.tokens; t++) {
        ptrdiff_t place = t * shape.qkv_row;
        if (k < shape.keys && shape.position[k] == t) {
            FOR_LANES(c, width) {
                store_tail(dkey + place, load(dkeys + k * wide + c), c, width);
                store_tail(dvalue + place, load(dvalues + k * wide + c), c, width);
            }
            k++;
        } else {
            zero(dkey + place, width);
            zero(dvalue + place, width);
        }
    }
}
