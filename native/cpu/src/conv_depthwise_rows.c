/*
 * Running a depthwise convolution whose channels come by index, in one of two ways.
 *
 * Nothing packed (3x3 and 5x5, with AVX-512): strips of columns by vectors of channels, from the top down (depthwise_down.c).
 *
 * Packed: of a strip of the image, as wide as leaves it in the first caches, the rows that a row of outputs reads are kept packed, in a ring of as
 * many rows: each input is packed once, some pixels, or a row, before the first outputs that read it. A task takes as many channels as it can: they
 * lie side by side in the source, whose lines are then fetched once and in order.
 */
#include "conv_depthwise.h"

#include <string.h>

enum {
    SEGMENT = 8,                /* outputs, that their inputs are packed before */
    NARROWEST = 8,              /* outputs of a strip: its edges are packed for both sides */
    MOST_VECTORS = 24,          /* of channels */
    MOST_PLANS = 256,           /* the same where nothing is packed; */
    MOST_FAR = 4 << 20,         /*   from larger inputs, and 5x5, only where a vector lies within few of the source */
    RING_FLOATS = 8 << 10,      /* that a ring is to have */
    MOST_RING_FLOATS = 32 << 10,    /* and may have */
    /*
     * Where AVX-512 runs by halves, whole rows pay, and larger rings: twice as large, or the most if the source lies in the third cache. But not
     * whole rows of what lies in memory.
     */
    CACHED_FLOATS = 256 << 10,
    FAR_FLOATS = 1 << 20,
    FEWEST_ROWS = 8             /* of outputs, of a task: at its edges rows are packed for both sides */
};

typedef struct rows_job {
    const up_conv *conv;
    const up_conv_args *args;
    int64_t items, tasks;
    int64_t parts, chunks, strips;    /* of an image: parts of the rows, by vectors of channels, by columns of the output */
    int64_t vectors;                  /* of all channels */
} rows_job;

/* Floats of a ring for a vector of channels of so many outputs in a row. */
static int64_t vector_ring(const up_conv *conv, int64_t outputs) {
    return window_rows(&conv->desc) * columns_read(&conv->desc, outputs) * conv->kernels->vector_floats;
}

int up_depthwise_has_rows(const up_conv *conv, const up_conv_args *a) {
    return a->src.index && conv->layout.group_inputs == 1 && conv->layout.group_outputs == 1 &&
           vector_ring(conv, smaller(a->out_w, NARROWEST)) <= MOST_RING_FLOATS;
}

typedef struct ring {
    float *memory;
    int64_t rows, row, pixel;    /* how many; floats of one, and of a pixel */
    int64_t left;                /* the image's column that it begins with: may lie outside */
} ring;

static float *ring_row(const ring *r, int64_t y) { return r->memory + y % r->rows * r->row; }

/* Zeros left and right of the image, where runs cannot leave them out. */
static void clear_edges(const ring *r, int64_t in_w) {
    const int64_t columns = r->row / r->pixel, left = within(-r->left, 0, columns), right = within(in_w - r->left, left, columns);
    for (int64_t y = 0; y < r->rows; y++) {
        float *row = r->memory + y * r->row;
        memset(row, 0, (size_t)(left * r->pixel) * 4);
        memset(row + right * r->pixel, 0, (size_t)((columns - right) * r->pixel) * 4);
    }
}

/* Columns [x0, x1) of output rows [y0, y1) of an image, of `vectors` vectors of channels. */
static void run_strip(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t y0, int64_t y1, int64_t x0, int64_t x1,
                      int64_t channel, int64_t vectors) {
    const up_conv_desc *d = &conv->desc;
    const int64_t width = conv->kernels->vector_floats, channels = smaller(vectors * width, d->out_channels - channel);
    const int64_t columns = columns_read(d, x1 - x0), window = window_rows(d), stride = a->src.pixel_stride;
    char plans[MOST_VECTORS * UP_TAKE_BYTES] __attribute__((aligned(64)));
    conv->kernels->plan_takes(a->src.index + channel, channels, plans);
    float memory[window * columns * vectors * width] __attribute__((aligned(64)));
    const ring r = {memory, window, columns * vectors * width, vectors * width, x0 * d->stride_w - d->pad_left};
    const int cuts = has_cuts(d, a->in_w, a->out_w);
    if (!cuts) clear_edges(&r, a->in_w);
    const int64_t segments = up_narrow_pays(conv->kernels->isa) ? 1 : (x1 - x0 + SEGMENT - 1) / SEGMENT;
    int64_t next = 0;    /* the first row that is not packed yet */
    for (int64_t y = y0; y < y1; y++) {
        const int64_t top = y * d->stride_h - d->pad_top;
        const cut ys = cut_window(top, d->dilation_h, d->kernel_h, a->in_h), xs = {0, d->kernel_w};
        const int64_t from = larger(next, within(top, 0, a->in_h)), to = within(top + window, from, a->in_h);
        up_depthwise_run run = run_at(conv, a, image * a->out_h + y, x0, 0, channel, channels, ys, xs);
        const int64_t first = run.rows > 0 ? top + ys.first * d->dilation_h : 0;
        const int64_t before_end = (window - first % window + d->dilation_h - 1) / d->dilation_h;
        run.src = ring_row(&r, first);
        run.pixel_step = d->stride_w * r.pixel;
        run.row_step = d->dilation_h * r.row;
        run.column_step = d->dilation_w * r.pixel;
        if (before_end < run.rows) {
            run.planes = 2;
            run.plane_step = before_end * run.row_step - window * r.row;
            run.weights_plane = before_end * run.weights_row;
            run.later_rows = run.rows - before_end;
            run.rows = before_end;
        }
        int64_t column = larger(r.left, 0);    /* of the image: the first that is not packed yet */
        for (int64_t s = 0; s < segments; s++) {
            const int64_t x = up_cut(x1 - x0, segments, s), n = up_cut(x1 - x0, segments, s + 1) - x;
            const int64_t end = within(r.left + columns_read(d, x + n), column, larger(column, a->in_w));
            for (int64_t row = from; row < to && end > column; row++) {
                const up_take_pixels pixels = {
                    .plans = plans, .vectors = vectors, .src = a->src.data + ((image * a->in_h + row) * a->in_w + column) * stride,
                    .src_stride = stride, .pixels = end - column, .to = ring_row(&r, row) + (column - r.left) * r.pixel, .to_stride = r.pixel};
                conv->kernels->take_pixels(&pixels);
            }
            column = end;
            run.pixels = n;
            if (cuts) {
                const int64_t from_column = r.left + x * d->stride_w;
                run.before = larger(0, -from_column);
                run.after = larger(0, from_column + columns_read(d, n) - a->in_w);
            }
            finish_run(conv, &run);
            run.src += n * run.pixel_step;
            run.dst += n * run.dst_stride;
            if (run.addend) run.addend += n * run.addend_stride;
        }
        next = to;
    }
}

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const rows_job *job = argument;
    const up_conv_args *a = job->args;
    const int64_t end = up_cut(job->items, job->tasks, last);
    for (int64_t i = up_cut(job->items, job->tasks, first); i < end; i++) {
        const int64_t strip = i % job->strips, chunk = i / job->strips % job->chunks, part = i / job->strips / job->chunks % job->parts;
        const int64_t image = i / job->strips / job->chunks / job->parts, vector = up_cut(job->vectors, job->chunks, chunk);
        const int64_t vectors = up_cut(job->vectors, job->chunks, chunk + 1) - vector, channel = vector * job->conv->kernels->vector_floats;
        const int64_t y0 = up_cut(a->out_h, job->parts, part), y1 = up_cut(a->out_h, job->parts, part + 1);
        run_strip(job->conv, a, image, y0, y1, up_cut(a->out_w, job->strips, strip), up_cut(a->out_w, job->strips, strip + 1), channel, vectors);
    }
}

/* ---------------------------------------------------------------- nothing packed */

typedef struct down_job {
    const up_conv *conv;
    const up_conv_args *args;
    const char *plans;
    int64_t items, tasks;
    int64_t parts, chunks;     /* of an image: by strips, by vectors of channels */
    int64_t strips, vectors;
} down_job;

/* A strip of an image, of `vectors` vectors of channels. */
static void run_down(const down_job *job, int64_t image, int64_t strip, int64_t vector, int64_t vectors) {
    const up_conv *conv = job->conv;
    const up_conv_args *a = job->args;
    const up_conv_desc *d = &conv->desc;
    const int64_t width = conv->kernels->vector_floats, channel = vector * width, channels = smaller(vectors * width, d->out_channels - channel);
    const int64_t stride = a->src.pixel_stride;
    up_depthwise_run run = run_at(conv, a, image * a->out_h, 0, a->out_w, channel, channels, (cut){0, d->kernel_h}, (cut){0, d->kernel_w});
    run.before = d->pad_left;
    run.after = larger(0, overhang(d, a->in_w, a->out_w));
    const up_down_rows rows = {.plans = job->plans + vector * UP_DOWN_BYTES, .src = a->src.data + (image * a->in_h * a->in_w - d->pad_left) * stride,
                               .src_step = stride, .src_row = a->in_w * stride, .stride = d->stride_h, .outputs = a->out_h, .cut = d->pad_top,
                               .rows = a->in_h, .column = up_cut(a->out_w, job->strips, strip), .end = up_cut(a->out_w, job->strips, strip + 1)};
    conv->kernels->depthwise_down(&run, &rows);
    for (int64_t y = 0; y < a->out_h && !conv->clamp; y++)
        conv->kernels->act(&d->act, run.dst + (y * a->out_w + rows.column) * run.dst_stride, run.dst_stride, rows.end - rows.column, channels);
}

static void run_down_tasks(const void *argument, int64_t first, int64_t last) {
    const down_job *job = argument;
    const int64_t end = up_cut(job->items, job->tasks, last);
    for (int64_t i = up_cut(job->items, job->tasks, first); i < end; i++) {
        const int64_t chunk = i % job->chunks, part = i / job->chunks % job->parts, image = i / job->chunks / job->parts;
        const int64_t vector = up_cut(job->vectors, job->chunks, chunk);
        for (int64_t strip = up_cut(job->strips, job->parts, part); strip < up_cut(job->strips, job->parts, part + 1); strip++)
            run_down(job, image, strip, vector, up_cut(job->vectors, job->chunks, chunk + 1) - vector);
    }
}

/* Whether there are kernels that do so, and pay. */
static int goes_down(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    return conv->kernels->depthwise_down && d->out_channels <= MOST_PLANS * conv->kernels->vector_floats &&
           d->kernel_h == d->kernel_w && d->stride_h == d->stride_w && d->dilation_h == 1 && d->dilation_w == 1 &&
           up_depthwise_goes_down(d->kernel_w, d->stride_w, d->pad_left, overhang(d, a->in_w, a->out_w), a->out_w);
}

static int32_t run_all_down(const up_conv *conv, const up_conv_args *a, const char *plans, up_pool *pool) {
    const int64_t width = conv->kernels->vector_floats, threads = up_pool_threads(pool), vectors = (conv->desc.out_channels + width - 1) / width;
    down_job job = {.conv = conv, .args = a, .plans = plans, .parts = 1, .chunks = 1, .strips = up_down_strips(conv->desc.kernel_w, a->out_w),
                    .vectors = vectors};
    if (threads > 1) {    /* as many for each thread */
        job.parts = job.strips;
        for (int64_t n; (n = a->batch * job.parts * job.chunks) < TASKS * threads || n % threads != 0; job.chunks++)
            if (job.chunks == vectors || n >= 2 * TASKS * threads) break;
    }
    job.items = a->batch * job.parts * job.chunks;
    const int64_t cost = (int64_t)a->out_w * a->out_h * conv->desc.out_channels * conv->layout.taps / 2 * a->batch / job.items;
    job.tasks = up_task_count(pool, job.items, cost);
    return up_parallel(pool, run_down_tasks, &job, job.tasks);
}

/* ---------------------------------------------------------------- either */

int32_t up_depthwise_run_rows(const up_conv *conv, const up_conv_args *a, up_pool *pool) {
    const up_conv_desc *d = &conv->desc;
    const int64_t width = conv->kernels->vector_floats, source = (int64_t)a->batch * a->in_h * a->in_w * a->src.pixel_stride;
    if (goes_down(conv, a)) {
        char plans[MOST_PLANS * UP_DOWN_BYTES] __attribute__((aligned(64)));
        const int64_t vectors = (d->out_channels + width - 1) / width, most = d->kernel_w == 5 || source > MOST_FAR ? vectors * 9 / 2 : INT64_MAX;
        if (conv->kernels->plan_down(&a->src, d->out_channels, most, plans)) return run_all_down(conv, a, plans, pool);
    }
    const int by_halves = up_narrow_pays(conv->kernels->isa);
    const int whole = by_halves && source < FAR_FLOATS && vector_ring(conv, a->out_w) <= MOST_RING_FLOATS;
    const int64_t floats = !by_halves ? RING_FLOATS : !whole ? 2 * RING_FLOATS : source < CACHED_FLOATS ? RING_FLOATS : MOST_RING_FLOATS;
    rows_job job = {.conv = conv, .args = a, .vectors = (d->out_channels + width - 1) / width};
    int64_t columns = whole ? a->out_w : smaller(a->out_w, NARROWEST);
    const int64_t fit = within(floats / vector_ring(conv, columns), 1, MOST_VECTORS);
    job.chunks = (job.vectors + fit - 1) / fit;
    const int64_t most = (job.vectors + job.chunks - 1) / job.chunks;    /* vectors of a chunk */
    while (columns < a->out_w && vector_ring(conv, columns + 1) * most <= floats) columns++;
    job.strips = (a->out_w + columns - 1) / columns;
    const int64_t threads = up_pool_threads(pool), items = a->batch * job.chunks * job.strips;
    job.parts = threads == 1 ? 1 : within((TASKS * threads + items - 1) / items, 1, larger(1, a->out_h / FEWEST_ROWS));
    if (whole) share_out(a->batch, threads, job.vectors, &job.parts, &job.chunks);
    job.items = a->batch * job.parts * job.chunks * job.strips;
    const int64_t cost = (int64_t)a->out_w * a->out_h * conv->desc.out_channels * conv->layout.taps / 2 * a->batch / job.items;
    job.tasks = up_task_count(pool, job.items, cost);
    return up_parallel(pool, run_tasks, &job, job.tasks);
}
