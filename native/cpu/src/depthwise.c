/* Depthwise convolution: vectors of channels, a few pixels at a time so that they share the weights. */
#include "vector.h"

/* `nv` vectors of channels from c, of `mr` pixels; the last vector has `left` channels. */
UP_INLINE void part(const up_depthwise_tile *t, int64_t c, const int mr, const int nv, const int64_t left, const int indexed) {
    vf sum[UP_DEPTHWISE_PIXELS * 2];
#pragma GCC unroll 2
    for (int v = 0; v < nv; v++)
#pragma GCC unroll 4
        for (int i = 0; i < mr; i++) sum[i * nv + v] = vload(t->bias + c + v * VW);
    if (t->addend)
#pragma GCC unroll 4
        for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
            for (int v = 0; v < nv; v++)
                sum[i * nv + v] += vload_n(t->addend + i * t->addend_stride + c + v * VW, left - v * VW);
    const float *weights = t->weights + c;
    for (int64_t tap = 0; tap < t->taps; tap++, weights += t->weights_stride) {
        vf w[2];
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) w[v] = vload(weights + v * VW);
#pragma GCC unroll 4
        for (int i = 0; i < mr; i++) {
            const float *p = t->rows[i * t->taps + tap];
#pragma GCC unroll 2
            for (int v = 0; v < nv; v++)
                sum[i * nv + v] += w[v] * (indexed ? vgather_n(p, t->index + c + v * VW, left - v * VW) : vload_n(p + c + v * VW, left - v * VW));
        }
    }
    const vf low = vsplat(t->low), high = vsplat(t->high);
#pragma GCC unroll 4
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++)
            vstore_n(t->dst + i * t->dst_stride + c + v * VW, vmin(high, vmax(low, sum[i * nv + v])), left - v * VW);
}

UP_INLINE void rows(const up_depthwise_tile *t, const int mr, const int indexed) {
    int64_t c = 0;
    for (; c + 2 * VW <= t->channels; c += 2 * VW) part(t, c, mr, 2, 2 * VW, indexed);
    if (c + VW <= t->channels) {
        part(t, c, mr, 1, VW, indexed);
        c += VW;
    }
    if (c < t->channels) part(t, c, mr, 1, t->channels - c, indexed);
}

void UP_NAME(up_depthwise)(const up_depthwise_tile *t) {
    if (t->index) {
        for (int64_t i = 0; i < t->pixels; i++) {
            up_depthwise_tile one = *t;
            one.rows += i * t->taps;
            one.dst += i * t->dst_stride;
            if (one.addend) one.addend += i * t->addend_stride;
            rows(&one, 1, 1);
        }
    } else if (t->pixels == UP_DEPTHWISE_PIXELS) {
        rows(t, UP_DEPTHWISE_PIXELS, 0);
    } else {
        switch (t->pixels) {
            case 3: rows(t, 3, 0); break;
            case 2: rows(t, 2, 0); break;
            default: rows(t, 1, 0);
        }
    }
}
