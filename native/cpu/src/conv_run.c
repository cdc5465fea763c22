/*
 * Running a convolution. Output pixels are numbered through all images. A task computes a block of them, by a range of
 * panels (of all groups); for the block it notes where each tap of each pixel lies - at a row of zeros outside of the
 * image -, and from there on a tile is any number of neighbouring pixels, whatever rows or images they belong to. On small
 * padded images tiles lie in rows instead, so that taps that are cut off for all of a tile's pixels, or for the first or
 * the last in a row, are not computed.
 *
 *   for each block of pixels            its inputs stay in the second cache
 *     for each block of K               its panels are streamed
 *       for each panel                  its block stays in the first cache
 *         for each tile of the block    sums in registers; between blocks of K, in the destination
 *
 * With bf16, whose products take pairs of channels that lie side by side, each block of K of the pixels that a block of them reads is
 * packed first; tiles read that instead, so any index list will do. Every task packs what it reads.
 *
 * With each channel a tile can fetch a line of memory on the side. The first tiles of a panel fetch the panel behind it, where tiles are few; others
 * the inputs of the next block, and what the caller will need next.
 */
#include "conv.h"
#include "fetch.h"

#include <string.h>

/* What taps outside of the image read: never written, so that all its pages are the system's one page of zeros. */
enum { ZEROS = 1 << 20 };
static float zeros[ZEROS + 64];

enum {
    TABLE_ENTRIES = 6144,        /* places of taps that a block of pixels may have: on the stack */
    MOST_PIXELS = 768,           /* of a block */
    FEWEST_PIXELS = 48,
    FEW_TILES = 24,
    MANY_WEIGHTS = 512 << 10,    /* bytes: more do not stay in the second cache along with what else is there */
    BLOCK_BYTES = 160 << 10,     /* of inputs that a block of pixels reads */
    FEWEST_FETCHED = 1 << 20,    /* floats of all inputs: fewer come fast enough by themselves, but on Zen 4 */
    WIDEST_ROW = 128,            /* whose tiles lie in rows: in wider images too few taps are cut off to pay for it */
    FEWEST_SUMS = 128,           /* of such a tile */
    COLLIDING_BYTES = 4096,      /* pixels that lie so far apart share a set of the first cache, which holds few of them */
    FEWEST_READS = 2,            /* of a channel, by panels, that make up for copying it; */
    MANY_READS = 16,             /*   for copying those of a few pixels that come by index (AVX-512); */
    COPIED_AT_ONCE = 4,          /*   so many pixels' by index: their lines share sets */
    /* What a task takes, in products of a vector: */
    TILE_PRODUCTS = 150,         /* a tile's beginning and end */
    TASK_PRODUCTS = 1000,
    READ_WITH_A_PRODUCT = 8,     /* floats that are read out of the last cache meanwhile */
    COPIED_WITH_A_PRODUCT = 8    /* floats that are packed meanwhile */
};

typedef struct conv_job {
    const up_conv *conv;
    const up_conv_args *args;
    int64_t pixels, blocks;
    int64_t panels, panel_ranges;    /* of all groups */
    int64_t row;                     /* pixels of the rows that tiles and blocks lie in, or 0: they are any neighbouring pixels */
    char *workspace;                 /* bf16: `thread_bytes` for each thread */
    int64_t thread_bytes;
} conv_job;

static int64_t within(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }

/* Where a row of taps lies of `n` neighbouring pixels: of the first at `place`, its taps and those of the next pixels at equal distances. */
UP_INLINE void note_row(const float *place, int64_t pixel, int64_t tap, int64_t n, const int64_t taps, int64_t entries, const float **places) {
    for (int64_t i = 0; i < n; i++, place += pixel, places += entries)
        for (int64_t t = 0; t < taps; t++) places[t] = place + t * tap;
}

/*
 * Where the taps [t0, t1) of the pixels [p0, p1) lie. `inside` says of each pixel that none is cut off left or right; where
 * rows of taps are runs, only their first ones are noted for such a pixel.
 */
static void note_places(const up_conv_desc *d, const up_conv_args *a, int64_t p0, int64_t p1, int32_t t0, int32_t t1, int runs,
                        const float **places, char *inside) {
    const int64_t stride = a->src.pixel_stride;
    if (d->kernel_h == 1 && d->kernel_w == 1 && d->stride_h == 1 && d->stride_w == 1 && !d->pad_top && !d->pad_left && a->in_h == a->out_h &&
        a->in_w == a->out_w) {
        note_row(a->src.data + p0 * stride, stride, 0, p1 - p0, 1, 1, places);
        memset(inside, 1, (size_t)(p1 - p0));
        return;
    }
    int32_t x = (int32_t)(p0 % a->out_w);
    int32_t y = (int32_t)(p0 / a->out_w % a->out_h);
    int64_t image_number = p0 / a->out_w / a->out_h;
    const int64_t last = a->in_w - 1 - (int64_t)(d->kernel_w - 1) * d->dilation_w + d->pad_left;    /* the last pixel inside, times its stride */
    const int whole = t0 == 0 && t1 == d->kernel_h * d->kernel_w;
    for (int64_t p = p0, n; p < p1; p += n, places += n * (t1 - t0), inside += n) {
        const int64_t top = (int64_t)y * d->stride_h - d->pad_top, left = (int64_t)x * d->stride_w - d->pad_left;
        const float *image = a->src.data + image_number * a->in_h * a->in_w * stride;
        n = 1;
        *inside = left >= 0 && (int64_t)x * d->stride_w <= last;
        if (whole && *inside) {    /* and others behind it, in its row */
            n = last / d->stride_w - x + 1;
            if (n > a->out_w - x) n = a->out_w - x;
            if (n > p1 - p) n = p1 - p;
            memset(inside, 1, (size_t)n);
            for (int32_t ky = 0; ky < d->kernel_h; ky++) {
                const int64_t row = top + (int64_t)ky * d->dilation_h;
                const int exists = row >= 0 && row < a->in_h;
                const float *place = exists ? image + (row * a->in_w + left) * stride : zeros;
                const int64_t pixel = exists ? d->stride_w * stride : 0, tap = exists ? d->dilation_w * stride : 0;
                const float **to = places + ky * d->kernel_w;
                if (runs || d->kernel_w == 1) note_row(place, pixel, tap, n, 1, t1, to);
                else if (d->kernel_w == 3) note_row(place, pixel, tap, n, 3, t1, to);
                else note_row(place, pixel, tap, n, d->kernel_w, t1, to);
            }
        } else {
            for (int32_t t = t0; t < t1; t++) {
                const int64_t row = top + (int64_t)(t / d->kernel_w) * d->dilation_h;
                const int64_t column = left + (int64_t)(t % d->kernel_w) * d->dilation_w;
                const int exists = row >= 0 && row < a->in_h && column >= 0 && column < a->in_w;
                places[t - t0] = exists ? image + (row * a->in_w + column) * stride : zeros;
            }
        }
        x += (int32_t)n;
        if (x == a->out_w) {
            x = 0;
            if (++y == a->out_h) {
                y = 0;
                image_number++;
            }
        }
    }
}

static int all(const char *flags, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!flags[i]) return 0;
    return 1;
}

/* Notes the other taps of a pixel whose rows of taps are runs. */
static void note_runs(const up_conv_desc *d, const up_conv_args *a, const float **places) {
    for (int32_t ky = 0; ky < d->kernel_h; ky++, places += d->kernel_w)
        for (int32_t kx = 1; kx < d->kernel_w; kx++) places[kx] = places[0] + kx * a->src.pixel_stride;
}

/* A row of taps is one run of kernel_w * in_channels floats where pixels lie without gaps. */
static int rows_are_runs(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    return d->kernel_w > 1 && d->kernel_w <= MOST_PIXELS && d->in_channels <= 64 && d->dilation_w == 1 && d->groups == 1 && !a->src.index &&
           a->src.pixel_stride == conv->layout.group_inputs && conv->layout.channel_blocks == 1 && conv->layout.tap_blocks == 1;
}

/* Of each tap: whether it is cut off for the first pixel of a row (if `edges` & 1) or the last (& 2). */
static void note_cuts(const up_conv_desc *d, const up_conv_args *a, int edges, char *cuts) {
    const int64_t first = -(int64_t)d->pad_left, last = (int64_t)(a->out_w - 1) * d->stride_w - d->pad_left;
    for (int32_t t = 0; t < d->kernel_h * d->kernel_w; t++) {
        const int64_t tap = (int64_t)(t % d->kernel_w) * d->dilation_w;
        cuts[t] = (edges & 1) && first + tap < 0 ? UP_CUT_FIRST : (edges & 2) && last + tap >= a->in_w ? UP_CUT_LAST : UP_CUT_NONE;
    }
}

/* The rows of taps [*from, *to) that lie inside of the image for the pixels of an output row. */
static void rows_inside(const up_conv_desc *d, const up_conv_args *a, int64_t y, int64_t *from, int64_t *to) {
    const int64_t top = y * d->stride_h - d->pad_top;
    for (*from = 0; *from < d->kernel_h && top + *from * d->dilation_h < 0; ++*from) {}
    for (*to = d->kernel_h; *to > *from && top + (*to - 1) * d->dilation_h >= a->in_h; --*to) {}
}

/* ---------------------------------------------------------------- bf16 */

/* Floats from pixel to pixel of what is packed: an odd number of cache lines, or no gap where rows of taps are to be runs. */
static int64_t packed_stride(const up_conv *conv) {
    const int64_t pairs = conv->layout.block_channels;
    return pairs <= 32 ? pairs : (pairs + 15) / 16 / 2 * 32 + 16;
}

/* The pixels [first, last) of the source, numbered through all images, that the outputs [p0, p1) read, and others between them. */
static void pixels_read(const up_conv_desc *d, const up_conv_args *a, int64_t p0, int64_t p1, int64_t *first, int64_t *last) {
    const int64_t image = (int64_t)a->in_h * a->in_w, outputs = (int64_t)a->out_h * a->out_w;
    const int64_t top = p0 % outputs / a->out_w * d->stride_h - d->pad_top, left = p0 % a->out_w * d->stride_w - d->pad_left;
    *first = top < 0 ? 0 : top >= a->in_h ? image : top * a->in_w + (left < 0 ? 0 : left < a->in_w ? left : a->in_w);
    *first += p0 / outputs * image;
    p1--;
    const int64_t bottom = p1 % outputs / a->out_w * d->stride_h - d->pad_top + (int64_t)(d->kernel_h - 1) * d->dilation_h;
    const int64_t right = p1 % a->out_w * d->stride_w - d->pad_left + (int64_t)(d->kernel_w - 1) * d->dilation_w + 1;
    *last = bottom < 0 ? 0 : bottom >= a->in_h ? image : bottom * a->in_w + (right < 0 ? 0 : right < a->in_w ? right : a->in_w);
    *last += p1 / outputs * image;
}

/* The most that pixels_read() gives for so many outputs, wherever they begin. */
static int64_t most_pixels_read(const up_conv_desc *d, const up_conv_args *a, int64_t pixels) {
    const int64_t outputs = (int64_t)a->out_h * a->out_w, all = (int64_t)a->batch * a->in_h * a->in_w;
    const int64_t rows = (pixels - 1) / a->out_w, columns = (pixels - 1) % a->out_w;
    const int64_t next_image = a->in_h - (int64_t)(a->out_h - 1) * d->stride_h - d->stride_h;   /* rows more than to the next row */
    const int64_t images = next_image > 0 && a->batch > 1 ? (pixels - 1) / outputs + 1 : 0;
    const int64_t down = rows * d->stride_h + (int64_t)(d->kernel_h - 1) * d->dilation_h + images * next_image;
    const int64_t wrap = (int64_t)d->stride_h * a->in_w - (int64_t)a->out_w * d->stride_w;
    int64_t most = down * a->in_w + columns * d->stride_w + (wrap > 0 ? wrap : 0) + (int64_t)(d->kernel_w - 1) * d->dilation_w + 1;
    const int beside = (int64_t)(a->out_w - 1) * d->stride_w - d->pad_left > a->in_w ||    /* pixels of windows beside the image */
                       d->pad_left > (int64_t)(d->kernel_w - 1) * d->dilation_w;
    if (beside && most < (down + d->stride_h + 2) * a->in_w) most = (down + d->stride_h + 2) * a->in_w;
    return most < all ? most : all;
}

/* What a block of outputs reads, packed: one block of K at a time. */
typedef struct packed_block {
    const up_source *src;               /* what is packed */
    float *memory;
    int64_t stride;
    int64_t first, last;                /* its pixels */
    const float *from[MOST_PIXELS];     /* kernels of one tap: where each output's pixel lies, packed in this order */
} packed_block;

/* Where the pixels [p0, p1) are packed; `packed` become the arguments of a run whose source lies there already. */
static void plan_packing(const conv_job *job, int64_t p0, int64_t p1, packed_block *b, up_conv_args *packed) {
    b->src = &job->args->src;
    b->stride = packed_stride(job->conv);
    b->memory = (float *)(job->workspace + up_thread_number() * job->thread_bytes);
    pixels_read(&job->conv->desc, job->args, p0, p1, &b->first, &b->last);
    *packed = *job->args;
    packed->src = (up_source){(const float *)((uintptr_t)b->memory - (uintptr_t)(b->first * b->stride * 4)), b->stride, NULL};
}

/* Packs the pairs [c0, c1) of a group. */
static void pack_block(const up_conv *conv, int64_t pixels, const packed_block *b, int64_t group, int64_t c0, int64_t c1) {
    const up_source *src = b->src;
    const int64_t inputs = conv->desc.in_channels / conv->desc.groups;
    const int64_t first = group * inputs + 2 * c0, channels = (2 * c1 < inputs ? 2 * c1 : inputs) - 2 * c0;
    const int32_t *index = src->index ? src->index + first : NULL;
    const int64_t offset = index ? 0 : first;
    if (conv->layout.taps > 1) {
        up_bf16_pack_pixels(src->data + b->first * src->pixel_stride + offset, src->pixel_stride, index, channels, b->memory, b->stride,
                            b->last - b->first);
        return;
    }
    for (int64_t i = 0, run; i < pixels; i += run) {    /* pixels that lie at equal distances */
        const int64_t step = i + 1 < pixels ? b->from[i + 1] - b->from[i] : 0;
        for (run = 1; i + run < pixels && b->from[i + run] - b->from[i + run - 1] == step; run++) {}
        up_bf16_pack_pixels(b->from[i] + offset, step, index, channels, b->memory + i * b->stride, b->stride, run);
    }
}

/* ---------------------------------------------------------------- what tiles fetch */

/* Whether the inner loop of a kind of tiles has room for a fetch. */
static int has_room_to_fetch(const conv_job *job, const up_panel_kind *kind) {
    return kind->width > job->conv->kernels->vector_floats && job->pixels > 1;
}

/* How many of a panel's tiles fetch the panel that comes next, where there is more to fetch. */
static int64_t weight_tiles(const up_panel_kind *kind, int64_t tiles) {
    const int64_t lines = (kind->width * 4 + UP_LINE_BYTES - 1) / UP_LINE_BYTES;    /* of a panel, for each of its channels */
    return tiles > FEW_TILES ? 0 : tiles < lines ? tiles : lines;
}

/* The inputs of the block behind this one, a line with each channel of `fetching` tiles evenly spread over `tiles`. */
typedef struct source_fetcher {
    const char *at;
    int64_t left;    /* bytes */
    int64_t fetching, tiles, credit;
} source_fetcher;

/* What the next tile, which has room for `slots` fetches, fetches of it: from `*ahead` on, at distances that are the result. 0: nothing. */
static int64_t fetch_source(source_fetcher *f, int64_t slots, const char **ahead) {
    if (f->left <= 0 || (f->credit += f->fetching) < f->tiles) return 0;
    f->credit -= f->tiles;
    const int64_t step = f->left >= slots * UP_LINE_BYTES ? UP_LINE_BYTES : f->left / slots;
    *ahead = f->at;
    f->at += slots * step;
    f->left = step == UP_LINE_BYTES ? f->left - slots * step : 0;
    return step;
}

/* How many of the next tiles, at most `most`, fetch nothing. */
static int64_t pass_tiles(source_fetcher *f, const up_fetcher *side, int64_t most) {
    if (side->left > 0) return 0;
    if (f->left <= 0) return most;
    if (f->fetching <= 0) return 0;
    const int64_t tiles = within((f->tiles - 1 - f->credit) / f->fetching, 0, most);
    f->credit += tiles * f->fetching;
    return tiles;
}

/* The tiles of one panel, over one block of K: `tile` holds what they share. */
static void run_panel(const conv_job *job, up_tile tile, const up_panel_kind *kind, int64_t p0, int64_t p1, int64_t output,
                      int runs, const float **places, const char *inside, char cuts[4][UP_MOST_TAPS], int last, source_fetcher *next,
                      up_fetcher *side) {
    const up_conv *conv = job->conv;
    const up_conv_args *a = job->args;
    const int64_t row = job->row ? job->row : p1 - p0, row_tiles = (row + kind->mr - 1) / kind->mr, tiles = (p1 - p0) / row * row_tiles;
    const float *const *rows = tile.rows;
    const float *weights = tile.weights;
    const int64_t segments = tile.segments, length = tile.length;
    /*
     * Where a panel lasts for a few tiles only, its first tiles fetch the panel that comes next: behind this one, or the first of all; never
     * beyond the weights, since fetching what is not mapped is slow. If there is nothing else to fetch for anybody, all of its tiles do.
     */
    const int64_t panel_floats = segments * length * kind->width;
    const int has_room = has_room_to_fetch(job, kind);
    const int64_t fetching = !has_room ? 0 : next->left > 0 || side->left > 0 ? weight_tiles(kind, tiles) : tiles <= FEW_TILES ? tiles : 0;
    const int wrap = tile.weights + 2 * panel_floats > conv->weights + conv->layout.weight_floats;
    const char *ahead = (const char *)(wrap ? conv->weights : tile.weights + panel_floats);
    const int64_t step = fetching ? kind->width * 4 / fetching : 0, ahead_bytes = fetching ? panel_floats * 4 / fetching : 0;
    const int64_t fewest = row / row_tiles, longer = row % row_tiles;    /* pixels of a tile; tiles of a row that have one more */
    const int32_t kernel_w = conv->desc.kernel_w;
    tile.dst = a->dst.data + p0 * a->dst.pixel_stride + output;
    if (!tile.bias) {
        tile.addend = tile.dst;
        tile.addend_stride = tile.dst_stride;
    } else if (a->addend.data) {
        tile.addend = a->addend.data + p0 * a->addend.pixel_stride + output;
        tile.addend_stride = a->addend.pixel_stride;
    }
    int64_t first = 0, mr, from = 0, to = 0;
    for (int64_t i = 0, j = 0, count; i < tiles; i += count, first += mr * count, j = j + count < row_tiles ? j + count : 0) {
        mr = fewest + (j < longer);
        if (i < fetching) {
            tile.ahead = ahead + ahead_bytes * i;
            tile.ahead_step = step;
        } else if (has_room) {
            tile.ahead_step = fetch_source(next, segments * length, &tile.ahead);
            if (!tile.ahead_step) tile.ahead_step = up_fetch_next(side, segments * length, &tile.ahead);
        }
        const int acts = last && !conv->clamp;    /* on each tile, while it lies in the first cache */
        tile.more = 0;    /* tiles that differ in nothing but their place are one call */
        if (!job->row && !runs && !acts && !tile.ahead_step) {
            const int64_t alike = (i < longer ? longer : tiles) - i - 1;
            tile.more = has_room ? pass_tiles(next, side, alike) : alike;
        }
        count = 1 + tile.more;
        int merged = 0;
        if (runs) {
            merged = all(inside + first, mr);
            for (int64_t p = first; !merged && p < first + mr; p++)
                if (inside[p]) note_runs(&conv->desc, a, places + p * tile.row_step);
            tile.segments = merged ? conv->desc.kernel_h : segments;
            tile.length = merged ? kernel_w * length : length;
            tile.segment_step = merged ? kernel_w : 1;
        }
        if (job->row) {
            if (j == 0) rows_inside(&conv->desc, a, (p0 + first) / row % a->out_h, &from, &to);
            const int edges = (j == 0) | (j == row_tiles - 1) << 1;
            tile.rows = rows + from * kernel_w;
            tile.weights = weights + from * kernel_w * length * kind->width;
            tile.segments = merged ? to - from : (to - from) * kernel_w;
            tile.cuts = edges && !merged ? cuts[edges] : NULL;
        } else {
            tile.rows = rows;
        }
        if (job->pixels == 1) (tile.outputs > kind->width ? kind->beside : kind->single)[tile.index != NULL](&tile);
        else (tile.more ? kind->several : kind->kernels)[tile.index != NULL][mr - 1](&tile);
        if (acts) conv->kernels->act(&conv->desc.act, tile.dst, tile.dst_stride, mr, tile.outputs);
        rows += count * mr * tile.row_step;
        tile.dst += count * mr * tile.dst_stride;
        if (tile.addend) tile.addend += count * mr * tile.addend_stride;
    }
}

/* Whether any tap of any output lies outside of the image. */
static int is_padded(const up_conv_desc *d, const up_conv_args *a) {
    return d->pad_top || d->pad_left ||
           (int64_t)(a->out_h - 1) * d->stride_h + (int64_t)(d->kernel_h - 1) * d->dilation_h >= a->in_h ||
           (int64_t)(a->out_w - 1) * d->stride_w + (int64_t)(d->kernel_w - 1) * d->dilation_w >= a->in_w;
}

/*
 * Whether a block's pixels are copied before they are read: since where they lie they drive each other from the cache, or because they are so few that
 * it takes next to nothing, and what many panels read by index is then half as many lines.
 */
static int is_packed(const up_conv *conv, const up_conv_args *a, int64_t panels) {
    if (conv->bf16 || conv->layout.taps > 1 || conv->desc.groups > 1) return 0;
    const int64_t pixels = (int64_t)a->batch * a->out_h * a->out_w;
    return (a->src.pixel_stride * 4 % COLLIDING_BYTES == 0 && panels >= FEWEST_READS) ||
           (a->src.index && pixels > 1 && pixels <= UP_MAX_MR && panels >= MANY_READS && conv->kernels->isa == UP_ISA_AVX512);
}

/* Copies the channels [c0, c1) of each place into a row of `to`, which has room for whole vectors, and says that they lie there. */
static void pack_places(const up_kernels *kernels, const up_source *src, int64_t c0, int64_t c1, int64_t row, int64_t n, const float *const *from,
                        const float **places, float *to) {
    for (int64_t i = 0; i < n; i++) places[i] = to + i * row;
    if (!src->index) {
        for (int64_t i = 0; i < n; i++) memcpy(to + i * row, from[i] + c0, (size_t)(c1 - c0) * sizeof *to);
        return;
    }
    const int64_t vectors = (c1 - c0 + kernels->vector_floats - 1) / kernels->vector_floats;
    char plans[vectors * UP_TAKE_BYTES] __attribute__((aligned(64)));
    kernels->plan_takes(src->index + c0, c1 - c0, plans);
    for (int64_t i = 0, run; i < n; i += run) {
        for (run = 1; run < COPIED_AT_ONCE && i + run < n && from[i + run] - from[i] == run * (from[i + 1] - from[i]); run++) {}
        const up_take_pixels pixels = {.plans = plans, .vectors = vectors, .src = from[i], .src_stride = run > 1 ? from[i + 1] - from[i] : 0,
                                       .pixels = run, .to = to + i * row, .to_stride = row};
        kernels->take_pixels(&pixels);
    }
}

/* The block behind [p0, p1), if it is to be fetched while panels of this one are computed. */
static source_fetcher next_source(const conv_job *job, int64_t p0, int64_t p1, int64_t first_panel, int64_t last_panel) {
    const up_conv *conv = job->conv;
    const up_conv_desc *d = &conv->desc;
    const up_conv_args *a = job->args;
    const int64_t stride = a->src.pixel_stride, below = (d->kernel_h - 1) * (int64_t)d->dilation_h - d->pad_top;
    const int64_t first = p1 + (below > 0 ? below * a->in_w : 0), pixels = p1 - p0 < job->pixels - first ? p1 - p0 : job->pixels - first;
    const int stays = conv->layout.weight_floats * 4 <= MANY_WEIGHTS || is_packed(conv, a, last_panel - first_panel);
    const int near = job->pixels * stride < FEWEST_FETCHED && !up_narrow_pays(UP_ISA_AVX512);
    if (near || conv->bf16 || d->stride_h > 1 || d->stride_w > 1 || a->in_h != a->out_h || a->in_w != a->out_w || pixels <= 0 ||
        stride > 3 * (int64_t)d->in_channels || !stays) return (source_fetcher){0};
    source_fetcher f = {.at = (const char *)(a->src.data + first * stride), .left = pixels * stride * 4};
    for (int64_t q = first_panel; q < last_panel; q++) {
        const up_panel_kind *kind = &conv->panels[up_panel_at(&conv->layout, conv->panels[0].width, (int32_t)(q % conv->layout.panels)).kind];
        const int64_t tiles = (p1 - p0 + kind->mr - 1) / kind->mr;
        if (has_room_to_fetch(job, kind)) f.tiles += (tiles - weight_tiles(kind, tiles)) * conv->layout.channel_blocks * conv->layout.tap_blocks;
    }
    const int64_t bytes = (int64_t)conv->layout.block_taps * conv->layout.block_channels * UP_LINE_BYTES;    /* that a tile fetches */
    f.fetching = (f.left + bytes - 1) / bytes;
    if (f.fetching > f.tiles) f.fetching = f.tiles;
    return f;
}

static void run_block(const conv_job *job, int64_t p0, int64_t p1, int64_t first_panel, int64_t last_panel, up_fetcher *side) {
    const up_conv *conv = job->conv;
    const up_layout *layout = &conv->layout;
    packed_block bf16;
    up_conv_args bf16_args;
    conv_job bf16_job = *job;
    if (conv->bf16) {
        plan_packing(job, p0, p1, &bf16, &bf16_args);
        if (layout->taps == 1) note_places(&conv->desc, job->args, p0, p1, 0, 1, 0, bf16.from, (char[MOST_PIXELS]){0});
        bf16_job.args = &bf16_args;
        job = &bf16_job;
    }
    int64_t packed_group = -1;
    const up_conv_args *a = job->args;
    const float *places[TABLE_ENTRIES];
    char inside[MOST_PIXELS];
    char cuts[4][UP_MOST_TAPS];
    for (int edges = 1; job->row && edges < 4; edges++) note_cuts(&conv->desc, a, edges, cuts[edges]);
    const int runs = rows_are_runs(conv, a), packs = is_packed(conv, a, last_panel - first_panel);
    const int64_t row = layout->block_channels + 16;    /* of a packed pixel */
    const float *packed_places[packs ? p1 - p0 : 1];
    float packed[packs ? (p1 - p0) * row : 1];
    const int64_t group_floats = (int64_t)layout->taps * layout->group_inputs * layout->padded_outputs;
    int64_t done = 0;    /* sums of the blocks before */
    source_fetcher next = next_source(job, p0, p1, first_panel, last_panel);
    for (int32_t t0 = 0; t0 < layout->taps; t0 += layout->block_taps) {
        const int32_t t1 = t0 + layout->block_taps < layout->taps ? t0 + layout->block_taps : layout->taps;
        note_places(&conv->desc, a, p0, p1, t0, t1, runs, places, inside);
        for (int64_t i = 0; conv->bf16 && layout->taps == 1 && i < p1 - p0; i++) places[i] = bf16.memory + i * bf16.stride;
        for (int32_t c0 = 0; c0 < layout->group_inputs; c0 += layout->block_channels) {
            const int32_t c1 = c0 + layout->block_channels < layout->group_inputs ? c0 + layout->block_channels : layout->group_inputs;
            const int64_t sums = (int64_t)(t1 - t0) * (c1 - c0);
            const int last = t1 == layout->taps && c1 == layout->group_inputs;
            if (packs) pack_places(conv->kernels, &a->src, c0, c1, row, p1 - p0, places, packed_places, packed);
            for (int64_t q = first_panel, panels; q < last_panel; q += panels) {
                const int64_t group = q / layout->panels;
                panels = job->pixels == 1 && q % layout->panels + UP_SIDE_BY_SIDE <= layout->wide_panels && q + UP_SIDE_BY_SIDE <= last_panel
                             ? UP_SIDE_BY_SIDE : 1;
                if (conv->bf16 && (q == first_panel || group != packed_group))
                    pack_block(conv, p1 - p0, &bf16, packed_group = group, c0, c1);
                const up_panel panel = up_panel_at(layout, conv->panels[0].width, (int32_t)(q % layout->panels));
                const up_panel_kind *kind = &conv->panels[panel.kind];
                const int64_t channel = group * layout->group_inputs + c0;
                const int32_t left = layout->group_outputs - panel.first;
                up_tile tile = {
                    .rows = packs ? packed_places : places, .row_step = t1 - t0, .segment_step = 1, .segments = t1 - t0, .length = c1 - c0,
                    .offset = packs || conv->bf16 || a->src.index ? 0 : channel,
                    .index = packs || !a->src.index ? NULL : a->src.index + channel,
                    .weights = conv->weights + group * group_floats + done * layout->padded_outputs + sums * panel.first,
                    .bias = done ? NULL : conv->bias + group * layout->padded_outputs + panel.first,
                    .dst_stride = a->dst.pixel_stride, .outputs = left < panels * kind->width ? left : panels * kind->width,
                    .panel_floats = sums * kind->width,
                    .low = last ? conv->low : -__builtin_inff(), .high = last ? conv->high : __builtin_inff()};
                run_panel(job, tile, kind, p0, p1, group * layout->group_outputs + panel.first, runs, places, inside, cuts, last, &next,
                          side);
            }
            done += sums;
        }
    }
}

/* How many fetches a task of so many pixels and panels has room for: with each channel of the tiles that fetch no weights. */
static int64_t room(const conv_job *job, int64_t pixels, int64_t panels) {
    const up_panel_kind *kind = &job->conv->panels[0];
    const int64_t row = job->row ? job->row : pixels, tiles = row > 0 ? pixels / row * ((row + kind->mr - 1) / kind->mr) : 0;
    return (tiles - weight_tiles(kind, tiles)) * panels * job->conv->layout.taps * job->conv->layout.group_inputs;
}

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const conv_job *job = argument;
    for (int64_t task = first; task < last; task++) {
        const int64_t block = task / job->panel_ranges, range = task % job->panel_ranges;
        const int64_t unit = job->row ? job->row : 1, units = job->pixels / unit;
        const int64_t p0 = up_cut(units, job->blocks, block) * unit, p1 = up_cut(units, job->blocks, block + 1) * unit;
        const int64_t q0 = up_cut(job->panels, job->panel_ranges, range), q1 = up_cut(job->panels, job->panel_ranges, range + 1);
        up_fetcher side = up_fetcher_of(job->args, task, job->blocks * job->panel_ranges, room(job, p1 - p0, q1 - q0));
        run_block(job, p0, p1, q0, q1, &side);
    }
}

/* Pixels of a block: their inputs in the second cache, their table on the stack. */
static int64_t block_pixels(const up_conv *conv) {
    const up_conv_desc *d = &conv->desc;
    const int64_t read = (int64_t)conv->layout.block_channels * (conv->bf16 ? 1 : d->groups) * 4 *
                         (d->stride_h < d->kernel_h ? d->stride_h : d->kernel_h) *
                         (d->stride_w < d->kernel_w ? d->stride_w : d->kernel_w);
    const int64_t pixels = within(BLOCK_BYTES / read, FEWEST_PIXELS, MOST_PIXELS);
    const int64_t most = TABLE_ENTRIES / conv->layout.block_taps;
    return pixels < most ? pixels : most;
}

/* Whether the taps that tiles within rows leave out are worth more than that rows may not fill them. */
static int tiles_lie_in_rows(const up_conv *conv, const up_conv_args *a) {
    const int64_t mr = conv->panels[0].mr, tiles = (a->out_w + mr - 1) / mr, vectors = conv->panels[0].width / conv->kernels->vector_floats;
    return conv->layout.tap_blocks == 1 && is_padded(&conv->desc, a) && a->out_w <= WIDEST_ROW && a->out_w / tiles >= UP_FEWEST_CUT(vectors) &&
           (int64_t)conv->layout.taps * conv->layout.block_channels >= FEWEST_SUMS;
}

/* What a thread packs into, for a convolution with bf16. */
static int64_t thread_bytes(const up_conv *conv, const up_conv_args *a, int64_t pixels) {
    const int64_t most = block_pixels(conv), block = pixels < most ? pixels : most;
    const int64_t read = conv->layout.taps == 1 || block == 0 ? block : most_pixels_read(&conv->desc, a, block);
    return (read * packed_stride(conv) * 4 + 63) / 64 * 64;
}

/*
 * How long the threads take if pixels are cut into `blocks` and panels into `ranges`, in products of a vector: as many tasks one after the other
 * as the busiest has, each with its largest block and range, the tiles' beginnings and ends, and the inputs and weights that it reads.
 */
static double time_of_cut(const conv_job *job, int32_t threads, int32_t blocks, int32_t ranges) {
    const up_layout *layout = &job->conv->layout;
    const int32_t unit = job->row ? (int32_t)job->row : 1, units = (int32_t)(job->pixels / unit), all_panels = (int32_t)job->panels;
    const int32_t pixels = (units + blocks - 1) / blocks * unit, panels = (all_panels + ranges - 1) / ranges;
    const int32_t tasks = (blocks * ranges + threads - 1) / threads, mr = job->conv->panels[0].mr;
    const double sums = (double)layout->taps * layout->group_inputs, floats = (double)layout->padded_outputs * panels / layout->panels;
    const double products = pixels * floats / job->conv->kernels->vector_floats * sums, tiles = (double)((pixels + mr - 1) / mr) * panels;
    const double inputs = pixels * (double)layout->group_inputs, read = inputs + floats * sums;
    const double copied = job->conv->bf16 || is_packed(job->conv, job->args, panels) ? inputs : 0;
    return tasks * (products + tiles * TILE_PRODUCTS + read / READ_WITH_A_PRODUCT + copied / COPIED_WITH_A_PRODUCT + TASK_PRODUCTS);
}

static void take_faster_cut(conv_job *job, int32_t threads, int64_t blocks, int64_t ranges, double *least) {
    const double time = time_of_cut(job, threads, (int32_t)blocks, (int32_t)ranges);
    if (*least > 0 && time >= *least) return;
    *least = time;
    job->blocks = blocks;
    job->panel_ranges = ranges;
}

/* Cuts pixels and panels so that each thread has as much to do; no block is larger than one that stays in the cache. */
static void cut_tasks(conv_job *job, int32_t threads, int64_t tasks) {
    const int64_t mr = job->conv->panels[0].mr, units = job->row ? job->pixels / job->row : (job->pixels + mr - 1) / mr;
    const int64_t fewest = job->blocks;
    double least = 0;
    for (int64_t ranges = 1; ranges <= job->panels && ranges <= tasks; ranges *= 2) {
        int64_t blocks = (tasks + ranges - 1) / ranges;
        if (blocks < fewest) blocks = fewest;
        while (blocks * ranges % threads) blocks++;
        if (blocks > units) blocks = units > fewest ? units : fewest;
        take_faster_cut(job, threads, blocks, ranges, &least);
        if (blocks < units) take_faster_cut(job, threads, (units + units / blocks - 1) / (units / blocks), ranges, &least);    /* equal blocks */
        const int copies = job->conv->bf16 || is_packed(job->conv, job->args, job->panels / ranges);
        if (copies && fewest * ranges % threads == 0)    /* as few times as can be */
            take_faster_cut(job, threads, fewest, ranges, &least);
    }
}

static int32_t run_dense(const up_conv *conv, const up_conv_args *a, int64_t pixels, up_pool *pool, void *workspace) {
    const up_layout *layout = &conv->layout;
    conv_job job = {.conv = conv, .args = a, .pixels = pixels, .panels = (int64_t)layout->panels * conv->desc.groups, .panel_ranges = 1,
                    .workspace = workspace, .thread_bytes = workspace ? thread_bytes(conv, a, pixels) : 0};
    const int64_t most = block_pixels(conv);
    if (tiles_lie_in_rows(conv, a) && a->out_w <= most) job.row = a->out_w;
    const int64_t unit = job.row ? job.row : 1;
    job.blocks = (pixels / unit + most / unit - 1) / (most / unit);
    const int32_t threads = up_pool_threads(pool);
    const double sums = (double)pixels * layout->taps * layout->group_inputs * conv->desc.out_channels;
    if (threads > 1 && sums > 200e3) cut_tasks(&job, threads, within((int64_t)(sums / 100e3), 2, 4 * threads));
    return up_parallel(pool, run_tasks, &job, job.blocks * job.panel_ranges);
}

/* ---------------------------------------------------------------- checks */

static int32_t check_sizes(const char *where, const up_conv_args *a) {
    if (a->batch < 0 || a->in_h < 0 || a->in_w < 0 || a->out_h < 0 || a->out_w < 0)
        return up_fail(UP_INVALID, "%s: batch %d, source %dx%d, destination %dx%d", where, a->batch, a->in_h, a->in_w, a->out_h, a->out_w);
    return UP_OK;
}

static int32_t check(const char *where, const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    int32_t status = check_sizes(where, a);
    if (!status) status = up_check_source(where, "the source", &a->src, d->in_channels);
    if (!status) status = up_check_target(where, &a->dst, d->out_channels);
    if (!status && a->addend.data) status = up_check_source(where, "the addend", &a->addend, d->out_channels);
    if (status) return status;
    if (a->addend.data && a->addend.index) return up_fail(UP_UNSUPPORTED, "%s: an addend with an index list", where);
    if (a->src.pixel_stride > ZEROS && !conv->layout.depthwise && is_padded(d, a))
        return up_fail(UP_UNSUPPORTED, "%s: a padded source with a pixel stride of %lld, more than %d",
                       where, (long long)a->src.pixel_stride, ZEROS);
    return UP_OK;
}

static int64_t outputs_of(const up_conv_args *args) { return (int64_t)args->batch * args->out_h * args->out_w; }

int32_t up_conv_run(const up_conv *conv, const up_conv_args *args, up_pool *pool) {
    if (!conv || !args) return up_fail(UP_INVALID, "up_conv_run: no %s", conv ? "arguments" : "convolution");
    if (conv->bf16) return up_fail(UP_INVALID, "up_conv_run: a convolution with bf16 needs a workspace: up_conv_bf16_run");
    int32_t status = check("up_conv_run", conv, args);
    const int64_t pixels = outputs_of(args);
    if (status || pixels == 0) return status;
    if (conv->layout.depthwise) return up_depthwise_conv(conv, args, pool);
    return up_conv_has_rows(conv, args) ? up_conv_run_rows(conv, args, pool) : run_dense(conv, args, pixels, pool, NULL);
}

int32_t up_conv_bf16_workspace_bytes(const up_conv_desc *desc, const up_conv_args *args, int32_t threads, int64_t *bytes) {
    static const char *const where = "up_conv_bf16_workspace_bytes";
    up_conv conv;
    int32_t status = up_conv_bf16_plan(where, desc, &conv);
    if (status) return status;
    if (!args || !bytes) return up_fail(UP_INVALID, "%s: no %s", where, args ? "place for the result" : "arguments");
    if (threads < 1 || threads > 256) return up_fail(UP_INVALID, "%s: %d threads, not 1 to 256", where, threads);
    status = check_sizes(where, args);
    if (!status) *bytes = threads * thread_bytes(&conv, args, outputs_of(args));
    return status;
}

int32_t up_conv_bf16_run(const up_conv *conv, const up_conv_bf16_args *args, up_pool *pool) {
    static const char *const where = "up_conv_bf16_run";
    if (!conv || !conv->bf16 || !args)
        return up_fail(UP_INVALID, "%s: no %s", where, !conv || !conv->bf16 ? "convolution with bf16" : "arguments");
    int32_t status = check(where, conv, &args->conv);
    const int64_t pixels = outputs_of(&args->conv);
    if (status || pixels == 0) return status;
    const int64_t needed = up_pool_threads(pool) * thread_bytes(conv, &args->conv, pixels);
    if (!args->workspace || (uintptr_t)args->workspace % 64 || args->workspace_bytes < needed)
        return up_fail(UP_INVALID, "%s: a workspace of %lld bytes at %p, %lld needed, aligned to 64", where,
                       (long long)args->workspace_bytes, args->workspace, (long long)needed);
    return run_dense(conv, &args->conv, pixels, pool, args->workspace);
}
