// Backward passes of the critics and of the actor, by hand, and Adam.
#pragma once
#include "sac_forward.cu"

struct BackwardMemory {
    Tiles tiles;
    /// The gradient of the loss with respect to Q of each row, 0 beyond the batch.
    float error[ROWS];
    /// A critic's last weights, 0 beyond them.
    float weights3[HIDDEN_PADDED];
    double of_warp[THREADS / 32];
};

/// The sums of squared errors and of Q over a batch, of this thread's rows.
struct CriticSums {
    double loss, q;
};

/// error[row] = (Q - y) / BATCH of critic `n` at the memory's actions, with
/// y = reward + discount (1 - terminal) (min of the targets - temperature log pi).
///
/// outcomes: size x (reward, terminal).
DEVICE CriticSums critic_errors(float *error, const float *work, const float *parameters,
                                const float *outcomes, const State *state, int n) {
    const u64 update = state->updates - 1;
    const float temperature = expf(state->log_temperature);
    CriticSums sums = {0, 0};
    for (int row = threadIdx.x; row < ROWS; row += THREADS) {
        float difference = 0;
        if (row < BATCH) {
            const float2 outcome = load2(outcomes + (size_t)place_of(state, update, row) * 2);
            const float q = critic_value(work + Q_SHARES + n * SHARES,
                                         parameters + critic_place(n), row);
            const float target = fminf(
                critic_value(work + TARGET_SHARES, parameters + target_place(0), row),
                critic_value(work + TARGET_SHARES + SHARES, parameters + target_place(1), row));
            const float y = state->reward_scale * outcome.x
                + state->discount * (1.0f - outcome.y)
                    * (target - temperature * work[NEXT_LOG + row]);
            difference = q - y;
            sums.loss += 0.5 * (double)difference * (double)difference;
            sums.q += (double)q;
        }
        error[row] = difference * (1.0f / BATCH);
    }
    return sums;
}

DEVICE void load_weights3(float *to, const float *weights) {
    for (int i = threadIdx.x; i < HIDDEN_PADDED; i += THREADS) to[i] = i < HIDDEN ? weights[i] : 0;
}

/// The gradient of a critic's first sums (before the activation) for the block's tile of rows and
/// hidden numbers, four to a thread: 1[h1 > 0] error (1[h2 > 0] w3) W2.
///
/// The row's error is a factor of all, so that it comes last. `prepare` writes memory.error.
template <class Prepare>
DEVICE float4 critic_first_delta(BackwardMemory &memory, const float *hidden1, const float *hidden2,
                                 const float *critic, int row0, int column0,
                                 const Prepare &prepare) {
    multiply<along, across, HIDDEN, 0>(
        memory.tiles, rows_of(hidden2, HIDDEN, row0, BATCH, HIDDEN),
        columns_of(critic + Critic::weights2, HIDDEN, column0, HIDDEN, HIDDEN),
        [&](float x, int, int k) { return x > 0 ? memory.weights3[k] : 0.0f; },
        [&] {
            load_weights3(memory.weights3, critic + Critic::weights3);
            prepare();
        });
    const int row = row0 + own_row(), column = column0 + own_column();
    if (row >= BATCH || column >= HIDDEN) return make_float4(0, 0, 0, 0);
    const float4 x = own_results(memory.tiles), h = load4(hidden1 + (size_t)row * HIDDEN + column);
    const float e = memory.error[row];
    return make_float4(h.x > 0 ? x.x * e : 0, h.y > 0 ? x.y * e : 0, h.z > 0 ? x.z * e : 0,
                       h.w > 0 ? x.w * e : 0);
}

/// Sums over the rows of a batch of columns column0 ..< column0 + TILE (below `columns`) of a
/// matrix of `stride` numbers a row, each element as `value(x, row)`: lane c has column c's, in
/// every warp.
template <class Value>
DEVICE float sum_columns(Tiles &tiles, const float *matrix, int stride, int column0, int columns,
                         const Value &value) {
    const int warp = threadIdx.x / 32, column = column0 + threadIdx.x % 32;
    float sum = 0;
    if (column < columns)
#pragma unroll 8
        for (int row = warp; row < BATCH; row += THREADS / 32)
            sum += value(matrix[(size_t)row * stride + column], row);
    sync_block();
    tiles.result[0][warp][threadIdx.x % 32] = sum;
    sync_block();
    float total = 0;
    for (int i = 0; i < THREADS / 32; i++) total += tiles.result[0][i][threadIdx.x % 32];
    return total;
}

constexpr int DELTA_PARTS = ROW_TILES * HIDDEN_TILES, HIDDEN_PARTS = HIDDEN_TILES * HIDDEN_TILES;

/// The critics' gradient: of the first sums (CRITIC_DELTA1), and of the parameters behind the first
/// layer. Grid: 2 (DELTA_PARTS + HIDDEN_PARTS + HIDDEN_TILES), odd blocks for the second critic.
///
/// gradient: as the parameters, without the targets.
KERNEL(THREADS, 2)
sac_critic_backward(float *work, float *gradient, const float *parameters, const float *outcomes,
                    State *state) {
    SHARED(BackwardMemory, memory);
    const int n = blockIdx.x % 2;
    const float *critic = parameters + critic_place(n);
    const float *hidden1 = work + HIDDEN1 + (2 + n) * LAYER;
    const float *hidden2 = work + CRITIC_HIDDEN2 + n * LAYER;
    float *of_critic = gradient + critic_place(n);
    CriticSums sums;
    const auto prepare = [&] {
        sums = critic_errors(memory.error, work, parameters, outcomes, state, n);
    };
    int part = blockIdx.x / 2;
    if (part < DELTA_PARTS) {
        const int row0 = part / HIDDEN_TILES * TILE, column0 = part % HIDDEN_TILES * TILE;
        const float4 delta
            = critic_first_delta(memory, hidden1, hidden2, critic, row0, column0, prepare);
        const int row = row0 + own_row(), column = column0 + own_column();
        if (row < BATCH && column < HIDDEN)
            store4(work + CRITIC_DELTA1 + n * LAYER + (size_t)row * HIDDEN + column, delta);
        return;
    }
    part -= DELTA_PARTS;
    if (part < HIDDEN_PARTS) {
        // dW2 = w3 (1[h2 > 0] error)' h1: the row's weight is a factor of all.
        const int row0 = part / HIDDEN_TILES * TILE, column0 = part % HIDDEN_TILES * TILE;
        multiply<across, across, BATCH, 0>(
            memory.tiles, columns_of(hidden2, HIDDEN, row0, BATCH, HIDDEN),
            columns_of(hidden1, HIDDEN, column0, BATCH, HIDDEN),
            [&](float x, int, int k) { return x > 0 ? memory.error[k] : 0.0f; }, prepare);
        const int row = row0 + own_row(), column = column0 + own_column();
        if (row < HIDDEN && column < HIDDEN) {
            const float4 x = own_results(memory.tiles);
            const float w = critic[Critic::weights3 + row];
            store4(of_critic + Critic::weights2 + (size_t)row * HIDDEN + column,
                   make_float4(x.x * w, x.y * w, x.z * w, x.w * w));
        }
        return;
    }
    part -= HIDDEN_PARTS;
    prepare();
    sync_block();
    const int column = part * TILE + threadIdx.x % 32;
    const float bias2 = sum_columns(
        memory.tiles, hidden2, HIDDEN, part * TILE, HIDDEN,
        [&](float x, int row) { return x > 0 ? memory.error[row] : 0.0f; });
    const float weights3 = sum_columns(memory.tiles, hidden2, HIDDEN, part * TILE, HIDDEN,
                                       [&](float x, int row) { return x * memory.error[row]; });
    if (threadIdx.x < 32 && column < HIDDEN) {
        of_critic[Critic::bias2 + column] = bias2 * critic[Critic::weights3 + column];
        of_critic[Critic::weights3 + column] = weights3;
    }
    if (part != 0) return;
    double error = 0;
    for (int row = threadIdx.x; row < BATCH; row += THREADS) error += (double)memory.error[row];
    error = block_sum(memory.of_warp, error);
    const double loss = block_sum(memory.of_warp, sums.loss);
    const double q = block_sum(memory.of_warp, sums.q);
    if (threadIdx.x == 0) {
        of_critic[Critic::bias3] = (float)error;
        state->loss_sum[n] += loss / BATCH;
        state->q_sum[n] += q / BATCH;
    }
}

/// Adam of one parameter (Kingma and Ba 2015), as PyTorch: moments corrected, epsilon outside the
/// root.
DEVICE float adam(float parameter, float &first, float &second, float gradient,
                  const State *state) {
    first = state->beta1 * first + (1.0f - state->beta1) * gradient;
    second = state->beta2 * second + (1.0f - state->beta2) * gradient * gradient;
    return parameter
        - state->rate / state->correction1 * first
            / (sqrtf(second) * state->inverse_root2 + state->epsilon);
}

/// Adam of four neighbours.
DEVICE float4 update4(float *parameters, float *first, float *second, float4 gradient,
                      const State *state) {
    float4 p = load4(parameters), m = load4(first), v = load4(second);
    p.x = adam(p.x, m.x, v.x, gradient.x, state);
    p.y = adam(p.y, m.y, v.y, gradient.y, state);
    p.z = adam(p.z, m.z, v.z, gradient.z, state);
    p.w = adam(p.w, m.w, v.w, gradient.w, state);
    store4(parameters, p);
    store4(first, m);
    store4(second, v);
    return p;
}

/// Where parameters and their moments lie.
struct Learnt {
    float *parameters, *first, *second;
    const State *state;

    /// Adam of four neighbours of critic `n`, and its target's step towards them.
    DEVICE_MEMBER void update_critic(int n, int place, float4 gradient) const {
        const int at = critic_place(n) + place;
        const float4 p = update4(parameters + at, first + at, second + at, gradient, state);
        float *target = parameters + target_place(n) + place;
        const float rate = state->target_rate;
        float4 t = load4(target);
        t.x += rate * (p.x - t.x);
        t.y += rate * (p.y - t.y);
        t.z += rate * (p.z - t.z);
        t.w += rate * (p.w - t.w);
        store4(target, t);
    }
    /// Adam of four neighbours of the actor.
    DEVICE_MEMBER void update_actor(int place, float4 gradient) const {
        update4(parameters + place, first + place, second + place, gradient, state);
    }
};

struct UpdateMemory {
    Tiles tiles;
    /// Where in the memory all rows of the batch lie.
    u32 places[ROWS];
    alignas(16) float sums[TILE];
    double of_warp[THREADS / 32];
};

/// Four of TILE column sums that the block has, for the threads below TILE / 4; `use(column, sums)`.
template <class Use> DEVICE void use_sums(UpdateMemory &memory, float sum, const Use &use) {
    if (threadIdx.x < TILE) memory.sums[threadIdx.x] = sum;
    sync_block();
    if (threadIdx.x < TILE / 4) use((int)threadIdx.x * 4, load4(&memory.sums[threadIdx.x * 4]));
}

constexpr int CRITIC_INPUT_PARTS = HIDDEN_TILES * tiles(INPUT);
/// Parameters that one block updates from a gradient that is there already.
constexpr int CHUNK = 4 * THREADS;
DEVICE constexpr int chunks(int x) { return (x + CHUNK - 1) / CHUNK; }
constexpr int CRITIC_CHUNKS = chunks(Critic::count - Critic::weights2);

/// The gradient of the critics' first layers, Adam of both critics, and the targets' step. Grid:
/// 2 (CRITIC_INPUT_PARTS + HIDDEN_TILES + CRITIC_CHUNKS), odd blocks for the second critic.
KERNEL(THREADS, 2)
sac_critic_update(float *parameters, float *first, float *second, const float *work,
                  const float *gradient, const float *inputs, const State *state) {
    SHARED(UpdateMemory, memory);
    const Learnt learnt = {parameters, first, second, state};
    const int n = blockIdx.x % 2;
    const float *delta = work + CRITIC_DELTA1 + n * LAYER;
    int part = blockIdx.x / 2;
    if (part < CRITIC_INPUT_PARTS) {
        const int row0 = part / tiles(INPUT) * TILE, column0 = part % tiles(INPUT) * TILE;
        draw_places(memory.places, state, state->updates - 1, 0, ROWS);
        sync_block();
        const Gathered<across> rows = {inputs, memory.places, INPUT, 0, column0, INPUT};
        multiply<across, across, BATCH, 0>(
            memory.tiles, columns_of(delta, HIDDEN, row0, BATCH, HIDDEN), rows, Unchanged(),
            Nothing());
        const int row = row0 + own_row(), column = column0 + own_column();
        if (row < HIDDEN && column < INPUT)
            learnt.update_critic(n, Critic::weights1 + row * INPUT + column,
                                 own_results(memory.tiles));
        return;
    }
    part -= CRITIC_INPUT_PARTS;
    if (part < HIDDEN_TILES) {
        const int column0 = part * TILE;
        const float sum = sum_columns(memory.tiles, delta, HIDDEN, column0, HIDDEN,
                                      [](float x, int) { return x; });
        use_sums(memory, sum, [&](int column, float4 sums) {
            if (column0 + column < HIDDEN)
                learnt.update_critic(n, Critic::bias1 + column0 + column, sums);
        });
        return;
    }
    part -= HIDDEN_TILES;
    const int place = Critic::weights2 + part * CHUNK + threadIdx.x * 4;
    if (place < Critic::count)
        learnt.update_critic(n, place, load4(gradient + critic_place(n) + place));
}
