// Eight-lane vectors and the functions the kernels need on them.
#pragma once

#define INLINE static inline __attribute__((always_inline))
#define LANES 8

typedef float vf __attribute__((vector_size(32)));
typedef int32_t vi __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(32)));
typedef float vf_unaligned __attribute__((vector_size(32), aligned(4)));

INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store(float *p, vf v) { *(vf_unaligned *)p = v; }
INLINE vf splat(float x) { return (vf){x, x, x, x, x, x, x, x}; }

/// The first `count` (< 8) elements, the rest `fill`.
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

INLINE float sum_lanes(vf v) {
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

INLINE float max_lanes(vf v) {
    float m = v[0];
    for (int i = 1; i < LANES; i++) m = v[i] > m ? v[i] : m;
    return m;
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

/// The error function; absolute error below 5e-7 (rational approximation on [-4, 4], odd).
INLINE vf verf(vf x) {
    vf c = vmax(vmin(x, splat(4.0f)), splat(-4.0f));
    vf s = c * c;
    vf p = splat(-2.72614225801306e-10f);
    p = p * s + splat(2.77068142495902e-08f);
    p = p * s + splat(-2.10102402082508e-06f);
    p = p * s + splat(-5.69250639462346e-05f);
    p = p * s + splat(-7.34990630326855e-04f);
    p = p * s + splat(-2.95459980854025e-03f);
    p = p * s + splat(-1.60960333262415e-02f);
    vf q = splat(-1.45660718464996e-05f);
    q = q * s + splat(-2.13374055278905e-04f);
    q = q * s + splat(-1.68282697438203e-03f);
    q = q * s + splat(-7.37332916720468e-03f);
    q = q * s + splat(-1.42647390514189e-02f);
    return c * p / q;
}

INLINE vf gelu(vf u) {
    return splat(0.5f) * u * (splat(1.0f) + verf(u * splat(0.70710678118654752f)));
}

/// d gelu(u) / du = Phi(u) + u phi(u).
INLINE vf gelu_derivative(vf u) {
    vf cumulative = splat(0.5f) * (splat(1.0f) + verf(u * splat(0.70710678118654752f)));
    vf density = splat(0.39894228040143268f) * vexp(splat(-0.5f) * u * u);
    return cumulative + u * density;
}

/// 32 well-mixed bits for each element number: a two-key variant of the "lowbias32" hash.
INLINE vu hash_elements(uint32_t first, tt_dropout dropout) {
    vu x = (vu){0, 1, 2, 3, 4, 5, 6, 7} + first;
    x = x * 0x9E3779B9u ^ dropout.key0;
    x ^= x >> 16;
    x = x * 0x7FEB352Du;
    x ^= (x >> 15) ^ dropout.key1;
    x = x * 0x846CA68Bu;
    x ^= x >> 16;
    return x;
}

/// `scale` for the elements that stay, 0 for those dropped; element numbers first ... first + 7.
INLINE vf dropout_factors(ptrdiff_t first, tt_dropout dropout) {
    vi kept = (vi)(hash_elements((uint32_t)first, dropout) >= dropout.threshold);
    return (vf)(kept & (vi)splat(dropout.scale));
}

#define FOR_LANES(c, width) for (ptrdiff_t c = 0; c < (width); c += LANES)

/// Eight elements from position c of a row, zero past its end.
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
