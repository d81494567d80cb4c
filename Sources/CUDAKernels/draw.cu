// Choosing the next token of many rows on the card: `TokenFilter` and `TokenSampler` of the
// planner.
#include "device.h"

constexpr int DRAW_WARPS = 8;
/// Tokens of a lane: neighbours.
constexpr int LANE_TOKENS = (VOCABULARY + 31) / 32;

/// Larger than any logit.
constexpr float INFINITE = 3.4e38f;

struct DrawTile {
    float logits[DRAW_WARPS][32 * LANE_TOKENS];
    float powers[DRAW_WARPS][32 * LANE_TOKENS];
    double sums[DRAW_WARPS][32];
};

DEVICE float warp_largest(float x) {
    for (int mask = 16; mask > 0; mask /= 2) {
        const float other = shuffle_xor(x, mask);
        x = other > x ? other : x;
    }
    return x;
}

DEVICE float power_of(float x) { return x < -104 ? 0 : expf(x); }

/// exp(x - largest x) for the warp's tokens, and their sum in every lane; `x` and `power` shared.
DEVICE float powers_of(float *power, const float *x) {
    const int lane = threadIdx.x % 32;
    float most = -INFINITE, sum = 0;
    for (int i = 0; i < LANE_TOKENS; i++) {
        const float value = x[lane * LANE_TOKENS + i];
        most = value > most ? value : most;
    }
    most = warp_largest(most);
    for (int i = 0; i < LANE_TOKENS; i++) {
        const int token = lane * LANE_TOKENS + i;
        power[token] = token < VOCABULARY ? power_of(x[token] - most) : 0;
        sum += power[token];
    }
    for (int mask = 16; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
    sync_warp();
    return sum;
}

/// The first of the warp's tokens for which `holds(i, token)`, or VOCABULARY.
template <class F>
DEVICE int first_token(F holds) {
    const int lane = threadIdx.x % 32;
    float first = VOCABULARY;
    for (int i = LANE_TOKENS - 1; i >= 0; i--) {
        const int token = lane * LANE_TOKENS + i;
        if (token < VOCABULARY && holds(i)) first = token;
    }
    return (int)-warp_largest(-first);
}

/// One token for each row, and the row's next node.
///
/// A row stands on the node at standing[row] (or, where that is null, at `before` + row), whose
/// logits these are: divided by `temperature`; without the tail of the least likely that hold less
/// than `mass` together (none where negative; `careful` keeps the likeliest); without those less
/// likely than the `top`-th (all where 0). The token is the first whose cumulative probability
/// exceeds uniforms[row], or forced[row] where that is not negative. Its node goes to `place` + row
/// with logits in row `output` + row, unless `place` is negative. A warp takes a row: 2
/// VOCABULARY^2 comparisons, and reads its logits once.
KERNEL(32 * DRAW_WARPS, 1)
draw(int *tokens, int *nodes, int *order, const float *logits, const int *standing,
     const double *uniforms, const int *forced, int rows, int before, int top, float mass,
     float temperature, int careful, int place, int output) {
    SHARED(DrawTile, tile);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32,
              row = blockIdx.x * DRAW_WARPS + warp;
    if (row >= rows) return;
    const int stand = standing ? standing[row] : before + row;
    const float *in = logits + (long long)nodes[4 * stand + 3] * ((VOCABULARY + 3) / 4 * 4);
    float *x = tile.logits[warp], *power = tile.powers[warp];
    for (int i = 0; i < LANE_TOKENS; i++) {
        const int token = lane * LANE_TOKENS + i;
        x[token] = token < VOCABULARY ? in[token] / temperature : -INFINITE;
    }
    sync_warp();
    if (mass >= 0) {
        const float total = powers_of(power, x);
        bool tail[LANE_TOKENS];
        float any = 0, least = INFINITE, most = -INFINITE;
        for (int i = 0; i < LANE_TOKENS; i++) {
            const int token = lane * LANE_TOKENS + i;
            tail[i] = false;
            if (token >= VOCABULARY) continue;
            // The mass of the less likely tokens and its own.
            double sum = power[token] / total;
            for (int j = 0; j < VOCABULARY; j++)
                if (x[j] < x[token]) sum += power[j] / total;
            tail[i] = sum < mass;
            any = tail[i] ? 1 : any;
            least = x[token] < least ? x[token] : least;
            most = x[token] > most ? x[token] : most;
        }
        any = warp_largest(any);
        least = -warp_largest(-least);
        most = warp_largest(most);
        sync_warp();
        for (int i = 0; i < LANE_TOKENS; i++) {
            const int token = lane * LANE_TOKENS + i;
            if (token >= VOCABULARY) continue;
            const bool goes = careful   ? tail[i] && x[token] < most
                              : any > 0 ? tail[i]
                                        : x[token] <= least;
            if (goes) x[token] = -1000;
        }
        sync_warp();
    }
    if (top > 0 && top < VOCABULARY) {
        bool goes[LANE_TOKENS];
        for (int i = 0; i < LANE_TOKENS; i++) {
            const int token = lane * LANE_TOKENS + i;
            int larger = 0;
            if (token < VOCABULARY)
                for (int j = 0; j < VOCABULARY; j++) larger += x[j] > x[token];
            goes[i] = larger >= top;
        }
        sync_warp();
        for (int i = 0; i < LANE_TOKENS; i++)
            if (goes[i]) x[lane * LANE_TOKENS + i] = -INFINITE;
        sync_warp();
    }
    const float total = powers_of(power, x);
    double cumulative[LANE_TOKENS], sum = 0;
    for (int i = 0; i < LANE_TOKENS; i++) {
        sum += power[lane * LANE_TOKENS + i] / total;
        cumulative[i] = sum;
    }
    tile.sums[warp][lane] = sum;
    sync_warp();
    double below = 0, all = 0;
    for (int i = 0; i < 32; i++) {
        if (i == lane) below = all;
        all += tile.sums[warp][i];
    }
    for (int i = 0; i < LANE_TOKENS; i++) cumulative[i] += below;
    const double u = uniforms[row];
    int token = first_token([&](int i) { return cumulative[i] > u; });
    // Rounding left the sum at or below u: the last token with any probability.
    const int last = first_token([&](int i) { return cumulative[i] >= all; });
    token = token < VOCABULARY ? token : last < VOCABULARY ? last : VOCABULARY - 1;
    if (lane > 0) return;
    if (forced && forced[row] >= 0) token = forced[row];
    tokens[row] = token;
    if (place < 0) return;
    const int position = nodes[4 * stand + 2] + 1, node = place + row, bins = VOCABULARY - 1;
    nodes[4 * node] = stand;
    nodes[4 * node + 1] = token == bins ? bins * DIMENSION : token + position % DIMENSION * bins;
    nodes[4 * node + 2] = position;
    nodes[4 * node + 3] = output + row;
    order[row] = node;
}
