/*
 * Running a depthwise convolution: row by row of the output. The pixels of a row whose taps all lie inside of the image
 * are one run; those left and right of it, where some taps are cut off, are runs of one pixel. Channels by index are first
 * gathered, a few channels of a band of rows at a time, into memory that stays in the cache.
 */
#include "conv.h"

typedef struct depthwise_job {
    const up_conv *conv;
    const up_conv_args *args;
    int64_t rows, tasks;
} depthwise_job;

/* The taps [first, last) that lie inside, of a window that starts at position `from`. */
typedef struct cut {
    int64_t first, last;
} cut;

static int64_t taps_before(int64_t from, int64_t dilation, int64_t bound, int64_t kernel) {
    int64_t n = bound <= from ? 0 : (bound - from + dilation - 1) / dilation;
    return n < kernel ? n : kernel;
}

static cut cut_window(int64_t from, int64_t dilation, int64_t kernel, int64_t size) {
    cut c = {taps_before(from, dilation, 0, kernel), taps_before(from, dilation, size, kernel)};
    if (c.last < c.first) c.last = c.first;
    return c;
}

/* The channels that a row is computed for, and where they lie: the source's or gathered ones, from input row `top` on. */
typedef struct part {
    const float *src;
    int64_t stride, top;
    const int32_t *index;
    int64_t first, channels;
} part;

static void run_row(const up_conv *conv, const up_conv_args *a, part in, int64_t row) {
    const up_conv_desc *d = &conv->desc;
    const int64_t stride = in.stride, tap = conv->layout.padded_outputs, c = in.first;
    const int64_t top = row % a->out_h * d->stride_h - d->pad_top;
    const cut ys = cut_window(top, d->dilation_h, d->kernel_h, a->in_h);
    for (int64_t x = 0; x < a->out_w; ) {
        const int64_t left = x * d->stride_w - d->pad_left;
        const cut xs = cut_window(left, d->dilation_w, d->kernel_w, a->in_w);
        int64_t n = 1;
        if (xs.last - xs.first == d->kernel_w) {    /* up to the last pixel whose window ends inside */
            n = (a->in_w - 1 - (d->kernel_w - 1) * (int64_t)d->dilation_w - left) / d->stride_w + 1;
            if (n > a->out_w - x) n = a->out_w - x;
        }
        const int64_t p = row * a->out_w + x;
        up_depthwise_run run = {
            .src = in.src, .pixel_step = d->stride_w * stride, .row_step = (int64_t)d->dilation_h * a->in_w * stride,
            .column_step = d->dilation_w * stride, .rows = ys.last - ys.first, .columns = xs.last - xs.first,
            .pixels = n, .channels = in.channels, .index = in.index,
            .weights = conv->weights + (ys.first * d->kernel_w + xs.first) * tap + c, .weights_row = d->kernel_w * tap, .weights_tap = tap,
            .bias = conv->bias + c, .addend = a->addend.data ? a->addend.data + p * a->addend.pixel_stride + c : NULL,
            .addend_stride = a->addend.pixel_stride, .dst = a->dst.data + p * a->dst.pixel_stride + c, .dst_stride = a->dst.pixel_stride,
            .low = conv->low, .high = conv->high};
        if (run.rows > 0 && run.columns > 0)
            run.src += ((top + ys.first * d->dilation_h - in.top) * a->in_w + left + xs.first * d->dilation_w) * stride;
        else
            run.rows = 0;
        conv->kernels->depthwise(&run);
        if (!conv->clamp) conv->kernels->act(&d->act, run.dst, run.dst_stride, n, run.channels);
        x += n;
    }
}

enum { GATHERED_CHANNELS = 16, GATHERED_FLOATS = 12 << 10 };

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* The input rows [*from, *to) that the output rows [y0, y1) of an image need. */
static void rows_needed(const up_conv_desc *d, const up_conv_args *a, int64_t y0, int64_t y1, int64_t *from, int64_t *to) {
    *from = larger(0, y0 * d->stride_h - d->pad_top);
    *to = smaller(a->in_h, (y1 - 1) * d->stride_h - d->pad_top + (int64_t)(d->kernel_h - 1) * d->dilation_h + 1);
    if (*to < *from) *to = *from;
}

/* Output rows [y0, y1) of an image, by way of gathered channels; 0 if not even one row's inputs have room. */
static int run_gathered(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t y0, int64_t y1) {
    const up_conv_desc *d = &conv->desc;
    const int64_t room = GATHERED_FLOATS / GATHERED_CHANNELS / a->in_w;    /* in input rows */
    const int64_t band = (room - (int64_t)(d->kernel_h - 1) * d->dilation_h - 1) / d->stride_h + 1;
    if (room < (int64_t)(d->kernel_h - 1) * d->dilation_h + 1) return 0;
    float gathered[GATHERED_FLOATS];
    for (int64_t c = 0; c < d->out_channels; c += GATHERED_CHANNELS) {
        const int64_t n = smaller(GATHERED_CHANNELS, d->out_channels - c);
        for (int64_t y = y0; y < y1; y += band) {
            const int64_t end = smaller(y1, y + band);
            int64_t from, to;
            rows_needed(d, a, y, end, &from, &to);
            const up_gather_args gather = {
                .channels = (int32_t)n, .dst = {gathered, GATHERED_CHANNELS},
                .src = {a->src.data + (image * a->in_h + from) * a->in_w * a->src.pixel_stride, a->src.pixel_stride, a->src.index + c}};
            const up_job job = {.args = &gather, .items = (to - from) * a->in_w, .tasks = 1};
            conv->kernels->gather(&job, 0, 1);
            const part in = {gathered, GATHERED_CHANNELS, from, NULL, c, n};
            for (int64_t row = y; row < end; row++) run_row(conv, a, in, image * a->out_h + row);
        }
    }
    return 1;
}

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const depthwise_job *job = argument;
    const up_conv_args *a = job->args;
    const int64_t end = up_cut(job->rows, job->tasks, last);
    for (int64_t row = up_cut(job->rows, job->tasks, first); row < end; ) {
        const int64_t image = row / a->out_h, stop = smaller(end, (image + 1) * a->out_h);
        if (!a->src.index || !run_gathered(job->conv, a, image, row % a->out_h, stop - image * a->out_h)) {
            const part in = {a->src.data + image * a->in_h * a->in_w * a->src.pixel_stride, a->src.pixel_stride, 0, a->src.index, 0,
                             job->conv->desc.out_channels};
            for (int64_t r = row; r < stop; r++) run_row(job->conv, a, in, r);
        }
        row = stop;
    }
}

int32_t up_depthwise_conv(const up_conv *conv, const up_conv_args *a, up_pool *pool) {
    depthwise_job job = {.conv = conv, .args = a, .rows = (int64_t)a->batch * a->out_h};
    job.tasks = up_task_count(pool, job.rows, (int64_t)a->out_w * conv->desc.out_channels * conv->layout.taps / 2);
    return up_parallel(pool, run_tasks, &job, job.tasks);
}
