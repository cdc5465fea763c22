/* What the ways of running a depthwise convolution share: which taps of a window lie inside, and runs of pixels. */
#ifndef UP_CONV_DEPTHWISE_H
#define UP_CONV_DEPTHWISE_H

#include "conv.h"

UP_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
UP_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
UP_INLINE int64_t within(int64_t x, int64_t low, int64_t high) { return smaller(larger(x, low), high); }

/* The taps [first, last) that lie inside, of a window that starts at position `from`. */
typedef struct cut {
    int64_t first, last;
} cut;

UP_INLINE int64_t taps_before(int64_t from, int64_t dilation, int64_t bound, int64_t kernel) {
    int64_t n = bound <= from ? 0 : (bound - from + dilation - 1) / dilation;
    return n < kernel ? n : kernel;
}

UP_INLINE cut cut_window(int64_t from, int64_t dilation, int64_t kernel, int64_t size) {
    cut c = {taps_before(from, dilation, 0, kernel), taps_before(from, dilation, size, kernel)};
    if (c.last < c.first) c.last = c.first;
    return c;
}

/* A run of `n` pixels of output row `y` of all images, from column `x` on; its source is still to be said. */
UP_INLINE up_depthwise_run run_at(const up_conv *conv, const up_conv_args *a, int64_t y, int64_t x, int64_t n, int64_t channel, int64_t channels,
                               cut ys, cut xs) {
    const int64_t tap = conv->layout.padded_outputs, p = y * a->out_w + x;
    return (up_depthwise_run){
        .planes = conv->layout.group_inputs, .weights_plane = conv->layout.taps * tap,
        .rows = ys.last - ys.first, .later_rows = ys.last - ys.first, .columns = xs.last - xs.first, .pixels = n, .channels = channels,
        .weights = conv->weights + (ys.first * conv->desc.kernel_w + xs.first) * tap + channel, .weights_row = conv->desc.kernel_w * tap,
        .weights_tap = tap, .bias = conv->bias + channel,
        .addend = a->addend.data ? a->addend.data + p * a->addend.pixel_stride + channel : NULL, .addend_stride = a->addend.pixel_stride,
        .dst = a->dst.data + p * a->dst.pixel_stride + channel, .dst_stride = a->dst.pixel_stride, .low = conv->low, .high = conv->high};
}

UP_INLINE void finish_run(const up_conv *conv, up_depthwise_run *run) {
    if (run->columns <= 0) run->rows = 0;
    conv->kernels->depthwise(run);
    if (!conv->clamp) conv->kernels->act(&conv->desc.act, run->dst, run->dst_stride, run->pixels, run->channels);
}

/* Rows that an output row reads. */
UP_INLINE int64_t window_rows(const up_conv_desc *d) { return (int64_t)(d->kernel_h - 1) * d->dilation_h + 1; }

/* Columns that so many outputs in a row read. */
UP_INLINE int64_t columns_read(const up_conv_desc *d, int64_t outputs) {
    return (outputs - 1) * d->stride_w + (int64_t)(d->kernel_w - 1) * d->dilation_w + 1;
}

/* Columns that the last of so many outputs in a row reads right of the image. */
UP_INLINE int64_t overhang(const up_conv_desc *d, int64_t in_w, int64_t out_w) { return columns_read(d, out_w) - d->pad_left - in_w; }

/* Whether a row of outputs of a depthwise convolution can be one run, which leaves out what lies left and right of the image. */
UP_INLINE int has_cuts(const up_conv_desc *d, int64_t in_w, int64_t out_w) {
    return d->dilation_w == 1 && up_depthwise_cuts(d->kernel_w, d->stride_w) && d->pad_left < d->kernel_w && overhang(d, in_w, out_w) < d->kernel_w;
}

enum { TASKS = 4 };    /* that each thread is to have, where there are several */

/* Fewer parts of an image, and more chunks of its channels, so that each thread has as many of them. */
UP_INLINE void share_out(int64_t batch, int64_t threads, int64_t vectors, int64_t *parts, int64_t *chunks) {
    if (*parts > threads) *parts -= *parts % threads;
    for (int64_t n; (n = batch * *parts * *chunks) % threads != 0 && n < TASKS * threads && *chunks < vectors;) ++*chunks;
}

/*
 * Whether channels by index are packed row by row, as they are needed; and that run, on checked arguments.
 */
int up_depthwise_has_rows(const up_conv *conv, const up_conv_args *args);
int32_t up_depthwise_run_rows(const up_conv *conv, const up_conv_args *args, up_pool *pool);

/* Whether a run goes column by column, on checked arguments; and that run. */
int up_depthwise_has_columns(const up_conv *conv, const up_conv_args *args);
int32_t up_depthwise_run_columns(const up_conv *conv, const up_conv_args *args, up_pool *pool);

#endif
