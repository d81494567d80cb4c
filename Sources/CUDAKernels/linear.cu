// Dense layers: y = x W' + b with what follows it, the gradient of x, and the gradients of W and b.
//
// CPU: `product` of CKernels through Layers/Linear.swift. W is out x in, as in a checkpoint. A row
// of x costs 2 in out operations a product (three times that on the tensor cores where EXACT), and
// reads in and writes out numbers; weights come from the second-level cache. Grids: (columns /
// BLOCK_COLUMNS, rows / BLOCK_ROWS), both rounded up.
#pragma once
#include "product.h"

typedef ProductMemory<LeftAlong, RightAlong> ForwardMemory;
typedef ProductMemory<LeftAlong, RightAcross> InputMemory;
typedef ProductMemory<LeftAcross, RightAcross> WeightMemory;

DEVICE float4 zero4() { return make_float4(0, 0, 0, 0); }

/// Rows of the joined query, key and value matrix: the query's bias lies behind its matrix, so rows
/// from WIDTH on begin WIDTH numbers later; their biases lie behind them.
DEVICE size_t qkv_row(int n) { return (size_t)n * WIDTH + (n >= WIDTH ? WIDTH : 0); }
DEVICE size_t qkv_bias(int n) { return (n < WIDTH ? WIDTH * WIDTH : 3 * WIDTH * WIDTH) + n; }

/// use(row, column, run) of y = x W' for this block's part; x is rows x depth.
template <int columns, int depth, class WeightRow, class Use>
DEVICE void forward_product(const stored *x, const stored *w, const WeightRow &weight_row, int rows,
                            const Use &use) {
    SHARED(ForwardMemory, memory);
    const int row0 = blockIdx.y * BLOCK_ROWS, column0 = blockIdx.x * BLOCK_COLUMNS;
    Sums sums;
    product<LeftAlong, RightAlong>(
        sums, memory,
        [&](int r, int k, bool &valid) {
            valid = row0 + r < rows && k < depth;
            return valid ? x + (size_t)(row0 + r) * depth + k : x;
        },
        [&](int c, int k, bool &valid) {
            valid = column0 + c < columns && k < depth;
            return valid ? w + weight_row(column0 + c) + k : w;
        },
        0, depth, columns - column0, Nothing());
    for_runs(memory.result, sums, columns - column0, [&](int r, int c, const Run &run) {
        if (row0 + r < rows) use(row0 + r, column0 + c, run);
    });
}

/// use(row, column, run) of dx = dy W for this block's part; dy is rows x depth, W depth x columns.
template <int columns, int depth, class WeightRow, class Use>
DEVICE void input_product(const stored *dy, const stored *w, const WeightRow &weight_row, int rows,
                          const Use &use) {
    SHARED(InputMemory, memory);
    const int row0 = blockIdx.y * BLOCK_ROWS, column0 = blockIdx.x * BLOCK_COLUMNS;
    Sums sums;
    product<LeftAlong, RightAcross>(
        sums, memory,
        [&](int r, int k, bool &valid) {
            valid = row0 + r < rows && k < depth;
            return valid ? dy + (size_t)(row0 + r) * depth + k : dy;
        },
        [&](int k, int c, bool &valid) {
            valid = column0 + c < columns && k < depth;
            return valid ? w + weight_row(k) + column0 + c : w;
        },
        0, depth, columns - column0, Nothing());
    for_runs(memory.result, sums, columns - column0, [&](int r, int c, const Run &run) {
        if (row0 + r < rows) use(row0 + r, column0 + c, run);
    });
}

/// GELU and its derivative: `gelu` of CKernels.
DEVICE void gelu(float u, float &value, float &derivative) {
    float magnitude = u < 0 ? -u : u, e = exponential(-0.5f * u * u);
    float t = reciprocal(0.3275911f * 0.70710678118654752f * magnitude + 1.0f);
    float p = 0.5f * 1.061405429f;
    p = p * t + 0.5f * -1.453152027f;
    p = p * t + 0.5f * 1.421413741f;
    p = p * t + 0.5f * -0.284496736f;
    p = p * t + 0.5f * 0.254829592f;
    float tail = p * t * e, cumulative = u < 0 ? tail : 1.0f - tail;
    value = u * cumulative;
    derivative = cumulative + u * e * 0.39894228040143268f;
}

/// x += y.
DEVICE void add_run(Run &x, const Run &y) {
#pragma unroll
    for (int i = 0; i < RUN; i++) x.of[i] += y.of[i];
}

// MARK: - Forward

// `w` is the matrix as products take it (see `stored`), `p` the parameters from that matrix on: its
// bias lies behind it.

/// qkv (rows x 3 WIDTH) = x Wqkv' + bqkv; the matrix is the query's, with the others behind it.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
qkv_forward(stored *qkv, const stored *x, const stored *w, const float *p, int rows) {
    forward_product<3 * WIDTH, WIDTH>(x, w, qkv_row, rows, [&](int r, int c, Run run) {
        add_run(run, load_run(p + qkv_bias(c)));
        store_run(qkv + (size_t)r * 3 * WIDTH + c, run);
    });
}

/// out = x + dropout(y W' + b): y is rows x depth, the bias lies behind the matrix.
template <int depth>
DEVICE void residual_product(float *out, const stored *y, const stored *w, const float *p,
                             const float *x, const Step *step, int site, int rows) {
    const Dropout dropout = step->sites[site];
    const float *bias = p + WIDTH * depth;
    forward_product<WIDTH, depth>(
        y, w, [](int n) { return (size_t)n * depth; }, rows,
        [&](int r, int c, Run run) {
            const Run before = load_run(x + (size_t)r * WIDTH + c);
            add_run(run, load_run(bias + c));
            if (dropout.threshold) {
                const u32 element = stream_element(step, r, c);
#pragma unroll
                for (int i = 0; i < RUN; i++) run.of[i] *= dropout_factor(element + i, dropout);
            }
            add_run(run, before);
            store_run(out + (size_t)r * WIDTH + c, run);
        });
}

/// out = x + dropout(y W' + b) behind attention. CPU: Residual.forward.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
projection_forward(float *out, const stored *y, const stored *w, const float *p, const float *x,
                   const Step *step, int site, int rows) {
    residual_product<WIDTH>(out, y, w, p, x, step, site, rows);
}

/// out = x + dropout(y W' + b) behind the feed-forward layer; y is rows x 4 WIDTH.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
contraction_forward(float *out, const stored *y, const stored *w, const float *p, const float *x,
                    const Step *step, int site, int rows) {
    residual_product<4 * WIDTH>(out, y, w, p, x, step, site, rows);
}

/// activated = gelu(u), derivative = gelu'(u), u = x W' + b, all rows x 4 WIDTH. CPU: gelu_forward.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
expansion_forward(stored *activated, stored *derivative, const stored *x, const stored *w,
                  const float *p, int rows) {
    const float *bias = p + 4 * WIDTH * WIDTH;
    forward_product<4 * WIDTH, WIDTH>(
        x, w, [](int n) { return (size_t)n * WIDTH; }, rows,
        [&](int r, int c, Run run) {
            Run slope;
            add_run(run, load_run(bias + c));
#pragma unroll
            for (int i = 0; i < RUN; i++) gelu(run.of[i], run.of[i], slope.of[i]);
            store_run(activated + (size_t)r * 4 * WIDTH + c, run);
            store_run(derivative + (size_t)r * 4 * WIDTH + c, slope);
        });
}

// MARK: - Gradients of inputs

/// du = (dy W) gelu'(u): dy is rows x WIDTH, du rows x 4 WIDTH. CPU: gelu_backward.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
contraction_backward(stored *du, const stored *dy, const stored *w, const stored *derivative,
                     int rows) {
    input_product<4 * WIDTH, WIDTH>(
        dy, w, [](int k) { return (size_t)k * 4 * WIDTH; }, rows,
        [&](int r, int c, Run run) {
            const Run slope = load_run(derivative + (size_t)r * 4 * WIDTH + c);
#pragma unroll
            for (int i = 0; i < RUN; i++) run.of[i] *= slope.of[i];
            store_run(du + (size_t)r * 4 * WIDTH + c, run);
        });
}

/// dx (rows x WIDTH) = dy W, of the three products whose input is WIDTH wide. CPU:
/// Linear.inputBackward.
template <int depth, class WeightRow>
DEVICE void narrow_product(stored *dx, const stored *dy, const stored *w,
                           const WeightRow &weight_row, int rows) {
    input_product<WIDTH, depth>(dy, w, weight_row, rows, [&](int r, int c, const Run &run) {
        store_run(dx + (size_t)r * WIDTH + c, run);
    });
}

/// Of the expansion: dy is rows x 4 WIDTH.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
expansion_backward(stored *dx, const stored *dy, const stored *w, int rows) {
    narrow_product<4 * WIDTH>(dx, dy, w, [](int k) { return (size_t)k * WIDTH; }, rows);
}

/// Of the projection behind attention: dy is rows x WIDTH.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
projection_backward(stored *dx, const stored *dy, const stored *w, int rows) {
    narrow_product<WIDTH>(dx, dy, w, [](int k) { return (size_t)k * WIDTH; }, rows);
}

/// Of queries, keys and values together: dy is rows x 3 WIDTH.
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
qkv_backward(stored *dx, const stored *dy, const stored *w, int rows) {
    narrow_product<3 * WIDTH>(dx, dy, w, qkv_row, rows);
}

// MARK: - Gradients of weights

/// Numbers of a block's dense layers: query, key and value, projection, expansion, contraction,
/// each matrix with its bias behind it, in the order of the parameters.
constexpr int QKV_NUMBERS = 3 * WIDTH * WIDTH + 3 * WIDTH;
constexpr int PROJECTION_NUMBERS = WIDTH * WIDTH + WIDTH;
constexpr int EXPANSION_NUMBERS = 4 * WIDTH * WIDTH + 4 * WIDTH;
constexpr int CONTRACTION_NUMBERS = 4 * WIDTH * WIDTH + WIDTH;
constexpr int LINEAR_NUMBERS
    = QKV_NUMBERS + PROJECTION_NUMBERS + EXPANSION_NUMBERS + CONTRACTION_NUMBERS;

template <int rows> constexpr int row_blocks = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
template <int columns> constexpr int column_blocks = (columns + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;

/// dW (out x in) = dy' x and db = column sums of dy over rows first ..< end; block `part` of dW.
template <int out, int in, class WeightRow, class BiasPlace>
DEVICE void weight_product(WeightMemory &memory, float *result, const stored *dy, const stored *x,
                           const WeightRow &weight_row, const BiasPlace &bias_place, int part,
                           int first, int end) {
    constexpr int across = column_blocks<in>;
    const int row0 = part / across * BLOCK_ROWS, column0 = part % across * BLOCK_COLUMNS;
    Sums sums;
    float bias = 0;
    product<LeftAcross, RightAcross>(
        sums, memory,
        [&](int k, int m, bool &valid) {
            valid = k < end && row0 + m < out;
            return valid ? dy + (size_t)k * out + row0 + m : dy;
        },
        [&](int k, int n, bool &valid) {
            valid = k < end && column0 + n < in;
            return valid ? x + (size_t)k * in + column0 + n : x;
        },
        first, end, in - column0, [&](const LeftAcross::Tile &tile) {
            if (column0 == 0 && threadIdx.x < BLOCK_ROWS)
                for (int k = 0; k < PART; k++) bias += LeftAcross::value(tile, threadIdx.x, k);
        });
    for_runs(memory.result, sums, in - column0, [&](int r, int c, const Run &run) {
        if (row0 + r < out) store_run(result + weight_row(row0 + r) + column0 + c, run);
    });
    if (column0 == 0 && threadIdx.x < BLOCK_ROWS && row0 + (int)threadIdx.x < out)
        result[bias_place(row0 + threadIdx.x)] = bias;
}

constexpr int QKV_PARTS = row_blocks<3 * WIDTH> * column_blocks<WIDTH>;
constexpr int PROJECTION_PARTS = row_blocks<WIDTH> * column_blocks<WIDTH>;
constexpr int EXPANSION_PARTS = row_blocks<4 * WIDTH> * column_blocks<WIDTH>;
constexpr int CONTRACTION_PARTS = row_blocks<WIDTH> * column_blocks<4 * WIDTH>;

/// The gradients of a block's dense layers, summed over `share` rows a slice; the slices are added
/// in order later (reduce_gradients). Layer by layer: Linear.weightBackward and the sums of columns
/// of add_column_sums, gelu_backward, residual_backward on the CPU.
///
/// `partial`: slices x LINEAR_NUMBERS. Grid: (QKV_PARTS + … + CONTRACTION_PARTS, slices).
KERNEL(PRODUCT_THREADS, PRODUCT_BLOCKS)
weights_backward(float *partial, const stored *dqkv, const stored *normalized1,
                 const stored *dattention, const stored *attended, const stored *dhidden,
                 const stored *normalized2, const stored *dfeedforward, const stored *activated,
                 int rows, int share) {
    SHARED(WeightMemory, memory);
    const int first = blockIdx.y * share, end = first + share < rows ? first + share : rows;
    float *result = partial + (size_t)blockIdx.y * LINEAR_NUMBERS;
    int part = blockIdx.x;
    if (part < QKV_PARTS) {
        weight_product<3 * WIDTH, WIDTH>(memory, result, dqkv, normalized1, qkv_row, qkv_bias, part,
                                         first, end);
        return;
    }
    part -= QKV_PARTS;
    result += QKV_NUMBERS;
    if (part < PROJECTION_PARTS) {
        weight_product<WIDTH, WIDTH>(
            memory, result, dattention, attended, [](int n) { return (size_t)n * WIDTH; },
            [](int n) { return WIDTH * WIDTH + n; }, part, first, end);
        return;
    }
    part -= PROJECTION_PARTS;
    result += PROJECTION_NUMBERS;
    if (part < EXPANSION_PARTS) {
        weight_product<4 * WIDTH, WIDTH>(
            memory, result, dhidden, normalized2, [](int n) { return (size_t)n * WIDTH; },
            [](int n) { return 4 * WIDTH * WIDTH + n; }, part, first, end);
        return;
    }
    part -= EXPANSION_PARTS;
    result += EXPANSION_NUMBERS;
    weight_product<WIDTH, 4 * WIDTH>(
        memory, result, dfeedforward, activated, [](int n) { return (size_t)n * 4 * WIDTH; },
        [](int n) { return 4 * WIDTH * WIDTH + n; }, part, first, end);
}
