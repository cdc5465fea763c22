/*
 * Depthwise convolution of 3x3, column by column: a band of rows of outputs by a vector of channels. The sums of the columns of outputs that an
 * input column adds to are in registers, so that each input of a band is loaded once.
 */
#include "vector.h"

#if UP_ISA == 2
enum { MOST_ROWS = UP_BAND_ROWS };

/* Clamps and stores a column of sums. */
UP_INLINE void store_column(const up_depthwise_band *t, int64_t c, int64_t column, const vf *sum, const int rows, const int64_t left) {
    const vf bias = vload(t->bias + c), low = vsplat(t->low), high = vsplat(t->high);
    const float *addend = t->addend ? t->addend + column * t->addend_stride + c : NULL;
    float *dst = t->dst + column * t->dst_stride + c;
#pragma GCC unroll 7
    for (int r = 0; r < rows; r++, dst += t->dst_row) {
        vf y = sum[r] + bias;
        if (addend) y += vload_n(addend + r * t->addend_row, left);
        vstore_n(dst, vmin(high, vmax(low, y)), left);
    }
}

UP_INLINE void with_stride_1(const up_depthwise_band *t, int64_t c, const int rows, const int64_t left) {
    const int64_t step = t->src_step, row = t->src_row;
    const int above = t->above, below = t->below;
    const float *x = t->src + c;
    vf w[9], begun[MOST_ROWS], next[MOST_ROWS], ends[MOST_ROWS];    /* columns of outputs */
#pragma GCC unroll 9
    for (int i = 0; i < 9; i++) w[i] = vload(t->weights + i * t->weights_tap + c);
#pragma GCC unroll 7
    for (int r = 0; r < rows; r++) next[r] = ends[r] = (vf){0};
    int64_t out = t->pad_left - 2;
#pragma GCC unroll 1
    for (int64_t i = 0; i < t->in_w; i++, x += step, out++) {
#pragma GCC unroll 7
        for (int r = 0; r < rows; r++) begun[r] = (vf){0};
#pragma GCC unroll 9
        for (int r = 0; r < rows + 2; r++) {
            if ((r == 0 && above) || (r == rows + 1 && below)) continue;
            vf value = vload_n(x + r * row, left);
            UP_KEEP(value);
#pragma GCC unroll 3
            for (int k = 0; k < 3; k++)
                if (r >= k && r - k < rows) {
                    ends[r - k] += w[3 * k + 2] * value;
                    next[r - k] += w[3 * k + 1] * value;
                    begun[r - k] += w[3 * k] * value;
                }
        }
#pragma GCC unroll 7
        for (int r = 0; r < rows; r++) UP_KEEP(ends[r]);
        if (out >= 0) store_column(t, c, out, ends, rows, left);
#pragma GCC unroll 7
        for (int r = 0; r < rows; r++) {
            ends[r] = next[r];
            next[r] = begun[r];
        }
    }
    if (out < t->out_w) store_column(t, c, out, ends, rows, left);
}

UP_INLINE void with_stride_2(const up_depthwise_band *t, int64_t c, const int rows, const int64_t left) {
    const int64_t step = t->src_step, row = t->src_row;
    const int above = t->above, below = t->below;
    int64_t column = -1 - t->pad_left;    /* the middle one of the three that a column of outputs reads */
    const float *x = t->src + column * step + c;
    vf w[9], ends[MOST_ROWS], next[MOST_ROWS];
#pragma GCC unroll 9
    for (int i = 0; i < 9; i++) w[i] = vload(t->weights + i * t->weights_tap + c);
#pragma GCC unroll 7
    for (int r = 0; r < rows; r++) next[r] = (vf){0};
#pragma GCC unroll 1
    for (int64_t out = -1; out < t->out_w; out++, x += 2 * step, column += 2) {
#pragma GCC unroll 7
        for (int r = 0; r < rows; r++) {
            ends[r] = next[r];
            next[r] = (vf){0};
        }
#pragma GCC unroll 2
        for (int last = 0; last < 2; last++)    /* the middle column; the last one, which is the next column's first */
            if (column + last >= 0 && column + last < t->in_w)
#pragma GCC unroll 15
                for (int r = 0; r < 2 * rows + 1; r++) {
                    if ((r == 0 && above) || (r == 2 * rows && below)) continue;
                    vf value = vload_n(x + last * step + r * row, left);
                    UP_KEEP(value);
#pragma GCC unroll 3
                    for (int k = 0; k < 3; k++)
                        if (r >= k && (r - k) % 2 == 0 && (r - k) / 2 < rows) {
                            ends[(r - k) / 2] += w[3 * k + 1 + last] * value;
                            if (last) next[(r - k) / 2] += w[3 * k] * value;
                        }
                }
        if (out >= 0) store_column(t, c, out, ends, rows, left);
    }
}

typedef void (*band_kernel)(const up_depthwise_band *band);

#define UP_BAND(rows, stride)                                                                                              \
    static void band_##rows##_##stride(const up_depthwise_band *t) {                                                       \
        int64_t c = 0;                                                                                                     \
        for (; c + VW <= t->channels; c += VW) with_stride_##stride(t, c, rows, VW);                                       \
        if (c < t->channels) with_stride_##stride(t, c, rows, t->channels - c);                                            \
    }
UP_BAND(4, 1) UP_BAND(5, 1) UP_BAND(6, 1) UP_BAND(7, 1)
UP_BAND(4, 2) UP_BAND(5, 2) UP_BAND(6, 2) UP_BAND(7, 2)

void UP_NAME(up_depthwise_columns)(const up_depthwise_band *t) {
    static const band_kernel kernels[2][MOST_ROWS - UP_FEWEST_BAND_ROWS + 1] = {{band_4_1, band_5_1, band_6_1, band_7_1},
                                                                                {band_4_2, band_5_2, band_6_2, band_7_2}};
    kernels[t->stride - 1][t->rows - UP_FEWEST_BAND_ROWS](t);
}
#endif
