// Muon, which teaches the matrices inside the blocks: MuonOptions of Transformer has the formula.
// Every launch takes all matrices, one for each blockIdx.y:
//
//     muon_momentum     M <- μ M + G; X = G + μ M; the squares of X
//     muon_gram         A = X X'                       \
//     muon_polynomial   B = b A + c A A'                > five times
//     muon_next         X <- a X + B X                 /
//     muon_update       ... and the last time W <- (1 - η λ) W - ρ η √max(1, rows/columns) X
//
// The smaller side of each matrix is WIDTH. Where there are more rows than columns, the iteration
// is that of the transpose with nothing transposed: A = X' X and X <- a X + X B. The first X is not
// divided by its length; what its products give is. X, A and B are kept as products take them.
//
// A layer costs 60 WIDTH^3 operations an iteration (24, 12 and 24 of the three products; three
// times that on the tensor cores where EXACT): 2.5 GFLOP a step at the paper's size. Its X has
// 12 WIDTH^2 numbers, its A and B 6 WIDTH^2 each, which the second-level cache holds; what counts
// is how long one block takes for a product as deep as WIDTH or 4 WIDTH.
#pragma once
#include "update.cu"

/// A matrix: rows x columns numbers, from `place` of the parameters and `scratch` of X on.
struct MuonMatrix {
    u32 place, scratch, rows, columns;
};

/// Blocks that share a matrix's momentum; blocks of a multiprocessor that products make room for.
constexpr int MUON_PARTS = 16, MUON_BLOCKS = 2;

struct MuonSums {
    double of_warp[UPDATE_THREADS / 32];
};

/// The momentum, the X that the iteration begins with, and the sums of its squares: MUON_PARTS for
/// each matrix. Moves 12 + sizeof(stored) bytes a number. Grid: (MUON_PARTS, matrices).
KERNEL(UPDATE_THREADS, 4)
muon_momentum(stored *x, double *squares, float *momentum, const float *gradient,
              const MuonMatrix *matrices, const Totals *totals, float decay) {
    SHARED(MuonSums, sums);
    const MuonMatrix matrix = matrices[blockIdx.y];
    const int count = matrix.rows * matrix.columns;
    const float factor = totals->factor;
    x += matrix.scratch, momentum += matrix.place, gradient += matrix.place;
    double square = 0;
    for (int i = (blockIdx.x * UPDATE_THREADS + threadIdx.x) * 4; i < count;
         i += MUON_PARTS * UPDATE_THREADS * 4) {
        float4 g = load4(gradient + i), m = load4(momentum + i);
        g = make_float4(factor * g.x, factor * g.y, factor * g.z, factor * g.w);
        m = make_float4(decay * m.x + g.x, decay * m.y + g.y, decay * m.z + g.z,
                        decay * m.w + g.w);
        store4(momentum + i, m);
        g = make_float4(g.x + decay * m.x, g.y + decay * m.y, g.z + decay * m.z,
                        g.w + decay * m.w);
        store4(x + i, g);
        square += (g.x * g.x + g.y * g.y) + (g.z * g.z + g.w * g.w);
    }
    square = block_sum(sums.of_warp, square);
    if (threadIdx.x == 0) squares[blockIdx.y * MUON_PARTS + blockIdx.x] = square;
}

/// What this block's matrix is multiplied by to be of length 1; 1 without `squares`, behind the
/// first iteration.
DEVICE float muon_scale(const double *squares) {
    if (!squares) return 1;
    double square = 0;
    for (int i = 0; i < MUON_PARTS; i++) square += squares[blockIdx.y * MUON_PARTS + i];
    return 1.0f / ((float)sqrt(square) + 1e-7f);
}

/// An operand of a product: the numbers of a matrix from (row0, column0) on, and zeros behind its
/// edges. The depth lies along its rows or across them.
struct Window {
    const stored *base;
    int row0, column0, rows, columns;

    DEVICE_MEMBER const stored *operator()(int r, int c, bool &valid) const {
        r += row0, c += column0;
        valid = r < rows && c < columns;
        return valid ? base + (size_t)r * columns + c : base;
    }
};

/// A block's part of a matrix of rows x columns results.
struct MuonPart {
    int row0, column0, rows, columns;
};
DEVICE MuonPart muon_part(int rows, int columns) {
    const int across = (columns + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;
    return {(int)blockIdx.x / across * BLOCK_ROWS, (int)blockIdx.x % across * BLOCK_COLUMNS, rows,
            columns};
}

/// use(place in the matrix, run) of a product's results in `part`.
template <class A, class B, class Use>
DEVICE void muon_product(ProductMemory<A, B> &memory, const Window &left, const Window &right,
                         int depth, const MuonPart &part, const Use &use) {
    Sums sums;
    const int columns = part.columns - part.column0;
    product<A, B>(sums, memory, left, right, 0, depth, columns, Nothing());
    for_runs(memory.result, sums, columns, [&](int r, int c, const Run &run) {
        if (part.row0 + r < part.rows)
            use((size_t)(part.row0 + r) * part.columns + part.column0 + c, run);
    });
}

union GramMemory {
    ForwardMemory along;
    WeightMemory across;
};

/// A = X X', or X' X. Grid: (blocks of WIDTH x WIDTH results, matrices).
KERNEL(PRODUCT_THREADS, MUON_BLOCKS)
muon_gram(stored *grams, const stored *x, const double *squares, const MuonMatrix *matrices) {
    SHARED(GramMemory, memory);
    const MuonMatrix matrix = matrices[blockIdx.y];
    const int rows = matrix.rows, columns = matrix.columns;
    const MuonPart part = muon_part(WIDTH, WIDTH);
    x += matrix.scratch, grams += (size_t)blockIdx.y * WIDTH * WIDTH;
    const float scale = muon_scale(squares);
    const auto use = [&](size_t place, Run run) {
#pragma unroll
        for (int i = 0; i < RUN; i++) run.of[i] *= scale * scale;
        store_run(grams + place, run);
    };
    if (rows > columns)
        muon_product(memory.across, Window{x, 0, part.row0, rows, columns},
                     Window{x, 0, part.column0, rows, columns}, rows, part, use);
    else
        muon_product(memory.along, Window{x, part.row0, 0, rows, columns},
                     Window{x, part.column0, 0, rows, columns}, columns, part, use);
}

/// B = b A + c A A'; A is its own transpose but for rounding. Grid: as muon_gram's.
KERNEL(PRODUCT_THREADS, MUON_BLOCKS)
muon_polynomial(stored *polynomials, const stored *grams, float b, float c) {
    SHARED(ForwardMemory, memory);
    const MuonPart part = muon_part(WIDTH, WIDTH);
    polynomials += (size_t)blockIdx.y * WIDTH * WIDTH, grams += (size_t)blockIdx.y * WIDTH * WIDTH;
    muon_product(memory, Window{grams, part.row0, 0, WIDTH, WIDTH},
                 Window{grams, part.column0, 0, WIDTH, WIDTH}, WIDTH, part,
                 [&](size_t place, Run run) {
                     const Run gram = load_run(grams + place);
#pragma unroll
                     for (int i = 0; i < RUN; i++) run.of[i] = b * gram.of[i] + c * run.of[i];
                     store_run(polynomials + place, run);
                 });
}

union NextMemory {
    ForwardMemory along;
    InputMemory across;
};

/// use(place in the matrix, run) of scale (a X + B X), or of scale (a X + X B).
template <class Use>
DEVICE void muon_iterate(NextMemory &memory, const stored *x, const stored *polynomials,
                         const MuonMatrix &matrix, float a, float scale, const Use &use) {
    const int rows = matrix.rows, columns = matrix.columns;
    const MuonPart part = muon_part(rows, columns);
    if (part.row0 >= rows) return;
    x += matrix.scratch, polynomials += (size_t)blockIdx.y * WIDTH * WIDTH;
    const auto add = [&](size_t place, Run run) {
        const Run before = load_run(x + place);
#pragma unroll
        for (int i = 0; i < RUN; i++) run.of[i] = scale * (a * before.of[i] + run.of[i]);
        use(place, run);
    };
    if (rows > columns)
        muon_product(memory.along, Window{x, part.row0, 0, rows, columns},
                     Window{polynomials, part.column0, 0, WIDTH, WIDTH}, WIDTH, part, add);
    else
        muon_product(memory.across, Window{polynomials, part.row0, 0, WIDTH, WIDTH},
                     Window{x, 0, part.column0, rows, columns}, WIDTH, part, add);
}

/// The next X, elsewhere than the last. Grid: (blocks of the results of the largest matrix,
/// matrices).
KERNEL(PRODUCT_THREADS, MUON_BLOCKS)
muon_next(stored *next, const stored *x, const stored *polynomials, const double *squares,
          const MuonMatrix *matrices, float a) {
    SHARED(NextMemory, memory);
    const MuonMatrix matrix = matrices[blockIdx.y];
    next += matrix.scratch;
    muon_iterate(memory, x, polynomials, matrix, a, muon_scale(squares),
                 [&](size_t place, const Run &run) { store_run(next + place, run); });
}

/// The last X, and from it new parameters, whose places the others of the step leave alone. Grid:
/// as muon_next's.
KERNEL(PRODUCT_THREADS, MUON_BLOCKS)
muon_update(float *parameters, stored *lowered, const stored *x, const stored *polynomials,
            const MuonMatrix *matrices, const Step *step, float a, float ratio) {
    SHARED(NextMemory, memory);
    const MuonMatrix matrix = matrices[blockIdx.y];
    const float tall = (float)matrix.rows / (float)matrix.columns;
    const float rate = ratio * step->rate * sqrtf(tall > 1 ? tall : 1);
    const float keep = 1.0f - step->rate * step->decay;
    parameters += matrix.place, lowered += matrix.place;
    muon_iterate(memory, x, polynomials, matrix, a, 1, [&](size_t place, Run run) {
        const Run before = load_run(parameters + place);
#pragma unroll
        for (int i = 0; i < RUN; i++) run.of[i] = keep * before.of[i] - rate * run.of[i];
        store_run(parameters + place, run);
        if (!EXACT) store_run(lowered + place, run);
    });
}
