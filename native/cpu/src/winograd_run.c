/*
 * Running a Winograd convolution. Tiles are numbered through all images and cut into blocks. Of a block the inputs are transformed,
 * [products][tiles][channels]; then, panel by panel of outputs, each product is a 1x1 convolution over the block's tiles, whose sums,
 * [products][tiles][width], are transformed to outputs while they lie in the cache.
 *
 * Large images: each task takes blocks, one after the other, whose transformed inputs stay in the second cache, and the weights are
 * streamed for each. Where weights are large or blocks are few, blocks are large and all tasks work on one at a time: on its inputs first,
 * then, panel by panel, on its outputs.
 */
#include "winograd.h"

#include <stdatomic.h>

enum {
    MOST_TILES = 512,           /* of a block */
    VECTOR = 16,                /* floats of the widest vector */
    WIDEST = 48,                /* outputs of the widest panel */
    CHUNK = 64,                 /* channels that one task of a shared block transforms at a time */
    FEW_TILES = 48,             /* so few do not hide the fetching of the next weights */
    CACHED_BYTES = 640 << 10,   /* of a block and its sums, to stay in the second cache */
    STREAMED_BYTES = 4 << 20,   /* of weights, at most, to be read again for each block */
    SHARED_BYTES = 4 << 20      /* of a block that all tasks share, and its sums */
};

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
/* A distance in floats that is an odd number of cache lines, so that what lies so far apart collides in no cache set. */
static int64_t spread(int64_t floats) { return (divide_up(floats, VECTOR) | 1) * VECTOR; }

/* How a run is cut. */
typedef struct cut {
    int64_t m, products;
    int64_t tiles_x, tiles_y, tiles;
    int shared;                             /* blocks are */
    int64_t blocks;
    int64_t pieces;                         /* of a shared block's tiles, for tasks of their own */
    int64_t slots;                          /* tasks at the same time */
    int64_t tile_step, product_step;        /* of transformed inputs, in floats */
    int64_t input_floats, slot_floats;      /* of a shared block; of each task */
} cut;

static cut cut_run(const up_conv_desc *d, int32_t m, const up_conv_args *a, int64_t threads) {
    cut c = {.m = m, .products = up_winograd_products(m), .tiles_x = divide_up(a->out_w, m), .tiles_y = divide_up(a->out_h, m)};
    c.tiles = c.tiles_x * c.tiles_y * a->batch;
    c.tile_step = spread(d->in_channels);
    const int64_t panels = divide_up(d->out_channels, WIDEST);
    const int64_t tile_bytes = c.products * (c.tile_step + WIDEST) * 4, weights = c.products * d->in_channels * d->out_channels * 4;
    const int64_t cached = smaller(larger(CACHED_BYTES / tile_bytes, 1), MOST_TILES);
    const double work = (double)c.tiles * c.products * d->in_channels * d->out_channels;
    c.slots = work < 400e3 ? 1 : threads;
    c.blocks = larger(divide_up(c.tiles, cached), c.slots > 1 ? smaller(2 * c.slots, c.tiles / 12) : 1);
    c.shared = c.blocks < c.slots || weights > STREAMED_BYTES;
    if (c.shared) {
        c.blocks = divide_up(c.tiles, smaller(larger(SHARED_BYTES / tile_bytes, 1), MOST_TILES));
        c.pieces = c.slots == 1 ? 1 : smaller(divide_up(4 * c.slots, panels), divide_up(divide_up(c.tiles, c.blocks), 12));
    }
    const int64_t block = divide_up(c.tiles, c.blocks), piece = c.shared ? divide_up(block, c.pieces) : block;
    c.product_step = spread(block * c.tile_step);
    const int64_t inputs = c.products * c.product_step, sums = c.products * spread(piece * WIDEST) + VECTOR;
    c.input_floats = c.shared ? inputs : 0;
    c.slot_floats = c.shared ? spread(sums) : spread(inputs) + spread(sums);
    return c;
}

typedef struct winograd_job {
    const up_winograd *w;
    const up_conv_args *a;
    cut c;
    float *workspace;
    int64_t first, tiles;      /* of the shared block */
    int64_t items;
    _Atomic int64_t *next;     /* item that no task has taken yet */
} winograd_job;

/* Tiles in one row of tiles, from tile `t` on, before `end`; where they begin. */
typedef struct strip {
    int64_t image, y, x, tiles;
} strip;

static strip strip_at(const cut *c, int64_t t, int64_t end) {
    const int64_t row = t / c->tiles_x, x = t % c->tiles_x;
    return (strip){row / c->tiles_y, row % c->tiles_y * c->m, x * c->m, smaller(end - t, c->tiles_x - x)};
}

/* Channels [c0, c1) of the tiles [first, end), which are the first of `to`. */
static void transform_inputs(const winograd_job *job, int64_t first, int64_t end, int64_t c0, int64_t c1, float *to) {
    const up_conv_desc *d = &job->w->desc;
    const up_conv_args *a = job->a;
    for (int64_t t = first; t < end; ) {
        const strip s = strip_at(&job->c, t, end);
        const float *image = a->src.data + s.image * a->in_h * a->in_w * a->src.pixel_stride;
        const up_winograd_input input = {
            .image = a->src.index ? image : image + c0, .pixel_stride = a->src.pixel_stride,
            .index = a->src.index ? a->src.index + c0 : NULL,
            .in_h = a->in_h, .in_w = a->in_w, .top = s.y - d->pad_top, .left = s.x - d->pad_left, .tiles = s.tiles, .channels = c1 - c0,
            .to = to + (t - first) * job->c.tile_step + c0, .tile_step = job->c.tile_step, .product_step = job->c.product_step};
        job->w->kernels->winograd_input[job->c.m / 2 - 1](&input);
        t += s.tiles;
    }
}

static void transform_sums(const winograd_job *job, int64_t first, int64_t end, const up_panel *panel, int64_t width, const float *sums,
                           int64_t product_step) {
    const up_winograd *w = job->w;
    const up_conv_args *a = job->a;
    const int64_t o = panel->first, outputs = smaller(width, w->desc.out_channels - o);
    for (int64_t t = first; t < end; ) {
        const strip s = strip_at(&job->c, t, end);
        const int64_t pixel = (s.image * a->out_h + s.y) * a->out_w + s.x;
        const up_winograd_output output = {
            .from = sums + (t - first) * width, .tile_step = width, .product_step = product_step,
            .rows = smaller(job->c.m, a->out_h - s.y), .columns = smaller(s.tiles * job->c.m, a->out_w - s.x), .outputs = outputs,
            .bias = w->bias + o, .addend = a->addend.data ? a->addend.data + pixel * a->addend.pixel_stride + o : NULL,
            .addend_stride = a->addend.pixel_stride, .addend_row = a->out_w * a->addend.pixel_stride,
            .dst = a->dst.data + pixel * a->dst.pixel_stride + o, .dst_stride = a->dst.pixel_stride,
            .dst_row = a->out_w * a->dst.pixel_stride, .low = w->low, .high = w->high};
        w->kernels->winograd_output[job->c.m / 2 - 1](&output);
        for (int64_t row = 0; !w->clamp && row < output.rows; row++)
            w->kernels->act(&w->desc.act, output.dst + row * output.dst_row, output.dst_stride, output.columns, outputs);
        t += s.tiles;
    }
}

/* The outputs of one panel, of the tiles [first, end), whose transformed inputs begin at `inputs`. */
static void run_panel(const winograd_job *job, int64_t first, int64_t end, int32_t number, const float *inputs, float *sums) {
    const up_winograd *w = job->w;
    const up_panel panel = up_panel_at(&w->layout, w->kernels->panels[0].width, number);
    const up_panel_kind *kind = &w->kernels->panels[panel.kind];
    const int64_t channels = w->desc.in_channels, n = end - first, steps = divide_up(n, kind->mr);
    const int64_t product_floats = channels * kind->width, sums_step = spread(n * kind->width);
    const float *places[MOST_TILES];
    for (int64_t t = 0; t < n; t++) places[t] = inputs + t * job->c.tile_step;
    const float *weights = w->weights + job->c.products * channels * panel.first;
    /* what comes behind a product's weights are those of the next one; the last of all fetches its own again */
    const int last_panel = number + 1 == w->layout.panels;
    up_tile tile = {.row_step = 1, .segment_step = 1, .segments = 1, .length = channels, .dst_stride = kind->width, .outputs = kind->width,
                    .low = -__builtin_inff(), .high = __builtin_inff(), .ahead_step = n <= FEW_TILES ? kind->width * 4 / steps : 0};
    for (int64_t i = 0; i < job->c.products; i++) {
        tile.weights = weights + i * product_floats;
        tile.offset = i * job->c.product_step;
        const char *next = (const char *)(tile.weights + (last_panel && i + 1 == job->c.products ? 0 : product_floats));
        for (int64_t s = 0, t = 0, count, mr; s < steps; s += count, t += count * mr) {    /* first those of one tile more */
            mr = n / steps + (s < n % steps);
            count = tile.ahead_step ? 1 : (s < n % steps ? n % steps : steps) - s;
            tile.rows = places + t;
            tile.dst = sums + i * sums_step + t * kind->width;
            tile.ahead = next + product_floats * 4 / steps * s;
            tile.more = count - 1;
            (tile.more ? kind->several : kind->kernels)[0][mr - 1](&tile);
        }
    }
    transform_sums(job, first, end, &panel, kind->width, sums, sums_step);
}

/* ---------------------------------------------------------------- tasks: each takes items until none is left */

static int64_t take(const winograd_job *job) { return atomic_fetch_add_explicit(job->next, 1, memory_order_relaxed); }

static float *slot(const winograd_job *job, int64_t task) { return job->workspace + job->c.input_floats + task * job->c.slot_floats; }

static void run_blocks(const void *argument, int64_t first, int64_t last) {
    const winograd_job *job = argument;
    const cut *c = &job->c;
    for (int64_t task = first; task < last; task++) {
        float *inputs = slot(job, task), *sums = inputs + spread(c->products * c->product_step);
        for (int64_t block; (block = take(job)) < job->items; ) {
            const int64_t t0 = up_cut(c->tiles, c->blocks, block), t1 = up_cut(c->tiles, c->blocks, block + 1);
            transform_inputs(job, t0, t1, 0, job->w->desc.in_channels, inputs);
            for (int32_t q = 0; q < job->w->layout.panels; q++) run_panel(job, t0, t1, q, inputs, sums);
        }
    }
}

static int64_t chunks(const winograd_job *job) { return divide_up(job->w->desc.in_channels, CHUNK); }

static void run_shared_inputs(const void *argument, int64_t first, int64_t last) {
    const winograd_job *job = argument;
    (void)first, (void)last;
    const int64_t strips = job->items / chunks(job);
    for (int64_t item; (item = take(job)) < job->items; ) {
        const int64_t t0 = up_cut(job->tiles, strips, item % strips), t1 = up_cut(job->tiles, strips, item % strips + 1);
        const int64_t c0 = item / strips * CHUNK, c1 = smaller(c0 + CHUNK, job->w->desc.in_channels);
        transform_inputs(job, job->first + t0, job->first + t1, c0, c1, job->workspace + t0 * job->c.tile_step);
    }
}

static void run_shared_outputs(const void *argument, int64_t first, int64_t last) {
    const winograd_job *job = argument;
    const cut *c = &job->c;
    for (int64_t task = first; task < last; task++)
        for (int64_t item; (item = take(job)) < job->items; ) {
            const int64_t piece = item % c->pieces;
            const int64_t t0 = up_cut(job->tiles, c->pieces, piece), t1 = up_cut(job->tiles, c->pieces, piece + 1);
            run_panel(job, job->first + t0, job->first + t1, (int32_t)(item / c->pieces),
                      job->workspace + t0 * c->tile_step, slot(job, task));
        }
}

static int32_t run_items(winograd_job *job, up_task task, int64_t items, up_pool *pool) {
    _Atomic int64_t next;
    atomic_init(&next, 0);
    job->next = &next;
    job->items = items;
    return up_parallel(pool, task, job, smaller(items, job->c.slots));
}

static int32_t run_shared(winograd_job *job, up_pool *pool) {
    const cut *c = &job->c;
    int32_t status = UP_OK;
    for (int64_t block = 0; block < c->blocks && !status; block++) {
        job->first = up_cut(c->tiles, c->blocks, block);
        job->tiles = up_cut(c->tiles, c->blocks, block + 1) - job->first;
        const int64_t strips = divide_up(job->tiles, c->tiles_x);
        status = run_items(job, run_shared_inputs, strips * chunks(job), pool);
        if (!status) status = run_items(job, run_shared_outputs, job->w->layout.panels * c->pieces, pool);
    }
    return status;
}

/* ---------------------------------------------------------------- checks */

static int64_t workspace_bytes(const cut *c) { return (c->input_floats + c->slots * c->slot_floats) * 4; }

static int32_t check_sizes(const char *where, const up_conv_args *a) {
    if (a->batch < 0 || a->in_h < 0 || a->in_w < 0 || a->out_h < 0 || a->out_w < 0)
        return up_fail(UP_INVALID, "%s: batch %d, source %dx%d, destination %dx%d", where, a->batch, a->in_h, a->in_w, a->out_h, a->out_w);
    return UP_OK;
}

int32_t up_winograd_workspace_bytes(const up_conv_desc *desc, int32_t tile, const up_conv_args *args, int32_t threads, int64_t *bytes) {
    int32_t status = up_winograd_check("up_winograd_workspace_bytes", desc, tile);
    if (status) return status;
    if (!args || !bytes) return up_fail(UP_INVALID, "up_winograd_workspace_bytes: no %s", args ? "place for the result" : "arguments");
    if ((status = check_sizes("up_winograd_workspace_bytes", args))) return status;
    if (threads < 1 || threads > 256) return up_fail(UP_INVALID, "up_winograd_workspace_bytes: %d threads, not 1 to 256", threads);
    *bytes = 0;
    if ((int64_t)args->batch * args->out_h * args->out_w == 0) return UP_OK;
    for (int32_t n = 1; n <= threads; n++) {
        const cut c = cut_run(desc, tile, args, n);
        *bytes = larger(*bytes, workspace_bytes(&c));
    }
    return UP_OK;
}

static int32_t check(const up_winograd *w, const up_winograd_args *args, const cut *c) {
    const up_conv_args *a = &args->conv;
    int32_t status = up_check_source("up_winograd_run", "the source", &a->src, w->desc.in_channels);
    if (!status) status = up_check_target("up_winograd_run", &a->dst, w->desc.out_channels);
    if (!status && a->addend.data) status = up_check_source("up_winograd_run", "the addend", &a->addend, w->desc.out_channels);
    if (status) return status;
    if (a->addend.data && a->addend.index) return up_fail(UP_UNSUPPORTED, "up_winograd_run: an addend with an index list");
    if (!args->workspace || (uintptr_t)args->workspace % 64)
        return up_fail(UP_INVALID, "up_winograd_run: the workspace is not aligned to 64 bytes");
    if (args->workspace_bytes < workspace_bytes(c))
        return up_fail(UP_INVALID, "up_winograd_run: a workspace of %lld bytes, %lld needed", (long long)args->workspace_bytes,
                       (long long)workspace_bytes(c));
    return UP_OK;
}

int32_t up_winograd_run(const up_winograd *w, const up_winograd_args *args, up_pool *pool) {
    if (!w || !args) return up_fail(UP_INVALID, "up_winograd_run: no %s", w ? "arguments" : "convolution");
    const up_conv_args *a = &args->conv;
    int32_t status = check_sizes("up_winograd_run", a);
    if (status || (int64_t)a->batch * a->out_h * a->out_w == 0) return status;
    winograd_job job = {.w = w, .a = a, .c = cut_run(&w->desc, w->m, a, up_pool_threads(pool)), .workspace = args->workspace};
    if ((status = check(w, args, &job.c))) return status;
    return job.c.shared ? run_shared(&job, pool) : run_items(&job, run_blocks, job.c.blocks, pool);
}
