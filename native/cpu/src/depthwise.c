/*
 * Depthwise convolution: vectors of channels. A tile is a few pixels, which share the weights, by one or two vectors; a
 * pixel alone has four, so that enough sums are under way.
 */
#include "vector.h"

enum { MOST_PIXELS = 6 };

/* `mr` pixels from p by `nv` vectors of channels from c; the last vector has `left` channels. */
UP_INLINE void tile(const up_depthwise_run *t, int64_t p, int64_t c, const int mr, const int nv, const int64_t left, const int indexed) {
    vf sum[MOST_PIXELS * 2];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++)
#pragma GCC unroll 6
        for (int i = 0; i < mr; i++) sum[i * nv + v] = vload(t->bias + c + v * VW);
    if (t->addend)
#pragma GCC unroll 6
        for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++)
                sum[i * nv + v] += vload_n(t->addend + (p + i) * t->addend_stride + c + v * VW, nv > 1 ? VW : left);
    const float *row = t->src + p * t->pixel_step + (indexed ? 0 : c), *weights = t->weights + c;
    const int64_t step = t->pixel_step;
    for (int64_t y = 0; y < t->rows; y++, row += t->row_step, weights += t->weights_row) {
        const float *x = row, *w = weights;
#pragma GCC unroll 1
        for (int64_t j = 0; j < t->columns; j++, x += t->column_step, w += t->weights_tap) {
            vf b[4];
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++) b[v] = vload(w + v * VW);
#pragma GCC unroll 6
            for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
                for (int v = 0; v < nv; v++)
                    sum[i * nv + v] += b[v] * (indexed ? vgather_n(x + i * step, t->index + c + v * VW, nv > 1 ? VW : left)
                                                       : vload_n(x + i * step + v * VW, nv > 1 ? VW : left));
        }
    }
    const vf low = vsplat(t->low), high = vsplat(t->high);
#pragma GCC unroll 6
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++)
            vstore_n(t->dst + (p + i) * t->dst_stride + c + v * VW, vmin(high, vmax(low, sum[i * nv + v])), nv > 1 ? VW : left);
}

UP_INLINE void pixels(const up_depthwise_run *t, int64_t p, const int mr, const int indexed) {
    int64_t c = 0;
    if (mr == 1)
        for (; c + 4 * VW <= t->channels; c += 4 * VW) tile(t, p, c, 1, 4, VW, indexed);
    if (mr > 1)
        for (; c + 2 * VW <= t->channels; c += 2 * VW) tile(t, p, c, mr, 2, VW, indexed);
    for (; c + VW <= t->channels; c += VW) tile(t, p, c, mr, 1, VW, indexed);
    if (c < t->channels) tile(t, p, c, mr, 1, t->channels - c, indexed);
}

void UP_NAME(up_depthwise)(const up_depthwise_run *t) {
    const int64_t most = t->index ? 1 : MOST_PIXELS, tiles = (t->pixels + most - 1) / most;
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t p = up_cut(t->pixels, tiles, i);
        if (t->index) {
            pixels(t, p, 1, 1);
            continue;
        }
        switch (up_cut(t->pixels, tiles, i + 1) - p) {
            case 6: pixels(t, p, 6, 0); break;
            case 5: pixels(t, p, 5, 0); break;
            case 4: pixels(t, p, 4, 0); break;
            case 3: pixels(t, p, 3, 0); break;
            case 2: pixels(t, p, 2, 0); break;
            default: pixels(t, p, 1, 0);
        }
    }
}
