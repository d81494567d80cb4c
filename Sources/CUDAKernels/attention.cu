// Causal attention without the hidden keys (value tokens), with dropout: forward and backward.
//
//     P = softmax(Q K' / sqrt(h));  output = dropout(P) V      for each sequence and head
//
// "Key k" is the k-th visible one: a query sees the first seen(query) keys. A warp has 16 queries
// (or keys) of a head, a block a few warps; the rows that they all need come to shared memory, as
// many as fit. Probabilities are not kept: the logarithm of each query's sum is, and the backward
// pass computes them again. CPU: attention_forward, attention_backward; dropout counts elements as
// they do. A query and key cost 4 h operations forward, 14 h backward; qkv is read about twice.
#pragma once
#include "product.h"

/// Units of a head's channels along k, whole steps of the tensor cores; elements between rows of
/// them in shared memory, so that no two rows of a fragment are in one bank.
constexpr int HEAD_UNITS = (HEAD_WIDTH / UNIT + 7) / 8 * 8, HEAD_STEPS = HEAD_UNITS / 8;
constexpr int HEAD_ROW = (HEAD_UNITS + 4) * UNIT;
/// Parts of eight channels of a head.
constexpr int HEAD_EIGHTHS = HEAD_WIDTH / 8;

/// Keys in all, of the model's longest window; numbers between the dropout's rows.
template <int tokens> constexpr int visible_of = tokens - tokens / DIMENSION;
constexpr int ELEMENT_ROW = (GOALS + visible_of<CONTEXT> + 31) / 32 * 32;
constexpr int KEYS = GOALS + visible_of<LENGTH>;

/// How `count` rows are dealt to blocks of up to six warps of 16.
template <int count> struct Dealt {
    static constexpr int tiles = (count + 15) / 16, blocks = (tiles + 5) / 6;
    static constexpr int warps = (tiles + blocks - 1) / blocks;
    static constexpr int threads = 32 * warps, rows = 16 * warps;
};
/// How many of `count` rows, two matrices and two numbers each, are in shared memory at a time.
template <int count> struct Held {
    static constexpr int most = 49152 / (8 * (HEAD_UNITS + 4) + 8) / 16 * 16;
    static constexpr int parts = (count + most - 1) / most;
    static constexpr int rows = ((count + parts - 1) / parts + 15) / 16 * 16;
};
constexpr int HELD_KEYS = Held<KEYS>::rows, HELD_QUERIES = Held<SEQUENCE>::rows;
constexpr int QUERY_THREADS = Dealt<SEQUENCE>::threads, KEY_THREADS = Dealt<KEYS>::threads;

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
DEVICE bool is_hidden(int row) {
    return row >= GOALS && (row - GOALS) % DIMENSION == DIMENSION - 1;
}

/// Begins to copy `count` rows of a head to shared memory; `const stored *row(int, bool &valid)`.
template <int count, int threads, class Row>
DEVICE void copy_rows(stored *to, const Row &row_of) {
    constexpr int PER_ROW = HEAD_UNITS / COPY_UNITS;
    for (int i = threadIdx.x; i < count * PER_ROW; i += threads) {
        const int row = i / PER_ROW, part = i % PER_ROW;
        bool valid;
        const stored *from = row_of(row, valid);
        valid = valid && part * COPY < HEAD_WIDTH;
        copy_async(to + row * HEAD_ROW + part * COPY, valid ? from + part * COPY : from, valid);
    }
}

/// A warp's 16 rows as left operands, from units source(row 0 ..< 16, unit).
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
DEVICE u32 channel_unit(const stored *from, int unit) {
#if EXACT
    return unit < HEAD_WIDTH ? bits_of(from[unit]) : 0;
#else
    return unit < HEAD_WIDTH / 2 ? *reinterpret_cast<const u32 *>(from + 2 * unit) : 0;
#endif
}

/// Results of a warp's 16 rows with 16 others, in two parts.
typedef float Pairs[2][4];

/// c = rows x others', others' rows from `first` on.
DEVICE void by_channels(Pairs &c, const LeftRows &rows, const stored *others, int first) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int e = 0; e < 4; e++) c[0][e] = c[1][e] = 0;
#pragma unroll
    for (int s = 0; s < HEAD_STEPS; s++) {
#if EXACT
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const float *at = others + (first + i * 8 + lane / 4) * HEAD_ROW + s * 8 + lane % 4;
            multiply(c[i], rows.step[s], right_of(bits_of(at[0]), bits_of(at[4])));
        }
#else
        u32 m[4];
        load_matrices(m, others + (first + lane / 16 * 8 + lane % 8) * HEAD_ROW
                             + (s * 8 + lane / 8 % 2 * 4) * UNIT);
        multiply(c[0], rows.step[s], right_of(m[0], m[1]));
        multiply(c[1], rows.step[s], right_of(m[2], m[3]));
#endif
    }
}

/// sums (16 x HEAD_WIDTH) += c x others, others' rows from `first` on.
///
/// c becomes the left operand where it is: a result's neighbours 2t, 2t + 1 are one unit of
/// bfloat16; as floats they become units t and t + 4, and the right operand is read in that order.
DEVICE void by_rows(float (&sums)[HEAD_EIGHTHS][4], const Pairs &c, const stored *others,
                    int first) {
    const int lane = threadIdx.x % 32;
#if EXACT
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const Left left = left_of(bits_of(c[i][0]), bits_of(c[i][2]), bits_of(c[i][1]),
                                  bits_of(c[i][3]));
        const float *at = others + (first + i * 8 + lane % 4 * 2) * HEAD_ROW + lane / 4;
#pragma unroll
        for (int n = 0; n < HEAD_EIGHTHS; n++)
            multiply(sums[n], left, right_of(bits_of(at[n * 8]), bits_of(at[HEAD_ROW + n * 8])));
    }
#else
    const Left left = left_of(pack_bf16(c[0][0], c[0][1]), pack_bf16(c[0][2], c[0][3]),
                              pack_bf16(c[1][0], c[1][1]), pack_bf16(c[1][2], c[1][3]));
#pragma unroll
    for (int n = 0; n < HEAD_EIGHTHS; n += 2) {
        u32 m[4];
        load_matrices_turned(m, others + (first + lane % 16) * HEAD_ROW + n * 8 + lane / 16 * 8);
        multiply(sums[n], left, right_of(m[0], m[1]));
        if (n + 1 < HEAD_EIGHTHS) multiply(sums[n + 1], left, right_of(m[2], m[3]));
    }
#endif
}

/// The number of the first dropout element of a head's query 0.
DEVICE u32 first_element(const Step *step, int sequence, int head) {
    return ((step->first_sequence + (u32)sequence) * HEADS + (u32)head) * (GOALS + CONTEXT)
        * ELEMENT_ROW;
}
/// What scores are multiplied by.
DEVICE float score_scale() { return 1.0f / sqrtf((float)HEAD_WIDTH); }

struct KeysValues {
    alignas(16) stored keys[HELD_KEYS * HEAD_ROW];
    alignas(16) stored values[HELD_KEYS * HEAD_ROW];
};

/// Copies keys and values from key `first` on, up to `count`, and waits for all threads' copies.
DEVICE void hold_keys(KeysValues &memory, const stored *qkv, int first, int count) {
    auto key = [&](int k, bool &valid) {
        valid = first + k < count;
        return valid ? qkv + (size_t)row_of_key(first + k) * 3 * WIDTH + WIDTH : qkv;
    };
    copy_rows<HELD_KEYS, QUERY_THREADS>(memory.keys, key);
    copy_rows<HELD_KEYS, QUERY_THREADS>(memory.values, [&](int k, bool &valid) {
        return key(k, valid) + (first + k < count ? WIDTH : 0);
    });
    commit_copies();
    wait_for_copies<0>();
    sync_block();
}

/// attended (rows x WIDTH) from qkv (rows x 3 WIDTH); log_sums: sequences x HEADS x SEQUENCE.
/// Grid: (Dealt<SEQUENCE>::blocks, HEADS, sequences).
KERNEL(QUERY_THREADS, (EXACT ? 3 : 4) - (QUERY_THREADS > 160))
attention_forward(stored *attended, float *log_sums, const stored *qkv, const Step *step,
                  int site) {
    SHARED(KeysValues, memory);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int head = blockIdx.y, sequence = blockIdx.z;
    const int block_end = (blockIdx.x + 1) * Dealt<SEQUENCE>::rows;
    const int first = blockIdx.x * Dealt<SEQUENCE>::rows + warp * 16;
    const Dropout dropout = step->sites[site];
    const float scale = score_scale();
    qkv += (size_t)sequence * SEQUENCE * 3 * WIDTH + head * HEAD_WIDTH;

    LeftRows queries;
    left_rows(queries, [&](int row, int unit) {
        return first + row < SEQUENCE
            ? channel_unit(qkv + (size_t)(first + row) * 3 * WIDTH, unit) : 0;
    });
    int row[2], count[2];
    u32 element[2];
    float top[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0}, sums[HEAD_EIGHTHS][4];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        row[i] = first + g + 8 * i;
        count[i] = seen(row[i] < SEQUENCE ? row[i] : SEQUENCE - 1);
        element[i] = first_element(step, sequence, head) + (u32)row[i] * ELEMENT_ROW;
    }
#pragma unroll
    for (int n = 0; n < HEAD_EIGHTHS; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) sums[n][e] = 0;
    const int block_count = seen(block_end <= SEQUENCE ? block_end - 1 : SEQUENCE - 1);
    const int warp_count
        = first < SEQUENCE ? seen(first + 15 < SEQUENCE ? first + 15 : SEQUENCE - 1) : 0;
    for (int key0 = 0; key0 < block_count; key0 += HELD_KEYS) {
        if (key0 > 0) sync_block();
        hold_keys(memory, qkv, key0, block_count);
        for (int part = 0; part < HELD_KEYS && key0 + part < warp_count; part += 64) {
            Pairs scores[4];
            float highest[2] = {top[0], top[1]}, keep[2];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const int k = part + j * 16;
                if (k < HELD_KEYS && key0 + k < warp_count)
                    by_channels(scores[j], queries, memory.keys, k);
#pragma unroll
                for (int e = 0; e < 8; e++) {
                    float &score = scores[j][e / 4][e % 4];
                    const int key = k + e / 4 * 8 + 2 * t + e % 2, i = e % 4 / 2;
                    score = key < HELD_KEYS && key0 + key < count[i] ? score * scale : -INFINITY;
                    if (score > highest[i]) highest[i] = score;
                }
            }
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
            for (int n = 0; n < HEAD_EIGHTHS; n++)
#pragma unroll
                for (int e = 0; e < 4; e++) sums[n][e] *= keep[e / 2];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const int k = part + j * 16;
                if (k >= HELD_KEYS || key0 + k >= warp_count) continue;
#pragma unroll
                for (int e = 0; e < 8; e++) {
                    float &weight = scores[j][e / 4][e % 4];
                    const u32 key = key0 + k + e / 4 * 8 + 2 * t + e % 2;
                    const int i = e % 4 / 2;
                    weight = exponential(weight - top[i]);
                    total[i] += weight;
                    if (dropout.threshold
                        && hash_element(element[i] + key, dropout) < dropout.threshold)
                        weight = 0;
                }
                by_rows(sums, scores[j], memory.values, k);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int mask = 1; mask <= 2; mask <<= 1) total[i] += shuffle_xor(total[i], mask);
        if (row[i] >= SEQUENCE) continue;
        const float factor = (dropout.threshold ? dropout.scale : 1) / total[i];
#pragma unroll
        for (int n = 0; n < HEAD_EIGHTHS; n++)
            store2(attended + ((size_t)sequence * SEQUENCE + row[i]) * WIDTH + head * HEAD_WIDTH
                       + n * 8 + 2 * t,
                   sums[n][2 * i] * factor, sums[n][2 * i + 1] * factor);
        if (t == 0)
            log_sums[((size_t)sequence * HEADS + head) * SEQUENCE + row[i]]
                = top[i] + logf(total[i]);
    }
}

/// The gradient of the queries, and `deltas` (as log_sums): each query's sum of output x gradient.
/// Gradients of hidden keys and values become zero. Grid: as attention_forward.
KERNEL(QUERY_THREADS, EXACT ? 2 : 4)
attention_backward_queries(stored *dqkv, float *deltas, const stored *dattended,
                           const stored *attended, const float *log_sums, const stored *qkv,
                           const Step *step, int site) {
    SHARED(KeysValues, memory);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int head = blockIdx.y, sequence = blockIdx.z;
    const int block_end = (blockIdx.x + 1) * Dealt<SEQUENCE>::rows;
    const int first = blockIdx.x * Dealt<SEQUENCE>::rows + warp * 16;
    const Dropout dropout = step->sites[site];
    const float scale = score_scale();
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
    float log_sum[2], delta[2], sums[HEAD_EIGHTHS][4];
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
    for (int n = 0; n < HEAD_EIGHTHS; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) sums[n][e] = 0;
    const int block_count = seen(block_end <= SEQUENCE ? block_end - 1 : SEQUENCE - 1);
    const int warp_count
        = first < SEQUENCE ? seen(first + 15 < SEQUENCE ? first + 15 : SEQUENCE - 1) : 0;
    for (int key0 = 0; key0 < block_count; key0 += HELD_KEYS) {
        if (key0 > 0) sync_block();
        hold_keys(memory, qkv, key0, block_count);
        for (int part = 0; part < HELD_KEYS && key0 + part < warp_count; part += 16) {
            Pairs d, dropped;
            by_channels(d, queries, memory.keys, part);
            by_channels(dropped, gradients, memory.values, part);
#pragma unroll
            for (int e = 0; e < 8; e++) {
                float &number = d[e / 4][e % 4];
                const int key = key0 + part + e / 4 * 8 + 2 * t + e % 2, i = e % 4 / 2;
                const float p
                    = key < count[i] ? exponential(number * scale - log_sum[i]) : 0;
                const float factor
                    = dropout.threshold ? dropout_factor(element[i] + (u32)key, dropout) : 1;
                number = p * (dropped[e / 4][e % 4] * factor - delta[i]) * scale;
            }
            by_rows(sums, d, memory.keys, part);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        if (row[i] >= SEQUENCE) continue;
        stored *to = dqkv + (size_t)row[i] * 3 * WIDTH + 2 * t;
#pragma unroll
        for (int n = 0; n < HEAD_EIGHTHS; n++) {
            store2(to + n * 8, sums[n][2 * i], sums[n][2 * i + 1]);
            if (is_hidden(row[i])) {
                store2(to + WIDTH + n * 8, 0, 0);
                store2(to + 2 * WIDTH + n * 8, 0, 0);
            }
        }
    }
}

struct QueriesGradients {
    alignas(16) stored queries[HELD_QUERIES * HEAD_ROW];
    alignas(16) stored gradients[HELD_QUERIES * HEAD_ROW];
    float log_sum[HELD_QUERIES], delta[HELD_QUERIES];
};

/// The gradients of visible keys and values; after attention_backward_queries.
/// Grid: (Dealt<KEYS>::blocks, HEADS, sequences).
KERNEL(KEY_THREADS, EXACT ? 2 : 3)
attention_backward_keys(stored *dqkv, const float *deltas, const stored *dattended,
                        const float *log_sums, const stored *qkv, const Step *step, int site) {
    SHARED(QueriesGradients, memory);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int head = blockIdx.y, sequence = blockIdx.z;
    const int block_first = blockIdx.x * Dealt<KEYS>::rows, first = block_first + warp * 16;
    const Dropout dropout = step->sites[site];
    const float scale = score_scale();
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
    float dkeys[HEAD_EIGHTHS][4], dvalues[HEAD_EIGHTHS][4];
#pragma unroll
    for (int n = 0; n < HEAD_EIGHTHS; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) dkeys[n][e] = dvalues[n][e] = 0;
    // Queries before a key's row do not see it.
    const int from = row_of_key(block_first) / 16 * 16;
    const int warp_from = first < KEYS ? row_of_key(first) : SEQUENCE;
    for (int query0 = from; query0 < SEQUENCE; query0 += HELD_QUERIES) {
        if (query0 > from) sync_block();
        copy_rows<HELD_QUERIES, KEY_THREADS>(memory.queries, [&](int q, bool &valid) {
            valid = query0 + q < SEQUENCE;
            return valid ? qkv + (size_t)(query0 + q) * 3 * WIDTH : qkv;
        });
        copy_rows<HELD_QUERIES, KEY_THREADS>(memory.gradients, [&](int q, bool &valid) {
            valid = query0 + q < SEQUENCE;
            return valid ? dattended + (size_t)(query0 + q) * WIDTH : dattended;
        });
        commit_copies();
        for (int q = threadIdx.x; q < HELD_QUERIES; q += KEY_THREADS) {
            const bool inside = query0 + q < SEQUENCE;
            memory.log_sum[q] = inside ? log_sums[numbers + query0 + q] : 0;
            memory.delta[q] = inside ? deltas[numbers + query0 + q] : 0;
        }
        wait_for_copies<0>();
        sync_block();
        for (int part = 0; part < HELD_QUERIES && query0 + part < SEQUENCE; part += 16) {
            if (query0 + part + 16 <= warp_from) continue;
            Pairs weights, d;
            by_channels(weights, keys, memory.queries, part);
            by_channels(d, values, memory.gradients, part);
#pragma unroll
            for (int e = 0; e < 8; e++) {
                const int k = first + g + e % 4 / 2 * 8, q = part + e / 4 * 8 + 2 * t + e % 2;
                float &weight = weights[e / 4][e % 4], &number = d[e / 4][e % 4];
                const bool visible = query0 + q < SEQUENCE && k < seen(query0 + q);
                const float p
                    = visible ? exponential(weight * scale - memory.log_sum[q]) : 0;
                const float factor = dropout.threshold
                    ? dropout_factor(element + (u32)(query0 + q) * ELEMENT_ROW + (u32)k, dropout)
                    : 1;
                weight = p * factor;
                number = p * (number * factor - memory.delta[q]) * scale;
            }
            by_rows(dvalues, weights, memory.gradients, part);
            by_rows(dkeys, d, memory.queries, part);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
        const int k = first + g + 8 * i;
        if (k >= KEYS) continue;
        stored *to = dqkv + (size_t)row_of_key(k) * 3 * WIDTH + 2 * t;
#pragma unroll
        for (int n = 0; n < HEAD_EIGHTHS; n++) {
            store2(to + WIDTH + n * 8, dkeys[n][2 * i], dkeys[n][2 * i + 1]);
            store2(to + 2 * WIDTH + n * 8, dvalues[n][2 * i], dvalues[n][2 * i + 1]);
        }
    }
}
