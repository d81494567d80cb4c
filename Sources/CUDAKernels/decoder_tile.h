// What the decoder's blocks work on: the shape, a tile of rows, its products and norms.
#pragma once
#include "device.h"

constexpr int ROWS = 16, THREADS = 32 * WARPS;
constexpr int HEAD_WIDTH = WIDTH / HEADS;
/// The longest path.
constexpr int PATH = GOALS + CONTEXT;
/// Numbers between rows of logits.
constexpr int LOGITS = (VOCABULARY + 3) / 4 * 4;
/// What a block takes: heads, and with them so many channels.
constexpr int MY_HEADS = HEADS / TOGETHER, MY_WIDTH = MY_HEADS * HEAD_WIDTH;
/// Channels of the feed-forward layer, and those that are computed at once.
constexpr int MY_HIDDEN = 4 * WIDTH / TOGETHER;
constexpr int HIDDEN = MY_HIDDEN <= 256 ? MY_HIDDEN : WIDTH;
/// Numbers between a tile's rows in shared memory: rows side by side lie half of the banks apart.
DEVICE constexpr int stride_of(int width) { return width % 32 == 16 ? width : width + 16; }
constexpr int STRIDE = stride_of(WIDTH), HIDDEN_STRIDE = stride_of(HIDDEN);

// Places of the parameters in the flat buffer (`TransformerParameters`).
constexpr int SQUARE = WIDTH * WIDTH;
constexpr int POSITIONS = ((VOCABULARY - 1) * DIMENSION + 1) * WIDTH;
constexpr int BLOCKS = POSITIONS + CONTEXT * WIDTH;
constexpr int NORM1 = 0, QUERY = 2 * WIDTH, QUERY_BIAS = QUERY + SQUARE;
constexpr int KEY_VALUE = QUERY_BIAS + WIDTH, KEY_VALUE_BIAS = KEY_VALUE + 2 * SQUARE;
constexpr int PROJECTION = KEY_VALUE_BIAS + 2 * WIDTH, PROJECTION_BIAS = PROJECTION + SQUARE;
constexpr int NORM2 = PROJECTION_BIAS + WIDTH;
constexpr int EXPANSION = NORM2 + 2 * WIDTH, EXPANSION_BIAS = EXPANSION + 4 * SQUARE;
constexpr int CONTRACTION = EXPANSION_BIAS + 4 * WIDTH, CONTRACTION_BIAS = CONTRACTION + 4 * SQUARE;
constexpr int BLOCK = CONTRACTION_BIAS + WIDTH;
constexpr int FINAL_NORM = BLOCKS + LAYERS * BLOCK;
constexpr int HEAD_WEIGHTS = FINAL_NORM + 2 * WIDTH;
constexpr int GOAL_TABLE = HEAD_WEIGHTS + DIMENSION * VOCABULARY * WIDTH;

static_assert(HEADS % TOGETHER == 0 && (TOGETHER == 1 || MY_WIDTH % 16 == 0),
              "the host chooses so");
static_assert(WIDTH % 16 == 0 && HEAD_WIDTH % 8 == 0 && (HEAD_WIDTH & (HEAD_WIDTH - 1)) == 0 &&
                  HEAD_WIDTH <= 128,
              "the host refuses such a model");

#if EXACT
typedef float Weight;
#else
typedef u16 Weight;
#endif

/// What the host says of a node, at its place.
struct Node {
    /// Place of the nearest ancestor with a path, or -1 - the number of the goal at the root.
    int parent;
    /// Row of the embedding's table (the goals' own for a goal).
    int embedding;
    /// Position in the window; -1 - dimension for a goal's token.
    int position;
    /// Row of the logits, or -1.
    int output;
};

/// Whether paths fit into shared memory beside the rest.
constexpr bool KEEPS_PATHS =
    4 * ROWS * (2 * STRIDE + (STRIDE > HIDDEN_STRIDE ? STRIDE : HIDDEN_STRIDE) + PATH) < 47000;

/// What a block shares.
struct Tile {
    float residual[ROWS * STRIDE];
    /// What products read: normalized rows, what attention brought.
    float input[ROWS * STRIDE];
    union {
        float queries[ROWS * STRIDE];
        float hidden[ROWS * HIDDEN_STRIDE];
    };
    /// How many sums the blocks have exchanged.
    int exchanges;
    int places[ROWS], positions[ROWS], lengths[ROWS];
    /// The rows' paths, where there is room: attention begins with them.
    int paths[KEEPS_PATHS ? ROWS * PATH : 1];
};

DEVICE bool is_attended(int position) { return position % DIMENSION != DIMENSION - 1; }

/// Places on the path of a node: a goal's token sees those before it.
DEVICE int path_length(int position) {
    return position < 0 ? -position : GOALS + position + 1 - (position + 1) / DIMENSION;
}

/// x rounded to TF32; the rest is exact and is multiplied on its own. Rounded to nearest: cut off,
/// the rests would all have their number's sign, and so would what is left of their products.
DEVICE u32 leading(float x) { return (bits_of(x) + 0x1000u) & 0xffffe000u; }

/// The number of a warp when tiles are handed out, beginning with warp `first`.
DEVICE int turn_of(int first) { return (threadIdx.x / 32 + WARPS - first % WARPS) % WARPS; }

/// sum += rows W' for this warp's tiles of eight columns: tile i is number
/// turn_of(first) + WARPS i.
///
/// rows: 16 x DEPTH in shared memory, `stride` apart; W: columns x DEPTH, `pitch` apart. EXACT
/// takes three TF32 products (large x large, and large x small both ways), else one of bfloat16.
/// Depth is summed in an order that lets a thread read four neighbours at once; the same on both
/// sides.
template <int TILES, int DEPTH>
DEVICE void multiply(float (&sum)[TILES][4], const float *rows, int stride,
                     const Weight *__restrict__ w, int columns, int pitch, int first_warp = 0) {
    const int warp = turn_of(first_warp), lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    if (warp * 8 >= columns) return;
    const Weight *row[TILES];
    for (int i = 0; i < TILES; i++) {
        int column = (warp + i * WARPS) * 8 + g;
        row[i] = w + (long long)(column < columns ? column : columns - 1) * pitch + 4 * t;
    }
    const float *upper = rows + g * stride + 4 * t, *lower = upper + 8 * stride;
#if EXACT
    float corrections[TILES][4] = {};
#pragma unroll 4
#else
#pragma unroll 8
#endif
    for (int k = 0; k < DEPTH; k += 16) {
        const float4 a = *reinterpret_cast<const float4 *>(upper + k);
        const float4 b = *reinterpret_cast<const float4 *>(lower + k);
#if EXACT
        const u32 large1[4] = {leading(a.x), leading(b.x), leading(a.y), leading(b.y)};
        const u32 large2[4] = {leading(a.z), leading(b.z), leading(a.w), leading(b.w)};
        const u32 small1[4] = {
            bits_of(a.x - float_of(large1[0])), bits_of(b.x - float_of(large1[1])),
            bits_of(a.y - float_of(large1[2])), bits_of(b.y - float_of(large1[3]))};
        const u32 small2[4] = {
            bits_of(a.z - float_of(large2[0])), bits_of(b.z - float_of(large2[1])),
            bits_of(a.w - float_of(large2[2])), bits_of(b.w - float_of(large2[3]))};
#else
        const u32 pairs[4] = {pack_bf16(a.x, a.y), pack_bf16(b.x, b.y), pack_bf16(a.z, a.w),
                              pack_bf16(b.z, b.w)};
#endif
        for (int i = 0; i < TILES; i++) {
            if ((warp + i * WARPS) * 8 >= columns) continue;
#if EXACT
            const float4 v = *reinterpret_cast<const float4 *>(row[i] + k);
            const u32 first[2] = {leading(v.x), leading(v.y)};
            const u32 second[2] = {leading(v.z), leading(v.w)};
            const u32 first_rest[2] = {bits_of(v.x - float_of(first[0])),
                                       bits_of(v.y - float_of(first[1]))};
            const u32 second_rest[2] = {bits_of(v.z - float_of(second[0])),
                                        bits_of(v.w - float_of(second[1]))};
            // The matrix units cut sums off rather than round them: long ones are made outside.
            float part[4] = {};
            mma_tf32(part, large1, first);
            mma_tf32(corrections[i], small1, first);
            mma_tf32(corrections[i], large1, first_rest);
            mma_tf32(part, large2, second);
            mma_tf32(corrections[i], small2, second);
            mma_tf32(corrections[i], large2, second_rest);
            for (int j = 0; j < 4; j++) sum[i][j] += part[j];
#else
            const uint2 v = *reinterpret_cast<const uint2 *>(row[i] + k);
            const u32 weights[2] = {v.x, v.y};
            mma_bf16(sum[i], pairs, weights);
#endif
        }
    }
#if EXACT
    for (int i = 0; i < TILES; i++)
        for (int j = 0; j < 4; j++) sum[i][j] += corrections[i][j];
#endif
}

/// Calls f(row, column, value, next value) for what this thread has of a product's tiles.
template <int TILES, class F>
DEVICE void each_pair(const float (&sum)[TILES][4], int columns, F f, int first_warp = 0) {
    const int warp = turn_of(first_warp), lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    for (int i = 0; i < TILES; i++) {
        const int column = (warp + i * WARPS) * 8 + 2 * t;
        if (column >= columns) continue;
        f(g, column, sum[i][0], sum[i][1]);
        f(g + 8, column, sum[i][2], sum[i][3]);
    }
}

DEVICE constexpr int tiles_of(int columns) { return (columns + 8 * WARPS - 1) / (8 * WARPS); }

/// out = (x - mean) / sqrt(variance + 1e-5) * weight + bias; each warp takes rows in turn.
/// `tt_layer_norm_forward`.
DEVICE void normalize(float *out, const float *in, const float *__restrict__ norm) {
    const int lane = threadIdx.x % 32;
    for (int row = threadIdx.x / 32; row < ROWS; row += WARPS) {
        const float *x = in + row * STRIDE;
        float sum = 0, squares = 0;
        for (int c = lane; c < WIDTH; c += 32) sum += x[c];
        for (int mask = 16; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
        const float mean = sum / WIDTH;
        for (int c = lane; c < WIDTH; c += 32) squares += (x[c] - mean) * (x[c] - mean);
        for (int mask = 16; mask > 0; mask /= 2) squares += shuffle_xor(squares, mask);
        const float scale = 1 / sqrtf(squares / WIDTH + 1e-5f);
        for (int c = lane; c < WIDTH; c += 32)
            out[row * STRIDE + c] = (x[c] - mean) * scale * norm[c] + norm[WIDTH + c];
    }
}
