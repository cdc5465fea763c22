/*
 * Convolution of few input channels with vectors across pixels: neighbouring pixels of a row in a vector, so that any number of outputs fills
 * it. The sums of up to eight outputs are turned in registers, to store them pixel by pixel.
 */
#include "vector.h"

#if UP_ISA > 0
#if VW == 8
#define EACH_LANE(a, b, c, d) a, b, c, d, 4 + (a), 4 + (b), 4 + (c), 4 + (d)
#else
#define EACH_LANE(a, b, c, d) a, b, c, d, 4 + (a), 4 + (b), 4 + (c), 4 + (d), 8 + (a), 8 + (b), 8 + (c), 8 + (d), 12 + (a), 12 + (b), 12 + (c), 12 + (d)
#endif
enum { MOST_OUTPUTS = VW == 16 ? 8 : 4, MOST_VECTORS = 3 };

/* Four outputs of VW pixels, turned: lane j of vector i holds those of pixel 4 * j + i. */
UP_INLINE void turn(const vf *sum, const int step, vf *turned) {
    const vf a = sum[0], b = sum[step], c = sum[2 * step], d = sum[3 * step];
    const vf ab = __builtin_shufflevector(a, b, EACH_LANE(0, VW, 1, VW + 1)), cd = __builtin_shufflevector(c, d, EACH_LANE(0, VW, 1, VW + 1));
    const vf ba = __builtin_shufflevector(a, b, EACH_LANE(2, VW + 2, 3, VW + 3)), dc = __builtin_shufflevector(c, d, EACH_LANE(2, VW + 2, 3, VW + 3));
    turned[0] = __builtin_shufflevector(ab, cd, EACH_LANE(0, 1, VW, VW + 1));
    turned[1] = __builtin_shufflevector(ab, cd, EACH_LANE(2, 3, VW + 2, VW + 3));
    turned[2] = __builtin_shufflevector(ba, dc, EACH_LANE(0, 1, VW, VW + 1));
    turned[3] = __builtin_shufflevector(ba, dc, EACH_LANE(2, 3, VW + 2, VW + 3));
}

UP_INLINE void store_four(float *to, const v4f x, const int m) {
    if (m == 4) store4(to, x);
#if UP_ISA == 2
    else _mm_mask_storeu_ps(to, (__mmask8)((1 << m) - 1), (__m128)x);
#else
    else store_part4(to, x, m);
#endif
}

#if VW == 16
UP_INLINE void store_eight(float *to, const v8f x, const int m) {
    if (m == 8) store8(to, x);
    else store_part8(to, x, m);
}
#endif

/* Stores the `m` sums of each of `pixels` pixels, at most VW. `sum` has room for whole fours of outputs, `step` vectors apart. */
UP_INLINE void store_turned(const vf *sum, const int step, float *to, int64_t stride, const int64_t pixels, const int m) {
    vf low[4];
    turn(sum, step, low);
#if VW == 16
    if (m > 4) {
        vf high[4];
        turn(sum + 4 * step, step, high);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            const vf a = __builtin_shufflevector(low[i], high[i], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
            const vf b = __builtin_shufflevector(low[i], high[i], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
            float *p = to + i * stride;
            if (i < pixels) store_eight(p, __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7), m);
            if (4 + i < pixels) store_eight(p + 4 * stride, __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15), m);
            if (8 + i < pixels) store_eight(p + 8 * stride, __builtin_shufflevector(b, b, 0, 1, 2, 3, 4, 5, 6, 7), m);
            if (12 + i < pixels) store_eight(p + 12 * stride, __builtin_shufflevector(b, b, 8, 9, 10, 11, 12, 13, 14, 15), m);
        }
        return;
    }
#endif
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        float *p = to + i * stride;
        if (i < pixels) store_four(p, __builtin_shufflevector(low[i], low[i], 0, 1, 2, 3), m);
        if (4 + i < pixels) store_four(p + 4 * stride, __builtin_shufflevector(low[i], low[i], 4, 5, 6, 7), m);
#if VW == 16
        if (8 + i < pixels) store_four(p + 8 * stride, __builtin_shufflevector(low[i], low[i], 8, 9, 10, 11), m);
        if (12 + i < pixels) store_four(p + 12 * stride, __builtin_shufflevector(low[i], low[i], 12, 13, 14, 15), m);
#endif
    }
}

/* `m` outputs of `nv` vectors of pixels from `p` on, of which `left` exist. */
UP_INLINE void across(const up_across *t, int64_t p, const int64_t left, const int m, const int nv) {
    vf sum[MOST_OUTPUTS * MOST_VECTORS];
    float *dst = t->dst + p * t->dst_stride;
#pragma GCC unroll 8
    for (int j = 0; j < MOST_OUTPUTS; j++)
#pragma GCC unroll 3
        for (int v = 0; v < nv; v++) sum[j * nv + v] = j < m ? vsplat(t->bias[j]) : (vf){0};
    const float *src = t->src + p, *w = t->weights;
#pragma GCC unroll 1
    for (int64_t k = 0; k < t->sums; k++, w += t->weights_step) {
        const float *x = src + t->places[k];
        vf a[MOST_VECTORS];
#pragma GCC unroll 3
        for (int v = 0; v < nv; v++) a[v] = vload(x + v * VW);
#pragma GCC unroll 8
        for (int j = 0; j < m; j++) {
            const vf b = vsplat(w[j]);
#pragma GCC unroll 3
            for (int v = 0; v < nv; v++) sum[j * nv + v] += a[v] * b;
        }
    }
    if (t->low > -__builtin_inff()) {
        const vf low = vsplat(t->low);
#pragma GCC unroll 24
        for (int i = 0; i < m * nv; i++) sum[i] = vmax(low, sum[i]);
    }
    if (t->high < __builtin_inff()) {
        const vf high = vsplat(t->high);
#pragma GCC unroll 24
        for (int i = 0; i < m * nv; i++) sum[i] = vmin(high, sum[i]);
    }
#pragma GCC unroll 3
    for (int v = 0; v < nv; v++, dst += VW * t->dst_stride) {
        if (left >= (v + 1) * VW) store_turned(sum + v, nv, dst, t->dst_stride, VW, m);
        else if (left > v * VW) store_turned(sum + v, nv, dst, t->dst_stride, left - v * VW, m);
    }
}

UP_INLINE void row(const up_across *t, const int m) {
    const int64_t vectors = (t->pixels + VW - 1) / VW, chunks = (vectors + MOST_VECTORS - 1) / MOST_VECTORS;
    for (int64_t c = 0; c < chunks; c++) {
        const int64_t v = up_cut(vectors, chunks, c), nv = up_cut(vectors, chunks, c + 1) - v, left = t->pixels - v * VW;
        if (nv == 3) across(t, v * VW, left, m, 3);
        else if (nv == 2) across(t, v * VW, left, m, 2);
        else across(t, v * VW, left, m, 1);
    }
}

typedef void (*row_kernel)(const up_across *row);

#define UP_ROW(m) static void row_##m(const up_across *t) { row(t, m); }
UP_ROW(1) UP_ROW(2) UP_ROW(3) UP_ROW(4)
#if VW == 16
UP_ROW(5) UP_ROW(6) UP_ROW(7) UP_ROW(8)
static const row_kernel kernels[MOST_OUTPUTS] = {row_1, row_2, row_3, row_4, row_5, row_6, row_7, row_8};
#else
static const row_kernel kernels[MOST_OUTPUTS] = {row_1, row_2, row_3, row_4};
#endif

void UP_NAME(up_across_row)(const up_across *all) {
    up_across t = *all;
    const int64_t groups = (all->outputs + MOST_OUTPUTS - 1) / MOST_OUTPUTS;
    for (int64_t g = 0; g < groups; g++) {
        const int64_t first = g * MOST_OUTPUTS, left = all->outputs - first;
        t.outputs = left < MOST_OUTPUTS ? left : MOST_OUTPUTS;
        t.weights = all->weights + first;
        t.bias = all->bias + first;
        t.dst = all->dst + first;
        kernels[t.outputs - 1](&t);
    }
}

/* Every other value of `n`, from the first on and from the second on. */
void UP_NAME(up_split)(const float *from, int64_t n, float *even, float *odd) {
    int64_t i = 0;
    for (; i + 2 * VW <= n; i += 2 * VW, from += 2 * VW, even += VW, odd += VW) {
        const vf a = vload(from), b = vload(from + VW);
#if VW == 16
        vstore(even, __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
        vstore(odd, __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
#else
        vstore(even, __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14));
        vstore(odd, __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15));
#endif
    }
    for (; i < n; i++, from++) *(i % 2 ? odd++ : even++) = *from;
}
#endif
