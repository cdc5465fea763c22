/*
 * Depthwise convolution: vectors of channels. A tile is a few pixels, which share the weights, by one or two vectors; a
 * pixel alone has four, so that enough sums are under way.
 */
#include "vector.h"

enum { MOST_PIXELS = 6, MOST_ROW_PIXELS = 8, MOST_ROW_TAPS = 7 };

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
    const float *plane = t->src + p * t->pixel_step + (indexed ? 0 : c), *weights_plane = t->weights + c;
    const int64_t step = t->pixel_step;
    int64_t rows = t->rows;
    for (int64_t k = 0; k < t->planes; k++, plane += t->plane_step, weights_plane += t->weights_plane, rows = t->later_rows) {
        const float *row = plane, *weights = weights_plane;
        for (int64_t y = 0; y < rows; y++, row += t->row_step, weights += t->weights_row) {
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
    for (; c + 2 * VW <= t->channels; c += 2 * VW) tile(t, p, c, mr, 2, VW, indexed);
    for (; c + VW <= t->channels; c += VW) tile(t, p, c, mr, 1, VW, indexed);
    if (c < t->channels) tile(t, p, c, mr, 1, t->channels - c, indexed);
}

/*
 * `mr` pixels in a row from p by `nv` vectors of channels, for `kernel` taps in a row that lie side by side: an input is loaded once for all
 * taps of a row that read it, and one outside of the image not at all.
 */
UP_INLINE void row_tile(const up_depthwise_run *t, int64_t p, int64_t c, const int mr, const int nv, const int kernel, const int stride,
                        const int64_t left, const int cut) {
    const int inputs = (mr - 1) * stride + kernel;
    const float *src = t->src + p * t->pixel_step + c, *addend = t->addend ? t->addend + p * t->addend_stride + c : NULL;
    float *dst = t->dst + p * t->dst_stride + c;
    const int64_t first = t->before - p * stride, end = (t->pixels - 1 - p) * stride + kernel - t->after;    /* inputs inside of the image */
    vf sum[MOST_ROW_PIXELS * 2];
#pragma GCC unroll 2
    for (int v = 0; v < nv; v++) {
        const vf bias = vload(t->bias + c + v * VW);
#pragma GCC unroll 8
        for (int i = 0; i < mr; i++) sum[i * nv + v] = bias;
    }
    if (addend)
#pragma GCC unroll 8
        for (int i = 0; i < mr; i++, addend += t->addend_stride)
#pragma GCC unroll 2
            for (int v = 0; v < nv; v++) sum[i * nv + v] += vload_n(addend + v * VW, left);
    const int64_t step = t->column_step, row_step = t->row_step, weights_row = t->weights_row, tap = t->weights_tap;
    int64_t rows = t->rows;
    const float *weights_plane = t->weights + c;
#pragma GCC unroll 1
    for (int64_t k = t->planes; k > 0; k--, src += t->plane_step, weights_plane += t->weights_plane, rows = t->later_rows) {
        const float *row = src, *weights = weights_plane;
#pragma GCC unroll 1
        for (int64_t y = rows; y > 0; y--, row += row_step, weights += weights_row) {
            vf b[MOST_ROW_TAPS * 2];
#pragma GCC unroll 7
            for (int j = 0; j < kernel; j++)
#pragma GCC unroll 2
                for (int v = 0; v < nv; v++) b[j * nv + v] = vload(weights + j * tap + v * VW);
            const float *x = row;
#pragma GCC unroll 24
            for (int i = 0; i < inputs; i++, x += step) {
                if (cut && ((i < kernel - 1 && i < first) || (i > inputs - kernel && i >= end))) continue;
#pragma GCC unroll 2
                for (int v = 0; v < nv; v++) {
                    vf value = vload_n(x + v * VW, left);
                    UP_KEEP(value);
#pragma GCC unroll 7
                    for (int j = 0; j < kernel; j++)
                        if (i >= j && (i - j) % stride == 0 && (i - j) / stride < mr) sum[(i - j) / stride * nv + v] += b[j * nv + v] * value;
                }
            }
        }
    }
    const vf low = vsplat(t->low), high = vsplat(t->high);
    const int64_t dst_stride = t->dst_stride;
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++, dst += dst_stride)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) vstore_n(dst + v * VW, vmin(high, vmax(low, sum[i * nv + v])), left);
}

typedef void (*row_kernel)(const up_depthwise_run *run, int64_t pixel);

/* Vectors side by side, where there are registers for two. */
#define ROW_VECTORS(kernel) (UP_ISA == 2 && kernel <= 5 ? 2 : 1)

/*
 * Tiles that the border may cut and, with stride 2, whose inputs have few products to hide the questions behind (56x56 144 with AVX2: 6 %),
 * others for those that lie inside.
 */
#define UP_ROW(mr, kernel, stride, cut)                                                                                 \
    static void row_##mr##_##kernel##_##stride##_##cut(const up_depthwise_run *t, int64_t p) {                           \
        int64_t c = 0;                                                                                                  \
        if (ROW_VECTORS(kernel) == 2)                                                                                   \
            for (; c + 2 * VW <= t->channels; c += 2 * VW) row_tile(t, p, c, mr, 2, kernel, stride, VW, cut);            \
        for (; c + VW <= t->channels; c += VW) row_tile(t, p, c, mr, 1, kernel, stride, VW, cut);                        \
        if (c < t->channels) row_tile(t, p, c, mr, 1, kernel, stride, t->channels - c, cut);                             \
    }
#define UP_ROWS_CUT(kernel, stride, cut)                                                                                \
    UP_ROW(1, kernel, stride, cut) UP_ROW(2, kernel, stride, cut) UP_ROW(3, kernel, stride, cut) UP_ROW(4, kernel, stride, cut)     \
    UP_ROW(5, kernel, stride, cut) UP_ROW(6, kernel, stride, cut) UP_ROW(7, kernel, stride, cut) UP_ROW(8, kernel, stride, cut)
#define UP_ROW_NAMES(kernel, stride, cut)                                                                               \
    {row_1_##kernel##_##stride##_##cut, row_2_##kernel##_##stride##_##cut, row_3_##kernel##_##stride##_##cut,            \
     row_4_##kernel##_##stride##_##cut, row_5_##kernel##_##stride##_##cut, row_6_##kernel##_##stride##_##cut,            \
     row_7_##kernel##_##stride##_##cut, row_8_##kernel##_##stride##_##cut}
#define UP_ROWS(kernel, stride, inside)                                                                                 \
    UP_ROWS_CUT(kernel, stride, 1)                                                                                      \
    static const row_kernel rows_##kernel##_##stride[2][MOST_ROW_PIXELS] = {UP_ROW_NAMES(kernel, stride, inside), UP_ROW_NAMES(kernel, stride, 1)};
UP_ROWS(3, 1, 1)
UP_ROWS_CUT(3, 2, 0)
UP_ROWS(3, 2, 0)
UP_ROWS(5, 1, 1)
UP_ROWS_CUT(5, 2, 0)
UP_ROWS(5, 2, 0)
UP_ROWS(7, 1, 1)

void UP_NAME(up_depthwise)(const up_depthwise_run *t) {
    if (!t->index && t->rows > 0) {
        const int stride = t->pixel_step == t->column_step ? 1 : t->pixel_step == 2 * t->column_step ? 2 : 0;
        const row_kernel(*row)[MOST_ROW_PIXELS] =
            t->columns == 3 ? stride == 1 ? rows_3_1 : stride == 2 ? rows_3_2 : NULL
            : t->columns == 5 ? stride == 1 ? rows_5_1 : stride == 2 ? rows_5_2 : NULL : t->columns == 7 && stride == 1 ? rows_7_1 : NULL;
        if (row) {
            const int64_t tiles = (t->pixels + MOST_ROW_PIXELS - 1) / MOST_ROW_PIXELS;
            for (int64_t i = 0; i < tiles; i++) {
                const int64_t p = up_cut(t->pixels, tiles, i), next = up_cut(t->pixels, tiles, i + 1);
                const int cut = p * stride < t->before || (t->pixels - next) * stride < t->after;
                row[cut][next - p - 1](t, p);
            }
            return;
        }
    }
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
