// From the parts of the gradient to new parameters.
#pragma once
#include "rows.cu"

/// Where the gradient of up to CHUNK parameters comes from: `slices` parts, `stride` numbers apart,
/// of which none is a gradient of zero. A list of these covers the parameters in their order.
struct Chunk {
    const float *source;
    u32 slices, stride;
    u32 first, count;
    /// Whether weight decay applies, and whether Muon teaches them (muon.cu) and not AdamW.
    u32 decays, by_muon;
};
constexpr int CHUNK = 256, UPDATE_THREADS = 256;

/// What steps add up to, read by the host when it asks.
struct Totals {
    double loss_sum, last_loss, last_norm;
    /// Steps, and how many of them went before the first whose loss is not finite.
    u32 steps, finite_steps;
    /// What the gradient is multiplied by, so that its norm does not exceed the limit.
    float factor;
    u32 unused;
};

struct ChunkSums {
    alignas(16) float part[4][CHUNK];
    double of_warp[UPDATE_THREADS / 32];
};

/// gradient = the sum of the slices, in order; squares[block] = the sum of its squares.
/// CPU: Gradients.reduce, sum_of_squares. Grid: chunks.
KERNEL(UPDATE_THREADS, 4)
reduce_gradients(float *gradient, double *squares, const Chunk *chunks) {
    SHARED(ChunkSums, sums);
    const Chunk chunk = chunks[blockIdx.x];
    const int c = threadIdx.x % 64 * 4, group = threadIdx.x / 64;
    float4 sum = zero4();
    if (c < (int)chunk.count)
#pragma unroll 4
        for (u32 s = group; s < chunk.slices; s += 4) {
            float4 v = load4(chunk.source + (size_t)s * chunk.stride + c);
            sum = make_float4(sum.x + v.x, sum.y + v.y, sum.z + v.z, sum.w + v.w);
        }
    store4(&sums.part[group][c], sum);
    sync_block();
    const int i = threadIdx.x;
    float total = 0;
    if (i < (int)chunk.count) {
        total = (sums.part[0][i] + sums.part[1][i]) + (sums.part[2][i] + sums.part[3][i]);
        gradient[chunk.first + i] = total;
    }
    double square = block_sum(sums.of_warp, (double)total * total);
    if (threadIdx.x == 0) squares[blockIdx.x] = square;
}

/// squares[block] = the sum of squares of a chunk of the gradient, after it was exchanged.
KERNEL(UPDATE_THREADS, 4)
sum_squares(double *squares, const float *gradient, const Chunk *chunks) {
    SHARED(ChunkSums, sums);
    const Chunk chunk = chunks[blockIdx.x];
    const float value = threadIdx.x < chunk.count ? gradient[chunk.first + threadIdx.x] : 0;
    double square = block_sum(sums.of_warp, (double)value * value);
    if (threadIdx.x == 0) squares[blockIdx.x] = square;
}

/// The batch's loss; where there are `chunks`, also the norm and the clipping factor, and the step
/// counts. CPU: Gradients.norm, Gradients.clippingFactor. One block.
KERNEL(UPDATE_THREADS, 1)
finish_step(Totals *totals, const double *losses, const double *squares, const Step *step,
            int loss_blocks, int chunks) {
    SHARED(ChunkSums, sums);
    double loss = 0, square = 0;
    for (int i = threadIdx.x; i < loss_blocks; i += UPDATE_THREADS) loss += losses[i];
    for (int i = threadIdx.x; i < chunks; i += UPDATE_THREADS) square += squares[i];
    loss = block_sum(sums.of_warp, loss) / (double)step->divisor;
    square = block_sum(sums.of_warp, square);
    if (threadIdx.x != 0) return;
    totals->last_loss = loss;
    if (chunks == 0) return;
    const float norm = (float)sqrt(square), factor = step->limit / (norm + 1e-6f);
    totals->last_norm = norm;
    totals->factor = factor < 1 ? factor : 1;
    totals->loss_sum += loss;
    if (totals->finite_steps == totals->steps && loss - loss == 0) totals->finite_steps += 1;
    totals->steps += 1;
}

/// One AdamW update of what Muon does not teach. CPU: adamw. Moves 28 bytes a parameter. Grid:
/// chunks. `lowered` receives the parameters as products take them, where that is not as floats.
KERNEL(UPDATE_THREADS, 4)
adamw(float *parameters, stored *lowered, float *first_moment, float *second_moment,
      const float *gradient, const Chunk *chunks, const Totals *totals, const Step *step) {
    const Chunk chunk = chunks[blockIdx.x];
    if (chunk.by_muon || threadIdx.x >= chunk.count) return;
    const u32 i = chunk.first + threadIdx.x;
    const float rate = step->rate / step->correction1, root = 1.0f / sqrtf(step->correction2);
    const float keep = 1.0f - step->rate * (chunk.decays ? step->decay : 0);
    const float g = gradient[i] * totals->factor;
    const float m = step->beta1 * first_moment[i] + (1.0f - step->beta1) * g;
    const float v = step->beta2 * second_moment[i] + (1.0f - step->beta2) * g * g;
    first_moment[i] = m;
    second_moment[i] = v;
    const float p = parameters[i] * keep - rate * m / (sqrtf(v) * root + step->epsilon);
    parameters[i] = p;
    if (!EXACT) lowered[i] = stored_of(p);
}

/// The parameters as products take them, after they were set from outside. Grid: count /
/// UPDATE_THREADS.
KERNEL(UPDATE_THREADS, 4) lower_parameters(stored *lowered, const float *parameters, int count) {
    const int i = blockIdx.x * UPDATE_THREADS + threadIdx.x;
    if (i < count) lowered[i] = stored_of(parameters[i]);
}
