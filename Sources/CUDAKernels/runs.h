// Neighbouring floats moved together, and sums over a warp and a block.
#pragma once
#include "device.h"

DEVICE float2 load2(const float *p) { return *reinterpret_cast<const float2 *>(p); }
DEVICE void store2(float *p, float x, float y) {
    *reinterpret_cast<float2 *>(p) = make_float2(x, y);
}
DEVICE float4 load4(const float *p) { return *reinterpret_cast<const float4 *>(p); }
DEVICE void store4(float *p, float4 v) { *reinterpret_cast<float4 *>(p) = v; }

/// The sum over a warp, in every lane.
DEVICE float warp_sum(float x) {
    for (int mask = 16; mask > 0; mask >>= 1) x += shuffle_xor(x, mask);
    return x;
}
DEVICE double warp_sum(double x) {
    for (int mask = 16; mask > 0; mask >>= 1) x += shuffle_xor(x, mask);
    return x;
}

/// Adds a number of each thread over a block of so many warps, in a fixed order; every thread has
/// the sum.
template <int warps> DEVICE double block_sum(double (&of_warp)[warps], double x) {
    x = warp_sum(x);
    sync_block();
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
    sync_block();
    double total = 0;
    for (int i = 0; i < warps; i++) total += of_warp[i];
    return total;
}
