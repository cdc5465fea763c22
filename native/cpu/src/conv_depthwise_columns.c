/* Running a depthwise convolution of 3x3 whose channels lie side by side: column by column, in bands of rows. */
#include "conv_depthwise.h"

typedef struct columns_job {
    const up_conv *conv;
    const up_conv_args *args;
    int64_t bands, parts, chunks;    /* of an image: bands of rows, in parts, by chunks of the channels */
    int64_t vectors;                 /* of all channels */
    int64_t items, tasks;
} columns_job;

static void run_part(const columns_job *job, int64_t image, int64_t part, int64_t chunk) {
    const up_conv *conv = job->conv;
    const up_conv_args *a = job->args;
    const up_conv_desc *d = &conv->desc;
    const int64_t width = conv->kernels->vector_floats, channel = up_cut(job->vectors, job->chunks, chunk) * width;
    const int64_t channels = smaller(d->out_channels, up_cut(job->vectors, job->chunks, chunk + 1) * width) - channel;
    up_depthwise_band band = {
        .stride = d->stride_h, .src_step = a->src.pixel_stride, .src_row = a->in_w * a->src.pixel_stride, .in_w = a->in_w, .out_w = a->out_w,
        .pad_left = d->pad_left, .channels = channels, .weights = conv->weights + channel, .weights_tap = conv->layout.padded_outputs,
        .bias = conv->bias + channel, .addend_stride = a->addend.pixel_stride, .addend_row = a->out_w * a->addend.pixel_stride,
        .dst_stride = a->dst.pixel_stride, .dst_row = a->out_w * a->dst.pixel_stride, .low = conv->low, .high = conv->high};
    for (int64_t b = up_cut(job->bands, job->parts, part); b < up_cut(job->bands, job->parts, part + 1); b++) {
        const int64_t y = up_cut(a->out_h, job->bands, b), top = y * d->stride_h - d->pad_top, pixel = (image * a->out_h + y) * a->out_w;
        band.rows = (int32_t)(up_cut(a->out_h, job->bands, b + 1) - y);
        band.above = top < 0;
        band.below = top + (band.rows - 1) * d->stride_h + d->kernel_h > a->in_h;
        band.src = a->src.data + (image * a->in_h + top) * band.src_row + channel;
        band.dst = a->dst.data + pixel * a->dst.pixel_stride + channel;
        band.addend = a->addend.data ? a->addend.data + pixel * a->addend.pixel_stride + channel : NULL;
        conv->kernels->depthwise_columns(&band);
        if (!conv->clamp) conv->kernels->act(&d->act, band.dst, a->dst.pixel_stride, band.rows * a->out_w, channels);
    }
}

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const columns_job *job = argument;
    const int64_t end = up_cut(job->items, job->tasks, last);
    for (int64_t i = up_cut(job->items, job->tasks, first); i < end; i++)
        run_part(job, i / job->chunks / job->parts, i / job->chunks % job->parts, i % job->chunks);
}

int up_depthwise_has_columns(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    return conv->kernels->depthwise_columns && !a->src.index && conv->layout.group_inputs == 1 &&
           conv->layout.group_outputs == 1 && d->kernel_h == 3 && d->kernel_w == 3 && d->stride_h == d->stride_w && d->stride_h <= 2 &&
           d->dilation_h == 1 && d->dilation_w == 1 && d->pad_top <= 1 && d->pad_left <= 1 && overhang(d, a->in_w, a->out_w) <= 1 &&
           (a->out_h - 1) * d->stride_h + d->kernel_h - d->pad_top - a->in_h <= 1 && a->out_h >= UP_FEWEST_BAND_ROWS;
}

int32_t up_depthwise_run_columns(const up_conv *conv, const up_conv_args *a, up_pool *pool) {
    const int64_t width = conv->kernels->vector_floats, threads = up_pool_threads(pool);
    columns_job job = {.conv = conv, .args = a, .vectors = (conv->desc.out_channels + width - 1) / width, .parts = 1, .chunks = 1};
    job.bands = larger(1, smaller((a->out_h + UP_BAND_ROWS - 1) / UP_BAND_ROWS, a->out_h / UP_FEWEST_BAND_ROWS));
    if (threads > 1) {
        job.parts = within((TASKS * threads + a->batch - 1) / a->batch, 1, job.bands);
        share_out(a->batch, threads, job.vectors, &job.parts, &job.chunks);
    }
    job.items = a->batch * job.parts * job.chunks;
    const int64_t cost = (int64_t)a->out_w * a->out_h * conv->desc.out_channels * conv->layout.taps / 2 * a->batch / job.items;
    job.tasks = up_task_count(pool, job.items, cost);
    return up_parallel(pool, run_tasks, &job, job.tasks);
}
