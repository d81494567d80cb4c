// Products of small matrices: a block computes 32 x 32 results, its warps four parts of them, each
// in two halves of the depth.
#pragma once
#include "sac.h"
#include "tf32.h"

/// Parts of the operands that are in shared memory, or on the way there, at a time; elements along
/// the depth of a part.
constexpr int STAGES = 4, PART = 32;
/// Floats between rows of an operand in shared memory, so that no two of a fragment meet in a bank:
/// of one whose rows lie along the depth, and of one whose rows lie across it.
constexpr int ALONG = PART + 4, ACROSS = TILE + 8;
/// Floats between rows of a result.
constexpr int RESULT = TILE + 4;

/// The operands, then the sums of both halves of the depth.
union Tiles {
    alignas(16) float stage[STAGES][2][PART * ACROSS];
    alignas(16) float result[2][TILE][RESULT];
};

enum Order { along, across };

/// Eight elements along the depth of 16 rows, split: the left operand of a product.
struct Fragment {
    u32 high[4], low[4];
};

/// tiles.result = the product over `depth`: of each half of the depth's steps the sum.
///
/// `left(to, row, k)` and `right(to, row, k)` copy four elements to shared memory, zeros where there
/// are none: k ..< k + 4 of row `row` of a tile where the order is `along`, rows `row` ..< `row` + 4
/// of element k where it is `across`. `value(x, row, k)` is what stands for the left operand's
/// element. `prepare()` runs while copies are under way and writes what `value` reads or, where
/// `left_waits` is 1, what `left` reads. Nobody may still read from `tiles`.
template <Order left_order, Order right_order, int depth, int left_waits, class Left, class Right,
          class Value, class Prepare>
DEVICE void multiply(Tiles &tiles, const Left &left, const Right &right, const Value &value,
                     const Prepare &prepare) {
    constexpr int parts = (depth + PART - 1) / PART;
    constexpr int left_row = left_order == along ? ALONG : ACROSS;
    constexpr int right_row = right_order == along ? ALONG : ACROSS;
    const int major = threadIdx.x / 8, minor = threadIdx.x % 8 * 4;
    const auto copy_left = [&](int part) {
        float *to = tiles.stage[part % STAGES][0] + major * left_row + minor;
        const int k = part * PART;
        if (part >= parts) return;
        if (left_order == along)
            left(to, major, k + minor);
        else
            left(to, minor, k + major);
    };
    const auto copy_right = [&](int part) {
        float *to = tiles.stage[part % STAGES][1] + major * right_row + minor;
        const int k = part * PART;
        if (part >= parts) return;
        if (right_order == along)
            right(to, major, k + minor);
        else
            right(to, minor, k + major);
    };
    for (int part = 0; part < STAGES - 1; part++) {
        copy_right(part);
        if (!left_waits) copy_left(part);
    }
    prepare();
    if (left_waits) sync_block();
    for (int part = 0; part < STAGES - 1; part++) {
        if (left_waits) copy_left(part);
        commit_copies();
    }

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int half = warp / 4, row0 = warp / 2 % 2 * 16, column0 = warp % 2 * 16;
    float sums[2][4] = {};
    for (int part = 0; part < parts; part++) {
        wait_for_copies<STAGES - 2>();
        sync_block();
        copy_left(part + STAGES - 1);
        copy_right(part + STAGES - 1);
        commit_copies();
        const float *a = tiles.stage[part % STAGES][0], *b = tiles.stage[part % STAGES][1];
        float products[2][2][4] = {};
#pragma unroll
        for (int step = 0; step < 2; step++) {
            const int k = half * 16 + step * 8 + t;
            Fragment x;
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int row = row0 + g + i % 2 * 8, at = k + i / 2 * 4;
                const float element = a[left_order == along ? row * ALONG + at : at * ACROSS + row];
                split(bits_of(value(element, row, part * PART + at)), x.high[i], x.low[i]);
            }
#pragma unroll
            for (int n = 0; n < 2; n++) {
                u32 high[2], low[2];
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    const int column = column0 + n * 8 + g, at = k + i * 4;
                    split(bits_of(b[right_order == along ? column * ALONG + at
                                                         : at * ACROSS + column]),
                          high[i], low[i]);
                }
                mma_tf32(products[step][n], x.low, high);
                mma_tf32(products[step][n], x.high, low);
                mma_tf32(products[step][n], x.high, high);
            }
        }
#pragma unroll
        for (int n = 0; n < 2; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) sums[n][i] += products[0][n][i] + products[1][n][i];
    }
    sync_block();
#pragma unroll
    for (int n = 0; n < 2; n++)
#pragma unroll
        for (int i = 0; i < 2; i++)
            store2(&tiles.result[half][row0 + g + i * 8][column0 + n * 8 + t * 2], sums[n][2 * i],
                   sums[n][2 * i + 1]);
    sync_block();
}

/// The row and the first of four columns of a tile that are this thread's.
DEVICE int own_row() { return threadIdx.x / 8; }
DEVICE int own_column() { return threadIdx.x % 8 * 4; }

/// This thread's four results of `multiply`.
DEVICE float4 own_results(const Tiles &tiles) {
    const float4 a = load4(&tiles.result[0][own_row()][own_column()]);
    const float4 b = load4(&tiles.result[1][own_row()][own_column()]);
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

/// The left operand as it is.
struct Unchanged {
    DEVICE_MEMBER float operator()(float x, int, int) const { return x; }
};

/// Nothing to prepare.
struct Nothing {
    DEVICE_MEMBER void operator()() const {}
};

/// A matrix in memory whose rows (of `stride` numbers) from `row0` on and columns from `column0` on
/// are copied, up to `rows` and `columns`.
template <Order order> struct Matrix {
    const float *base;
    int stride, row0, column0, rows, columns;

    /// Along the depth, rows are the tile's and columns the depth's; across it, the other way round.
    DEVICE_MEMBER void operator()(float *to, int row, int k) const {
        const int r = order == along ? row0 + row : k, c = order == along ? k : column0 + row;
        const bool valid = r < rows && c < columns;
        copy_async(to, valid ? base + (size_t)r * stride + c : base, valid);
    }
};

/// Rows `row0` ..< `rows` of a matrix, copied along the depth up to `columns`.
DEVICE Matrix<along> rows_of(const float *base, int stride, int row0, int rows, int columns) {
    return {base, stride, row0, 0, rows, columns};
}
/// Columns `column0` ..< `columns` of a matrix, copied across the depth up to `rows`.
DEVICE Matrix<across> columns_of(const float *base, int stride, int column0, int rows,
                                 int columns) {
    return {base, stride, 0, column0, rows, columns};
}

/// Transitions that a batch names, as rows of a matrix: along the depth a tile's, across it all.
template <Order order> struct Gathered {
    const float *base;
    const u32 *places;
    int stride, row0, column0, columns;

    DEVICE_MEMBER void operator()(float *to, int row, int k) const {
        const int r = order == along ? row : k, c = order == along ? k : column0 + row;
        const bool valid = row0 + r < BATCH && c < columns;
        copy_async(to, valid ? base + (size_t)places[r] * stride + c : base, valid);
    }
};
