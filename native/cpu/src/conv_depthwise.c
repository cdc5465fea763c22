/*
 * Running a depthwise convolution: row by row of the output. The pixels of a row whose taps all lie inside of the image
 * are one run; those left and right of it, where some taps are cut off, are runs of one pixel.
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

static void run_row(const up_conv *conv, const up_conv_args *a, int64_t row) {
    const up_conv_desc *d = &conv->desc;
    const int64_t stride = a->src.pixel_stride, tap = conv->layout.padded_outputs;
    const int64_t image = row / a->out_h, top = row % a->out_h * d->stride_h - d->pad_top;
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
            .src = a->src.data, .pixel_step = d->stride_w * stride, .row_step = (int64_t)d->dilation_h * a->in_w * stride,
            .column_step = d->dilation_w * stride, .rows = ys.last - ys.first, .columns = xs.last - xs.first,
            .pixels = n, .channels = d->out_channels, .index = a->src.index,
            .weights = conv->weights + (ys.first * d->kernel_w + xs.first) * tap, .weights_row = d->kernel_w * tap, .weights_tap = tap,
            .bias = conv->bias, .addend = a->addend.data ? a->addend.data + p * a->addend.pixel_stride : NULL,
            .addend_stride = a->addend.pixel_stride, .dst = a->dst.data + p * a->dst.pixel_stride, .dst_stride = a->dst.pixel_stride,
            .low = conv->low, .high = conv->high};
        if (run.rows > 0 && run.columns > 0)
            run.src += ((image * a->in_h + top + ys.first * d->dilation_h) * a->in_w + left + xs.first * d->dilation_w) * stride;
        else
            run.rows = 0;
        conv->kernels->depthwise(&run);
        if (!conv->clamp) conv->kernels->act(&d->act, run.dst, run.dst_stride, n, run.channels);
        x += n;
    }
}

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const depthwise_job *job = argument;
    const int64_t end = up_cut(job->rows, job->tasks, last);
    for (int64_t row = up_cut(job->rows, job->tasks, first); row < end; row++) run_row(job->conv, job->args, row);
}

int32_t up_depthwise_conv(const up_conv *conv, const up_conv_args *a, up_pool *pool) {
    depthwise_job job = {.conv = conv, .args = a, .rows = (int64_t)a->batch * a->out_h};
    job.tasks = up_task_count(pool, job.rows, (int64_t)a->out_w * conv->desc.out_channels * conv->layout.taps / 2);
    return up_parallel(pool, run_tasks, &job, job.tasks);
}
