/*
 * Reductions over all pixels of an image. A few pixels at a time are added to a row of sums, one for each channel, so that memory is read in
 * order; the sums of some such blocks are added to the totals, so that rounding errors stay small.
 */
#include "take.h"

enum {
    CHANNELS = 512,    /* whose sums are kept at a time */
    TOGETHER = 7,      /* pixels of a dense source that are added at once: images are mostly 7, 14, 28 or 56 pixels wide */
    BLOCK = 63         /* pixels in a row of sums */
};

UP_INLINE vf combine(vf x, vf y, const int max) { return max ? vmax(x, y) : y + x; }    /* this order keeps NaN out of a maximum */

static void fill(float *row, int64_t n, float value) {
    for (int64_t k = 0; k < n; k += VW) vstore(row + k, vsplat(value));
}

/* A vector of channels, or a part of one, of TOGETHER pixels. */
UP_INLINE vf add_pixels(const float *from, int64_t stride, vf y, int64_t n, const int max) {
    vf x[TOGETHER];
#pragma GCC unroll 7
    for (int p = 0; p < TOGETHER; p++) x[p] = vload_n(from + p * stride, n);
    if (!max) return y + (((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + x[6]));
#pragma GCC unroll 7
    for (int p = 0; p < TOGETHER; p++) y = combine(x[p], y, 1);
    return y;
}

UP_INLINE void add_dense(const float *from, int64_t stride, int64_t pixels, float *sums, int64_t n, const int max) {
    for (; pixels >= TOGETHER; pixels -= TOGETHER, from += TOGETHER * stride) {
        int64_t k = 0;
        for (; k + VW <= n; k += VW) vstore(sums + k, add_pixels(from + k, stride, vload(sums + k), VW, max));
        if (k < n) vstore(sums + k, add_pixels(from + k, stride, vload(sums + k), n - k, max));
    }
    for (; pixels > 0; pixels--, from += stride)
        for (int64_t k = 0; k < n; k += VW) vstore(sums + k, combine(vload_n(from + k, n - k), vload(sums + k), max));
}

UP_INLINE vf add_taken(const take *t, const float *from, int64_t stride, int64_t pixels, vf y, const int max, const int vectors) {
    for (; pixels > 0; pixels--, from += stride) y = combine(take_pixel(t, from, vectors), y, max);
    return y;
}

UP_INLINE void add_indexed(const int32_t *index, const float *from, int64_t stride, int64_t pixels, float *sums, int64_t n, const int max) {
    for (int64_t p = 0; p < pixels; p += TAKE_PIXELS, from += TAKE_PIXELS * stride) {
        const int64_t count = pixels - p < TAKE_PIXELS ? pixels - p : TAKE_PIXELS;
        for (int64_t k = 0; k < n; k += VW) {
            const take t = plan_take(index + k, n - k < VW ? n - k : VW);
            vf y = vload(sums + k);
            UP_WITH_VECTORS(&t, y = add_taken(&t, from, stride, count, y, max, VECTORS))
            vstore(sums + k, y);
        }
    }
}

/* Channels [k, k + n) of all pixels of an image, n <= CHANNELS. */
UP_INLINE void reduce_channels(const up_reduce_args *a, const float *from, float *to, int64_t k, int64_t n, const int max) {
    float totals[CHANNELS], part[CHANNELS];
    const int64_t stride = a->src.pixel_stride;
    fill(totals, n, max ? -__builtin_inff() : 0.0f);
    for (int64_t p = 0; p < a->pixels; p += BLOCK, from += BLOCK * stride) {
        const int64_t pixels = a->pixels - p < BLOCK ? a->pixels - p : BLOCK;
        float *sums = max || p == 0 ? totals : part;
        if (sums == part) fill(part, n, 0);
        if (a->src.index) add_indexed(a->src.index + k, from, stride, pixels, sums, n, max);
        else add_dense(from + k, stride, pixels, sums, n, max);
        if (sums == part)
            for (int64_t c = 0; c < n; c += VW) vstore(totals + c, vload(totals + c) + vload(part + c));
    }
    const vf scale = vsplat(a->op == UP_REDUCE_MEAN ? 1.0f / (float)a->pixels : 1.0f);
    for (int64_t c = 0; c < n; c += VW) vstore_n(to + k + c, max ? vload(totals + c) : vload(totals + c) * scale, n - c);
}

void UP_NAME(up_reduce_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_reduce_args *a = job->args;
    const int64_t blocks = (a->channels + UP_REDUCE_CHANNELS - 1) / UP_REDUCE_CHANNELS, end = up_cut(job->items, job->tasks, last);
    for (int64_t i = up_cut(job->items, job->tasks, first), count; i < end; i += count) {
        const int64_t image = i / blocks, block = i % blocks, k = block * UP_REDUCE_CHANNELS;
        count = blocks - block < end - i ? blocks - block : end - i;
        if (count > CHANNELS / UP_REDUCE_CHANNELS) count = CHANNELS / UP_REDUCE_CHANNELS;
        const int64_t n = a->channels - k < count * UP_REDUCE_CHANNELS ? a->channels - k : count * UP_REDUCE_CHANNELS;
        const float *from = a->src.data + image * a->pixels * a->src.pixel_stride;
        float *to = a->dst.data + image * a->dst.pixel_stride;
        if (a->op == UP_REDUCE_MAX) reduce_channels(a, from, to, k, n, 1);
        else reduce_channels(a, from, to, k, n, 0);
    }
}
