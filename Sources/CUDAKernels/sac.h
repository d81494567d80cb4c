// Soft actor-critic (Haarnoja et al. 2018): the networks' shapes, where everything lies, and the
// random numbers of an update.
//
// Shape as macros: OBSERVATION, ACTION (numbers of each), HIDDEN (of both hidden layers, a multiple
// of 4), BATCH (transitions of an update); and sizes that the host counts on: WORK_COUNT,
// PARAMETER_COUNT, STATE_WORDS.
#pragma once
#include "runs.h"

typedef unsigned long long u64;

DEVICE constexpr int fours(int x) { return (x + 3) / 4 * 4; }

/// Numbers between rows of observations and actions: with zeros up to a multiple of four.
constexpr int OBSERVATION4 = fours(OBSERVATION), ACTION4 = fours(ACTION);
/// A critic's input: an observation, then an action.
constexpr int INPUT = OBSERVATION4 + ACTION4;
/// The actor's outputs: means, then logarithms of deviations.
constexpr int OUTPUTS = 2 * ACTION, OUTPUTS4 = fours(OUTPUTS);

/// Blocks compute results of TILE x TILE numbers.
constexpr int TILE = 32, THREADS = 256;
DEVICE constexpr int tiles(int x) { return (x + TILE - 1) / TILE; }
constexpr int ROW_TILES = tiles(BATCH), HIDDEN_TILES = tiles(HIDDEN);
/// Rows of a batch and hidden numbers up to whole tiles.
constexpr int ROWS = ROW_TILES * TILE, HIDDEN_PADDED = HIDDEN_TILES * TILE;

/// Where a network's parts lie among its parameters; weights are outputs x inputs.
template <int inputs, int outputs> struct Network {
    static constexpr int weights1 = 0;
    static constexpr int bias1 = HIDDEN * inputs;
    static constexpr int weights2 = bias1 + HIDDEN;
    static constexpr int bias2 = weights2 + HIDDEN * HIDDEN;
    static constexpr int weights3 = bias2 + HIDDEN;
    static constexpr int bias3 = weights3 + HIDDEN * outputs;
    static constexpr int count = bias3 + fours(outputs);
};
typedef Network<OBSERVATION4, OUTPUTS> Actor;
typedef Network<INPUT, 1> Critic;

/// Where the networks lie: the actor, two critics, and two targets, which have no moments.
constexpr int CRITICS = Actor::count, TARGETS = CRITICS + 2 * Critic::count;
DEVICE constexpr int critic_place(int n) { return CRITICS + n * Critic::count; }
DEVICE constexpr int target_place(int n) { return TARGETS + n * Critic::count; }

/// Numbers of a hidden layer for a batch.
constexpr int LAYER = BATCH * HIDDEN;
/// Shares of Q of a batch, one for each tile of the last hidden layer.
constexpr int SHARES = HIDDEN_TILES * BATCH;

// What kernels leave for each other, as places in one array of WORK floats.

/// First hidden layers: the actor's after and before the transition, then both critics'.
constexpr int HIDDEN1 = 0;
/// Second hidden layers: the actor's before the transition, both critics'.
constexpr int ACTOR_HIDDEN2 = HIDDEN1 + 4 * LAYER;
constexpr int CRITIC_HIDDEN2 = ACTOR_HIDDEN2 + LAYER;
/// First hidden layers of the targets.
constexpr int TARGET_HIDDEN1 = CRITIC_HIDDEN2 + 2 * LAYER;
/// Gradients of sums before the activations.
constexpr int CRITIC_DELTA1 = TARGET_HIDDEN1 + 2 * LAYER;
constexpr int ACTOR_DELTA2 = CRITIC_DELTA1 + 2 * LAYER;
constexpr int ACTOR_DELTA1 = ACTOR_DELTA2 + LAYER;
/// Shares of the actor's outputs, after and before the transition: tile, which, row, output.
constexpr int OUTPUT_SHARES = ACTOR_DELTA1 + LAYER;
/// Shares of Q: network, tile, row.
constexpr int Q_SHARES = OUTPUT_SHARES + fours(HIDDEN_TILES * 2 * BATCH * OUTPUTS);
constexpr int TARGET_SHARES = Q_SHARES + fours(2 * SHARES);
/// Shares of the loss's gradient with respect to the policy's actions: network, tile, row, column.
constexpr int ACTION_SHARES = TARGET_SHARES + fours(2 * SHARES);
/// log pi of the policy's actions after and before the transition.
constexpr int NEXT_LOG = ACTION_SHARES + fours(2 * SHARES * ACTION);
constexpr int POLICY_LOG = NEXT_LOG + fours(BATCH);
/// The policy's actions before the transition, their noise times deviation, and 1 where the
/// deviation is not clamped: row, column of ACTION4.
constexpr int POLICY_ACTION = POLICY_LOG + fours(BATCH);
constexpr int POLICY_SPREAD = POLICY_ACTION + BATCH * ACTION4;
constexpr int POLICY_FREE = POLICY_SPREAD + BATCH * ACTION4;
/// The gradient of the actor's outputs: row, output of OUTPUTS4.
constexpr int OUTPUT_DELTA = POLICY_FREE + BATCH * ACTION4;
constexpr int WORK = OUTPUT_DELTA + BATCH * OUTPUTS4;

/// What changes from update to update, and the settings. Written by the host before the first
/// update, and `size` with every block of transitions.
struct State {
    /// Of the three streams of random numbers: rows, noise after and before the transition.
    u64 keys[3];
    /// Updates begun.
    u64 updates;
    /// Transitions in the memory.
    u64 size;
    /// beta1^updates, beta2^updates.
    double power1, power2;
    /// Sums over updates: losses and Q of both critics, the actor's loss, -log pi, temperature.
    double loss_sum[2], q_sum[2], actor_loss_sum, entropy_sum, temperature_sum;
    /// The logarithm of the temperature, and its moments.
    float log_temperature, temperature_first, temperature_second;
    /// 1 - beta1^updates and the inverse square root of 1 - beta2^updates.
    float correction1, inverse_root2;
    /// Learning rate, discount, share of the way of the targets, scale of rewards.
    float rate, discount, target_rate, reward_scale;
    float target_entropy, beta1, beta2, epsilon, unused;
};

// What the host takes memory for.
static_assert(WORK == WORK_COUNT, "work");
static_assert(TARGETS + 2 * Critic::count == PARAMETER_COUNT, "parameters");
static_assert(sizeof(State) == 8 * STATE_WORDS, "state");

/// 64 random bits: number `index` of a stream. CPU: CounterNumbers.value.
DEVICE u64 random_bits(u64 key, u64 index) {
    u64 z = key + (index + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

/// Where in the memory row `row` of the batch of update `update` lies. CPU: CounterNumbers.number.
DEVICE u32 place_of(const State *state, u64 update, int row) {
    return (u32)((random_bits(state->keys[0], update * BATCH + row) >> 32) * state->size >> 32);
}

/// A standard normal number of a stream (Box and Muller). CPU: CounterNumbers.normal.
DEVICE float normal_number(u64 key, u64 index) {
    const u64 bits = random_bits(key, index);
    const float high = (float)(u32)(bits >> 40), low = (float)(u32)(bits >> 8 & 0xFFFFFF);
    const float radius = sqrtf(-2.0f * logf((high + 0.5f) * 5.9604644775390625e-8f));
    return radius * cosf(6.283185307179586f * (low * 5.9604644775390625e-8f));
}

/// places[i] = the place of row first + i of the update's batch, 0 beyond the batch's end.
DEVICE void draw_places(u32 *places, const State *state, u64 update, int first, int count) {
    for (int i = threadIdx.x; i < count; i += THREADS)
        places[i] = first + i < BATCH ? place_of(state, update, first + i) : 0;
}
