// The engine's arithmetic on the processor: matrix products and the loops between them. Imported by
// Layers only.
//
// Every kernel is compiled for the compiler's baseline and, on x86-64, for AVX2 with FMA and for
// AVX-512; which one runs is chosen at run time. All matrices are row-major and contiguous unless a
// stride is named.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Which elements dropout zeroes: those whose hash of (keys, element number) lies below `threshold`.
///
/// A threshold of 0 drops nothing. `scale` is 1 / (1 - probability). Element numbers count over the
/// whole batch, so the choice does not depend on how the batch is split among workers.
typedef struct {
    uint32_t key0, key1;
    uint32_t threshold;
    float scale;
} tt_dropout;

/// Columns of a panel of a packed matrix, whatever the instruction set.
#define TT_PANEL 32
/// Most rows of a tile, and most queries of attention's backward pass at once, on any of them.
#define TT_MOST_ROWS 14
#define TT_MOST_QUERIES 70

/// The shape of one head's attention over one sequence.
typedef struct {
    /// Tokens of the sequence; keys among them that anybody sees.
    ptrdiff_t tokens, keys;
    /// Position of each visible key.
    const int32_t *position;
    /// For each position, the number of visible keys up to and including it; at least 1.
    const int32_t *seen;
    /// Channels of the head.
    ptrdiff_t width;
    /// Numbers between rows of probabilities: `keys` rounded up to whole panels, or more.
    ptrdiff_t row;
    /// Numbers between rows of queries, keys and values, of results and of their gradient.
    ptrdiff_t qkv_row, out_row, dout_row;
    /// What scores are multiplied by.
    float scale;
} tt_attention;

/// Numbers of scratch that one head's attention needs, forward or backward.
static inline ptrdiff_t tt_attention_scratch(ptrdiff_t row, ptrdiff_t width) {
    return row * (4 * ((width + 15) / 16 * 16) + 2 * TT_MOST_QUERIES);
}

/// Numbers of scratch that attention over paths of up to `longest` nodes needs.
static inline ptrdiff_t tt_path_attention_scratch(ptrdiff_t longest, ptrdiff_t width,
                                                  ptrdiff_t heads) {
    ptrdiff_t room = (longest + TT_PANEL - 1) / TT_PANEL * TT_PANEL;
    return heads * TT_MOST_ROWS * (2 * room + TT_PANEL) + (room + 8) * (2 * width + 1);
}

/// A matrix by its place: `rows` rows of `width` numbers, `stride` apart.
typedef struct {
    const float *base;
    ptrdiff_t rows, width, stride;
} tt_region;

/// Up to three matrices that are wanted soon: a product fetches them while it computes.
typedef struct {
    tt_region regions[3];
} tt_upcoming;

#define KERNEL(name, parameters, arguments) void tt_##name parameters;
#include "../kernel_list.h"
#undef KERNEL

/// The instruction set the kernels use on this machine: "avx512", "avx2" or "baseline".
const char *tt_instruction_set(void);

// Products of bfloat16 factors with sums in single precision, where the processor has them.

/// Whether the processor has them; nothing below may be called where it has not.
int tt_has_pairs(void);

/// C = A B + bias, or C += A B when `accumulate`, of factors rounded to bfloat16; as `product` of a
/// packed B, which tt_pack_pairs laid out.
void tt_pair_product(float *c, const float *a, const float *packed, const float *bias,
                     ptrdiff_t c_row, ptrdiff_t a_stride, ptrdiff_t rows, ptrdiff_t columns,
                     ptrdiff_t depth, int accumulate, const tt_upcoming *upcoming);

/// C = A' B, or C += A' B when `accumulate`, of factors rounded to bfloat16: A is depth x rows, B depth
/// x columns, both as they lie.
void tt_pair_gradient(float *c, const float *a, const float *b, ptrdiff_t c_row,
                      ptrdiff_t a_stride, ptrdiff_t b_stride, ptrdiff_t rows, ptrdiff_t columns,
                      ptrdiff_t depth, int accumulate, const tt_upcoming *upcoming);

/// Lays a depth x columns matrix out in panels of TT_PANEL columns of pairs, the last padded with
/// zeros, in at most half the room of pack_panels and one row more.
///
/// The pair of rows 2k and 2k + 1 in column j goes to pair j / TT_PANEL * TT_PANEL * P + k * TT_PANEL
/// + j % TT_PANEL, P = (depth + 1) / 2. The matrix lies in rows `stride` apart; where `transposed`, as
/// columns x depth.
void tt_pack_pairs(float *packed, const float *matrix, ptrdiff_t stride, int transposed,
                   ptrdiff_t columns, ptrdiff_t depth);
