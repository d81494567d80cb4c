// Matrix products with tensor cores: C[m][n] = sum over k of A[m][k] B[n][k].
//
// A `unit` is what one 32-bit operand register of a product holds: a float where products are exact, a
// pair of bfloat16 neighbours along k otherwise. Eight units along k make one step of the tensor cores
// in both cases, with the same places in the warp: that is why one code serves both.
#pragma once
#include "model.h"

/// Elements along k in a unit.
constexpr int UNIT = EXACT ? 1 : 2;
/// Units along k that a block holds in shared memory at a time.
constexpr int DEPTH = 16;

#if EXACT
/// An operand as the sum of two TF32 numbers: the first cut off (so that NaN and infinity stay what
/// they are), the second the rest, rounded; together exact to 2^-21.
struct Left {
    u32 high[4], low[4];
};
struct Right {
    u32 high[2], low[2];
};
DEVICE void split(u32 x, u32 &high, u32 &low) {
    high = x & 0xffffe000u;
    low = bits_of(float_of(x) - float_of(high)) + 0x1000u;
}
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
constexpr int PASSES = 3;
/// One of the three products whose sum is exact, the small ones first.
DEVICE void multiply(int pass, float (&c)[4], const Left &a, const Right &b) {
    if (pass == 0)
        mma_tf32(c, a.low, b.high);
    else if (pass == 1)
        mma_tf32(c, a.high, b.low);
    else
        mma_tf32(c, a.high, b.high);
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
constexpr int PASSES = 1;
DEVICE void multiply(int, float (&c)[4], const Left &a, const Right &b) {
    mma_bf16(c, a.high, b.high);
}
#endif
DEVICE void multiply(float (&c)[4], const Left &a, const Right &b) {
#pragma unroll
    for (int pass = 0; pass < PASSES; pass++) multiply(pass, c, a, b);
}

/// Four elements along k as units, to shared memory.
DEVICE void put_along(u32 *to, float4 v) {
#if EXACT
    *reinterpret_cast<uint4 *>(to)
        = make_uint4(bits_of(v.x), bits_of(v.y), bits_of(v.z), bits_of(v.w));
#else
    *reinterpret_cast<uint2 *>(to) = make_uint2(pack_bf16(v.x, v.y), pack_bf16(v.z, v.w));
#endif
}

/// `count` rows of an operand in shared memory whose elements lie along k in memory.
///
/// The source gives four elements: `float4 operator()(int row, int k)`, zeros outside.
template <int count, int threads> struct AlongDepth {
    static constexpr int ROW = DEPTH + 4;  // no two lanes of a fragment in one bank
    static constexpr int GROUPS = count * DEPTH * UNIT / 4;
    static constexpr int EACH = (GROUPS + threads - 1) / threads;
    struct Tile {
        alignas(16) u32 unit[count * ROW];
    };
    float4 held[EACH];

    template <class Source> DEVICE_MEMBER void fetch(const Source &source, int k) {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            int group = threadIdx.x + i * threads;
            if (GROUPS % threads == 0 || group < GROUPS)
                held[i] = source(group / (DEPTH * UNIT / 4), k + group % (DEPTH * UNIT / 4) * 4);
        }
    }
    DEVICE_MEMBER void put(Tile &tile) const {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            int group = threadIdx.x + i * threads;
            if (GROUPS % threads == 0 || group < GROUPS)
                put_along(&tile.unit[group / (DEPTH * UNIT / 4) * ROW
                                     + group % (DEPTH * UNIT / 4) * 4 / UNIT], held[i]);
        }
    }
    static DEVICE_MEMBER u32 at(const Tile &tile, int row, int unit) {
        return tile.unit[row * ROW + unit];
    }
};

/// `count` columns of an operand whose rows in memory are along k.
///
/// The source gives four neighbours of one k: `float4 operator()(int k, int column)`.
template <int count, int threads> struct AcrossDepth {
    static constexpr int ROW = count + 8;
    static constexpr int GROUPS = count / 4 * DEPTH;
    static constexpr int EACH = (GROUPS + threads - 1) / threads;
    struct Tile {
        alignas(16) u32 unit[DEPTH * ROW];
    };
    float4 held[EACH][UNIT];

    template <class Source> DEVICE_MEMBER void fetch(const Source &source, int k) {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            int group = threadIdx.x + i * threads;
            if (GROUPS % threads == 0 || group < GROUPS)
#pragma unroll
                for (int j = 0; j < UNIT; j++)
                    held[i][j] = source(k + group / (count / 4) * UNIT + j,
                                        group % (count / 4) * 4);
        }
    }
    DEVICE_MEMBER void put(Tile &tile) const {
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            int group = threadIdx.x + i * threads;
            if (GROUPS % threads == 0 || group < GROUPS) {
                float4 a = held[i][0], b = held[i][UNIT - 1];
                auto to = reinterpret_cast<uint4 *>(
                    &tile.unit[group / (count / 4) * ROW + group % (count / 4) * 4]);
#if EXACT
                *to = make_uint4(bits_of(a.x), bits_of(a.y), bits_of(a.z), bits_of(a.w));
                (void)b;
#else
                *to = make_uint4(pack_bf16(a.x, b.x), pack_bf16(a.y, b.y), pack_bf16(a.z, b.z),
                                 pack_bf16(a.w, b.w));
#endif
            }
        }
    }
    static DEVICE_MEMBER u32 at(const Tile &tile, int row, int unit) {
        return tile.unit[unit * ROW + row];
    }
};

/// Rows and columns of C that a block computes, with 2 x 2 warps of 32 x 64 each.
constexpr int BLOCK_ROWS = 64, BLOCK_COLUMNS = 128, PRODUCT_THREADS = 128;
constexpr int WARP_ROWS = 32, WARP_COLUMNS = 64;
constexpr int ROW_PARTS = WARP_ROWS / 16, COLUMN_PARTS = WARP_COLUMNS / 8;
/// What a thread holds of C: sums[i][j] lies where mma_bf16 says in part (i, j) of its warp.
typedef float Sums[ROW_PARTS][COLUMN_PARTS][4];

typedef AlongDepth<BLOCK_ROWS, PRODUCT_THREADS> LeftAlong;
typedef AcrossDepth<BLOCK_ROWS, PRODUCT_THREADS> LeftAcross;
typedef AlongDepth<BLOCK_COLUMNS, PRODUCT_THREADS> RightAlong;
typedef AcrossDepth<BLOCK_COLUMNS, PRODUCT_THREADS> RightAcross;

template <class A, class B> struct ProductMemory {
    typename A::Tile a;
    typename B::Tile b;
};

/// sums = A B' over k in first ..< end; sources give zeros from `end` on. `columns` of C exist.
/// `each(tile of A)` is called for each part of A in shared memory.
template <class A, class B, class SourceA, class SourceB, class Each>
DEVICE void product(Sums &sums, ProductMemory<A, B> &memory, const SourceA &source_a,
                    const SourceB &source_b, int first, int end, int columns, const Each &each) {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int row = warp / 2 * WARP_ROWS, column = warp % 2 * WARP_COLUMNS;
    A a;
    B b;
#pragma unroll
    for (int i = 0; i < ROW_PARTS; i++)
#pragma unroll
        for (int j = 0; j < COLUMN_PARTS; j++)
#pragma unroll
            for (int e = 0; e < 4; e++) sums[i][j][e] = 0;
    a.fetch(source_a, first);
    b.fetch(source_b, first);
    for (int k = first; k < end; k += DEPTH * UNIT) {
        if (k > first) sync_block();
        a.put(memory.a);
        b.put(memory.b);
        sync_block();
        if (k + DEPTH * UNIT < end) {
            a.fetch(source_a, k + DEPTH * UNIT);
            b.fetch(source_b, k + DEPTH * UNIT);
        }
        each(memory.a);
#pragma unroll
        for (int u = 0; u < DEPTH; u += 8) {
            Left left[ROW_PARTS];
#pragma unroll
            for (int i = 0; i < ROW_PARTS; i++) {
                int r = row + i * 16 + g;
                left[i] = left_of(A::at(memory.a, r, u + t), A::at(memory.a, r + 8, u + t),
                                  A::at(memory.a, r, u + t + 4), A::at(memory.a, r + 8, u + t + 4));
            }
#pragma unroll
            for (int j = 0; j < COLUMN_PARTS; j += 2) {
                if (column + j * 8 >= columns) continue;
                Right right[2];
#pragma unroll
                for (int q = 0; q < 2; q++) {
                    int c = column + (j + q) * 8 + g;
                    right[q] = right_of(B::at(memory.b, c, u + t), B::at(memory.b, c, u + t + 4));
                }
#pragma unroll
                for (int pass = 0; pass < PASSES; pass++)
#pragma unroll
                    for (int q = 0; q < 2; q++)
#pragma unroll
                        for (int i = 0; i < ROW_PARTS; i++)
                            multiply(pass, sums[i][j + q], left[i], right[q]);
            }
        }
    }
}

struct Nothing {
    template <class Tile> DEVICE_MEMBER void operator()(const Tile &) const {}
};

/// Calls `use(row, column, x, y)` for each pair of neighbours of C that the thread holds.
template <class Use> DEVICE void for_pairs(const Sums &sums, const Use &use) {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int i = 0; i < ROW_PARTS; i++)
#pragma unroll
        for (int half = 0; half < 2; half++)
#pragma unroll
            for (int j = 0; j < COLUMN_PARTS; j++)
                use(warp / 2 * WARP_ROWS + i * 16 + half * 8 + g,
                    warp % 2 * WARP_COLUMNS + j * 8 + 2 * t, sums[i][j][2 * half],
                    sums[i][j][2 * half + 1]);
}
