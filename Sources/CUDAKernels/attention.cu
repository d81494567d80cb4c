// Causal attention without the hidden keys (value tokens), with dropout: forward and backward.
//
//     P = softmax(Q K' / sqrt(h));  output = dropout(P) V      for each sequence and head
//
// "Key k" is the k-th visible one: a query sees the first seen(query) keys. A block has 64 queries (or
// keys) of a head, a warp 16 of them; keys (or queries) come through shared memory, 64 at a time.
// Probabilities are not kept: the logarithm of each query's sum is, and the backward pass computes
// them again. CPU: attention_forward, attention_backward; dropout counts elements as they do.
// A query and key cost 4 h operations forward, 14 h backward; qkv is read about twice.
#pragma once
#include "product.h"

constexpr int ATTENTION_THREADS = 128, ATTENTION_ROWS = 64, ATTENTION_BLOCK = 64;
/// Units of a head's channels along k, whole steps of the tensor cores; and rows of them in memory.
constexpr int HEAD_UNITS = (HEAD_WIDTH / UNIT + 7) / 8 * 8, HEAD_STEPS = HEAD_UNITS / 8;
constexpr int ALONG_ROW = HEAD_UNITS + 4;
/// Parts of eight channels of a head; rows of units along the keys.
constexpr int HEAD_PARTS_8 = HEAD_WIDTH / 8;
constexpr int ACROSS_ROW = HEAD_WIDTH + (EXACT ? 4 : 8);

/// Keys in all, of the model's longest window; numbers between the dropout's rows.
template <int tokens> constexpr int visible_of = tokens - tokens / DIMENSION;
constexpr int ELEMENT_ROW = (GOALS + visible_of<CONTEXT> + 31) / 32 * 32;
constexpr int KEYS = GOALS + visible_of<LENGTH>;

/// Visible keys up to and including a row of the sequence.
DEVICE int seen(int row) {
    int tokens = row - GOALS + 1;
    return tokens <= 0 ? row + 1 : GOALS + tokens - tokens / DIMENSION;
}
/// The row of the k-th visible key.
DEVICE int row_of_key(int key) {
    int token = key - GOALS;
    return token < 0 || DIMENSION == 1
        ? key : GOALS + token / (DIMENSION - 1) * DIMENSION + token % (DIMENSION - 1);
}
DEVICE bool is_hidden(int row) { return row >= GOALS && (row - GOALS) % DIMENSION == DIMENSION - 1; }

/// 64 rows of a head as units along the channels.
struct Along {
    alignas(16) u32 unit[ATTENTION_BLOCK * ALONG_ROW];
};
/// 64 rows of a head as units along the rows.
struct Across {
    alignas(16) u32 unit[ATTENTION_BLOCK / UNIT * ACROSS_ROW];
};

/// Four elements along k as units, to shared memory.
DEVICE void put_along(u32 *to, float4 v) {
#if EXACT
    *reinterpret_cast<uint4 *>(to)
        = make_uint4(bits_of(v.x), bits_of(v.y), bits_of(v.z), bits_of(v.w));
#else
    *reinterpret_cast<uint2 *>(to) = make_uint2(pack_bf16(v.x, v.y), pack_bf16(v.z, v.w));
#endif
}

/// Fills `along` from rows given by float4 source(row, channel).
template <class Source> DEVICE void load_along(Along &along, const Source &source) {
    constexpr int GROUPS_OF_ROW = HEAD_UNITS * UNIT / 4;
    for (int i = threadIdx.x; i < ATTENTION_BLOCK * GROUPS_OF_ROW; i += ATTENTION_THREADS) {
        int row = i / GROUPS_OF_ROW, c = i % GROUPS_OF_ROW * 4;
        put_along(&along.unit[row * ALONG_ROW + c / UNIT],
                  c < HEAD_WIDTH ? source(row, c) : make_float4(0, 0, 0, 0));
    }
}
template <class Source> DEVICE void load_across(Across &across, const Source &source) {
    constexpr int GROUPS_OF_ROW = HEAD_WIDTH / 4;
    for (int i = threadIdx.x; i < ATTENTION_BLOCK / UNIT * GROUPS_OF_ROW; i += ATTENTION_THREADS) {
        int row = i / GROUPS_OF_ROW, c = i % GROUPS_OF_ROW * 4;
        float4 a = source(row * UNIT, c);
        auto to = reinterpret_cast<uint4 *>(&across.unit[row * ACROSS_ROW + c]);
#if EXACT
        *to = make_uint4(bits_of(a.x), bits_of(a.y), bits_of(a.z), bits_of(a.w));
#else
        float4 b = source(row * UNIT + 1, c);
        *to = make_uint4(pack_bf16(a.x, b.x), pack_bf16(a.y, b.y), pack_bf16(a.z, b.z),
                         pack_bf16(a.w, b.w));
#endif
    }
}

/// A warp's 16 rows as left operands, from units(row 0 ..< 16, unit).
struct LeftRows {
    Left step[HEAD_STEPS];
};
template <class Source> DEVICE void left_rows(LeftRows &rows, const Source &source) {
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int s = 0; s < HEAD_STEPS; s++)
        rows.step[s] = left_of(source(g, s * 8 + t), source(g + 8, s * 8 + t),
                               source(g, s * 8 + t + 4), source(g + 8, s * 8 + t + 4));
}
/// Unit `unit` of a head's channels at `from`.
template <class Number> DEVICE u32 channel_unit(const Number *from, int unit) {
#if EXACT
    return unit < HEAD_WIDTH ? bits_of(from[unit]) : 0;
#else
    return unit < HEAD_WIDTH / 2 ? *reinterpret_cast<const u32 *>(from + 2 * unit) : 0;
#endif
}

/// c (16 x 8) = rows x along', along's rows from `first` on.
DEVICE void by_channels(float (&c)[4], const LeftRows &rows, const Along &along, int first) {
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int s = 0; s < HEAD_STEPS; s++) {
        const u32 *from = &along.unit[(first + g) * ALONG_ROW + s * 8 + t];
        multiply(c, rows.step[s], right_of(from[0], from[4]));
    }
}

/// Eight units along the columns of UNIT results of products, as the left operand of the next one.
/// A result's neighbours 2t, 2t + 1 are one unit of bfloat16; as floats they become units t and t + 4,
/// and the right operand is read in that order.
DEVICE Left left_of_results(const float (&c)[UNIT][4]) {
#if EXACT
    return left_of(bits_of(c[0][0]), bits_of(c[0][2]), bits_of(c[0][1]), bits_of(c[0][3]));
#else
    return left_of(pack_bf16(c[0][0], c[0][1]), pack_bf16(c[0][2], c[0][3]),
                   pack_bf16(c[1][0], c[1][1]), pack_bf16(c[1][2], c[1][3]));
#endif
}
/// sums (16 x HEAD_WIDTH) += left x across, across's units from `first` on.
DEVICE void by_rows(float (&sums)[HEAD_PARTS_8][4], const Left &left, const Across &across,
                    int first) {
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int one = EXACT ? first + 2 * t : first + t, other = EXACT ? one + 1 : one + 4;
#pragma unroll
    for (int n = 0; n < HEAD_PARTS_8; n++)
        multiply(sums[n], left, right_of(across.unit[one * ACROSS_ROW + n * 8 + g],
                                         across.unit[other * ACROSS_ROW + n * 8 + g]));
}

/// The number of the first dropout element of a head's query 0.
DEVICE u32 first_element(const Step *step, int sequence, int head) {
    return ((step->first_sequence + (u32)sequence) * HEADS + (u32)head) * (GOALS + CONTEXT)
        * ELEMENT_ROW;
}

constexpr float SCORE_SCALE_SQUARED = 1.0f / HEAD_WIDTH;

struct ForwardKeys {
    Along keys;
    Across values;
};

/// attended (rows x WIDTH) from qkv (rows x 3 WIDTH); log_sums: sequences x HEADS x SEQUENCE.
/// Grid: (SEQUENCE / ATTENTION_ROWS rounded up, HEADS, sequences).
KERNEL(ATTENTION_THREADS, EXACT ? 3 : 4)
attention_forward(stored *attended, float *log_sums, const stored *qkv, const Step *step,
                  int site) {
    SHARED(ForwardKeys, memory);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int head = blockIdx.y, sequence = blockIdx.z;
    const int block_first = blockIdx.x * ATTENTION_ROWS, first = block_first + warp * 16;
    const Dropout dropout = step->sites[site];
    const float scale = sqrtf(SCORE_SCALE_SQUARED);
    qkv += (size_t)sequence * SEQUENCE * 3 * WIDTH + head * HEAD_WIDTH;

    LeftRows queries;
    left_rows(queries, [&](int row, int unit) {
        return first + row < SEQUENCE
            ? channel_unit(qkv + (size_t)(first + row) * 3 * WIDTH, unit) : 0;
    });
    int row[2], count[2];
    u32 element[2];
    float top[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0}, sums[HEAD_PARTS_8][4];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        row[i] = first + g + 8 * i;
        count[i] = seen(row[i] < SEQUENCE ? row[i] : SEQUENCE - 1);
        element[i] = first_element(step, sequence, head) + (u32)row[i] * ELEMENT_ROW;
    }
#pragma unroll
    for (int n = 0; n < HEAD_PARTS_8; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) sums[n][e] = 0;
    const int block_last = block_first + ATTENTION_ROWS - 1, warp_last = first + 15;
    const int block_count = seen(block_last < SEQUENCE ? block_last : SEQUENCE - 1);
    const int warp_count
        = first < SEQUENCE ? seen(warp_last < SEQUENCE ? warp_last : SEQUENCE - 1) : 0;
    for (int key0 = 0; key0 < block_count; key0 += ATTENTION_BLOCK) {
        if (key0 > 0) sync_block();
        load_along(memory.keys, [&](int k, int c) {
            return key0 + k < KEYS
                ? load4(qkv + (size_t)row_of_key(key0 + k) * 3 * WIDTH + WIDTH + c)
                : make_float4(0, 0, 0, 0);
        });
        load_across(memory.values, [&](int k, int c) {
            return key0 + k < KEYS
                ? load4(qkv + (size_t)row_of_key(key0 + k) * 3 * WIDTH + 2 * WIDTH + c)
                : make_float4(0, 0, 0, 0);
        });
        sync_block();
        if (key0 >= warp_count) continue;
        float scores[8][4], highest[2] = {top[0], top[1]};
#pragma unroll
        for (int j = 0; j < 8; j++) {
#pragma unroll
            for (int e = 0; e < 4; e++) scores[j][e] = 0;
            if (key0 + j * 8 < warp_count) by_channels(scores[j], queries, memory.keys, j * 8);
#pragma unroll
            for (int e = 0; e < 4; e++) {
                int key = key0 + j * 8 + 2 * t + e % 2;
                scores[j][e] = key < count[e / 2] ? scores[j][e] * scale : -INFINITY;
                if (scores[j][e] > highest[e / 2]) highest[e / 2] = scores[j][e];
            }
        }
        float keep[2];
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int mask = 1; mask <= 2; mask <<= 1) {
                float other = shuffle_xor(highest[i], mask);
                if (other > highest[i]) highest[i] = other;
            }
            keep[i] = exponential(top[i] - highest[i]);
            top[i] = highest[i];
            total[i] *= keep[i];
        }
#pragma unroll
        for (int n = 0; n < HEAD_PARTS_8; n++)
#pragma unroll
            for (int e = 0; e < 4; e++) sums[n][e] *= keep[e / 2];
#pragma unroll
        for (int j = 0; j < 8; j += UNIT) {
            float weights[UNIT][4];
            if (key0 + j * 8 >= warp_count) continue;
#pragma unroll
            for (int u = 0; u < UNIT; u++)
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    u32 key = key0 + (j + u) * 8 + 2 * t + e % 2;
                    float p = exponential(scores[j + u][e] - top[e / 2]);
                    total[e / 2] += p;
                    if (dropout.threshold
                        && hash_element(element[e / 2] + key, dropout) < dropout.threshold)
                        p = 0;
                    weights[u][e] = p;
                }
            by_rows(sums, left_of_results(weights), memory.values, j * 8 / UNIT);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int mask = 1; mask <= 2; mask <<= 1) total[i] += shuffle_xor(total[i], mask);
        if (row[i] >= SEQUENCE) continue;
        const float factor = (dropout.threshold ? dropout.scale : 1) / total[i];
#pragma unroll
        for (int n = 0; n < HEAD_PARTS_8; n++)
            store2(attended + ((size_t)sequence * SEQUENCE + row[i]) * WIDTH + head * HEAD_WIDTH
                       + n * 8 + 2 * t,
                   sums[n][2 * i] * factor, sums[n][2 * i + 1] * factor);
        if (t == 0)
            log_sums[((size_t)sequence * HEADS + head) * SEQUENCE + row[i]]
                = top[i] + logf(total[i]);
    }
}

struct BackwardKeys {
    Along keys, values;
    Across keys_across;
};

/// The gradient of the queries, and `deltas` (as log_sums): each query's sum of output x gradient.
/// Gradients of hidden keys and values become zero. Grid: as attention_forward.
KERNEL(ATTENTION_THREADS, 3)
attention_backward_queries(stored *dqkv, float *deltas, const stored *dattended,
                           const stored *attended, const float *log_sums, const stored *qkv,
                           const Step *step, int site) {
    SHARED(BackwardKeys, memory);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int head = blockIdx.y, sequence = blockIdx.z;
    const int block_first = blockIdx.x * ATTENTION_ROWS, first = block_first + warp * 16;
    const Dropout dropout = step->sites[site];
    const float scale = sqrtf(SCORE_SCALE_SQUARED);
    qkv += (size_t)sequence * SEQUENCE * 3 * WIDTH + head * HEAD_WIDTH;
    dqkv += (size_t)sequence * SEQUENCE * 3 * WIDTH + head * HEAD_WIDTH;
    dattended += (size_t)sequence * SEQUENCE * WIDTH + head * HEAD_WIDTH;
    attended += (size_t)sequence * SEQUENCE * WIDTH + head * HEAD_WIDTH;
    const size_t numbers = ((size_t)sequence * HEADS + head) * SEQUENCE;

    LeftRows queries, gradients;
    left_rows(queries, [&](int r, int unit) {
        return first + r < SEQUENCE ? channel_unit(qkv + (size_t)(first + r) * 3 * WIDTH, unit) : 0;
    });
    left_rows(gradients, [&](int r, int unit) {
        return first + r < SEQUENCE ? channel_unit(dattended + (size_t)(first + r) * WIDTH, unit)
                                    : 0;
    });
    int row[2], count[2];
    u32 element[2];
    float log_sum[2], delta[2], sums[HEAD_PARTS_8][4];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        row[i] = first + g + 8 * i;
        const bool inside = row[i] < SEQUENCE;
        count[i] = seen(inside ? row[i] : SEQUENCE - 1);
        element[i] = first_element(step, sequence, head) + (u32)row[i] * ELEMENT_ROW;
        log_sum[i] = inside ? log_sums[numbers + row[i]] : 0;
        delta[i] = 0;
        for (int c = 2 * t; inside && c < HEAD_WIDTH; c += 8) {
            float2 a = load2(attended + (size_t)row[i] * WIDTH + c);
            float2 b = load2(dattended + (size_t)row[i] * WIDTH + c);
            delta[i] += a.x * b.x + a.y * b.y;
        }
#pragma unroll
        for (int mask = 1; mask <= 2; mask <<= 1) delta[i] += shuffle_xor(delta[i], mask);
        if (inside && t == 0) deltas[numbers + row[i]] = delta[i];
    }
#pragma unroll
    for (int n = 0; n < HEAD_PARTS_8; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) sums[n][e] = 0;
    const int block_last = block_first + ATTENTION_ROWS - 1, warp_last = first + 15;
    const int block_count = seen(block_last < SEQUENCE ? block_last : SEQUENCE - 1);
    const int warp_count
        = first < SEQUENCE ? seen(warp_last < SEQUENCE ? warp_last : SEQUENCE - 1) : 0;
    for (int key0 = 0; key0 < block_count; key0 += ATTENTION_BLOCK) {
        if (key0 > 0) sync_block();
        auto key = [&](int k, int c) {
            return key0 + k < KEYS
                ? load4(qkv + (size_t)row_of_key(key0 + k) * 3 * WIDTH + WIDTH + c)
                : make_float4(0, 0, 0, 0);
        };
        load_along(memory.keys, key);
        load_across(memory.keys_across, key);
        load_along(memory.values, [&](int k, int c) {
            return key0 + k < KEYS
                ? load4(qkv + (size_t)row_of_key(key0 + k) * 3 * WIDTH + 2 * WIDTH + c)
                : make_float4(0, 0, 0, 0);
        });
        sync_block();
#pragma unroll 2
        for (int j = 0; j < 8; j += UNIT) {
            if (key0 + j * 8 >= warp_count) break;
            float d[UNIT][4];
#pragma unroll
            for (int u = 0; u < UNIT; u++) {
                float scores[4] = {0, 0, 0, 0}, dropped[4] = {0, 0, 0, 0};
                by_channels(scores, queries, memory.keys, (j + u) * 8);
                by_channels(dropped, gradients, memory.values, (j + u) * 8);
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    int k = key0 + (j + u) * 8 + 2 * t + e % 2, i = e / 2;
                    float p = k < count[i] ? exponential(scores[e] * scale - log_sum[i]) : 0;
                    float factor = dropout.threshold
                        ? dropout_factor(element[i] + (u32)k, dropout) : 1;
                    d[u][e] = p * (dropped[e] * factor - delta[i]) * scale;
                }
            }
            by_rows(sums, left_of_results(d), memory.keys_across, j * 8 / UNIT);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        if (row[i] >= SEQUENCE) continue;
        stored *to = dqkv + (size_t)row[i] * 3 * WIDTH + 2 * t;
#pragma unroll
        for (int n = 0; n < HEAD_PARTS_8; n++) {
            store2(to + n * 8, sums[n][2 * i], sums[n][2 * i + 1]);
            if (is_hidden(row[i])) {
                store2(to + WIDTH + n * 8, 0, 0);
                store2(to + 2 * WIDTH + n * 8, 0, 0);
            }
        }
    }
}

struct BackwardQueries {
    Along queries, gradients;
    Across queries_across, gradients_across;
    float log_sum[ATTENTION_BLOCK], delta[ATTENTION_BLOCK];
};

/// The gradients of visible keys and values; after attention_backward_queries.
/// Grid: (KEYS / ATTENTION_ROWS rounded up, HEADS, sequences).
KERNEL(ATTENTION_THREADS, 3)
attention_backward_keys(stored *dqkv, const float *deltas, const stored *dattended,
                        const float *log_sums, const stored *qkv, const Step *step, int site) {
    SHARED(BackwardQueries, memory);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int head = blockIdx.y, sequence = blockIdx.z;
    const int block_first = blockIdx.x * ATTENTION_ROWS, first = block_first + warp * 16;
    const Dropout dropout = step->sites[site];
    const float scale = sqrtf(SCORE_SCALE_SQUARED);
    const u32 element = first_element(step, sequence, head);
    qkv += (size_t)sequence * SEQUENCE * 3 * WIDTH + head * HEAD_WIDTH;
    dqkv += (size_t)sequence * SEQUENCE * 3 * WIDTH + head * HEAD_WIDTH;
    dattended += (size_t)sequence * SEQUENCE * WIDTH + head * HEAD_WIDTH;
    const size_t numbers = ((size_t)sequence * HEADS + head) * SEQUENCE;

    LeftRows keys, values;
    left_rows(keys, [&](int k, int unit) {
        return first + k < KEYS
            ? channel_unit(qkv + (size_t)row_of_key(first + k) * 3 * WIDTH + WIDTH, unit) : 0;
    });
    left_rows(values, [&](int k, int unit) {
        return first + k < KEYS
            ? channel_unit(qkv + (size_t)row_of_key(first + k) * 3 * WIDTH + 2 * WIDTH, unit) : 0;
    });
    float dkeys[HEAD_PARTS_8][4], dvalues[HEAD_PARTS_8][4];
#pragma unroll
    for (int n = 0; n < HEAD_PARTS_8; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) dkeys[n][e] = dvalues[n][e] = 0;
    // Queries before a key's row do not see it.
    const int block_from = row_of_key(block_first) / ATTENTION_BLOCK * ATTENTION_BLOCK;
    const int warp_from = first < KEYS ? row_of_key(first) : SEQUENCE;
    for (int query0 = block_from; query0 < SEQUENCE; query0 += ATTENTION_BLOCK) {
        if (query0 > block_from) sync_block();
        auto query = [&](int q, int c) {
            return query0 + q < SEQUENCE ? load4(qkv + (size_t)(query0 + q) * 3 * WIDTH + c)
                                         : make_float4(0, 0, 0, 0);
        };
        auto gradient = [&](int q, int c) {
            return query0 + q < SEQUENCE ? load4(dattended + (size_t)(query0 + q) * WIDTH + c)
                                         : make_float4(0, 0, 0, 0);
        };
        load_along(memory.queries, query);
        load_across(memory.queries_across, query);
        load_along(memory.gradients, gradient);
        load_across(memory.gradients_across, gradient);
        if (threadIdx.x < ATTENTION_BLOCK) {
            const bool inside = query0 + (int)threadIdx.x < SEQUENCE;
            memory.log_sum[threadIdx.x] = inside ? log_sums[numbers + query0 + threadIdx.x] : 0;
            memory.delta[threadIdx.x] = inside ? deltas[numbers + query0 + threadIdx.x] : 0;
        }
        sync_block();
#pragma unroll 2
        for (int j = 0; j < 8; j += UNIT) {
            if (query0 + (j + UNIT) * 8 <= warp_from || query0 + j * 8 >= SEQUENCE) continue;
            float weights[UNIT][4], d[UNIT][4];
#pragma unroll
            for (int u = 0; u < UNIT; u++) {
                float scores[4] = {0, 0, 0, 0}, dropped[4] = {0, 0, 0, 0};
                by_channels(scores, keys, memory.queries, (j + u) * 8);
                by_channels(dropped, values, memory.gradients, (j + u) * 8);
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    int k = first + g + e / 2 * 8, q = (j + u) * 8 + 2 * t + e % 2;
                    bool visible = query0 + q < SEQUENCE && k < seen(query0 + q);
                    float p = visible ? exponential(scores[e] * scale - memory.log_sum[q]) : 0;
                    float factor = dropout.threshold
                        ? dropout_factor(element + (u32)(query0 + q) * ELEMENT_ROW + (u32)k, dropout)
                        : 1;
                    weights[u][e] = p * factor;
                    d[u][e] = p * (dropped[e] * factor - memory.delta[q]) * scale;
                }
            }
            by_rows(dvalues, left_of_results(weights), memory.gradients_across, j * 8 / UNIT);
            by_rows(dkeys, left_of_results(d), memory.queries_across, j * 8 / UNIT);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int k = first + g + 8 * i;
        if (k >= KEYS) continue;
        stored *to = dqkv + (size_t)row_of_key(k) * 3 * WIDTH + 2 * t;
#pragma unroll
        for (int n = 0; n < HEAD_PARTS_8; n++) {
            store2(to + WIDTH + n * 8, dkeys[n][2 * i], dkeys[n][2 * i + 1]);
            store2(to + 2 * WIDTH + n * 8, dvalues[n][2 * i], dvalues[n][2 * i + 1]);
        }
    }
}
