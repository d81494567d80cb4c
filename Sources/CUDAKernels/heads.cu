// The heads, one for each dimension of a transition, as one product whose rows are grouped by
// dimension; and the loss. CPU: TrajectoryTransformer.computeLogits, CrossEntropy.
#pragma once
#include "linear.cu"

/// Tokens of a window whose dimension is `head`.
DEVICE int head_positions(int head) {
    return head < LENGTH ? (LENGTH - head - 1) / DIMENSION + 1 : 0;
}
/// The token, counted over the batch, that is row `index` of a head's rows.
DEVICE int head_token(int head, int positions, int index) {
    return index / positions * LENGTH + index % positions * DIMENSION + head;
}
/// A token's row in the residual stream.
DEVICE int stream_row(int token) { return token / LENGTH * SEQUENCE + GOALS + token % LENGTH; }

struct HeadRows {
    int token[BLOCK_ROWS];
};

/// Fills the tokens of this block's rows, -1 past the end; false where there are none.
DEVICE bool find_rows(HeadRows &rows, int head, int sequences) {
    const int positions = head_positions(head), count = sequences * positions;
    const int row0 = blockIdx.y * BLOCK_ROWS;
    if (row0 >= count) return false;
    if (threadIdx.x < BLOCK_ROWS)
        rows.token[threadIdx.x] = row0 + (int)threadIdx.x < count
            ? head_token(head, positions, row0 + threadIdx.x) : -1;
    sync_block();
    return true;
}

/// logits (tokens x LOGITS) = x W[head]', without bias; x is the normalized stream, W is DIMENSION
/// x VOCABULARY x WIDTH. Grid: (VOCABULARY / BLOCK_COLUMNS, sequences x positions / BLOCK_ROWS,
/// DIMENSION).
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
heads_forward(float *logits, const stored *x, const stored *w, int sequences) {
    SHARED(ForwardMemory, memory);
    SHARED(HeadRows, rows);
    const int head = blockIdx.z, column0 = blockIdx.x * BLOCK_COLUMNS;
    if (!find_rows(rows, head, sequences)) return;
    w += (size_t)head * VOCABULARY * WIDTH;
    Sums sums;
    product<LeftAlong, RightAlong>(
        sums, memory,
        [&](int r, int k, bool &valid) {
            int token = rows.token[r];
            valid = token >= 0 && k < WIDTH;
            return valid ? x + (size_t)stream_row(token) * WIDTH + k : x;
        },
        [&](int c, int k, bool &valid) {
            valid = column0 + c < VOCABULARY && k < WIDTH;
            return valid ? w + (size_t)(column0 + c) * WIDTH + k : w;
        },
        0, WIDTH, VOCABULARY - column0, Nothing());
    for_runs(memory.result, sums, LOGITS - column0, [&](int r, int c, const Run &run) {
        int token = rows.token[r];
        if (token >= 0) store_run(logits + (size_t)token * LOGITS + column0 + c, run);
    });
}

/// dx (stream rows of tokens x WIDTH) = dlogits W[head]. Grid: (WIDTH / BLOCK_COLUMNS, sequences x
/// positions / BLOCK_ROWS, DIMENSION). Rows of goals are not written.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
heads_backward(stored *dx, const stored *dlogits, const stored *w, int sequences) {
    SHARED(InputMemory, memory);
    SHARED(HeadRows, rows);
    const int head = blockIdx.z, column0 = blockIdx.x * BLOCK_COLUMNS;
    if (!find_rows(rows, head, sequences)) return;
    w += (size_t)head * VOCABULARY * WIDTH;
    Sums sums;
    product<LeftAlong, RightAcross>(
        sums, memory,
        [&](int r, int k, bool &valid) {
            int token = rows.token[r];
            valid = token >= 0 && k < LOGITS;
            return valid ? dlogits + (size_t)token * LOGITS + k : dlogits;
        },
        [&](int k, int c, bool &valid) {
            valid = k < VOCABULARY && column0 + c < WIDTH;
            return valid ? w + (size_t)k * WIDTH + column0 + c : w;
        },
        0, VOCABULARY, WIDTH - column0, Nothing());
    for_runs(memory.result, sums, WIDTH - column0, [&](int r, int c, const Run &run) {
        int token = rows.token[r];
        if (token >= 0) store_run(dx + (size_t)stream_row(token) * WIDTH + column0 + c, run);
    });
}

constexpr int HEAD_PARTS = row_blocks<VOCABULARY> * column_blocks<WIDTH>;

/// The gradients of the heads' weights, `share` of a head's rows a slice. `partial`: slices x
/// DIMENSION x VOCABULARY x WIDTH. Grid: (HEAD_PARTS, slices, DIMENSION).
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
heads_weights_backward(float *partial, const stored *dlogits, const stored *x, int sequences,
                       int share) {
    SHARED(WeightMemory, memory);
    constexpr int across = column_blocks<WIDTH>;
    const int head = blockIdx.z, positions = head_positions(head), count = sequences * positions;
    const int row0 = blockIdx.x / across * BLOCK_ROWS;
    const int column0 = blockIdx.x % across * BLOCK_COLUMNS;
    const int first = blockIdx.y * share, end = first + share < count ? first + share : count;
    float *result = partial + ((size_t)blockIdx.y * DIMENSION + head) * VOCABULARY * WIDTH;
    Sums sums;
    product<LeftAcross, RightAcross>(
        sums, memory,
        [&](int k, int m, bool &valid) {
            valid = k < end && row0 + m < LOGITS;
            return valid ? dlogits + (size_t)head_token(head, positions, k) * LOGITS + row0 + m
                         : dlogits;
        },
        [&](int k, int n, bool &valid) {
            valid = k < end && column0 + n < WIDTH;
            return valid
                ? x + (size_t)stream_row(head_token(head, positions, k)) * WIDTH + column0 + n : x;
        },
        first, end, WIDTH - column0, Nothing());
    for_runs(memory.result, sums, WIDTH - column0, [&](int r, int c, const Run &run) {
        if (row0 + r < VOCABULARY)
            store_run(result + (size_t)(row0 + r) * WIDTH + column0 + c, run);
    });
}

constexpr int ROW_THREADS = 256, ROW_WARPS = ROW_THREADS / 32;

struct LossSums {
    double of_warp[ROW_WARPS];
};

/// Weighted cross entropy: dlogits is the logits' gradient, zeros past the vocabulary;
/// losses[block] is the sum of weight x entropy of the block's rows. CPU: cross_entropy,
/// LossEvaluator.pass.
///
/// weights[position] is what a target counts; targets below 0 do not count. A row costs about 2
/// VOCABULARY exponentials and moves about 8 LOGITS bytes; a warp each. Grid: as many as `losses`
/// has.
KERNEL(ROW_THREADS, 2)
cross_entropy(stored *dlogits, double *losses, const float *logits, const int *targets,
              const float *weights, const Step *step, int tokens) {
    SHARED(LossSums, sums);
    constexpr int EACH = (LOGITS + 31) / 32;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    double loss = 0;
    for (int row = blockIdx.x * ROW_WARPS + warp; row < tokens; row += gridDim.x * ROW_WARPS) {
        const float *z = logits + (size_t)row * LOGITS;
        const int target = targets[row];
        const float weight = target >= 0 ? weights[row % LENGTH] / step->divisor : 0;
        float value[EACH], top = -INFINITY, wanted = 0, total = 0;
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            int c = i * 32 + lane;
            value[i] = c < VOCABULARY ? z[c] : -INFINITY;
            top = value[i] > top ? value[i] : top;
            if (c == target) wanted = value[i];
        }
        top = warp_max(top);
        wanted = warp_sum(wanted);
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            int c = i * 32 + lane;
            value[i] = c < VOCABULARY ? exponential(value[i] - top) : 0;
            total += value[i];
        }
        total = warp_sum(total);
        loss += (double)(weight * step->divisor * (logf(total) + top - wanted));
        const float factor = weight / total;
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            int c = i * 32 + lane;
            if (c < LOGITS)
                dlogits[(size_t)row * LOGITS + c]
                    = stored_of(value[i] * factor - (c == target ? weight : 0));
        }
    }
    if (lane == 0) sums.of_warp[warp] = loss;
    sync_block();
    if (threadIdx.x == 0) {
        for (int i = 1; i < ROW_WARPS; i++) loss += sums.of_warp[i];
        losses[blockIdx.x] = loss;
    }
}
