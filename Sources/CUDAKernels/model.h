// The model's shape, what changes from step to step, dropout, and how activations are kept.
#pragma once
#include "runs.h"

/// Rows of a sequence: its goal, then its tokens.
constexpr int SEQUENCE = GOALS + LENGTH;
/// Channels of an attention head.
constexpr int HEAD_WIDTH = WIDTH / HEADS;
/// Numbers between rows of logits.
constexpr int LOGITS = (VOCABULARY + 7) / 8 * 8;

/// Which elements one place of the network drops: `tt_dropout` of CKernels.
struct Dropout {
    u32 key0, key1, threshold;
    float scale;
};

/// What changes from step to step. Written by the host before the step's graph.
struct Step {
    /// Learning rate; 1 - beta1^k; 1 - beta2^k; weight decay; decays of the moments; the
    /// optimizer's epsilon; largest norm of the gradient.
    float rate, correction1, correction2, decay, beta1, beta2, epsilon, limit;
    /// Tokens of the whole batch, which the loss is divided by.
    float divisor;
    /// Number of the first sequence in the whole batch.
    u32 first_sequence;
    u32 unused[2];
    /// Loss weights by kind of dimension: observation, action, reward, value.
    Dropout sites[1 + 3 * LAYERS];
};

/// 32 well-mixed bits for an element: `hash_elements` of CKernels.
DEVICE u32 hash_element(u32 element, const Dropout &d) {
    u32 x = element * 0x9E3779B9u ^ d.key0;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= (x >> 15) ^ d.key1;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    return x;
}

/// `scale` if the element stays, else 0.
DEVICE float dropout_factor(u32 element, const Dropout &d) {
    return hash_element(element, d) >= d.threshold ? d.scale : 0;
}

/// The number of an element of the residual stream in the whole batch.
DEVICE u32 stream_element(const Step *step, int row, int column) {
    return (step->first_sequence * SEQUENCE + (u32)row) * WIDTH + (u32)column;
}

// Activations that only products read are kept as the products take them: as floats, or as
// bfloat16.
#if EXACT
typedef float stored;
DEVICE float number_of(float x) { return x; }
DEVICE float stored_of(float x) { return x; }
#else
typedef u16 stored;
DEVICE float2 pair_of(u32 u) { return make_float2(float_of(u << 16), float_of(u & 0xffff0000u)); }
DEVICE float2 load2(const u16 *p) { return pair_of(*reinterpret_cast<const u32 *>(p)); }
DEVICE void store2(u16 *p, float x, float y) { *reinterpret_cast<u32 *>(p) = pack_bf16(x, y); }
DEVICE float number_of(u16 x) { return float_of((u32)x << 16); }
DEVICE u16 stored_of(float x) { return (u16)pack_bf16(x, 0); }
DEVICE float4 load4(const u16 *p) {
    uint2 u = *reinterpret_cast<const uint2 *>(p);
    float2 a = pair_of(u.x), b = pair_of(u.y);
    return make_float4(a.x, a.y, b.x, b.y);
}
DEVICE void store4(u16 *p, float4 v) {
    *reinterpret_cast<uint2 *>(p) = make_uint2(pack_bf16(v.x, v.y), pack_bf16(v.z, v.w));
}
#endif

/// e^x: rounded as the library's where exact, else to about 2^-21 of itself.
DEVICE float exponential(float x) { return EXACT ? expf(x) : fast_exponential(x); }

/// 1 / x, rounded likewise.
DEVICE float reciprocal(float x) { return EXACT ? 1.0f / x : fast_quotient(1.0f, x); }

DEVICE float warp_max(float x) {
    for (int mask = 16; mask > 0; mask >>= 1) {
        float y = shuffle_xor(x, mask);
        x = y > x ? y : x;
    }
    return x;
}
