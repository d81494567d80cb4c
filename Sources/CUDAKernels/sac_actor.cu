// The actor's gradient through the critics, its update and the temperature's.
#pragma once
#include "sac_backward.cu"

struct PolicyMemory {
    BackwardMemory backward;
    /// The first layer's weights of actions, for the tile's hidden numbers.
    alignas(16) float weights[TILE][ACTION4];
};

/// The shares of the gradient of -min(Q1, Q2) / BATCH with respect to the policy's actions.
///
/// Of each row's two critics the smaller one has the gradient -1 / BATCH, the other none. Grid:
/// (HIDDEN_TILES, ROW_TILES, 2).
KERNEL(THREADS, 2) sac_policy_backward(float *work, const float *parameters) {
    SHARED(PolicyMemory, memory);
    BackwardMemory &backward = memory.backward;
    const int n = blockIdx.z, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    const float *critic = parameters + critic_place(n);
    const auto prepare = [&] {
        if (threadIdx.x < TILE && row0 + (int)threadIdx.x < BATCH) {
            const int row = row0 + threadIdx.x;
            const float q0 = critic_value(work + Q_SHARES, parameters + critic_place(0), row);
            const float q1
                = critic_value(work + Q_SHARES + SHARES, parameters + critic_place(1), row);
            backward.error[row] = (q0 <= q1) == (n == 0) ? -1.0f / BATCH : 0.0f;
        }
        for (int i = threadIdx.x; i < TILE * ACTION4 / 4; i += THREADS) {
            const int r = i / (ACTION4 / 4), j = i % (ACTION4 / 4) * 4;
            const float *from
                = critic + Critic::weights1 + (column0 + r) * INPUT + OBSERVATION4 + j;
            store4(&memory.weights[r][j],
                   column0 + r < HIDDEN ? load4(from) : make_float4(0, 0, 0, 0));
        }
    };
    const float4 delta
        = critic_first_delta(backward, work + HIDDEN1 + (2 + n) * LAYER,
                             work + CRITIC_HIDDEN2 + n * LAYER, critic, row0, column0, prepare);
    store4(&backward.tiles.result[0][own_row()][own_column()], delta);
    sync_block();
    float *shares = work + ACTION_SHARES + (n * HIDDEN_TILES + blockIdx.x) * (BATCH * ACTION);
    for (int i = threadIdx.x; i < TILE * ACTION; i += THREADS) {
        const int r = i / ACTION, j = i % ACTION;
        if (row0 + r >= BATCH) break;
        float sum = 0;
#pragma unroll 8
        for (int c = 0; c < TILE; c++)
            sum += backward.tiles.result[0][r][c] * memory.weights[c][j];
        shares[(row0 + r) * ACTION + j] = sum;
    }
}

struct OutputsMemory {
    alignas(16) float delta[TILE][OUTPUTS4];
    alignas(16) float weights[OUTPUTS][TILE];
};

/// The gradient of the actor's outputs (OUTPUT_DELTA) and of the sums of its second layer
/// (ACTOR_DELTA2). With a = tanh u, u = mean + deviation z and g = dL/du:
///
///     L = mean of temperature log pi - min(Q1, Q2)
///     g = 2 temperature a / BATCH + (dL/da through the critics) (1 - a^2)
///     dL/dmean = g,  dL/d(log deviation) = g deviation z - temperature / BATCH, 0 where clamped
///
/// Grid: (HIDDEN_TILES, ROW_TILES).
KERNEL(THREADS, 2)
sac_outputs_backward(float *work, const float *parameters, const State *state) {
    SHARED(OutputsMemory, memory);
    const int row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    const float share_of_log = expf(state->log_temperature) * (1.0f / BATCH);
    for (int i = threadIdx.x; i < OUTPUTS * TILE; i += THREADS) {
        const int output = i / TILE, c = i % TILE;
        memory.weights[output][c] = column0 + c < HIDDEN
            ? parameters[Actor::weights3 + output * HIDDEN + column0 + c]
            : 0;
    }
    for (int i = threadIdx.x; i < TILE * OUTPUTS4; i += THREADS)
        memory.delta[i / OUTPUTS4][i % OUTPUTS4] = 0;
    sync_block();
    for (int i = threadIdx.x; i < TILE * ACTION; i += THREADS) {
        const int r = i / ACTION, j = i % ACTION, row = row0 + r;
        if (row >= BATCH) break;
        float of_action = 0;
        for (int share = 0; share < 2 * HIDDEN_TILES; share++)
            of_action += work[ACTION_SHARES + (share * BATCH + row) * ACTION + j];
        const int at = row * ACTION4 + j;
        const float a = work[POLICY_ACTION + at];
        const float g = 2.0f * share_of_log * a + of_action * (1.0f - a * a);
        memory.delta[r][j] = g;
        memory.delta[r][ACTION + j]
            = work[POLICY_FREE + at] > 0 ? g * work[POLICY_SPREAD + at] - share_of_log : 0;
    }
    sync_block();
    if (blockIdx.x == 0)
        for (int i = threadIdx.x; i < TILE * OUTPUTS4; i += THREADS) {
            const int r = i / OUTPUTS4, output = i % OUTPUTS4;
            if (row0 + r >= BATCH) break;
            work[OUTPUT_DELTA + (row0 + r) * OUTPUTS4 + output] = memory.delta[r][output];
        }
    const int row = row0 + own_row(), column = column0 + own_column();
    if (row >= BATCH || column >= HIDDEN) return;
    float4 sum = make_float4(0, 0, 0, 0);
    for (int output = 0; output < OUTPUTS; output++) {
        const float d = memory.delta[own_row()][output];
        const float4 w = load4(&memory.weights[output][own_column()]);
        sum = make_float4(sum.x + d * w.x, sum.y + d * w.y, sum.z + d * w.z, sum.w + d * w.w);
    }
    const size_t place = (size_t)row * HIDDEN + column;
    const float4 h = load4(work + ACTOR_HIDDEN2 + place);
    store4(work + ACTOR_DELTA2 + place,
           make_float4(h.x > 0 ? sum.x : 0, h.y > 0 ? sum.y : 0, h.z > 0 ? sum.z : 0,
                       h.w > 0 ? sum.w : 0));
}

constexpr int OUTPUT_PARTS = tiles(OUTPUTS) * HIDDEN_TILES;

/// result (rows x columns, rows of `columns`) = left' right over the batch, this block's tile.
DEVICE void multiply_gradient(Tiles &tiles, float *result, const float *left, int left_stride,
                              int rows, const float *right, int columns, int row0, int column0) {
    multiply<across, across, BATCH, 0>(
        tiles, columns_of(left, left_stride, row0, BATCH, left_stride),
        columns_of(right, columns, column0, BATCH, columns), Unchanged(), Nothing());
    const int row = row0 + own_row(), column = column0 + own_column();
    if (row < rows && column < columns)
        store4(result + (size_t)row * columns + column, own_results(tiles));
}

/// The actor's gradient: of its first sums (ACTOR_DELTA1), and of the parameters behind the first
/// layer. Grid: DELTA_PARTS + HIDDEN_PARTS + OUTPUT_PARTS + HIDDEN_TILES + tiles(OUTPUTS).
KERNEL(THREADS, 2)
sac_actor_backward(float *work, float *gradient, const float *parameters) {
    SHARED(ForwardMemory, memory);
    const float *hidden1 = work + HIDDEN1 + LAYER, *delta2 = work + ACTOR_DELTA2;
    int part = blockIdx.x;
    if (part < DELTA_PARTS) {
        const int row0 = part / HIDDEN_TILES * TILE, column0 = part % HIDDEN_TILES * TILE;
        multiply<along, across, HIDDEN, 0>(
            memory.tiles, rows_of(delta2, HIDDEN, row0, BATCH, HIDDEN),
            columns_of(parameters + Actor::weights2, HIDDEN, column0, HIDDEN, HIDDEN), Unchanged(),
            Nothing());
        const int row = row0 + own_row(), column = column0 + own_column();
        if (row >= BATCH || column >= HIDDEN) return;
        const size_t place = (size_t)row * HIDDEN + column;
        const float4 x = own_results(memory.tiles), h = load4(hidden1 + place);
        store4(work + ACTOR_DELTA1 + place,
               make_float4(h.x > 0 ? x.x : 0, h.y > 0 ? x.y : 0, h.z > 0 ? x.z : 0,
                           h.w > 0 ? x.w : 0));
        return;
    }
    part -= DELTA_PARTS;
    if (part < HIDDEN_PARTS) {
        multiply_gradient(memory.tiles, gradient + Actor::weights2, delta2, HIDDEN, HIDDEN, hidden1,
                          HIDDEN, part / HIDDEN_TILES * TILE, part % HIDDEN_TILES * TILE);
        return;
    }
    part -= HIDDEN_PARTS;
    if (part < OUTPUT_PARTS) {
        multiply_gradient(memory.tiles, gradient + Actor::weights3, work + OUTPUT_DELTA, OUTPUTS4,
                          OUTPUTS, work + ACTOR_HIDDEN2, HIDDEN, part / HIDDEN_TILES * TILE,
                          part % HIDDEN_TILES * TILE);
        return;
    }
    part -= OUTPUT_PARTS;
    const bool hidden = part < HIDDEN_TILES;
    const int column0 = (hidden ? part : part - HIDDEN_TILES) * TILE;
    const int columns = hidden ? HIDDEN : OUTPUTS, column = column0 + threadIdx.x % 32;
    const float sum = sum_columns(memory.tiles, hidden ? delta2 : work + OUTPUT_DELTA,
                                  hidden ? HIDDEN : OUTPUTS4, column0, columns,
                                  [](float x, int) { return x; });
    if (threadIdx.x < 32 && column < columns)
        gradient[(hidden ? Actor::bias2 : Actor::bias3) + column] = sum;
}

/// Adam of the temperature's logarithm, whose gradient is -(mean of log pi + target entropy), and
/// what the host wants to know. One block.
DEVICE void update_temperature(UpdateMemory &memory, const float *work, const float *parameters,
                               State *state) {
    const float temperature = expf(state->log_temperature);
    double log = 0, loss = 0;
    for (int row = threadIdx.x; row < BATCH; row += THREADS) {
        const float of_row = work[POLICY_LOG + row];
        const float q = fminf(
            critic_value(work + Q_SHARES, parameters + critic_place(0), row),
            critic_value(work + Q_SHARES + SHARES, parameters + critic_place(1), row));
        log += (double)of_row;
        loss += (double)(temperature * of_row - q);
    }
    log = block_sum(memory.of_warp, log) / BATCH;
    loss = block_sum(memory.of_warp, loss) / BATCH;
    if (threadIdx.x != 0) return;
    state->actor_loss_sum += loss;
    state->entropy_sum -= log;
    state->temperature_sum += (double)temperature;
    const float gradient = -(float)(log + (double)state->target_entropy);
    state->log_temperature = adam(state->log_temperature, state->temperature_first,
                                  state->temperature_second, gradient, state);
}

constexpr int ACTOR_INPUT_PARTS = HIDDEN_TILES * tiles(OBSERVATION4);
constexpr int ACTOR_CHUNKS = chunks(Actor::count - Actor::weights2);

/// The gradient of the actor's first layer, Adam of the actor, and the temperature's update. Grid:
/// ACTOR_INPUT_PARTS + HIDDEN_TILES + ACTOR_CHUNKS + 1.
KERNEL(THREADS, 2)
sac_actor_update(float *parameters, float *first, float *second, const float *work,
                 const float *gradient, const float *inputs, State *state) {
    SHARED(UpdateMemory, memory);
    const Learnt learnt = {parameters, first, second, state};
    const float *delta = work + ACTOR_DELTA1;
    int part = blockIdx.x;
    if (part < ACTOR_INPUT_PARTS) {
        constexpr int across_tiles = tiles(OBSERVATION4);
        const int row0 = part / across_tiles * TILE, column0 = part % across_tiles * TILE;
        draw_places(memory.places, state, state->updates - 1, 0, ROWS);
        sync_block();
        const Gathered<across> rows = {inputs, memory.places, INPUT, 0, column0, OBSERVATION4};
        multiply<across, across, BATCH, 0>(
            memory.tiles, columns_of(delta, HIDDEN, row0, BATCH, HIDDEN), rows, Unchanged(),
            Nothing());
        const int row = row0 + own_row(), column = column0 + own_column();
        if (row < HIDDEN && column < OBSERVATION4)
            learnt.update_actor(Actor::weights1 + row * OBSERVATION4 + column,
                                own_results(memory.tiles));
        return;
    }
    part -= ACTOR_INPUT_PARTS;
    if (part < HIDDEN_TILES) {
        const int column0 = part * TILE;
        const float sum = sum_columns(memory.tiles, delta, HIDDEN, column0, HIDDEN,
                                      [](float x, int) { return x; });
        use_sums(memory, sum, [&](int column, float4 sums) {
            if (column0 + column < HIDDEN)
                learnt.update_actor(Actor::bias1 + column0 + column, sums);
        });
        return;
    }
    part -= HIDDEN_TILES;
    if (part < ACTOR_CHUNKS) {
        const int place = Actor::weights2 + part * CHUNK + threadIdx.x * 4;
        if (place < Actor::count) learnt.update_actor(place, load4(gradient + place));
        return;
    }
    update_temperature(memory, work, parameters, state);
}
