// Loops over the flat parameter buffer.
#pragma once

void FN(sum_of_squares)(double *sum, const float *x, ptrdiff_t count) {
    // Short float sums into doubles: exact enough for a norm, at full vector speed.
    double total = 0;
    ptrdiff_t i = 0;
    for (; i + 256 <= count; i += 256) {
        vf s = splat(0);
        for (ptrdiff_t j = 0; j < 256; j += LANES) {
            vf v = load(x + i + j);
            s += v * v;
        }
        total += sum_lanes(s);
    }
    for (; i < count; i++) total += (double)x[i] * x[i];
    *sum += total;
}

void FN(accumulate)(float *x, const float *y, ptrdiff_t count) {
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) store(x + i, load(x + i) + load(y + i));
    for (; i < count; i++) x[i] += y[i];
}

void FN(approach)(float *x, const float *y, float share, ptrdiff_t count) {
    FOR_LANES(i, count) {
        vf from = load_tail(x, i, count);
        store_tail(x, from + splat(share) * (load_tail(y, i, count) - from), i, count);
    }
}

void FN(adamw)(float *p, float *m, float *v, const float *g, float gradient_scale, float rate,
               float decay, float beta1, float beta2, float epsilon, float correction1,
               float correction2, ptrdiff_t count) {
    float step = rate / correction1, root = 1.0f / sqrtf(correction2);
    float keep = 1.0f - rate * decay;
    for (ptrdiff_t i = 0; i < count; i += LANES) {
        vf gradient = load_tail(g, i, count) * splat(gradient_scale);
        vf first = splat(beta1) * load_tail(m, i, count) + splat(1.0f - beta1) * gradient;
        vf second = splat(beta2) * load_tail(v, i, count)
            + splat(1.0f - beta2) * gradient * gradient;
        vf denominator = __builtin_elementwise_sqrt(second) * splat(root) + splat(epsilon);
        store_tail(m, first, i, count);
        store_tail(v, second, i, count);
        store_tail(p, load_tail(p, i, count) * splat(keep) - splat(step) * first / denominator, i,
                   count);
    }
}

void FN(momentum)(float *x, float *m, const float *g, float gradient_scale, float decay,
                  ptrdiff_t count) {
    FOR_LANES(i, count) {
        vf gradient = load_tail(g, i, count) * splat(gradient_scale);
        vf moment = splat(decay) * load_tail(m, i, count) + gradient;
        store_tail(m, moment, i, count);
        store_tail(x, gradient + splat(decay) * moment, i, count);
    }
}

void FN(weighted_sum)(float *x, float own, const float *y, float other, ptrdiff_t count) {
    FOR_LANES(i, count)
    store_tail(x, splat(own) * load_tail(x, i, count) + splat(other) * load_tail(y, i, count), i,
               count);
}
