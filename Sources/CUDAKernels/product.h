// Matrix products with tensor cores: C[m][n] = sum over k of A[m][k] B[n][k].
//
// A `unit` is what one 32-bit operand register of a product holds: a float where products are
// exact, a pair of bfloat16 neighbours along k otherwise. Eight units along k make one step of the
// tensor cores in both cases, with the same places in the warp: that is why one code serves both.
#pragma once
#include "model.h"
#include "tf32.h"

/// Elements along k in a unit.
constexpr int UNIT = EXACT ? 1 : 2;
/// Units along k that a block holds in shared memory at a time.
constexpr int DEPTH = 16;

#if EXACT
/// An operand as the sum of two TF32 numbers (see tf32.h).
struct Left {
    u32 high[4], low[4];
};
struct Right {
    u32 high[2], low[2];
};
DEVICE Left left_of(u32 a0, u32 a1, u32 a2, u32 a3) {
    Left r;
    split(a0, r.high[0], r.low[0]);
    split(a1, r.high[1], r.low[1]);
    split(a2, r.high[2], r.low[2]);
    split(a3, r.high[3], r.low[3]);
    return r;
}
DEVICE Right right_of(u32 b0, u32 b1) {
    Right r;
    split(b0, r.high[0], r.low[0]);
    split(b1, r.high[1], r.low[1]);
    return r;
}
/// part[i][j] += the exact product of a[i] and b[j]: three products, the small ones first.
///
/// The tensor cores cut their sums off instead of rounding them, so that a long sum drifts: what is
/// summed there is short, and `product` and the other `multiply` add it up outside.
template <int rows, int columns>
DEVICE void multiply(float (&part)[rows][columns][4], const Left (&a)[rows],
                     const Right (&b)[columns]) {
#pragma unroll
    for (int pass = 0; pass < 3; pass++)
#pragma unroll
        for (int j = 0; j < columns; j++)
#pragma unroll
            for (int i = 0; i < rows; i++)
                mma_tf32(part[i][j], pass == 0 ? a[i].low : a[i].high,
                         pass == 1 ? b[j].low : b[j].high);
}
DEVICE void multiply(float (&c)[4], const Left &a, const Right &b) {
    float part[4] = {0, 0, 0, 0};
    mma_tf32(part, a.low, b.high);
    mma_tf32(part, a.high, b.low);
    mma_tf32(part, a.high, b.high);
#pragma unroll
    for (int e = 0; e < 4; e++) c[e] += part[e];
}
#else
struct Left {
    u32 high[4];
};
struct Right {
    u32 high[2];
};
DEVICE Left left_of(u32 a0, u32 a1, u32 a2, u32 a3) { return Left{{a0, a1, a2, a3}}; }
DEVICE Right right_of(u32 b0, u32 b1) { return Right{{b0, b1}}; }
template <int rows, int columns>
DEVICE void multiply(float (&c)[rows][columns][4], const Left (&a)[rows],
                     const Right (&b)[columns]) {
#pragma unroll
    for (int j = 0; j < columns; j++)
#pragma unroll
        for (int i = 0; i < rows; i++) mma_bf16(c[i][j], a[i].high, b[j].high);
}
DEVICE void multiply(float (&c)[4], const Left &a, const Right &b) { mma_bf16(c, a.high, b.high); }
#endif

/// How many parts of the operands are in shared memory, or on the way there, at a time.
constexpr int STAGES = 3;
/// Elements along k of such a part, elements and units of the 16 bytes of one copy.
constexpr int PART = DEPTH * UNIT, COPY = 4 * UNIT, COPY_UNITS = 4;

/// `count` rows of an operand whose elements lie along k in memory: row after row.
///
/// The source names the place of COPY elements: `const stored *operator()(int row, int k, bool
/// &valid)`; where they are not valid zeros stand for them, and the place must still be one of the
/// array.
template <int count> struct AlongDepth {
    static constexpr int ROW = DEPTH + 4;  // no two rows of a fragment in one bank
    struct Tile {
        alignas(16) u32 unit[count * ROW];
    };

    template <int threads, class Source>
    static DEVICE_MEMBER void copy(Tile &tile, const Source &source, int k) {
        constexpr int COPIES = count * DEPTH / COPY_UNITS, PER_ROW = DEPTH / COPY_UNITS;
#pragma unroll
        for (int i = 0; i < (COPIES + threads - 1) / threads; i++) {
            const int number = threadIdx.x + i * threads, row = number / PER_ROW,
                      part = number % PER_ROW;
            if (COPIES % threads != 0 && number >= COPIES) break;
            bool valid;
            const stored *from = source(row, k + part * COPY, valid);
            copy_async(&tile.unit[row * ROW + part * COPY_UNITS], from, valid);
        }
    }
    /// Rows row ..< row + 16, units unit ..< unit + 8.
    static DEVICE_MEMBER Left left(const Tile &tile, int row, int unit) {
        const int lane = threadIdx.x % 32;
#if EXACT
        const u32 *at = &tile.unit[(row + lane / 4) * ROW + unit + lane % 4];
        return left_of(at[0], at[8 * ROW], at[4], at[8 * ROW + 4]);
#else
        Left r;
        load_matrices(r.high, &tile.unit[(row + lane % 16) * ROW + unit + lane / 16 * 4]);
        return r;
#endif
    }
    /// The same of 16 columns as two right operands.
    static DEVICE_MEMBER void right(Right (&r)[2], const Tile &tile, int row, int unit) {
        const int lane = threadIdx.x % 32;
#if EXACT
        const u32 *at = &tile.unit[(row + lane / 4) * ROW + unit + lane % 4];
        r[0] = right_of(at[0], at[4]);
        r[1] = right_of(at[8 * ROW], at[8 * ROW + 4]);
#else
        u32 m[4];
        load_matrices(
            m, &tile.unit[(row + lane / 16 * 8 + lane % 8) * ROW + unit + lane / 8 % 2 * 4]);
        r[0] = right_of(m[0], m[1]);
        r[1] = right_of(m[2], m[3]);
#endif
    }
};

/// `count` rows of an operand whose rows lie across k in memory: one k after the other.
///
/// The source names the place of COPY neighbours of one k: `operator()(int k, int row, bool
/// &valid)`.
template <int count> struct AcrossDepth {
    static constexpr int ROW = count + 8;
    struct Tile {
        alignas(16) stored number[PART * ROW];
    };

    template <int threads, class Source>
    static DEVICE_MEMBER void copy(Tile &tile, const Source &source, int k) {
        constexpr int COPIES = PART * count / COPY, PER_ROW = count / COPY;
#pragma unroll
        for (int i = 0; i < (COPIES + threads - 1) / threads; i++) {
            const int number = threadIdx.x + i * threads, row = number / PER_ROW,
                      part = number % PER_ROW;
            if (COPIES % threads != 0 && number >= COPIES) break;
            bool valid;
            const stored *from = source(k + row, part * COPY, valid);
            copy_async(&tile.number[row * ROW + part * COPY], from, valid);
        }
    }
    static DEVICE_MEMBER Left left(const Tile &tile, int row, int unit) {
        const int lane = threadIdx.x % 32;
#if EXACT
        const stored *at = &tile.number[(unit + lane % 4) * ROW + row + lane / 4];
        return left_of(bits_of(at[0]), bits_of(at[8]), bits_of(at[4 * ROW]),
                       bits_of(at[4 * ROW + 8]));
#else
        Left r;
        load_matrices_turned(
            r.high,
            &tile.number[(unit * 2 + lane / 16 * 8 + lane % 8) * ROW + row + lane / 8 % 2 * 8]);
        return r;
#endif
    }
    static DEVICE_MEMBER void right(Right (&r)[2], const Tile &tile, int row, int unit) {
        const int lane = threadIdx.x % 32;
#if EXACT
        const stored *at = &tile.number[(unit + lane % 4) * ROW + row + lane / 4];
        r[0] = right_of(bits_of(at[0]), bits_of(at[4 * ROW]));
        r[1] = right_of(bits_of(at[8]), bits_of(at[4 * ROW + 8]));
#else
        u32 m[4];
        load_matrices_turned(
            m, &tile.number[(unit * 2 + lane % 16) * ROW + row + lane / 16 * 8]);
        r[0] = right_of(m[0], m[1]);
        r[1] = right_of(m[2], m[3]);
#endif
    }
    /// One element.
    static DEVICE_MEMBER float value(const Tile &tile, int row, int k) {
        return number_of(tile.number[k * ROW + row]);
    }
};

/// Rows and columns of C that a warp computes, and a block of 2 x 2 warps.
constexpr int WARP_ROWS = 32, WARP_COLUMNS = 32;
constexpr int BLOCK_ROWS = 2 * WARP_ROWS, BLOCK_COLUMNS = 2 * WARP_COLUMNS, PRODUCT_THREADS = 128;
/// Blocks of a multiprocessor that there is room for.
constexpr int PRODUCT_BLOCKS = EXACT ? 4 : 5;
/// Steps along k that are summed in the tensor cores.
constexpr int CHAIN = EXACT ? 2 : 1;
constexpr int ROW_PARTS = WARP_ROWS / 16, COLUMN_PARTS = WARP_COLUMNS / 8;
/// What a thread holds of C: sums[j][i][k] lies where mma_bf16 says in part (i, 2 j + k) of its
/// warp.
typedef float Sums[COLUMN_PARTS / 2][ROW_PARTS][2][4];

typedef AlongDepth<BLOCK_ROWS> LeftAlong;
typedef AcrossDepth<BLOCK_ROWS> LeftAcross;
typedef AlongDepth<BLOCK_COLUMNS> RightAlong;
typedef AcrossDepth<BLOCK_COLUMNS> RightAcross;

/// C in shared memory, so that neighbours in a row of it come to one thread.
struct Result {
    static constexpr int ROW = BLOCK_COLUMNS + 8;
    alignas(16) float number[BLOCK_ROWS * ROW];
};

/// First the operands, then the result.
template <class A, class B> union ProductMemory {
    struct {
        typename A::Tile a[STAGES];
        typename B::Tile b[STAGES];
    } operands;
    Result result;
};

/// sums = A B' over k in first ..< end; sources are valid before `end` alone. `columns` of C exist.
/// `each(tile of A)` is called for each part of A in shared memory.
template <class A, class B, class SourceA, class SourceB, class Each>
DEVICE void product(Sums &sums, ProductMemory<A, B> &memory, const SourceA &source_a,
                    const SourceB &source_b, int first, int end, int columns, const Each &each) {
    const int warp = threadIdx.x / 32;
    const int row = warp / 2 * WARP_ROWS, column = warp % 2 * WARP_COLUMNS;
#pragma unroll
    for (int j = 0; j < COLUMN_PARTS / 2; j++)
#pragma unroll
        for (int i = 0; i < ROW_PARTS; i++)
#pragma unroll
            for (int e = 0; e < 4; e++) sums[j][i][0][e] = sums[j][i][1][e] = 0;
#pragma unroll
    for (int stage = 0; stage < STAGES - 1; stage++) {
        if (first + stage * PART < end) {
            const int k = first + stage * PART;
            A::template copy<PRODUCT_THREADS>(memory.operands.a[stage], source_a, k);
            B::template copy<PRODUCT_THREADS>(memory.operands.b[stage], source_b, k);
        }
        commit_copies();
    }
    int stage = 0;
    for (int k = first; k < end; k += PART) {
        wait_for_copies<STAGES - 2>();
        sync_block();
        const int next = k + (STAGES - 1) * PART, place = stage == 0 ? STAGES - 1 : stage - 1;
        if (next < end) {
            A::template copy<PRODUCT_THREADS>(memory.operands.a[place], source_a, next);
            B::template copy<PRODUCT_THREADS>(memory.operands.b[place], source_b, next);
        }
        commit_copies();
        const typename A::Tile &a = memory.operands.a[stage];
        const typename B::Tile &b = memory.operands.b[stage];
        each(a);
#pragma unroll
        for (int u = 0; u < DEPTH; u += 8 * CHAIN) {
            Left left[CHAIN][ROW_PARTS];
#pragma unroll
            for (int c = 0; c < CHAIN; c++)
#pragma unroll
                for (int i = 0; i < ROW_PARTS; i++)
                    left[c][i] = A::left(a, row + i * 16, u + c * 8);
#pragma unroll
            for (int j = 0; j < COLUMN_PARTS / 2; j++) {
                if (column + j * 16 >= columns) continue;
                float part[ROW_PARTS][2][4];
#pragma unroll
                for (int e = 0; e < 8 * ROW_PARTS; e++)
                    part[e / 8][e / 4 % 2][e % 4] = EXACT ? 0 : sums[j][e / 8][e / 4 % 2][e % 4];
#pragma unroll
                for (int c = 0; c < CHAIN; c++) {
                    Right right[2];
                    B::right(right, b, column + j * 16, u + c * 8);
                    multiply(part, left[c], right);
                }
#pragma unroll
                for (int e = 0; e < 8 * ROW_PARTS; e++) {
                    float &sum = sums[j][e / 8][e / 4 % 2][e % 4];
                    sum = part[e / 8][e / 4 % 2][e % 4] + (EXACT ? sum : 0);
                }
            }
        }
        stage = stage == STAGES - 1 ? 0 : stage + 1;
    }
}

struct Nothing {
    template <class Tile> DEVICE_MEMBER void operator()(const Tile &) const {}
};

/// Neighbours in a row of C that a thread gets at once: 16 bytes of operands.
constexpr int RUN = COPY;
struct Run {
    float of[RUN];
};
DEVICE Run load_run(const float *p) {
    Run r;
#pragma unroll
    for (int i = 0; i < RUN; i += 4) {
        float4 v = load4(p + i);
        r.of[i] = v.x, r.of[i + 1] = v.y, r.of[i + 2] = v.z, r.of[i + 3] = v.w;
    }
    return r;
}
DEVICE void store_run(float *p, const Run &r) {
#pragma unroll
    for (int i = 0; i < RUN; i += 4)
        store4(p + i, make_float4(r.of[i], r.of[i + 1], r.of[i + 2], r.of[i + 3]));
}
#if !EXACT
DEVICE Run load_run(const stored *p) {
    uint4 u = *reinterpret_cast<const uint4 *>(p);
    float2 a = pair_of(u.x), b = pair_of(u.y), c = pair_of(u.z), d = pair_of(u.w);
    return Run{{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}};
}
DEVICE void store_run(stored *p, const Run &r) {
    *reinterpret_cast<uint4 *>(p)
        = make_uint4(pack_bf16(r.of[0], r.of[1]), pack_bf16(r.of[2], r.of[3]),
                     pack_bf16(r.of[4], r.of[5]), pack_bf16(r.of[6], r.of[7]));
}
#endif

/// Calls `use(row, column, run)` for each run of C in its first `columns` columns, whole runs.
template <class Use>
DEVICE void for_runs(Result &result, const Sums &sums, int columns, const Use &use) {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    sync_block();
#pragma unroll
    for (int i = 0; i < ROW_PARTS; i++)
#pragma unroll
        for (int half = 0; half < 2; half++)
#pragma unroll
            for (int j = 0; j < COLUMN_PARTS; j++)
                store2(&result.number[(warp / 2 * WARP_ROWS + i * 16 + half * 8 + g) * Result::ROW
                                      + warp % 2 * WARP_COLUMNS + j * 8 + 2 * t],
                       sums[j / 2][i][j % 2][2 * half], sums[j / 2][i][j % 2][2 * half + 1]);
    sync_block();
    constexpr int PER_ROW = BLOCK_COLUMNS / RUN;
#pragma unroll 2
    for (int i = threadIdx.x; i < BLOCK_ROWS * PER_ROW; i += PRODUCT_THREADS) {
        const int row = i / PER_ROW, column = i % PER_ROW * RUN;
        if (column < columns)
            use(row, column, load_run(&result.number[row * Result::ROW + column]));
    }
}
