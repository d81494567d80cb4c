// The transformer at the nodes of a tree of prefixes: `PrefixDecoder` of the CPU.
//
// A node has a place. Its keys and values of all layers lie at its place, and so does its path: the
// places that it attends to, its goal's, its ancestors' and its own, without value tokens. Rows of
// a call (nodes to be computed, those with output first) meet only through keys and values, so a
// block takes 16 rows through many layers and only where a row's parent is computed in the same
// call must all rows have come through one layer's keys and values before any asks for them: the
// host then launches phase by phase.
//
// Phase p finishes layer p - 1 (attention, projection, feed forward) and computes queries, keys and
// values of layer p, or the logits behind the last layer.
//
// Compiled twice: for few rows with TOGETHER blocks for 16 of them and many warps, so that a call
// is soon over; for many with one block and fewer warps, so that a multiprocessor holds two.
//
// TOGETHER blocks share 16 rows where the card lets neighbouring blocks run at once: each takes
// some heads, a share of the feed-forward layer's channels and of the vocabulary, and reads only
// those weights. Sums over heads or channels are shares first, exchanged through memory and added
// in the order of the blocks. All keep the whole residual stream.
//
// Work of a row: 2 (12 WIDTH^2 LAYERS + VOCABULARY WIDTH) operations and twice its path's WIDTH for
// each layer. The blocks of a tile read all weights (from the second cache), and for each row and
// layer its path's keys and values: 2 WIDTH floats each.
#include "decoder_tile.h"

/// The path of the node at `place`: what its nearest ancestor of an earlier call has, then those of
/// this call, found by going up. One warp.
DEVICE void make_path(int *paths, const Node *nodes, int place, int first) {
    const int lane = threadIdx.x % 32;
    int *path = paths + (long long)place * PATH;
    if (nodes[place].position < 0) {
        const int count = -nodes[place].position;
        for (int i = lane; i < count; i += 32) path[i] = place - count + 1 + i;
        return;
    }
    int current = place;
    while (current >= first) {
        const int position = nodes[current].position;
        if (lane == 0 && is_attended(position))
            path[GOALS + position - position / DIMENSION] = current;
        current = nodes[current].parent;
    }
    if (current < 0) {
        for (int i = lane; i < GOALS; i += 32) path[i] = (-1 - current) * GOALS + i;
    } else {
        const int *known = paths + (long long)current * PATH;
        for (int i = lane; i < path_length(nodes[current].position); i += 32) path[i] = known[i];
    }
}

/// Attention of one row over its path, this block's heads, by one warp: `tt_path_attention`.
///
/// HEAD_WIDTH / 4 lanes read a key together, as many keys as that leaves lanes for at once; each
/// group of lanes keeps its own largest score, sum and weighted values, joined at the end.
DEVICE void attend(float *out, const float *query, const float *keys_values, const int *path,
                   int length, int layer, int first_head) {
    constexpr int LANES = HEAD_WIDTH / 4, GROUPS = 32 / LANES, UNROLL = GROUPS > 4 ? 4 : 8;
    const int lane = threadIdx.x % 32, group = lane / LANES, part = lane % LANES;
    const float scale = 1 / sqrtf((float)HEAD_WIDTH);
    for (int head = first_head; head < first_head + MY_HEADS; head++) {
        const int channel = head * HEAD_WIDTH + part * 4;
        const float4 q = *reinterpret_cast<const float4 *>(query + channel);
        float largest = -1e30f, total = 0;
        float4 mean = make_float4(0, 0, 0, 0);
        // All lanes go round equally often: shuffles are for whole warps.
        for (int start = 0; start < length; start += GROUPS * UNROLL) {
            float score[UNROLL];
            float4 value[UNROLL];
            for (int u = 0; u < UNROLL; u++) {
                const int i = start + u * GROUPS + group;
                const float *node =
                    keys_values +
                    ((long long)path[i < length ? i : length - 1] * LAYERS + layer) * (2 * WIDTH) +
                    channel;
                const float4 k = *reinterpret_cast<const float4 *>(node);
                value[u] = *reinterpret_cast<const float4 *>(node + WIDTH);
                score[u] = q.x * k.x + q.y * k.y + q.z * k.z + q.w * k.w;
            }
            float most = largest;
            for (int u = 0; u < UNROLL; u++) {
                for (int mask = LANES / 2; mask > 0; mask /= 2)
                    score[u] += shuffle_xor(score[u], mask);
                score[u] = start + u * GROUPS + group < length ? score[u] * scale : -1e30f;
                most = score[u] > most ? score[u] : most;
            }
            const float shrink = expf(largest - most);
            largest = most;
            total *= shrink;
            mean = make_float4(mean.x * shrink, mean.y * shrink, mean.z * shrink, mean.w * shrink);
            for (int u = 0; u < UNROLL; u++) {
                const float p = start + u * GROUPS + group < length ? expf(score[u] - largest) : 0;
                total += p;
                mean.x += p * value[u].x;
                mean.y += p * value[u].y;
                mean.z += p * value[u].z;
                mean.w += p * value[u].w;
            }
        }
        for (int mask = LANES; mask < 32; mask *= 2) {
            const float other = shuffle_xor(largest, mask);
            const float most = other > largest ? other : largest;
            const float mine = expf(largest - most), theirs = expf(other - most);
            largest = most;
            total = total * mine + shuffle_xor(total, mask) * theirs;
            mean.x = mean.x * mine + shuffle_xor(mean.x, mask) * theirs;
            mean.y = mean.y * mine + shuffle_xor(mean.y, mask) * theirs;
            mean.z = mean.z * mine + shuffle_xor(mean.z, mask) * theirs;
            mean.w = mean.w * mine + shuffle_xor(mean.w, mask) * theirs;
        }
        if (group == 0)
            *reinterpret_cast<float4 *>(out + channel) =
                make_float4(mean.x / total, mean.y / total, mean.z / total, mean.w / total);
    }
}

/// u (1 + erf(u / sqrt 2)) / 2.
DEVICE float gelu(float u) { return 0.5f * u * (1 + erff(u * 0.70710678f)); }

/// residual += the sum over the blocks of a product's tiles + bias.
template <int TILES>
DEVICE void add_branch(Tile &tile, const float (&sum)[TILES][4], const float *__restrict__ bias,
                       float *partial) {
    if (TOGETHER == 1) {
        each_pair(sum, WIDTH, [&](int row, int column, float a, float b) {
            tile.residual[row * STRIDE + column] += a + bias[column];
            tile.residual[row * STRIDE + column + 1] += b + bias[column + 1];
        });
        return;
    }
    // Two places in turn: who reads the last sum may be overtaken by one exchange, not by two.
    float *place = partial + tile.exchanges % 2 * (TOGETHER * ROWS * WIDTH);
    float *mine = place + blockIdx.x % TOGETHER * (ROWS * WIDTH);
    each_pair(sum, WIDTH, [&](int row, int column, float a, float b) {
        *reinterpret_cast<float2 *>(mine + row * WIDTH + column) = make_float2(a, b);
    });
    sync_together();
    each_pair(sum, WIDTH, [&](int row, int column, float, float) {
        float2 total = make_float2(bias[column], bias[column + 1]);
        for (int block = 0; block < TOGETHER; block++) {
            const float2 share = load_fresh2(place + block * (ROWS * WIDTH) + row * WIDTH + column);
            total.x += share.x;
            total.y += share.y;
        }
        tile.residual[row * STRIDE + column] += total.x;
        tile.residual[row * STRIDE + column + 1] += total.y;
    });
    sync_block();
    if (threadIdx.x == 0) tile.exchanges++;
}

/// The rest of a layer behind queries, keys and values, in place of the residual stream.
DEVICE void finish_layer(Tile &tile, const float *keys_values, const int *paths,
                         const float *__restrict__ weights, const Weight *__restrict__ matrices,
                         float *partial, int layer, int count) {
    const int warp = threadIdx.x / 32, block = BLOCKS + layer * BLOCK, rank = blockIdx.x % TOGETHER;
    for (int row = warp; row < count; row += WARPS)
        attend(tile.input + row * STRIDE, tile.queries + row * STRIDE, keys_values,
               KEEPS_PATHS ? tile.paths + row * PATH : paths + (long long)tile.places[row] * PATH,
               tile.lengths[row], layer, rank * MY_HEADS);
    sync_block();
    {
        float sum[tiles_of(WIDTH)][4] = {};
        multiply<tiles_of(WIDTH), MY_WIDTH>(sum, tile.input + rank * MY_WIDTH, STRIDE,
                                            matrices + block + PROJECTION + rank * MY_WIDTH, WIDTH,
                                            WIDTH);
        add_branch(tile, sum, weights + block + PROJECTION_BIAS, partial);
    }
    sync_block();
    normalize(tile.input, tile.residual, weights + block + NORM2);
    float branch[tiles_of(WIDTH)][4] = {};
    for (int start = rank * MY_HIDDEN; start < (rank + 1) * MY_HIDDEN; start += HIDDEN) {
        sync_block();
        float sum[tiles_of(HIDDEN)][4] = {};
        multiply<tiles_of(HIDDEN), WIDTH>(
            sum, tile.input, STRIDE, matrices + block + EXPANSION + start * WIDTH, HIDDEN, WIDTH);
        each_pair(sum, HIDDEN, [&](int row, int column, float a, float b) {
            const float *bias = weights + block + EXPANSION_BIAS + start + column;
            tile.hidden[row * HIDDEN_STRIDE + column] = gelu(a + bias[0]);
            tile.hidden[row * HIDDEN_STRIDE + column + 1] = gelu(b + bias[1]);
        });
        sync_block();
        multiply<tiles_of(WIDTH), HIDDEN>(branch, tile.hidden, HIDDEN_STRIDE,
                                          matrices + block + CONTRACTION + start, WIDTH, 4 * WIDTH);
    }
    add_branch(tile, branch, weights + block + CONTRACTION_BIAS, partial);
    sync_block();
}

/// This block's heads: queries into the tile, keys and values to the rows' places.
DEVICE void ask(Tile &tile, float *keys_values, const float *__restrict__ weights,
                const Weight *__restrict__ matrices, int layer, int count) {
    const int block = BLOCKS + layer * BLOCK, first = blockIdx.x % TOGETHER * MY_WIDTH;
    normalize(tile.input, tile.residual, weights + block + NORM1);
    sync_block();
    // Queries, keys and values in turn: the parameters' order.
    for (int part = 0; part < 3; part++) {
        const int matrix = part == 0 ? QUERY : KEY_VALUE + (part - 1) * SQUARE;
        const float *bias = weights + block +
                            (part == 0 ? QUERY_BIAS : KEY_VALUE_BIAS + (part - 1) * WIDTH) + first;
        float sum[tiles_of(MY_WIDTH)][4] = {};
        multiply<tiles_of(MY_WIDTH), WIDTH>(sum, tile.input, STRIDE,
                                            matrices + block + matrix + first * WIDTH, MY_WIDTH,
                                            WIDTH, part * (MY_WIDTH / 8));
        each_pair(
            sum, MY_WIDTH,
            [&](int row, int column, float a, float b) {
                a += bias[column];
                b += bias[column + 1];
                if (part == 0) {
                    tile.queries[row * STRIDE + first + column] = a;
                    tile.queries[row * STRIDE + first + column + 1] = b;
                    return;
                }
                // Nothing attends to a value token.
                if (row >= count || (tile.positions[row] >= 0 && !is_attended(tile.positions[row])))
                    return;
                *reinterpret_cast<float2 *>(
                    keys_values + ((long long)tile.places[row] * LAYERS + layer) * (2 * WIDTH) +
                    (part - 1) * WIDTH + first + column) = make_float2(a, b);
            },
            part * (MY_WIDTH / 8));
    }
    sync_block();
}

/// The logits of the tile's rows with output, by the head of each one's position.
DEVICE void predict(Tile &tile, float *logits, const Node *nodes, const float *__restrict__ weights,
                    const Weight *__restrict__ matrices, int outputs) {
    constexpr int SHARE = ((VOCABULARY + 7) / 8 + TOGETHER - 1) / TOGETHER * 8;
    const int first_column = blockIdx.x % TOGETHER * SHARE;
    const int columns = VOCABULARY - first_column < SHARE ? VOCABULARY - first_column : SHARE;
    normalize(tile.input, tile.residual, weights + FINAL_NORM);
    sync_block();
    if (columns <= 0) return;
    for (int first = 0; first < outputs; first++) {
        const int head = tile.positions[first] % DIMENSION;
        bool is_done = false;
        for (int row = 0; row < first; row++) is_done |= tile.positions[row] % DIMENSION == head;
        if (is_done) continue;
        float sum[tiles_of(SHARE)][4] = {};
        multiply<tiles_of(SHARE), WIDTH>(
            sum, tile.input, STRIDE,
            matrices + HEAD_WEIGHTS + head * VOCABULARY * WIDTH + first_column * WIDTH, columns,
            WIDTH);
        each_pair(sum, columns, [&](int row, int column, float a, float b) {
            if (row >= outputs || tile.positions[row] % DIMENSION != head) return;
            float *out =
                logits + (long long)nodes[tile.places[row]].output * LOGITS + first_column + column;
            out[0] = a;
            if (column + 1 < columns) out[1] = b;
        });
    }
}

/// Phases begin ..< end of rows blockIdx.x / TOGETHER * 16 on.
///
/// keys_values: places x LAYERS x 2 WIDTH; paths: places x PATH; nodes: one for each place; order:
/// each row's place, rows with output first; `first`: the first place of this call. stream: rows x
/// 2 WIDTH, the residual stream and the queries between launches. weights: all parameters;
/// matrices: the same, as products take them. logits: rows of LOGITS numbers. partial: tiles x 2 x
/// TOGETHER x 16 x WIDTH.
KERNEL_TOGETHER(THREADS, 16 / WARPS, TOGETHER)
decode(float *keys_values, int *paths, float *stream, float *partial, float *logits,
       const float *weights, const Weight *matrices, const Node *nodes, const int *order, int rows,
       int outputs, int first, int begin, int end) {
    SHARED(Tile, tile);
    const int start = blockIdx.x / TOGETHER * ROWS, thread = threadIdx.x, warp = thread / 32;
    partial += (long long)(blockIdx.x / TOGETHER) * (2 * TOGETHER * ROWS * WIDTH);
    if (thread == 0) tile.exchanges = 0;
    const int count = rows - start < ROWS ? rows - start : ROWS;
    const int asked = outputs - start < count ? outputs - start : count;
    if (thread < ROWS) {
        const int place = order[start + (thread < count ? thread : count - 1)];
        tile.places[thread] = place;
        tile.positions[thread] = nodes[place].position;
        tile.lengths[thread] = path_length(nodes[place].position);
    }
    sync_block();
    if (begin == 0) {
        for (int row = warp; row < count; row += WARPS)
            make_path(paths, nodes, tile.places[row], first);
        for (int i = thread; i < ROWS * WIDTH; i += THREADS) {
            const int row = i / WIDTH, column = i % WIDTH, position = tile.positions[row];
            const int index = nodes[tile.places[row]].embedding * WIDTH + column;
            tile.residual[row * STRIDE + column] =
                position < 0 ? weights[GOAL_TABLE + index]
                             : weights[index] + weights[POSITIONS + position * WIDTH + column];
        }
    } else {
        for (int i = thread; i < ROWS * WIDTH; i += THREADS) {
            const int row = i / WIDTH, column = i % WIDTH;
            const float *kept =
                stream + (long long)(start + (row < count ? row : count - 1)) * (2 * WIDTH);
            tile.residual[row * STRIDE + column] = kept[column];
            tile.queries[row * STRIDE + column] = kept[WIDTH + column];
        }
    }
    if (KEEPS_PATHS) {
        sync_warp();
        for (int row = warp; row < count; row += WARPS) {
            const int *path = paths + (long long)tile.places[row] * PATH;
            for (int i = thread % 32; i < tile.lengths[row]; i += 32)
                tile.paths[row * PATH + i] = path[i];
        }
    }
    sync_block();
    for (int phase = begin; phase < end; phase++) {
        if (phase > 0) {
            if (phase == LAYERS && asked <= 0) return;
            finish_layer(tile, keys_values, paths, weights, matrices, partial, phase - 1,
                         phase == LAYERS ? asked : count);
        }
        if (phase < LAYERS)
            ask(tile, keys_values, weights, matrices, phase, count);
        else
            predict(tile, logits, nodes, weights, matrices, asked);
    }
    if (end > LAYERS) return;
    // The residual stream is every block's, the queries are each one's own.
    const int my_column = blockIdx.x % TOGETHER * MY_WIDTH;
    for (int i = thread; i < count * WIDTH; i += THREADS) {
        const int row = i / WIDTH, column = i % WIDTH;
        float *kept = stream + (long long)(start + row) * (2 * WIDTH);
        if (column < my_column || column >= my_column + MY_WIDTH) continue;
        kept[column] = tile.residual[row * STRIDE + column];
        kept[WIDTH + column] = tile.queries[row * STRIDE + column];
    }
}

/// to = from, rounded to bfloat16: the weights as fast products take them. Two numbers a thread.
KERNEL(256, 1) round_weights(u32 *to, const float *from, int pairs) {
    const int i = blockIdx.x * 256 + threadIdx.x;
    if (i < pairs) to[i] = pack_bf16(from[2 * i], from[2 * i + 1]);
}
