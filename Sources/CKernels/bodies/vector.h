// Vectors of LANES floats and the functions the kernels need on them.
#pragma once

#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef uint32_t vu __attribute__((vector_size(4 * LANES)));
typedef float vf_unaligned __attribute__((vector_size(4 * LANES), aligned(4)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v8_unaligned __attribute__((vector_size(32), aligned(4)));

#if LANES == 16
#define IOTA 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#else
#define IOTA 0, 1, 2, 3, 4, 5, 6, 7
#endif

INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store(float *p, vf v) { *(vf_unaligned *)p = v; }
INLINE vf splat(float x) { return x - (vf){0}; }

/// The first `count` (< LANES) elements, the rest `fill`.
INLINE vf load_partial(const float *p, ptrdiff_t count, float fill) {
    float lanes[LANES];
    for (ptrdiff_t i = 0; i < LANES; i++) lanes[i] = i < count ? p[i] : fill;
    return load(lanes);
}

INLINE void store_partial(float *p, vf v, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++) p[i] = v[i];
}

/// a where the mask is all ones, b where it is zero.
INLINE vf select(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
INLINE vf vmax(vf a, vf b) { return select(a > b, a, b); }
INLINE vf vmin(vf a, vf b) { return select(a < b, a, b); }

/// The two halves of a vector added, or the vector itself where it has eight lanes.
INLINE v8 fold(vf v) {
#if LANES == 16
    return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7)
        + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    return v;
#endif
}

INLINE float sum_lanes(vf v) {
    v8 s = fold(v);
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

INLINE float max_lanes(vf v) {
    float m = v[0];
    for (int i = 1; i < LANES; i++) m = v[i] > m ? v[i] : m;
    return m;
}

/// All ones in the first `count` lanes.
INLINE vi lanes_below(ptrdiff_t count) {
    return (vi)((vi){IOTA} < (int32_t)(count > LANES ? LANES : count));
}

/// e^x for x <= 88, zero below -87; relative error below 2 ulp (Cephes' polynomial).
INLINE vf vexp(vf x) {
    const vf magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
    vf clamped = vmax(vmin(x, splat(88.0f)), splat(-87.0f));
    vf n = (clamped * splat(1.44269504088896341f) + magic) - magic;
    vf r = clamped - n * splat(0.693359375f);
    r = r - n * splat(-2.12194440e-4f);
    vf p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * r * r + r + splat(1.0f);
    vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
    return select(x > splat(-87.0f), p * (vf)exponent, splat(0.0f));
}

/// GELU and its derivative: u Phi(u) and Phi(u) + u phi(u), with one exponential for both.
///
/// Phi(-|u|) = p(t) e^(-u^2 / 2) / 2 with t = 1 / (1 + 0.3275911 |u| / sqrt 2): Abramowitz and Stegun
/// 7.1.26, whose error function is exact to 1.5e-7; together with rounding both stay within 5e-7.
INLINE vf gelu(vf u, vf *derivative) {
    vf magnitude = (vf)((vi)u & 0x7FFFFFFF);
    vf e = vexp(splat(-0.5f) * u * u);
    vf t = splat(1.0f) / (splat(0.3275911f * 0.70710678118654752f) * magnitude + splat(1.0f));
    vf p = splat(0.5f * 1.061405429f);
    p = p * t + splat(0.5f * -1.453152027f);
    p = p * t + splat(0.5f * 1.421413741f);
    p = p * t + splat(0.5f * -0.284496736f);
    p = p * t + splat(0.5f * 0.254829592f);
    vf tail = p * t * e;
    vf cumulative = select(u < splat(0), tail, splat(1.0f) - tail);
    vf result = u * cumulative;
    *derivative = cumulative + u * e * splat(0.39894228040143268f);
    return result;
}

/// 32 well-mixed bits for each element number: a two-key variant of the "lowbias32" hash.
INLINE vu hash_elements(uint32_t first, tt_dropout dropout) {
    vu x = (vu){IOTA} + first;
    x = x * 0x9E3779B9u ^ dropout.key0;
    x ^= x >> 16;
    x = x * 0x7FEB352Du;
    x ^= (x >> 15) ^ dropout.key1;
    x = x * 0x846CA68Bu;
    x ^= x >> 16;
    return x;
}

/// `scale` for the elements that stay, 0 for those dropped; element numbers from `first` on.
INLINE vf dropout_factors(ptrdiff_t first, tt_dropout dropout) {
    vi kept = (vi)(hash_elements((uint32_t)first, dropout) >= dropout.threshold);
    return (vf)(kept & (vi)splat(dropout.scale));
}

#define FOR_LANES(c, width) for (ptrdiff_t c = 0; c < (width); c += LANES)

/// LANES elements from position c of a row, zero past its end.
INLINE vf load_tail(const float *p, ptrdiff_t c, ptrdiff_t width) {
    return c + LANES <= width ? load(p + c) : load_partial(p + c, width - c, 0);
}

/// Stores what lies before the end of a row.
INLINE void store_tail(float *p, vf v, ptrdiff_t c, ptrdiff_t width) {
    if (c + LANES <= width)
        store(p + c, v);
    else
        store_partial(p + c, v, width - c);
}

/// Writes the transpose of eight numbers of each of eight rows, from number `first` on.
INLINE void transpose_8x8_of(float *out, ptrdiff_t out_row, const float *const *rows,
                             ptrdiff_t first) {
    v8 a[8], b[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) a[i] = *(const v8_unaligned *)(rows[i] + first);
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        v8 x = a[2 * i], y = a[2 * i + 1];
        b[2 * i] = __builtin_shufflevector(x, y, 0, 8, 1, 9, 4, 12, 5, 13);
        b[2 * i + 1] = __builtin_shufflevector(x, y, 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 2; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < 2; j++) {
            v8 x = b[4 * i + j], y = b[4 * i + j + 2];
            a[4 * i + 2 * j] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13);
            a[4 * i + 2 * j + 1] = __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
        }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        v8 x = a[i], y = a[i + 4];
        *(v8_unaligned *)(out + i * out_row)
            = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
        *(v8_unaligned *)(out + (i + 4) * out_row)
            = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/// Writes the transpose of eight rows of eight numbers.
INLINE void transpose_8x8(float *out, ptrdiff_t out_row, const float *in, ptrdiff_t in_row) {
    const float *rows[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) rows[i] = in + i * in_row;
    transpose_8x8_of(out, out_row, rows, 0);
}
