/*
 * Running a depthwise convolution, or one of small groups, in one of two ways. (Others: conv_depthwise_columns.c for 3x3, conv_depthwise_rows.c for
 * channels by index.)
 *
 * In place: row by row of the output, many channels. A row is one run, of which the kernel leaves out what lies outside of the image, where
 * it can (has_cuts). Else the pixels whose taps all lie inside are one run; those left and right of it are runs of one pixel.
 *
 * Packed: a vector of channels of a band of rows at a time, which is first copied, with the zeros left and right of the image, into memory
 * that stays in the cache; so every row is one run. It pays where many pixels of a row have taps that are cut off, and the kernel cannot leave
 * them out. For small groups each input channel of a group is a plane of its own, in which every output has the channel that it reads below it.
 */
#include "conv_depthwise.h"

#include <string.h>

enum {
    PART_BYTES = 256 << 10,    /* that a part of an image may read and write, when it is packed */
    FEWEST_ROWS = 16,          /* of such a part: those at its edges are packed for both sides */
    BAND_ROWS = 4,             /* of the output, that a band of packed rows is to have room for */
    MOST_VECTOR = 16,
    CHUNK_CHANNELS = 128,      /* in place, that are run together where the rows that an output row reads are small: */
    SMALL_BYTES = 32 << 10     /* of half as many channels, this much at most */
};

typedef struct depthwise_job {
    const up_conv *conv;
    const up_conv_args *args;
    int64_t items, tasks;
    int packed;
    int64_t parts, chunks;    /* of an image: an item is a part of the rows by a chunk of the channels; packed, by a vector of channels */
    int64_t columns;          /* packed: of the output, that have room in a band */
} depthwise_job;

/* ---------------------------------------------------------------- in place */

/* `n` outputs of a row from column `x` on, of some channels: the taps `xs`, but for inputs outside of the image `before` the first and `after`. */
static void run_pixels(const up_conv *conv, const up_conv_args *a, int64_t row, int64_t x, int64_t n, int64_t channel, int64_t channels, cut xs,
                       int64_t before, int64_t after) {
    const up_conv_desc *d = &conv->desc;
    const int64_t stride = a->src.pixel_stride, image = row / a->out_h, top = row % a->out_h * d->stride_h - d->pad_top;
    const cut ys = cut_window(top, d->dilation_h, d->kernel_h, a->in_h);
    up_depthwise_run run = run_at(conv, a, row, x, n, channel, channels, ys, xs);
    run.index = a->src.index ? a->src.index + channel : NULL;
    run.src = a->src.data + (a->src.index ? 0 : channel);
    run.before = before;
    run.after = after;
    if (run.rows > 0 && run.columns > 0)
        run.src += ((image * a->in_h + top + ys.first * d->dilation_h) * a->in_w + x * d->stride_w - d->pad_left + xs.first * d->dilation_w) * stride;
    run.pixel_step = d->stride_w * stride;
    run.row_step = (int64_t)d->dilation_h * a->in_w * stride;
    run.column_step = d->dilation_w * stride;
    finish_run(conv, &run);
}

static void run_row(const up_conv *conv, const up_conv_args *a, int64_t row, int64_t channel, int64_t channels) {
    const up_conv_desc *d = &conv->desc;
    if (!a->src.index && has_cuts(d, a->in_w, a->out_w)) {
        run_pixels(conv, a, row, 0, a->out_w, channel, channels, (cut){0, d->kernel_w}, d->pad_left, larger(0, overhang(d, a->in_w, a->out_w)));
        return;
    }
    for (int64_t x = 0; x < a->out_w; ) {
        const int64_t left = x * d->stride_w - d->pad_left;
        const cut xs = cut_window(left, d->dilation_w, d->kernel_w, a->in_w);
        int64_t n = 1;
        if (xs.last - xs.first == d->kernel_w) {    /* up to the last pixel whose window ends inside */
            n = (a->in_w - 1 - (d->kernel_w - 1) * (int64_t)d->dilation_w - left) / d->stride_w + 1;
            if (n > a->out_w - x) n = a->out_w - x;
        }
        run_pixels(conv, a, row, x, n, channel, channels, xs, 0, 0);
        x += n;
    }
}

/* Pairs of vectors that all channels fill. */
static int64_t pairs_of(const up_conv *conv) {
    const int64_t pair = 2 * conv->kernels->vector_floats;
    return (conv->desc.out_channels + pair - 1) / pair;
}

static void run_in_place(const depthwise_job *job, int64_t first, int64_t end) {
    const up_conv_args *a = job->args;
    const int64_t pair = 2 * job->conv->kernels->vector_floats, pairs = pairs_of(job->conv);
    for (int64_t i = first; i < end; i++) {
        const int64_t chunk = i % job->chunks, part = i / job->chunks % job->parts, image = i / job->chunks / job->parts;
        const int64_t channel = up_cut(pairs, job->chunks, chunk) * pair;
        const int64_t channels = smaller(job->conv->desc.out_channels, up_cut(pairs, job->chunks, chunk + 1) * pair) - channel;
        for (int64_t y = up_cut(a->out_h, job->parts, part); y < up_cut(a->out_h, job->parts, part + 1); y++)
            run_row(job->conv, a, image * a->out_h + y, channel, channels);
    }
}

/* ---------------------------------------------------------------- packed */

/* A band of input rows [from, to) of one image and of the columns that the outputs [x0, x1) of a row read, packed, a plane after another. */
typedef struct band {
    float *memory;
    int64_t x0, x1;
    int64_t row, plane;    /* floats */
    int64_t from, to;
} band;

/* The most columns of the output whose band has room for BAND_ROWS rows, or for one; 0: there is no room. */
static int64_t band_columns(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    for (int64_t rows = BAND_ROWS; rows > 0; rows -= BAND_ROWS - 1) {
        const int64_t columns = UP_PACKED_FLOATS / (conv->layout.group_inputs * conv->kernels->vector_floats) /
                                ((rows - 1) * d->stride_h + window_rows(d));
        if (columns >= columns_read(d, 1)) return smaller(a->out_w, (columns - columns_read(d, 1)) / d->stride_w + 1);
    }
    return 0;
}

/* The source's channels that outputs [channel, channel + n) read in each plane. */
static void note_channels(const up_conv *conv, const up_conv_args *a, int64_t channel, int64_t n, int64_t plane, int32_t *list) {
    const int32_t inputs = conv->layout.group_inputs, outputs = conv->layout.group_outputs;
    for (int64_t i = 0; i < n; i++) {
        const int32_t c = (int32_t)((channel + i) / outputs * inputs + plane);
        list[i] = a->src.index ? a->src.index[c] : c;
    }
}

/* Whether a vector of outputs reads as many inputs, each group its own, that are spread over the planes when they are packed. */
static int spreads(const up_conv *conv) {
    const int32_t inputs = conv->layout.group_inputs;
    return conv->kernels->spreads && inputs == conv->layout.group_outputs && (inputs == 2 || inputs == 4);
}

/* Packs the input rows up to `to`, after those that the band has already; its first is to be row `from`. */
static void fill_band(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t channel, int64_t channels, int64_t from, int64_t to,
                      band *b) {
    const up_layout *layout = &conv->layout;
    const int64_t width = conv->kernels->vector_floats, kept = larger(0, b->to - from), first = from + kept;
    const int64_t left = b->x0 * conv->desc.stride_w - conv->desc.pad_left;    /* the column that the band begins with */
    const int64_t column = within(left, 0, a->in_w), columns = within(left + b->row / width, column, a->in_w) - column;
    const int64_t source_row = a->in_w * a->src.pixel_stride;
    if (kept > 0 && from > b->from)
        for (int64_t k = 0; k < layout->group_inputs; k++) {
            float *plane = b->memory + k * b->plane;
            memmove(plane, plane + (from - b->from) * b->row, (size_t)(kept * b->row) * 4);
        }
    const int spread = spreads(conv);
    for (int64_t k = 0; k < (spread ? 1 : layout->group_inputs) && first < to && columns > 0; k++) {
        int32_t list[MOST_VECTOR];
        const int listed = a->src.index || (!spread && (layout->group_inputs > 1 || layout->group_outputs > 1));
        if (listed && !spread) note_channels(conv, a, channel, channels, k, list);
        const float *src = a->src.data + (image * a->in_h + first) * source_row + column * a->src.pixel_stride;
        const up_pack_rows run = {.src = listed ? src : src + channel, .src_stride = a->src.pixel_stride, .src_row = source_row,
                                  .index = !listed ? NULL : spread ? a->src.index + channel : list, .channels = channels, .rows = to - first,
                                  .columns = columns, .to = b->memory + k * b->plane + kept * b->row + (column - left) * width, .to_row = b->row,
                                  .planes = spread ? layout->group_inputs : 1, .to_plane = b->plane};
        conv->kernels->pack_rows(&run);
    }
    b->from = from;
    b->to = to;
}

/*
 * Columns [x0, x1) of output rows [y0, y1) of an image, of one vector of channels. What lies left and right of images is never written;
 * `fresh` says that it may not be zero yet.
 */
static void run_columns(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t y0, int64_t y1, int64_t x0, int64_t x1,
                        int64_t channel, int fresh, float *memory) {
    const up_conv_desc *d = &conv->desc;
    const int64_t width = conv->kernels->vector_floats, channels = smaller(width, d->out_channels - channel);
    const int64_t planes = conv->layout.group_inputs, row = columns_read(d, x1 - x0) * width, room = UP_PACKED_FLOATS / planes / row;
    band b = {.memory = memory, .x0 = x0, .x1 = x1, .row = row, .plane = smaller(room, a->in_h) * row};
    const int64_t rows = room < a->in_h ? (room - window_rows(d)) / d->stride_h + 1 : a->out_h;    /* of the output, that a band serves */
    if (fresh) memset(memory, 0, (size_t)(planes * b.plane) * 4);
    const cut xs = {0, d->kernel_w};
    for (int64_t y = y0; y < y1; ) {
        const int64_t end = smaller(y1, y + rows);
        const int64_t from = within(y * d->stride_h - d->pad_top, 0, a->in_h);
        const int64_t to = within((end - 1) * d->stride_h - d->pad_top + window_rows(d), from, a->in_h);
        fill_band(conv, a, image, channel, channels, from, to, &b);
        for (; y < end; y++) {
            const int64_t top = y * d->stride_h - d->pad_top;
            const cut ys = cut_window(top, d->dilation_h, d->kernel_h, a->in_h);
            up_depthwise_run run = run_at(conv, a, image * a->out_h + y, x0, x1 - x0, channel, channels, ys, xs);
            run.src = b.memory + (run.rows > 0 ? (top + ys.first * d->dilation_h - from) * b.row : 0);
            run.plane_step = b.plane;
            run.pixel_step = d->stride_w * width;
            run.row_step = d->dilation_h * b.row;
            run.column_step = d->dilation_w * width;
            finish_run(conv, &run);
        }
    }
}

static void run_packed(const depthwise_job *job, int64_t first, int64_t end) {
    const up_conv_args *a = job->args;
    const int64_t ranges = (a->out_w + job->columns - 1) / job->columns;
    float memory[UP_PACKED_FLOATS] __attribute__((aligned(64)));
    for (int64_t i = first; i < end; i++) {
        const int64_t part = i / job->chunks, image = part / job->parts;
        for (int64_t range = 0; range < ranges; range++)
            run_columns(job->conv, a, image, up_cut(a->out_h, job->parts, part % job->parts),
                        up_cut(a->out_h, job->parts, part % job->parts + 1), up_cut(a->out_w, ranges, range),
                        up_cut(a->out_w, ranges, range + 1), i % job->chunks * job->conv->kernels->vector_floats, i == first || ranges > 1,
                        memory);
    }
}

/* Whether channels are packed: of small groups, by index, or where many pixels of a row have taps that must be cut off one by one. */
static int is_packed(const up_conv *conv, const up_conv_args *a, int64_t columns) {
    if (conv->layout.group_inputs > 1 || conv->layout.group_outputs > 1) return 1;
    if (columns == 0 || a->src.index) return columns > 0;
    return !has_cuts(&conv->desc, a->in_w, a->out_w) && (columns_read(&conv->desc, a->out_w) - a->in_w) * 8 >= a->out_w;
}

/* ---------------------------------------------------------------- tasks */

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const depthwise_job *job = argument;
    const int64_t from = up_cut(job->items, job->tasks, first), to = up_cut(job->items, job->tasks, last);
    if (job->packed) run_packed(job, from, to);
    else run_in_place(job, from, to);
}

int32_t up_depthwise_conv(const up_conv *conv, const up_conv_args *a, up_pool *pool) {
    if (up_depthwise_has_columns(conv, a)) return up_depthwise_run_columns(conv, a, pool);
    if (up_depthwise_has_rows(conv, a)) return up_depthwise_run_rows(conv, a, pool);
    depthwise_job job = {.conv = conv, .args = a, .parts = 1, .chunks = 1, .columns = band_columns(conv, a)};
    const int64_t channels = conv->desc.out_channels, threads = up_pool_threads(pool), width = conv->kernels->vector_floats;
    job.packed = is_packed(conv, a, job.columns);
    if (job.packed) {
        const int64_t rows = larger(FEWEST_ROWS, PART_BYTES / (((int64_t)a->in_w + a->out_w) * channels * 4));
        job.chunks = (channels + width - 1) / width;
        job.parts = (a->out_h + rows - 1) / rows;
    } else {
        if (window_rows(&conv->desc) * a->in_w * (CHUNK_CHANNELS / 2) * 4 <= SMALL_BYTES)
            job.chunks = within((channels + CHUNK_CHANNELS - 1) / CHUNK_CHANNELS, 1, pairs_of(conv));
        const int64_t whole = a->batch * job.chunks;
        if (threads > 1) job.parts = within(larger((threads + a->batch - 1) / a->batch, (TASKS * threads + whole - 1) / whole), 1, a->out_h);
    }
    job.items = a->batch * job.parts * job.chunks;
    const int64_t cost = (int64_t)a->out_w * a->out_h * channels * conv->layout.taps * conv->layout.group_inputs / 2 * a->batch / job.items;
    job.tasks = up_task_count(pool, job.items, cost);
    return up_parallel(pool, run_tasks, &job, job.tasks);
}
