/*
 * Running a convolution. Output pixels are numbered through all images. A task computes a block of them, by a range of
 * panels (of all groups); for the block it notes where each tap of each pixel lies - at a row of zeros outside of the
 * image -, and from there on a tile is any number of neighbouring pixels, whatever rows or images they belong to.
 *
 *   for each block of pixels            its inputs stay in the second cache
 *     for each block of K               its panels are streamed
 *       for each panel                  its block stays in the first cache
 *         for each tile of the block    sums in registers; between blocks of K, in the destination
 */
#include "conv.h"

/* What taps outside of the image read: never written, so that all its pages are the system's one page of zeros. */
enum { ZEROS = 1 << 20 };
static float zeros[ZEROS + 64];

enum {
    TABLE_ENTRIES = 6144,        /* places of taps that a block of pixels may have: on the stack */
    MOST_PIXELS = 768,           /* of a block */
    FEWEST_PIXELS = 48,
    FEW_TILES = 24,
    BLOCK_BYTES = 160 << 10      /* of inputs that a block of pixels reads */
};

typedef struct conv_job {
    const up_conv *conv;
    const up_conv_args *args;
    int64_t pixels, blocks;
    int64_t panels, panel_ranges;    /* of all groups */
} conv_job;

/* Where the taps [t0, t1) of the pixels [p0, p1) lie. `inside` says of each pixel that none is cut off left or right. */
static void note_places(const up_conv_desc *d, const up_conv_args *a, int64_t p0, int64_t p1, int32_t t0, int32_t t1,
                        const float **places, char *inside) {
    const int64_t stride = a->src.pixel_stride;
    int32_t x = (int32_t)(p0 % a->out_w);
    int32_t y = (int32_t)(p0 / a->out_w % a->out_h);
    int64_t n = p0 / a->out_w / a->out_h;
    const int whole = t0 == 0 && t1 == d->kernel_h * d->kernel_w;
    for (int64_t p = p0; p < p1; p++) {
        const int64_t top = (int64_t)y * d->stride_h - d->pad_top, left = (int64_t)x * d->stride_w - d->pad_left;
        const float *image = a->src.data + n * a->in_h * a->in_w * stride;
        *inside = left >= 0 && left + (int64_t)(d->kernel_w - 1) * d->dilation_w < a->in_w;
        if (whole && *inside) {
            for (int32_t ky = 0; ky < d->kernel_h; ky++) {
                const int64_t row = top + (int64_t)ky * d->dilation_h;
                const int exists = row >= 0 && row < a->in_h;
                const float *place = exists ? image + (row * a->in_w + left) * stride : zeros;
                const int64_t step = exists ? d->dilation_w * stride : 0;
                for (int32_t kx = 0; kx < d->kernel_w; kx++, place += step) *places++ = place;
            }
        } else {
            for (int32_t t = t0; t < t1; t++) {
                const int64_t row = top + (int64_t)(t / d->kernel_w) * d->dilation_h;
                const int64_t column = left + (int64_t)(t % d->kernel_w) * d->dilation_w;
                const int exists = row >= 0 && row < a->in_h && column >= 0 && column < a->in_w;
                *places++ = exists ? image + (row * a->in_w + column) * stride : zeros;
            }
        }
        inside++;
        if (++x == a->out_w) {
            x = 0;
            if (++y == a->out_h) {
                y = 0;
                n++;
            }
        }
    }
}

static int all(const char *flags, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!flags[i]) return 0;
    return 1;
}

/* A row of taps is one run of kernel_w * in_channels floats where pixels lie without gaps. */
static int rows_are_runs(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    return d->kernel_w > 1 && d->kernel_w <= MOST_PIXELS && d->in_channels <= 64 && d->dilation_w == 1 && d->groups == 1 && !a->src.index &&
           a->src.pixel_stride == d->in_channels && conv->layout.channel_blocks == 1 && conv->layout.tap_blocks == 1;
}

/* The tiles of one panel, over one block of K: `tile` holds what they share. */
static void run_panel(const conv_job *job, up_tile tile, const up_panel_kind *kind, int64_t p0, int64_t p1, int64_t output,
                      int runs, const char *inside, int last) {
    const up_conv *conv = job->conv;
    const up_conv_args *a = job->args;
    const int64_t n = p1 - p0, tiles = (n + kind->mr - 1) / kind->mr;
    const float *const *rows = tile.rows;
    const int64_t segments = tile.segments, length = tile.length;
    /*
     * Where a panel lasts for a few tiles only, each of them fetches its share of the panel that comes next: behind this
     * one, or the first of all; never beyond the weights, since fetching what is not mapped is slow.
     */
    const int64_t panel_floats = segments * length * kind->width;
    const int fetch = tiles <= FEW_TILES, wrap = tile.weights + 2 * panel_floats > conv->weights + conv->layout.weight_floats;
    const char *next = (const char *)(wrap ? conv->weights : tile.weights + panel_floats);
    tile.ahead_step = fetch ? kind->width * 4 / tiles : 0;
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t first = up_cut(n, tiles, i), mr = up_cut(n, tiles, i + 1) - first;
        tile.rows = rows + first * tile.row_step;
        tile.dst = a->dst.data + (p0 + first) * a->dst.pixel_stride + output;
        if (tile.bias && a->addend.data) {
            tile.addend = a->addend.data + (p0 + first) * a->addend.pixel_stride + output;
            tile.addend_stride = a->addend.pixel_stride;
        } else if (!tile.bias) {
            tile.addend = tile.dst;
            tile.addend_stride = tile.dst_stride;
        }
        tile.ahead = next + panel_floats * 4 / tiles * i;
        const int merged = runs && all(inside + first, mr);
        tile.segments = merged ? conv->desc.kernel_h : segments;
        tile.length = merged ? conv->desc.kernel_w * length : length;
        tile.segment_step = merged ? conv->desc.kernel_w : 1;
        if (job->pixels == 1) (tile.index ? kind->single_indexed : kind->single)(&tile);
        else kind->kernels[tile.index != NULL][mr - 1](&tile);
        if (last && !conv->clamp) conv->kernels->act(&conv->desc.act, tile.dst, tile.dst_stride, mr, tile.outputs);
    }
}

static void run_block(const conv_job *job, int64_t p0, int64_t p1, int64_t first_panel, int64_t last_panel) {
    const up_conv *conv = job->conv;
    const up_layout *layout = &conv->layout;
    const up_conv_args *a = job->args;
    const float *places[TABLE_ENTRIES];
    char inside[MOST_PIXELS];
    const int runs = rows_are_runs(conv, a);
    const int64_t group_floats = (int64_t)layout->taps * layout->group_inputs * layout->padded_outputs;
    int64_t done = 0;    /* sums of the blocks before */
    for (int32_t t0 = 0; t0 < layout->taps; t0 += layout->block_taps) {
        const int32_t t1 = t0 + layout->block_taps < layout->taps ? t0 + layout->block_taps : layout->taps;
        note_places(&conv->desc, a, p0, p1, t0, t1, places, inside);
        for (int32_t c0 = 0; c0 < layout->group_inputs; c0 += layout->block_channels) {
            const int32_t c1 = c0 + layout->block_channels < layout->group_inputs ? c0 + layout->block_channels : layout->group_inputs;
            const int64_t sums = (int64_t)(t1 - t0) * (c1 - c0);
            const int last = t1 == layout->taps && c1 == layout->group_inputs;
            for (int64_t q = first_panel; q < last_panel; q++) {
                const int64_t group = q / layout->panels;
                const up_panel panel = up_panel_at(layout, conv->kernels->panels[0].width, (int32_t)(q % layout->panels));
                const up_panel_kind *kind = &conv->kernels->panels[panel.kind];
                const int64_t channel = group * layout->group_inputs + c0;
                const int32_t left = layout->group_outputs - panel.first;
                up_tile tile = {
                    .rows = places, .row_step = t1 - t0, .segment_step = 1, .segments = t1 - t0, .length = c1 - c0,
                    .offset = a->src.index ? 0 : channel,
                    .index = a->src.index ? a->src.index + channel : NULL,
                    .weights = conv->weights + group * group_floats + done * layout->padded_outputs + sums * panel.first,
                    .bias = done ? NULL : conv->bias + group * layout->padded_outputs + panel.first,
                    .dst_stride = a->dst.pixel_stride,
                    .outputs = left < kind->width ? left : kind->width,
                    .low = last ? conv->low : -__builtin_inff(), .high = last ? conv->high : __builtin_inff()};
                run_panel(job, tile, kind, p0, p1, group * layout->group_outputs + panel.first, runs, inside, last);
            }
            done += sums;
        }
    }
}

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const conv_job *job = argument;
    for (int64_t task = first; task < last; task++) {
        const int64_t block = task / job->panel_ranges, range = task % job->panel_ranges;
        run_block(job, up_cut(job->pixels, job->blocks, block), up_cut(job->pixels, job->blocks, block + 1),
                  up_cut(job->panels, job->panel_ranges, range), up_cut(job->panels, job->panel_ranges, range + 1));
    }
}

static int64_t within(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }

/* Pixels of a block: their inputs in the second cache, their table on the stack. */
static int64_t block_pixels(const up_conv *conv) {
    const up_conv_desc *d = &conv->desc;
    const int64_t read = (int64_t)conv->layout.block_channels * d->groups * 4 *
                         (d->stride_h < d->kernel_h ? d->stride_h : d->kernel_h) *
                         (d->stride_w < d->kernel_w ? d->stride_w : d->kernel_w);
    const int64_t pixels = within(BLOCK_BYTES / read, FEWEST_PIXELS, MOST_PIXELS);
    const int64_t most = TABLE_ENTRIES / conv->layout.block_taps;
    return pixels < most ? pixels : most;
}

static int32_t run_dense(const up_conv *conv, const up_conv_args *a, int64_t pixels, up_pool *pool) {
    const up_layout *layout = &conv->layout;
    conv_job job = {.conv = conv, .args = a, .pixels = pixels, .panels = (int64_t)layout->panels * conv->desc.groups, .panel_ranges = 1};
    const int64_t most = block_pixels(conv);
    job.blocks = (pixels + most - 1) / most;
    const int64_t threads = up_pool_threads(pool);
    const double sums = (double)pixels * layout->taps * layout->group_inputs * conv->desc.out_channels;
    if (threads > 1 && sums > 200e3) {
        const int64_t worth = (int64_t)within((int64_t)(sums / 100e3), 2, 4 * threads);
        const int64_t mr = conv->kernels->panels[0].mr;
        if (job.blocks < worth) job.panel_ranges = within((worth + job.blocks - 1) / job.blocks, 1, job.panels);
        if (job.blocks * job.panel_ranges < worth)
            job.blocks = within((worth + job.panel_ranges - 1) / job.panel_ranges, job.blocks, (pixels + mr - 1) / mr);
    }
    return up_parallel(pool, run_tasks, &job, job.blocks * job.panel_ranges);
}

/* ---------------------------------------------------------------- checks */

/* Whether any tap of any output lies outside of the image. */
static int is_padded(const up_conv_desc *d, const up_conv_args *a) {
    return d->pad_top || d->pad_left ||
           (int64_t)(a->out_h - 1) * d->stride_h + (int64_t)(d->kernel_h - 1) * d->dilation_h >= a->in_h ||
           (int64_t)(a->out_w - 1) * d->stride_w + (int64_t)(d->kernel_w - 1) * d->dilation_w >= a->in_w;
}

static int32_t check(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    if (a->batch < 0 || a->in_h < 0 || a->in_w < 0 || a->out_h < 0 || a->out_w < 0)
        return up_fail(UP_INVALID, "up_conv_run: batch %d, source %dx%d, destination %dx%d", a->batch, a->in_h, a->in_w, a->out_h, a->out_w);
    int32_t status = up_check_source("up_conv_run", "the source", &a->src, d->in_channels);
    if (!status) status = up_check_target("up_conv_run", &a->dst, d->out_channels);
    if (!status && a->addend.data) status = up_check_source("up_conv_run", "the addend", &a->addend, d->out_channels);
    if (status) return status;
    if (a->addend.data && a->addend.index) return up_fail(UP_UNSUPPORTED, "up_conv_run: an addend with an index list");
    if (a->src.pixel_stride > ZEROS && !conv->layout.depthwise && is_padded(d, a))
        return up_fail(UP_UNSUPPORTED, "up_conv_run: a padded source with a pixel stride of %lld, more than %d",
                       (long long)a->src.pixel_stride, ZEROS);
    return UP_OK;
}

int32_t up_conv_run(const up_conv *conv, const up_conv_args *args, up_pool *pool) {
    if (!conv || !args) return up_fail(UP_INVALID, "up_conv_run: no %s", conv ? "arguments" : "convolution");
    int32_t status = check(conv, args);
    const int64_t pixels = (int64_t)args->batch * args->out_h * args->out_w;
    if (status || pixels == 0) return status;
    return conv->layout.depthwise ? up_depthwise_conv(conv, args, pool) : run_dense(conv, args, pixels, pool);
}
