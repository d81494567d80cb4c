// Forward passes of actor, critics and targets. Hidden layers are max(0, W x + b).
#pragma once
#include "sac_product.h"

struct ForwardMemory {
    Tiles tiles;
    /// Where in the memory the tile's rows lie.
    u32 places[TILE];
    /// The policy's actions for the tile's rows.
    alignas(16) float action[TILE][ACTION4];
};

DEVICE float rectified(float x) { return x > 0 ? x : 0; }

/// This thread's four results of `multiply` with their bias, rectified.
DEVICE float4 own_rectified(const Tiles &tiles, const float *bias) {
    const float4 x = own_results(tiles), b = load4(bias);
    return make_float4(rectified(x.x + b.x), rectified(x.y + b.y), rectified(x.z + b.z),
                       rectified(x.w + b.w));
}

/// Stores the block's tile of a hidden layer (BATCH x HIDDEN).
DEVICE void store_hidden(float *hidden, const Tiles &tiles, const float *bias, int row0,
                         int column0) {
    const int row = row0 + own_row(), column = column0 + own_column();
    if (row < BATCH && column < HIDDEN)
        store4(hidden + (size_t)row * HIDDEN + column, own_rectified(tiles, bias + column));
}

/// The block's tile of W2 x before the bias; x is BATCH x HIDDEN.
DEVICE void multiply_hidden(Tiles &tiles, const float *hidden, const float *weights, int row0,
                            int column0) {
    multiply<along, along, HIDDEN, 0>(
        tiles, rows_of(hidden, HIDDEN, row0, BATCH, HIDDEN),
        rows_of(weights, HIDDEN, column0, HIDDEN, HIDDEN), Unchanged(), Nothing());
}

/// A critic's second hidden layer, which is stored where `hidden2` is given, and this tile's share
/// of Q, which is shares[tile][row].
DEVICE void finish_critic(float *shares, float *hidden2, const Tiles &tiles, const float *critic,
                          int row0, int column0) {
    const int row = row0 + own_row(), column = column0 + own_column();
    float dot = 0;
    if (row < BATCH && column < HIDDEN) {
        const float4 x = own_rectified(tiles, critic + Critic::bias2 + column);
        const float4 w = load4(critic + Critic::weights3 + column);
        if (hidden2) store4(hidden2 + (size_t)row * HIDDEN + column, x);
        dot = (x.x * w.x + x.y * w.y) + (x.z * w.z + x.w * w.w);
    }
    for (int mask = 1; mask < 8; mask <<= 1) dot += shuffle_xor(dot, mask);
    if (threadIdx.x % 8 == 0 && row < BATCH) shares[blockIdx.x * BATCH + row] = dot;
}

/// Q of a row: the sum of its shares and the bias.
DEVICE float critic_value(const float *shares, const float *critic, int row) {
    float q = critic[Critic::bias3];
    for (int tile = 0; tile < HIDDEN_TILES; tile++) q += shares[tile * BATCH + row];
    return q;
}

/// The actor's second hidden layer, which is stored where `hidden2` is given, and this tile's share
/// of the outputs, which is shares[row][output].
DEVICE void finish_actor(float *shares, float *hidden2, Tiles &tiles, const float *actor, int row0,
                         int column0) {
    const int row = row0 + own_row(), column = column0 + own_column();
    float4 x = make_float4(0, 0, 0, 0);
    if (row < BATCH && column < HIDDEN) {
        x = own_rectified(tiles, actor + Actor::bias2 + column);
        if (hidden2) store4(hidden2 + (size_t)row * HIDDEN + column, x);
    }
    store4(&tiles.result[0][own_row()][own_column()], x);
    sync_block();
    for (int i = threadIdx.x; i < TILE * OUTPUTS; i += THREADS) {
        const int r = i / OUTPUTS, output = i % OUTPUTS;
        if (row0 + r >= BATCH) break;
        const float *weights = actor + Actor::weights3 + output * HIDDEN + column0;
        float sum = 0;
#pragma unroll
        for (int c = 0; c < TILE; c += 4) {
            if (column0 + c >= HIDDEN) break;
            const float4 w = load4(weights + c), h = load4(&tiles.result[0][r][c]);
            sum += (h.x * w.x + h.y * w.y) + (h.z * w.z + h.w * w.w);
        }
        shares[(row0 + r) * OUTPUTS + output] = sum;
    }
}

/// First hidden layers: of the actor after (network 0) and before (1) the transition, of both
/// critics (2, 3) at the transition's action. Grid: (HIDDEN_TILES, ROW_TILES, 4).
///
/// inputs: size x INPUT, next: size x OBSERVATION4, of which a batch is drawn.
KERNEL(THREADS, 2)
sac_first_layers(float *work, const float *parameters, const float *inputs, const float *next,
                 const State *state) {
    SHARED(ForwardMemory, memory);
    const int network = blockIdx.z, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    const auto prepare = [&] { draw_places(memory.places, state, state->updates, row0, TILE); };
    const float *bias;
    if (network < 2) {
        const Gathered<along> rows = {network == 0 ? next : inputs, memory.places,
                                      network == 0 ? OBSERVATION4 : INPUT, row0, 0, OBSERVATION4};
        multiply<along, along, OBSERVATION4, 1>(
            memory.tiles, rows,
            rows_of(parameters + Actor::weights1, OBSERVATION4, column0, HIDDEN, OBSERVATION4),
            Unchanged(), prepare);
        bias = parameters + Actor::bias1;
    } else {
        const float *critic = parameters + critic_place(network - 2);
        const Gathered<along> rows = {inputs, memory.places, INPUT, row0, 0, INPUT};
        multiply<along, along, INPUT, 1>(
            memory.tiles, rows,
            rows_of(critic + Critic::weights1, INPUT, column0, HIDDEN, INPUT), Unchanged(),
            prepare);
        bias = critic + Critic::bias1;
    }
    store_hidden(work + HIDDEN1 + network * LAYER, memory.tiles, bias, row0, column0);
}

/// Second hidden layers of the same networks, with their shares of outputs and Q; begins the update
/// (State). Grid: (HIDDEN_TILES, ROW_TILES, 4).
KERNEL(THREADS, 2) sac_second_layers(float *work, const float *parameters, State *state) {
    SHARED(ForwardMemory, memory);
    const int network = blockIdx.z, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    const float *of_network = network < 2 ? parameters : parameters + critic_place(network - 2);
    multiply_hidden(memory.tiles, work + HIDDEN1 + network * LAYER,
                    of_network + (network < 2 ? Actor::weights2 : Critic::weights2), row0, column0);
    if (network < 2) {
        finish_actor(work + OUTPUT_SHARES + (blockIdx.x * 2 + network) * (BATCH * OUTPUTS),
                     network == 1 ? work + ACTOR_HIDDEN2 : nullptr, memory.tiles, of_network, row0,
                     column0);
    } else {
        const int n = network - 2;
        finish_critic(work + Q_SHARES + n * SHARES, work + CRITIC_HIDDEN2 + n * LAYER, memory.tiles,
                      of_network, row0, column0);
    }
    if (blockIdx.x + blockIdx.y + blockIdx.z + threadIdx.x == 0) {
        // Nobody else reads these numbers here.
        state->updates += 1;
        state->power1 *= (double)state->beta1;
        state->power2 *= (double)state->beta2;
        state->correction1 = (float)(1 - state->power1);
        state->inverse_root2 = (float)(1 / sqrt(1 - state->power2));
    }
}

/// ln(1 + e^x).
DEVICE float softplus(float x) { return fmaxf(x, 0) + log1pf(expf(-fabsf(x))); }

/// The policy's actions for rows row0 ..< row0 + TILE, with noise of stream 1 after the transition
/// (`which` 0) or of stream 2 before it (1), and of rows < TILE the logarithm of their probability:
///
///     u = mean + deviation z, a = tanh u
///     log pi = sum of -z^2/2 - log deviation - ln(2 pi)/2 - 2 (ln 2 - u - softplus(-2 u))
///
/// One block of a tile's says `keep` and writes what is needed later.
DEVICE void draw_actions(ForwardMemory &memory, float *work, const float *parameters,
                         const State *state, int which, int row0, bool keep) {
    const u64 update = state->updates - 1;
    const float *shares = work + OUTPUT_SHARES + which * (BATCH * OUTPUTS);
    const float *bias = parameters + Actor::bias3;
    // In the last of the stages: copies into the others may be under way.
    static_assert(TILE * ACTION4 <= PART * ACROSS, "too many actions");
    float *logs = memory.tiles.stage[STAGES - 1][0];
    for (int i = threadIdx.x; i < TILE * ACTION4; i += THREADS) {
        const int r = i / ACTION4, j = i % ACTION4, row = row0 + r;
        float action = 0, log = 0;
        if (row < BATCH && j < ACTION) {
            float mean = bias[j], log_deviation = bias[ACTION + j];
            for (int tile = 0; tile < HIDDEN_TILES; tile++) {
                const float *share = shares + (size_t)(tile * 2 * BATCH + row) * OUTPUTS;
                mean += share[j];
                log_deviation += share[ACTION + j];
            }
            const bool free = log_deviation >= -20.0f && log_deviation <= 2.0f;
            log_deviation = fminf(fmaxf(log_deviation, -20.0f), 2.0f);
            const float z = normal_number(state->keys[1 + which], (update * BATCH + row) * ACTION + j);
            const float spread = expf(log_deviation) * z, u = mean + spread;
            action = tanhf(u);
            log = -0.5f * z * z - log_deviation - 0.91893853320467274f
                - 2.0f * (0.69314718055994531f - u - softplus(-2.0f * u));
            if (keep && which == 1) {
                work[POLICY_ACTION + row * ACTION4 + j] = action;
                work[POLICY_SPREAD + row * ACTION4 + j] = spread;
                work[POLICY_FREE + row * ACTION4 + j] = free;
            }
        }
        memory.action[r][j] = action;
        if (keep) logs[i] = log;
    }
    if (keep) sync_block();
    if (keep && threadIdx.x < TILE && row0 + (int)threadIdx.x < BATCH) {
        float sum = 0;
        for (int j = 0; j < ACTION; j++) sum += logs[threadIdx.x * ACTION4 + j];
        work[(which == 0 ? NEXT_LOG : POLICY_LOG) + row0 + threadIdx.x] = sum;
    }
}

/// The first hidden layer of a critic at observations of the memory and the policy's actions, after
/// (`which` 0) or before (1) the transition.
DEVICE void policy_first_layer(float *hidden, ForwardMemory &memory, float *work,
                               const float *parameters, const float *critic,
                               const float *observations, int stride, const State *state,
                               int which, int row0, int column0, bool keep) {
    const Gathered<along> rows = {observations, memory.places, stride, row0, 0, OBSERVATION4};
    multiply<along, along, INPUT, 1>(
        memory.tiles,
        [&](float *to, int row, int k) {
            if (k >= OBSERVATION4 && k < INPUT)
                store4(to, load4(&memory.action[row][k - OBSERVATION4]));
            else
                rows(to, row, k);
        },
        rows_of(critic + Critic::weights1, INPUT, column0, HIDDEN, INPUT), Unchanged(), [&] {
            draw_places(memory.places, state, state->updates - 1, row0, TILE);
            draw_actions(memory, work, parameters, state, which, row0, keep);
        });
    store_hidden(hidden, memory.tiles, critic + Critic::bias1, row0, column0);
}

/// First hidden layers of both targets after the transition, at actions that the policy draws
/// there. Grid: (HIDDEN_TILES, ROW_TILES, 2).
KERNEL(THREADS, 2)
sac_target_first(float *work, const float *parameters, const float *next, const State *state) {
    SHARED(ForwardMemory, memory);
    const int n = blockIdx.z, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    policy_first_layer(work + TARGET_HIDDEN1 + n * LAYER, memory, work, parameters,
                       parameters + target_place(n), next, OBSERVATION4, state, 0, row0, column0,
                       blockIdx.x + n == 0);
}

/// Their second hidden layers' shares of Q. Grid: (HIDDEN_TILES, ROW_TILES, 2).
KERNEL(THREADS, 2) sac_target_second(float *work, const float *parameters) {
    SHARED(ForwardMemory, memory);
    const int n = blockIdx.z, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    const float *target = parameters + target_place(n);
    multiply_hidden(memory.tiles, work + TARGET_HIDDEN1 + n * LAYER, target + Critic::weights2,
                    row0, column0);
    finish_critic(work + TARGET_SHARES + n * SHARES, nullptr, memory.tiles, target, row0, column0);
}

/// First hidden layers of both critics, already updated, before the transition at actions that the
/// policy draws there; in the place of those at the memory's actions. Grid: (HIDDEN_TILES,
/// ROW_TILES, 2).
KERNEL(THREADS, 2)
sac_policy_first(float *work, const float *parameters, const float *inputs, const State *state) {
    SHARED(ForwardMemory, memory);
    const int n = blockIdx.z, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    policy_first_layer(work + HIDDEN1 + (2 + n) * LAYER, memory, work, parameters,
                       parameters + critic_place(n), inputs, INPUT, state, 1, row0, column0,
                       blockIdx.x + n == 0);
}

/// Their second hidden layers and shares of Q. Grid: (HIDDEN_TILES, ROW_TILES, 2).
KERNEL(THREADS, 2) sac_policy_second(float *work, const float *parameters) {
    SHARED(ForwardMemory, memory);
    const int n = blockIdx.z, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    const float *critic = parameters + critic_place(n);
    multiply_hidden(memory.tiles, work + HIDDEN1 + (2 + n) * LAYER, critic + Critic::weights2, row0,
                    column0);
    finish_critic(work + Q_SHARES + n * SHARES, work + CRITIC_HIDDEN2 + n * LAYER, memory.tiles,
                  critic, row0, column0);
}
