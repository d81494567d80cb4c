// Products of bfloat16 factors with sums in single precision, for processors with AVX-512 BF16.
//
// One instruction multiplies sixteen pairs of factors and adds both products to sixteen sums, so
// that a product takes half the steps of kernels of floats. Factors are rounded to nearest, even;
// numbers below 2^-126 count as zero. Matrices in memory stay floats: the left factor is converted
// tile by tile, weights when they are packed.
//
// Two factors that follow each other along the sum, the first in the low half, are a *pair*. A
// tile of C, its registers and what is fetched meanwhile are as in bodies/product.h.
#include "include/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma"))),             \
    apply_to = function)
#include "bodies/fetch.h"

#define PANEL TT_PANEL
#define TILE 14
#define LANES 16
/// Pairs of a converted row of A: longer sums are done part by part.
#define MOST_PAIRS 512
/// Pairs from row to row of a converted A: a power of two apart they would fall into the same cache lines.
#define PAIR_ROW (MOST_PAIRS + LANES)
/// What a weight gradient converts at once: pairs along the sum, rows and columns of C.
#define PART_PAIRS 64
#define PART_SIDE 512
#define PART_TILES ((PART_SIDE + TILE - 1) / TILE + 1)

typedef uint32_t pair;

INLINE __mmask16 first_lanes(ptrdiff_t count) {
    return count >= LANES ? 0xFFFF : (__mmask16)((1u << (count < 0 ? 0 : count)) - 1);
}

/// Pairs of the numbers of one row: 32 numbers to 16 pairs.
INLINE __m512i pairs_along(const float *row, ptrdiff_t count) {
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(first_lanes(count - LANES), row + LANES),
                                        _mm512_maskz_loadu_ps(first_lanes(count), row));
}

/// Pairs of the numbers of two rows: number i of `upper` with number i of `lower`, which may be null
/// for a row of zeros.
INLINE __m512i pairs_across(const float *upper, const float *lower, ptrdiff_t count) {
    const __m512i order
        = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22,
                           6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __mmask16 lanes = first_lanes(count);
    __m512 below = lower ? _mm512_maskz_loadu_ps(lanes, lower) : _mm512_setzero_ps();
    __m512 above = _mm512_maskz_loadu_ps(lanes, upper);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(below, above));
}

/// A tile of C: `rows` x `vectors` vectors, of which the last has the columns of `last`.
///
/// The pair of row i and step k is a[i * a_row + k * a_step], that of step k and column j
/// b[k * PANEL + j]. C starts as itself when `accumulate`, else as `bias`, else as zero.
INLINE void pair_tile(float *c, ptrdiff_t c_row, const pair *a, ptrdiff_t a_row, ptrdiff_t a_step,
                      const pair *b, ptrdiff_t pairs, const float *bias, int accumulate,
                      __mmask16 last, int rows, int vectors, line_walk *fetch) {
    const float *upcoming = fetch->next, *row_end = fetch->row_end, *final = fetch->last;
    ptrdiff_t gap = fetch->gap, stride = fetch->stride;
    __m512 sums[TILE][2];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        __mmask16 mask = v + 1 < vectors ? 0xFFFF : last;
        __m512 start = bias ? _mm512_maskz_loadu_ps(mask, bias + v * LANES) : _mm512_setzero_ps();
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            __builtin_prefetch(c + i * c_row + v * LANES, 1);
            sums[i][v] = start;
        }
    }
    for (ptrdiff_t k = 0; k < pairs; k++) {
        // Two lines a step, which sums up twice as much as one of floats.
        __builtin_prefetch(upcoming, 0, 2);
        __builtin_prefetch(upcoming + 16, 0, 2);
        upcoming += 32;
        int wraps = upcoming >= row_end;
        upcoming = wraps ? row_end + gap : upcoming;
        row_end = wraps ? row_end + stride : row_end;
        upcoming = upcoming < final ? upcoming : final;
        __m512bh right[2];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) right[v] = (__m512bh)_mm512_loadu_si512(b + v * LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            __m512bh left = (__m512bh)_mm512_set1_epi32((int)a[i * a_row]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++)
                sums[i][v] = _mm512_dpbf16_ps(sums[i][v], left, right[v]);
        }
        a += a_step;
        b += PANEL;
    }
    fetch->next = upcoming;
    fetch->row_end = row_end;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            float *place = c + i * c_row + v * LANES;
            __mmask16 mask = v + 1 < vectors ? 0xFFFF : last;
            __m512 sum = sums[i][v];
            if (accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, place));
            _mm512_mask_storeu_ps(place, mask, sum);
        }
}

#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        pair_tile(c, c_row, a, along ? PAIR_ROW : 1, along ? 1 : LANES, b, pairs, bias,          \
                  accumulate, last, n, vectors, fetch);                                            \
        break;
/// Tiles with any number of rows; A as rows of pairs (`along` the sum) or as PART_PAIRS lines of
/// LANES pairs.
#define TILE_FUNCTION(name, vector_count, goes_along)                                              \
    static __attribute__((noinline)) void name(                                                    \
        float *c, ptrdiff_t c_row, const pair *a, const pair *b, ptrdiff_t pairs,                  \
        const float *bias, int accumulate, __mmask16 last, ptrdiff_t rows, line_walk *fetch) {     \
        const int vectors = vector_count, along = goes_along;                                      \
        switch (rows) {                                                                            \
            TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6)          \
            TILE_CASE(7) TILE_CASE(8) TILE_CASE(9) TILE_CASE(10) TILE_CASE(11) TILE_CASE(12)       \
            TILE_CASE(13) TILE_CASE(14)                                                            \
        }                                                                                          \
    }
TILE_FUNCTION(along_two, 2, 1)
TILE_FUNCTION(along_one, 1, 1)
TILE_FUNCTION(across_two, 2, 0)
TILE_FUNCTION(across_one, 1, 0)

/// `rows` <= TILE rows of C, all `columns`; panels of B are `panel` pairs apart.
INLINE void pair_rows(float *c, ptrdiff_t c_row, const pair *a, const pair *b, ptrdiff_t panel,
                      ptrdiff_t pairs, ptrdiff_t rows, ptrdiff_t columns, const float *bias,
                      int accumulate, int along, fetcher *fetch) {
    for (ptrdiff_t j = 0; j < columns; j += PANEL) {
        ptrdiff_t width = columns - j < PANEL ? columns - j : PANEL;
        __mmask16 last = first_lanes((width - 1) % LANES + 1);
        line_walk *ahead = advance(fetch);
        const pair *right = b + j / PANEL * panel;
        const float *shift = bias ? bias + j : 0;
        if (width > LANES)
            (along ? along_two : across_two)(c + j, c_row, a, right, pairs, shift, accumulate, last,
                                             rows, ahead);
        else
            (along ? along_one : across_one)(c + j, c_row, a, right, pairs, shift, accumulate, last,
                                             rows, ahead);
    }
}

void tt_pair_product(float *c, const float *a, const float *packed, const float *bias,
                     ptrdiff_t c_row, ptrdiff_t a_stride, ptrdiff_t rows, ptrdiff_t columns,
                     ptrdiff_t depth, int accumulate, const tt_upcoming *upcoming) {
    const pair *b = (const pair *)packed;
    fetcher fetch = fetcher_of(upcoming, packed);
    ptrdiff_t all = (depth + 1) / 2, tiles = (rows + TILE - 1) / TILE;
    _Alignas(64) pair left[TILE * PAIR_ROW];
    for (ptrdiff_t t = 0; t < tiles; t++) {
        ptrdiff_t first = rows * t / tiles, count = rows * (t + 1) / tiles - first;
        for (ptrdiff_t part = 0; part < all; part += MOST_PAIRS) {
            ptrdiff_t pairs = all - part < MOST_PAIRS ? all - part : MOST_PAIRS;
            for (ptrdiff_t i = 0; i < count; i++) {
                const float *row = a + (first + i) * a_stride;
                for (ptrdiff_t k = 0; k < pairs; k += LANES)
                    _mm512_store_si512(left + i * PAIR_ROW + k,
                                       pairs_along(row + 2 * (part + k), depth - 2 * (part + k)));
            }
            pair_rows(c + first * c_row, c_row, left, b + part * PANEL, all * PANEL, pairs, count,
                      columns, part == 0 ? bias : 0, accumulate || part > 0, 1, &fetch);
        }
    }
}

/// What a thread converts of a weight gradient's factors.
static _Thread_local _Alignas(64) pair left_part[PART_TILES * PART_PAIRS * LANES];
static _Thread_local _Alignas(64) pair right_part[PART_SIDE * PART_PAIRS];

/// A part of a weight gradient: up to PART_PAIRS pairs, PART_SIDE rows and columns.
static void gradient_part(float *c, const float *a, const float *b, ptrdiff_t c_row,
                          ptrdiff_t a_stride, ptrdiff_t b_stride, ptrdiff_t rows, ptrdiff_t columns,
                          ptrdiff_t depth, int converts_b, int accumulate, fetcher *fetch) {
    ptrdiff_t pairs = (depth + 1) / 2, tiles = (rows + TILE - 1) / TILE;
    for (ptrdiff_t k = 0; k < pairs; k++) {
        const float *upper = a + 2 * k * a_stride, *lower = 2 * k + 1 < depth ? upper + a_stride : 0;
        for (ptrdiff_t t = 0; t < tiles; t++) {
            ptrdiff_t first = rows * t / tiles;
            _mm512_store_si512(
                left_part + (t * PART_PAIRS + k) * LANES,
                pairs_across(upper + first, lower ? lower + first : 0, rows - first));
        }
        if (!converts_b) continue;
        upper = b + 2 * k * b_stride, lower = 2 * k + 1 < depth ? upper + b_stride : 0;
        for (ptrdiff_t j = 0; j < columns; j += LANES)
            _mm512_store_si512(
                right_part + (j / PANEL * PART_PAIRS + k) * PANEL + j % PANEL,
                pairs_across(upper + j, lower ? lower + j : 0, columns - j));
    }
    for (ptrdiff_t t = 0; t < tiles; t++) {
        ptrdiff_t first = rows * t / tiles, count = rows * (t + 1) / tiles - first;
        pair_rows(c + first * c_row, c_row, left_part + t * PART_PAIRS * LANES, right_part,
                  PART_PAIRS * PANEL, pairs, count, columns, 0, accumulate, 0, fetch);
    }
}

void tt_pair_gradient(float *c, const float *a, const float *b, ptrdiff_t c_row,
                      ptrdiff_t a_stride, ptrdiff_t b_stride, ptrdiff_t rows, ptrdiff_t columns,
                      ptrdiff_t depth, int accumulate, const tt_upcoming *upcoming) {
    fetcher fetch = fetcher_of(upcoming, c);
    for (ptrdiff_t k = 0; k < depth; k += 2 * PART_PAIRS) {
        ptrdiff_t deep = depth - k < 2 * PART_PAIRS ? depth - k : 2 * PART_PAIRS;
        for (ptrdiff_t j = 0; j < columns; j += PART_SIDE) {
            ptrdiff_t width = columns - j < PART_SIDE ? columns - j : PART_SIDE;
            for (ptrdiff_t i = 0; i < rows; i += PART_SIDE) {
                ptrdiff_t height = rows - i < PART_SIDE ? rows - i : PART_SIDE;
                gradient_part(c + i * c_row + j, a + k * a_stride + i, b + k * b_stride + j, c_row,
                              a_stride, b_stride, height, width, deep, i == 0, accumulate || k > 0,
                              &fetch);
            }
        }
    }
}

void tt_pack_pairs(float *packed, const float *matrix, ptrdiff_t stride, int transposed,
                   ptrdiff_t columns, ptrdiff_t depth) {
    pair *target = (pair *)packed;
    ptrdiff_t pairs = (depth + 1) / 2;
    _Alignas(64) pair row[LANES];
    for (ptrdiff_t first = 0; first < columns; first += PANEL, target += pairs * PANEL) {
        ptrdiff_t count = columns - first < PANEL ? columns - first : PANEL;
        if (count < PANEL) memset(target, 0, (size_t)(pairs * PANEL) * sizeof(pair));
        if (transposed) {
            for (ptrdiff_t j = 0; j < count; j++)
                for (ptrdiff_t k = 0; k < pairs; k += LANES) {
                    const float *from = matrix + (first + j) * stride + 2 * k;
                    _mm512_store_si512(row, pairs_along(from, depth - 2 * k));
                    ptrdiff_t rest = pairs - k < LANES ? pairs - k : LANES;
                    for (ptrdiff_t l = 0; l < rest; l++) target[(k + l) * PANEL + j] = row[l];
                }
        } else {
            for (ptrdiff_t k = 0; k < pairs; k++) {
                const float *upper = matrix + 2 * k * stride + first;
                const float *lower = 2 * k + 1 < depth ? upper + stride : 0;
                for (ptrdiff_t j = 0; j < count; j += LANES)
                    _mm512_storeu_si512(target + k * PANEL + j,
                                        pairs_across(upper + j, lower ? lower + j : 0, count - j));
            }
        }
    }
}
#pragma clang attribute pop

int tt_has_pairs(void) {
    return !strcmp(tt_instruction_set(), "avx512") && __builtin_cpu_supports("avx512bf16");
}

#else
#include <stdlib.h>

// Asking first is the caller's part.
int tt_has_pairs(void) { return 0; }
void tt_pair_product(float *c, const float *a, const float *packed, const float *bias,
                     ptrdiff_t c_row, ptrdiff_t a_stride, ptrdiff_t rows, ptrdiff_t columns,
                     ptrdiff_t depth, int accumulate, const tt_upcoming *upcoming) {
    abort();
}
void tt_pair_gradient(float *c, const float *a, const float *b, ptrdiff_t c_row,
                      ptrdiff_t a_stride, ptrdiff_t b_stride, ptrdiff_t rows, ptrdiff_t columns,
                      ptrdiff_t depth, int accumulate, const tt_upcoming *upcoming) {
    abort();
}
void tt_pack_pairs(float *packed, const float *matrix, ptrdiff_t stride, int transposed,
                   ptrdiff_t columns, ptrdiff_t depth) {
    abort();
}
#endif
