// What a card's own checks and measurements need: products whose result is known, to compare the
// layout of operands with what device.h says, and the speed of products alone.
#include "device.h"

/// c = a b by one bfloat16 product: a 16 x 16, b 16 x 8, c 16 x 8, row-major floats.
KERNEL(32, 1) multiply_bf16(float *c, const float *a, const float *b) {
    const int g = threadIdx.x / 4, t = threadIdx.x % 4;
    u32 left[4], right[2];
    for (int i = 0; i < 4; i++) {
        const float *p = a + (g + i % 2 * 8) * 16 + 2 * t + i / 2 * 8;
        left[i] = pack_bf16(p[0], p[1]);
    }
    for (int i = 0; i < 2; i++) {
        const float *p = b + (2 * t + 8 * i) * 8 + g;
        right[i] = pack_bf16(p[0], p[8]);
    }
    float sum[4] = {};
    mma_bf16(sum, left, right);
    for (int i = 0; i < 4; i++) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

/// c = a b by one TF32 product: a 16 x 8, b 8 x 8, c 16 x 8.
KERNEL(32, 1) multiply_tf32(float *c, const float *a, const float *b) {
    const int g = threadIdx.x / 4, t = threadIdx.x % 4;
    u32 left[4], right[2];
    for (int i = 0; i < 4; i++) left[i] = bits_of(a[(g + i % 2 * 8) * 8 + t + i / 2 * 4]);
    for (int i = 0; i < 2; i++) right[i] = bits_of(b[(t + 4 * i) * 8 + g]);
    float sum[4] = {};
    mma_tf32(sum, left, right);
    for (int i = 0; i < 4; i++) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

/// Two bfloat16 numbers in 1 ..< 2, or bits of a TF32 number, that differ from thread to thread.
DEVICE u32 operand(int i, u32 base, u32 mask) {
    return base | ((threadIdx.x + 32u * i + 1) * 2654435761u >> 3 & mask);
}

/// `rounds` times eight independent products in each warp: 4,096 operations (bfloat16) each.
KERNEL(256, 1) speed_bf16(float *out, int rounds) {
    float sum[8][4] = {};
    u32 a[4], b[2];
    for (int i = 0; i < 4; i++) a[i] = operand(i, 0x3f803f80u, 0x007f007fu);
    for (int i = 0; i < 2; i++) b[i] = operand(4 + i, 0x3f803f80u, 0x007f007fu);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < 8; i++) mma_bf16(sum[i], a, b);
    float total = 0;
    for (int i = 0; i < 8; i++) total += sum[i][0] + sum[i][1] + sum[i][2] + sum[i][3];
    out[blockIdx.x * blockDim.x + threadIdx.x] = total;
}

/// The same with TF32: 2,048 operations each.
KERNEL(256, 1) speed_tf32(float *out, int rounds) {
    float sum[8][4] = {};
    u32 a[4], b[2];
    for (int i = 0; i < 4; i++) a[i] = operand(i, 0x3f800000u, 0x007fe000u);
    for (int i = 0; i < 2; i++) b[i] = operand(4 + i, 0x3f800000u, 0x007fe000u);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < 8; i++) mma_tf32(sum[i], a, b);
    float total = 0;
    for (int i = 0; i < 8; i++) total += sum[i][0] + sum[i][1] + sum[i][2] + sum[i][3];
    out[blockIdx.x * blockDim.x + threadIdx.x] = total;
}
