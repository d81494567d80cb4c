// Matrix products: C = A B, tiles of C held in registers.
//
// B is read in panels of PANEL columns: either packed (tt_pack_panels), each panel by itself and
// padded with zeros, or as it lies in memory. A is read one number at a time, so it may lie either
// way and needs no packing. On a processor with AVX-512 a tile takes 28 of 32 registers, with AVX2
// 12 of 16.
#pragma once
#include "fetch.h"

#define PANEL TT_PANEL
#if LANES == 16
#define TILE 14
#else
#define TILE 6
#endif
_Static_assert(TILE <= TT_MOST_ROWS, "scratch is sized for smaller tiles");
/// Steps by which operands that are read down their columns are fetched ahead of their use.
#define AHEAD 16
/// Cache lines at the start of each row of the next tile that are fetched ahead; the processor sees
/// for itself how a row goes on.
#define NEXT_LINES 4
/// Columns of a tile: two vectors.
#define SPAN (2 * LANES)

/// B as the product reads it: `panel` numbers between panels, `row` between rows of a panel.
typedef struct {
    const float *base;
    ptrdiff_t panel, row;
    /// Whether numbers past the last column may be read (packed matrices: they are zero).
    int padded;
} right_operand;

/// One tile of `rows` x `vectors` vectors, of which the last has `last` columns.
///
/// C starts as itself when `accumulate`, else as `bias`, else as zero. `partial_loads`: the last
/// vector of B must not be read past `last`. `rows`, `vectors` and `down_columns` (A is walked down
/// its columns, from row to row) are constants where this is inlined.
INLINE void product_tile(float *c, ptrdiff_t c_row, const float *a, ptrdiff_t a_row,
                         ptrdiff_t a_step, const float *b, ptrdiff_t b_row, ptrdiff_t depth,
                         const float *bias, int accumulate, ptrdiff_t last, int partial_loads,
                         int rows, int vectors, int down_columns, line_walk *fetch) {
    const float *upcoming = fetch->next, *row_end = fetch->row_end, *final = fetch->last;
    ptrdiff_t gap = fetch->gap, stride = fetch->stride;
    // Results often go where nothing was for a long time: ask for the lines before they are wanted.
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) __builtin_prefetch(c + i * c_row + v * LANES, 1);
    vf sums[TILE][2];
    vf start[2] = {splat(0), splat(0)};
    if (bias)
        for (int v = 0; v < vectors; v++)
            start[v] = v + 1 < vectors || last == LANES ? load(bias + v * LANES)
                                                        : load_partial(bias + v * LANES, last, 0);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[i][v] = start[v];
    for (ptrdiff_t k = 0; k < depth; k++) {
        // Every step the next line, into the second cache; once all are there, the last again.
        __builtin_prefetch(upcoming, 0, 2);
        upcoming += 16;
        int wraps = upcoming >= row_end;
        upcoming = wraps ? row_end + gap : upcoming;
        row_end = wraps ? row_end + stride : row_end;
        upcoming = upcoming < final ? upcoming : final;
        if (down_columns) {
            __builtin_prefetch(a + AHEAD * a_step);
            __builtin_prefetch(a + AHEAD * a_step + rows - 1);
            __builtin_prefetch(b + AHEAD * b_row);
            if (vectors * LANES > 16) __builtin_prefetch(b + AHEAD * b_row + 16);
        }
        vf right[2];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            right[v] = partial_loads && v + 1 == vectors ? load_partial(b + v * LANES, last, 0)
                                                         : load(b + v * LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            vf left = splat(a[i * a_row]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sums[i][v] += left * right[v];
        }
        a += a_step;
        b += b_row;
    }
    fetch->next = upcoming;
    fetch->row_end = row_end;
    int whole = last == LANES ? vectors : vectors - 1;
    float rest[TILE][LANES];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) {
            float *place = c + i * c_row + v * LANES;
            if (v < whole)
                store(place, accumulate ? load(place) + sums[i][v] : sums[i][v]);
            else
                store(rest[i], sums[i][v]);
        }
    if (whole < vectors) {
        float *place = c + whole * LANES;
        for (int i = 0; i < rows; i++, place += c_row)
#pragma clang loop vectorize(disable) unroll(disable)
            for (ptrdiff_t j = 0; j < last; j++)
                place[j] = accumulate ? place[j] + rest[i][j] : rest[i][j];
    }
}

// Tiles with any number of rows, two or one vectors wide; A walked along its rows or down its columns.
#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        product_tile(c, c_row, a, down_columns ? 1 : a_stride, down_columns ? a_stride : 1, b,     \
                     b_row, depth, bias, accumulate, last, 0, n, vectors, down_columns, fetch);    \
        break;
#if TILE == 14
#define TILE_CASES                                                                                 \
    TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6) TILE_CASE(7)     \
    TILE_CASE(8) TILE_CASE(9) TILE_CASE(10) TILE_CASE(11) TILE_CASE(12) TILE_CASE(13) TILE_CASE(14)
#else
#define TILE_CASES                                                                                 \
    TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6)
#endif
#define TILE_FUNCTION(name, vector_count, walks_down)                                              \
    static __attribute__((noinline)) void FN(name)(                                                \
        float *c, ptrdiff_t c_row, const float *a, ptrdiff_t a_stride, const float *b,             \
        ptrdiff_t b_row, ptrdiff_t depth, const float *bias, int accumulate, ptrdiff_t last,       \
        ptrdiff_t rows, line_walk *fetch) {                                                        \
        const int vectors = vector_count, down_columns = walks_down;                               \
        switch (rows) { TILE_CASES }                                                               \
    }
TILE_FUNCTION(rows_two, 2, 0)
TILE_FUNCTION(rows_one, 1, 0)
TILE_FUNCTION(columns_two, 2, 1)
TILE_FUNCTION(columns_one, 1, 1)
#undef TILE_FUNCTION
#undef TILE_CASES
#undef TILE_CASE

/// A vector of columns past the last whole one of an unpacked B, one row at a time; nothing outside
/// of B is read.
static __attribute__((noinline)) void FN(odd_columns)(
    float *c, ptrdiff_t c_row, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b,
    ptrdiff_t b_row, ptrdiff_t depth, const float *bias, int accumulate, ptrdiff_t columns,
    ptrdiff_t rows) {
    line_walk nothing = stay(b);
    for (ptrdiff_t i = 0; i < rows; i++)
        product_tile(c + i * c_row, c_row, a + i * a_row, 0, a_step, b, b_row, depth, bias,
                     accumulate, columns, 1, 1, 1, 0, &nothing);
}

/// `rows` <= TILE rows of C, all `columns` of them; see product_tile. `next` is A for the next rows, or
/// null.
INLINE void product_rows(float *c, ptrdiff_t c_row, const float *a, ptrdiff_t a_stride,
                         int transposed, right_operand b, ptrdiff_t rows, ptrdiff_t columns,
                         ptrdiff_t depth, const float *bias, int accumulate, const float *next,
                         fetcher *fetch) {
    ptrdiff_t lines = !next ? 0 : depth / 16 < NEXT_LINES ? depth / 16 : NEXT_LINES;
    ptrdiff_t spans = (columns + SPAN - 1) / SPAN;
    ptrdiff_t whole = b.padded ? columns : columns / LANES * LANES;
    for (ptrdiff_t j = 0; j < whole; j += SPAN) {
        const float *panel = b.base + j / PANEL * b.panel + j % PANEL;
        const float *shift = bias ? bias + j : 0;
        if (lines) {
            ptrdiff_t total = lines * TILE, span = j / SPAN;
            for (ptrdiff_t l = total * span / spans; l < total * (span + 1) / spans; l++)
                __builtin_prefetch(next + l / lines * a_stride + l % lines * 16);
        }
        line_walk *lines_ahead = advance(fetch);
        ptrdiff_t width = whole - j < SPAN ? whole - j : SPAN;
        ptrdiff_t last = (width - 1) % LANES + 1;
        if (width > LANES)
            (transposed ? FN(columns_two) : FN(rows_two))(c + j, c_row, a, a_stride, panel, b.row,
                                                          depth, shift, accumulate, last, rows,
                                                          lines_ahead);
        else
            (transposed ? FN(columns_one) : FN(rows_one))(c + j, c_row, a, a_stride, panel, b.row,
                                                          depth, shift, accumulate, last, rows,
                                                          lines_ahead);
    }
    if (whole < columns)
        FN(odd_columns)(c + whole, c_row, a, transposed ? 1 : a_stride, transposed ? a_stride : 1,
                        b.base + whole, b.row, depth, bias ? bias + whole : 0, accumulate,
                        columns - whole, rows);
}

void FN(product)(float *c, const float *a, const float *b, const float *bias, ptrdiff_t c_row,
                 ptrdiff_t a_stride, int a_transposed, ptrdiff_t b_row, int b_packed,
                 ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, int accumulate,
                 const tt_upcoming *upcoming) {
    fetcher fetch = fetcher_of(upcoming, b);
    right_operand right = {b, b_packed ? depth * PANEL : PANEL, b_packed ? PANEL : b_row, b_packed};
    // The narrower operand is walked again and again, so it is the one that must fit the cache: all
    // of B while A passes once, or a few panels of a wide B while all of A passes.
    ptrdiff_t group = b_packed || columns <= rows ? columns : 2 * PANEL;
    ptrdiff_t tiles = (rows + TILE - 1) / TILE;
    for (ptrdiff_t j = 0; j < columns; j += group) {
        ptrdiff_t width = columns - j < group ? columns - j : group;
        right_operand part = {right.base + j, right.panel, right.row, right.padded};
        if (j + group < columns)
            fetch.own = walk((tt_region){b + j + group, depth, group, b_row});
        for (ptrdiff_t t = 0; t < tiles; t++) {
            ptrdiff_t first = rows * t / tiles, count = rows * (t + 1) / tiles - first;
            if (a_transposed && group == columns && t + 1 < tiles)
                fetch.own = walk((tt_region){a + first + count, depth, TILE, a_stride});
            product_rows(c + first * c_row + j, c_row,
                         a + first * (a_transposed ? 1 : a_stride), a_stride, a_transposed, part,
                         count, width, depth, bias ? bias + j : 0, accumulate,
                         a_transposed || t + 1 == tiles ? 0 : a + (first + count) * a_stride,
                         &fetch);
        }
    }
}

void FN(pack_panels)(float *packed, const float *matrix, ptrdiff_t stride, int transposed,
                     ptrdiff_t columns, ptrdiff_t depth) {
    for (ptrdiff_t first = 0; first < columns; first += PANEL) {
        ptrdiff_t count = columns - first < PANEL ? columns - first : PANEL;
        float *panel = packed + first * depth;
        if (count < PANEL) memset(panel, 0, (size_t)(depth * PANEL) * sizeof(float));
        if (transposed) {
            // Eight by eight, the rest of the columns and rows one by one.
            ptrdiff_t whole = count / 8 * 8, deep = depth / 8 * 8;
            for (ptrdiff_t k = 0; k < deep; k += 8)
                for (ptrdiff_t j = 0; j < whole; j += 8)
                    transpose_8x8(panel + k * PANEL + j, PANEL, matrix + (first + j) * stride + k,
                                  stride);
            for (ptrdiff_t k = 0; k < depth; k++)
                for (ptrdiff_t j = k < deep ? whole : 0; j < count; j++)
                    panel[k * PANEL + j] = matrix[(first + j) * stride + k];
        } else {
            for (ptrdiff_t k = 0; k < depth; k++)
                memcpy(panel + k * PANEL, matrix + k * stride + first,
                       (size_t)count * sizeof(float));
        }
    }
}
