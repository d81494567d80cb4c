// Embedding and layer norm: a warp for each row of WIDTH channels, a lane for four neighbours.
#pragma once
#include "heads.cu"

/// Groups of four channels that a lane holds.
constexpr int GROUPS = (WIDTH / 4 + 31) / 32;
DEVICE int channel_of(int lane, int group) { return (group * 32 + lane) * 4; }

/// x[row] = dropout(table[token] + position), goals without position. CPU: embedding_forward.
///
/// inputs: sequences x LENGTH, goals: sequences x GOALS. Reads 4 bytes and writes 4 WIDTH a row.
KERNEL(ROW_THREADS, 4)
embedding_forward(float *x, const int *inputs, const int *goals, const float *tokens,
                  const float *positions, const float *goal_table, const Step *step, int rows) {
    const int row = blockIdx.x * ROW_WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    const int sequence = row / SEQUENCE, place = row % SEQUENCE - GOALS;
    const Dropout dropout = step->sites[0];
    const float *from;
    if (place < 0) {
        int dimension = place + GOALS;
        from = goal_table
            + ((size_t)goals[sequence * GOALS + dimension] + dimension * (VOCABULARY - 1)) * WIDTH;
    } else {
        int token = inputs[sequence * LENGTH + place];
        int entry = token == VOCABULARY - 1 ? (VOCABULARY - 1) * DIMENSION
                                            : token + place % DIMENSION * (VOCABULARY - 1);
        from = tokens + (size_t)entry * WIDTH;
    }
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
        int c = channel_of(lane, i);
        if (c >= WIDTH) continue;
        float4 v = load4(from + c);
        if (place >= 0) {
            float4 p = load4(positions + (size_t)place * WIDTH + c);
            v = make_float4(v.x + p.x, v.y + p.y, v.z + p.z, v.w + p.w);
        }
        if (dropout.threshold) {
            u32 element = stream_element(step, row, c);
            v.x *= dropout_factor(element, dropout);
            v.y *= dropout_factor(element + 1, dropout);
            v.z *= dropout_factor(element + 2, dropout);
            v.w *= dropout_factor(element + 3, dropout);
        }
        store4(x + (size_t)row * WIDTH + c, v);
    }
}

/// out = (x - mean) rstd weight + bias. CPU: layer_norm_forward. The bias lies behind the weight,
/// `statistics` receives mean and rstd of each row. Moves 4 WIDTH + sizeof(stored) WIDTH bytes a
/// row.
KERNEL(ROW_THREADS, 4)
layer_norm_forward(stored *out, float *statistics, const float *x, const float *weight, int rows) {
    const int row = blockIdx.x * ROW_WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (row >= rows) return;
    float4 v[GROUPS];
    float sum = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
        int c = channel_of(lane, i);
        v[i] = c < WIDTH ? load4(x + (size_t)row * WIDTH + c) : zero4();
        sum += (v[i].x + v[i].y) + (v[i].z + v[i].w);
    }
    const float mean = warp_sum(sum) / WIDTH;
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
        if (channel_of(lane, i) >= WIDTH) continue;
        v[i] = make_float4(v[i].x - mean, v[i].y - mean, v[i].z - mean, v[i].w - mean);
        squares += (v[i].x * v[i].x + v[i].y * v[i].y) + (v[i].z * v[i].z + v[i].w * v[i].w);
    }
    const float rstd = 1.0f / sqrtf(warp_sum(squares) / WIDTH + 1e-5f);
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
        int c = channel_of(lane, i);
        if (c >= WIDTH) continue;
        float4 w = load4(weight + c), b = load4(weight + WIDTH + c);
        store4(out + (size_t)row * WIDTH + c,
               make_float4(v[i].x * rstd * w.x + b.x, v[i].y * rstd * w.y + b.y,
                           v[i].z * rstd * w.z + b.z, v[i].w * rstd * w.w + b.w));
    }
    if (lane == 0) *reinterpret_cast<float2 *>(statistics + 2 * (size_t)row)
        = make_float2(mean, rstd);
}

struct NormSums {
    alignas(16) float weight[ROW_WARPS][WIDTH], bias[ROW_WARPS][WIDTH];
};

/// What norm_backward reads of a row: its lane's part.
struct NormRow {
    float4 x[GROUPS], dout[GROUPS], dx[GROUPS];
    float2 moments;
};

/// Reads a row; where `first` nothing was added to dx yet, and rows of goals have no dout.
template <bool first>
DEVICE void load_row(NormRow &to, const float *dx, const stored *dout, const float *x,
                     const float *statistics, int row) {
    const int lane = threadIdx.x % 32;
    const bool given = !first || row % SEQUENCE >= GOALS;
    to.moments = load2(statistics + 2 * (size_t)row);
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
        int c = channel_of(lane, i);
        to.x[i] = to.dout[i] = to.dx[i] = zero4();
        if (c >= WIDTH) continue;
        const size_t place = (size_t)row * WIDTH + c;
        to.x[i] = load4(x + place);
        if (given) to.dout[i] = load4(dout + place);
        if (!first) to.dx[i] = load4(dx + place);
    }
}

/// Backward of layer_norm_forward, and of the dropout before what it was fed to.
///
/// dx += d(norm), or = where `first` (then rows of goals have no gradient of the norm's output);
/// dbranch = dropout'(dx) at `site`, what the branch that ends at x is given. `partial`: blocks x 2
/// WIDTH, the sums over the block's rows for weight and bias. CPU: layer_norm_backward,
/// residual_backward, and embedding_backward's dropout. Moves about 3 x 4 WIDTH + 2 sizeof(stored)
/// WIDTH bytes a row.
template <bool first>
DEVICE void norm_backward(float *dx, stored *dbranch, float *partial, const stored *dout,
                          const float *x, const float *statistics, const float *weight,
                          const Step *step, int site, int rows) {
    SHARED(NormSums, sums);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Dropout dropout = step->sites[site];
    float4 weight_sum[GROUPS], bias_sum[GROUPS];
#pragma unroll
    for (int i = 0; i < GROUPS; i++) weight_sum[i] = bias_sum[i] = zero4();
    // The next row is on its way while one is computed.
    const int step_rows = gridDim.x * ROW_WARPS;
    NormRow next;
    int row = blockIdx.x * ROW_WARPS + warp;
    if (row < rows) load_row<first>(next, dx, dout, x, statistics, row);
    for (; row < rows; row += step_rows) {
        const NormRow now = next;
        if (row + step_rows < rows)
            load_row<first>(next, dx, dout, x, statistics, row + step_rows);
        const float mean = now.moments.x, rstd = now.moments.y;
        float4 normal[GROUPS], gradient[GROUPS];
        float sum_g = 0, sum_gx = 0;
#pragma unroll
        for (int i = 0; i < GROUPS; i++) {
            int c = channel_of(lane, i);
            normal[i] = gradient[i] = zero4();
            if (c >= WIDTH) continue;
            float4 v = now.x[i], w = load4(weight + c), g = now.dout[i];
            float4 n = make_float4((v.x - mean) * rstd, (v.y - mean) * rstd, (v.z - mean) * rstd,
                                   (v.w - mean) * rstd);
            weight_sum[i].x += g.x * n.x, weight_sum[i].y += g.y * n.y;
            weight_sum[i].z += g.z * n.z, weight_sum[i].w += g.w * n.w;
            bias_sum[i].x += g.x, bias_sum[i].y += g.y;
            bias_sum[i].z += g.z, bias_sum[i].w += g.w;
            g = make_float4(g.x * w.x, g.y * w.y, g.z * w.z, g.w * w.w);
            sum_g += (g.x + g.y) + (g.z + g.w);
            sum_gx += (g.x * n.x + g.y * n.y) + (g.z * n.z + g.w * n.w);
            normal[i] = n;
            gradient[i] = g;
        }
        const float mean_g = warp_sum(sum_g) / WIDTH, mean_gx = warp_sum(sum_gx) / WIDTH;
#pragma unroll
        for (int i = 0; i < GROUPS; i++) {
            int c = channel_of(lane, i);
            if (c >= WIDTH) continue;
            float4 n = normal[i], g = gradient[i], d = now.dx[i];
            d.x += rstd * (g.x - mean_g - n.x * mean_gx);
            d.y += rstd * (g.y - mean_g - n.y * mean_gx);
            d.z += rstd * (g.z - mean_g - n.z * mean_gx);
            d.w += rstd * (g.w - mean_g - n.w * mean_gx);
            store4(dx + (size_t)row * WIDTH + c, d);
            if (dropout.threshold) {
                u32 element = stream_element(step, row, c);
                d.x *= dropout_factor(element, dropout);
                d.y *= dropout_factor(element + 1, dropout);
                d.z *= dropout_factor(element + 2, dropout);
                d.w *= dropout_factor(element + 3, dropout);
            }
            store4(dbranch + (size_t)row * WIDTH + c, d);
        }
    }
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
        int c = channel_of(lane, i);
        if (c >= WIDTH) continue;
        store4(&sums.weight[warp][c], weight_sum[i]);
        store4(&sums.bias[warp][c], bias_sum[i]);
    }
    sync_block();
    for (int c = threadIdx.x; c < 2 * WIDTH; c += ROW_THREADS) {
        float total = 0;
        for (int i = 0; i < ROW_WARPS; i++)
            total += c < WIDTH ? sums.weight[i][c] : sums.bias[i][c - WIDTH];
        partial[(size_t)blockIdx.x * 2 * WIDTH + c] = total;
    }
}

/// norm_backward of the norms in the blocks. Grid: as `partial` has blocks.
KERNEL(ROW_THREADS, 2)
layer_norm_backward(float *dx, stored *dbranch, float *partial, const stored *dout, const float *x,
                    const float *statistics, const float *weight, const Step *step, int site,
                    int rows) {
    norm_backward<false>(dx, dbranch, partial, dout, x, statistics, weight, step, site, rows);
}

/// norm_backward of the norm before the heads.
KERNEL(ROW_THREADS, 2)
final_norm_backward(float *dx, stored *dbranch, float *partial, const stored *dout, const float *x,
                    const float *statistics, const float *weight, const Step *step, int site,
                    int rows) {
    norm_backward<true>(dx, dbranch, partial, dout, x, statistics, weight, step, site, rows);
}

/// Channels and threads of a block of tables_backward: its sums for a whole vocabulary fit.
constexpr int TABLE_CHANNELS = VOCABULARY <= 180 ? 64 : 32;
constexpr int TABLE_AHEAD = 8;
struct TableSums {
    float of[VOCABULARY][TABLE_CHANNELS];
};

/// The gradients of the tables of tokens and goals: the sum of dx over the rows that read an entry.
///
/// A block takes `share` of the rows of one dimension, in order, each thread a channel: no two add
/// to one number. `partial`: slices x (DIMENSION + GOALS) x VOCABULARY x WIDTH, of which the last
/// entry of each dimension is termination. dx already went back through dropout. CPU:
/// embedding_backward. Reads WIDTH numbers a row. Grid: (WIDTH / TABLE_CHANNELS, slices, DIMENSION
/// + GOALS).
KERNEL(TABLE_CHANNELS, 4)
tables_backward(float *partial, const stored *dx, const int *inputs, const int *goals,
                int sequences, int share) {
    SHARED(TableSums, sums);
    const int dimension = blockIdx.z, thread = threadIdx.x;
    const int channel = blockIdx.x * TABLE_CHANNELS + thread;
    const bool of_goal = dimension >= DIMENSION;
    const int positions = of_goal ? 1 : head_positions(dimension);
    const int count = sequences * positions;
    const int first = blockIdx.y * share, end = first + share < count ? first + share : count;
    for (int i = 0; i < VOCABULARY; i++) sums.of[i][thread] = 0;
    for (int i = first; i < end; i += TABLE_AHEAD) {
        int entry[TABLE_AHEAD];
        float value[TABLE_AHEAD];
#pragma unroll
        for (int j = 0; j < TABLE_AHEAD; j++) {
            entry[j] = 0;
            value[j] = 0;
            if (i + j >= end || channel >= WIDTH) continue;
            int row;
            if (of_goal) {
                row = (i + j) * SEQUENCE + dimension - DIMENSION;
                entry[j] = goals[(i + j) * GOALS + dimension - DIMENSION];
            } else {
                int token = head_token(dimension, positions, i + j);
                row = stream_row(token);
                entry[j] = inputs[token];
            }
            const stored *from = dx + (size_t)row * WIDTH + (channel & ~1);
            float2 pair = load2(from);
            value[j] = channel & 1 ? pair.y : pair.x;
        }
#pragma unroll
        for (int j = 0; j < TABLE_AHEAD; j++) sums.of[entry[j]][thread] += value[j];
    }
    if (channel >= WIDTH) return;
    float *result = partial
        + ((size_t)blockIdx.y * (DIMENSION + GOALS) + dimension) * VOCABULARY * WIDTH + channel;
    for (int i = 0; i < VOCABULARY; i++) result[(size_t)i * WIDTH] = sums.of[i][thread];
}

/// The gradients of the positions: the sum of dx over `share` sequences. `partial`: slices x LENGTH
/// x WIDTH. CPU: embedding_backward. Grid: (LENGTH, slices).
KERNEL(64, 4)
positions_backward(float *partial, const stored *dx, int sequences, int share) {
    const int place = blockIdx.x, first = blockIdx.y * share;
    const int end = first + share < sequences ? first + share : sequences;
    for (int c = threadIdx.x * 2; c < WIDTH; c += 128) {
        float2 sum = make_float2(0, 0);
#pragma unroll 8
        for (int s = first; s < end; s++) {
            float2 v = load2(dx + ((size_t)s * SEQUENCE + GOALS + place) * WIDTH + c);
            sum.x += v.x;
            sum.y += v.y;
        }
        *reinterpret_cast<float2 *>(partial + ((size_t)blockIdx.y * LENGTH + place) * WIDTH + c)
            = sum;
    }
}
