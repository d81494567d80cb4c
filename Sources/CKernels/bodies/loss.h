// Softmax cross entropy and its gradient.
#pragma once

void FN(cross_entropy)(float *logits, float *entropy, const int32_t *targets,
                       const float *weights, ptrdiff_t rows, ptrdiff_t classes,
                       ptrdiff_t stride) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        float *z = logits + r * stride;
        vf highest = splat(-INFINITY);
        for (ptrdiff_t c = 0; c < classes; c += LANES)
            highest = vmax(highest, c + LANES <= classes
                                        ? load(z + c)
                                        : load_partial(z + c, classes - c, -INFINITY));
        float top = max_lanes(highest), target = z[targets[r]];
        vf total = splat(0);
        for (ptrdiff_t c = 0; c < classes; c += LANES) {
            if (c + LANES <= classes) {
                vf e = vexp(load(z + c) - splat(top));
                store(z + c, e);
                total += e;
            } else {
                vf e = vexp(load_partial(z + c, classes - c, -INFINITY) - splat(top));
                store_partial(z + c, e, classes - c);
                total += e;
            }
        }
        float sum = sum_lanes(total);
        if (entropy) entropy[r] = logf(sum) + top - target;
        float factor = weights[r] / sum;
        for (ptrdiff_t c = 0; c < classes; c += LANES) {
            if (c + LANES <= classes)
                store(z + c, load(z + c) * splat(factor));
            else
                for (ptrdiff_t k = c; k < classes; k++) z[k] *= factor;
        }
        z[targets[r]] -= weights[r];
    }
}
