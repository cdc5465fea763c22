/*
 * Running a convolution of few input channels, as networks begin with: 3 colours by 7x7 taps. A run of 3 channels for each tap is short, and
 * if they come from planes each is elsewhere. So the rows that a block of output rows reads are packed first, one channel beside the other,
 * with the zeros around the image: then a row of taps is one run, for every pixel. Or, where outputs do not fill vectors, one channel behind
 * the other, for vectors across pixels.
 */
#include "conv.h"
#include "fetch.h"

#include <string.h>

enum {
    MOST_CHANNELS = 16,
    MOST_PLACES = 5632,              /* rows of taps of the pixels of a block: their places are on the stack */
    MOST_PACKED_FLOATS = 24 << 10    /* rows that a block reads: on the stack, and in the second cache */
};

typedef struct rows_job {
    const up_conv *conv;
    const up_conv_args *args;
    int across;            /* whether vectors lie across pixels */
    int64_t row_floats;    /* of a packed row */
    int64_t blocks;        /* of each image's output rows */
} rows_job;

/* Pixels of the padded image that a row of outputs reads. */
static int64_t padded_columns(const up_conv_desc *d, const up_conv_args *a) {
    return (int64_t)(a->out_w - 1) * d->stride_w + d->kernel_w;
}

/* Rows that an output row reads. */
static int64_t window_rows(const up_conv_desc *d) { return (int64_t)(d->kernel_h - 1) * d->dilation_h + 1; }

/* The most output rows whose inputs, in rows of so many floats, and places have room. */
static int64_t most_rows(const up_conv_desc *d, const up_conv_args *a, int64_t row_floats) {
    const int64_t fit = MOST_PACKED_FLOATS / row_floats - window_rows(d);
    const int64_t packed = fit < 0 ? 0 : fit / d->stride_h + 1, places = MOST_PLACES / ((int64_t)a->out_w * d->kernel_h);
    return packed < places ? packed : places;
}

int up_conv_has_rows(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    return d->groups == 1 && d->in_channels <= MOST_CHANNELS && conv->layout.taps > 1 && d->dilation_w == 1 && conv->layout.tap_blocks == 1 &&
           conv->layout.channel_blocks == 1 && d->out_channels > d->in_channels && most_rows(d, a, padded_columns(d, a) * d->in_channels) > 0;
}

UP_INLINE void copy_pixels(const float *from, int64_t stride, const int64_t *places, float *to, int64_t pixels, const int64_t channels) {
    for (int64_t x = 0; x < pixels; x++, from += stride, to += channels)
#pragma GCC unroll 4
        for (int64_t c = 0; c < channels; c++) to[c] = from[places[c]];
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Three planes, four pixels at a time; the result is how many pixels these were. */
static int64_t copy_planes(const float *from, const int64_t *places, float *to, int64_t pixels) {
    const float *a = from + places[0], *b = from + places[1], *c = from + places[2];
    int64_t x = 0;
    for (; x + 4 <= pixels; x += 4, to += 12) {
        const four p = *(const four *)(a + x), q = *(const four *)(b + x), r = *(const four *)(c + x);
        const four pq = __builtin_shufflevector(p, q, 0, 4, 2, 6), rp = __builtin_shufflevector(r, p, 0, 5, 2, 7),
                   qr = __builtin_shufflevector(q, r, 1, 5, 3, 7);
        *(four *)to = __builtin_shufflevector(pq, rp, 0, 1, 4, 5);
        *(four *)(to + 4) = __builtin_shufflevector(qr, pq, 0, 1, 6, 7);
        *(four *)(to + 8) = __builtin_shufflevector(rp, qr, 2, 3, 6, 7);
    }
    return x;
}

static void pack_pixels(const up_source *src, const float *from, float *to, int64_t pixels, int64_t channels) {
    int64_t places[MOST_CHANNELS];
    for (int64_t c = 0; c < channels; c++) places[c] = src->index ? src->index[c] : c;
    if (channels == 3 && src->pixel_stride == 1) {
        const int64_t copied = copy_planes(from, places, to, pixels);
        from += copied;
        to += 3 * copied;
        pixels -= copied;
    }
    switch (channels) {
        case 1: copy_pixels(from, src->pixel_stride, places, to, pixels, 1); break;
        case 2: copy_pixels(from, src->pixel_stride, places, to, pixels, 2); break;
        case 3: copy_pixels(from, src->pixel_stride, places, to, pixels, 3); break;
        case 4: copy_pixels(from, src->pixel_stride, places, to, pixels, 4); break;
        default: copy_pixels(from, src->pixel_stride, places, to, pixels, channels);
    }
}

/* Packs row `y` of an image, which may lie above or below it. */
static void pack_row(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t y, float *to) {
    const up_conv_desc *d = &conv->desc;
    const int64_t channels = d->in_channels, columns = padded_columns(d, a), stride = a->src.pixel_stride;
    if (y < 0 || y >= a->in_h) {
        memset(to, 0, (size_t)(columns * channels) * 4);
        return;
    }
    const int64_t before = d->pad_left < columns ? d->pad_left : columns;
    const int64_t inside = columns - before < a->in_w ? columns - before : a->in_w;
    memset(to, 0, (size_t)(before * channels) * 4);
    to += before * channels;
    const float *from = a->src.data + (image * a->in_h + y) * a->in_w * stride;
    if (!a->src.index && stride == channels) memcpy(to, from, (size_t)(inside * channels) * 4);
    else pack_pixels(&a->src, from, to, inside, channels);
    memset(to + inside * channels, 0, (size_t)((columns - before - inside) * channels) * 4);
}

/* Where rows of taps lie, of the pixels of `rows` output rows. */
static void note_places(const up_conv_desc *d, const up_conv_args *a, int64_t rows, const float *packed, const float **places) {
    const int64_t row = padded_columns(d, a) * d->in_channels;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < a->out_w; x++)
            for (int64_t ky = 0; ky < d->kernel_h; ky++)
                *places++ = packed + (y * d->stride_h + ky * d->dilation_h) * row + x * d->stride_w * d->in_channels;
}

/* The rows of an image from y on that the next block will pack; of planes none, which are few bytes. */
static up_range next_rows(const up_conv_desc *d, const up_conv_args *a, int64_t image, int64_t y, int64_t rows) {
    if (y < 0 || y >= a->in_h || a->src.pixel_stride < d->in_channels) return (up_range){0};
    if (rows > a->in_h - y) rows = a->in_h - y;
    const int64_t row = a->in_w * a->src.pixel_stride;
    return (up_range){a->src.data + (image * a->in_h + y) * row, rows * row * 4};
}

/* Output rows [y0, y1) of an image, whose inputs are packed; tiles fetch what is `next`. */
static void run_block(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t y0, int64_t y1, const float *const *places,
                      const up_range *next) {
    const up_conv_desc *d = &conv->desc;
    const up_layout *layout = &conv->layout;
    const int64_t pixels = (y1 - y0) * a->out_w, p0 = (image * a->out_h + y0) * a->out_w;
    up_fetcher fetcher = {.range = next, .at = next->data, .left = next->bytes, .step = UP_LINE_BYTES};
    for (int32_t q = 0; q < layout->panels; q++) {
        const up_panel panel = up_panel_at(layout, conv->panels[0].width, q);
        const up_panel_kind *kind = &conv->panels[panel.kind];
        const int32_t left = layout->group_outputs - panel.first;
        const int64_t tiles = (pixels + kind->mr - 1) / kind->mr;
        up_tile tile = {
            .row_step = d->kernel_h, .segment_step = 1, .segments = d->kernel_h, .length = (int64_t)d->kernel_w * d->in_channels,
            .weights = conv->weights + (int64_t)layout->taps * d->in_channels * panel.first, .bias = conv->bias + panel.first,
            .addend_stride = a->addend.pixel_stride, .dst_stride = a->dst.pixel_stride, .outputs = left < kind->width ? left : kind->width,
            .low = conv->low, .high = conv->high};
        const int64_t longer = pixels % tiles;    /* tiles of one pixel more */
        for (int64_t i = 0, first = 0, mr, count; i < tiles; i += count, first += count * mr) {
            mr = pixels / tiles + (i < longer);
            tile.rows = places + first * d->kernel_h;
            tile.dst = a->dst.data + (p0 + first) * a->dst.pixel_stride + panel.first;
            if (a->addend.data) tile.addend = a->addend.data + (p0 + first) * a->addend.pixel_stride + panel.first;
            const int has_room = kind->width > conv->kernels->vector_floats;
            if (has_room) tile.ahead_step = up_fetch_next(&fetcher, tile.segments * tile.length, &tile.ahead);
            count = !conv->clamp || (has_room && (tile.ahead_step || fetcher.left > 0)) ? 1 : (i < longer ? longer : tiles) - i;
            tile.more = count - 1;
            (tile.more ? kind->several : kind->kernels)[0][mr - 1](&tile);
            if (!conv->clamp) conv->kernels->act(&d->act, tile.dst, tile.dst_stride, mr, tile.outputs);
        }
    }
}

static void run_tasks(const void *argument, int64_t first, int64_t last) {
    const rows_job *job = argument;
    const up_conv_desc *d = &job->conv->desc;
    const up_conv_args *a = job->args;
    const int64_t row = job->row_floats, most = (a->out_h + job->blocks - 1) / job->blocks;    /* rows of a block */
    float packed[((most - 1) * d->stride_h + window_rows(d)) * row];
    const float *places[job->across ? 1 : most * a->out_w * d->kernel_h];
    if (!job->across) note_places(d, a, most, packed, places);
    int64_t end = 0, packed_rows = 0;    /* where in the image those end that are packed; how many they are */
    for (int64_t i = first; i < last; i++) {
        const int64_t image = i / job->blocks, block = i % job->blocks;
        const int64_t y0 = up_cut(a->out_h, job->blocks, block), y1 = up_cut(a->out_h, job->blocks, block + 1);
        const int64_t top = y0 * d->stride_h - d->pad_top, rows = (y1 - 1 - y0) * d->stride_h + window_rows(d);
        const int64_t kept = i > first && block > 0 && end > top ? end - top : 0;    /* the block before has packed them */
        memmove(packed, packed + (packed_rows - kept) * row, (size_t)(kept * row) * 4);
        for (int64_t r = kept; r < rows; r++) (job->across ? up_across_pack_row : pack_row)(job->conv, a, image, top + r, packed + r * row);
        packed_rows = rows;
        end = top + rows;
        if (job->across) {
            up_across_rows(job->conv, a, image, y0, y1, packed);
            continue;
        }
        const up_range next = block + 1 < job->blocks ? next_rows(d, a, image, end, most * d->stride_h) : (up_range){0};
        run_block(job->conv, a, image, y0, y1, places, &next);
    }
}

int32_t up_conv_run_rows(const up_conv *conv, const up_conv_args *a, up_pool *pool) {
    const up_conv_desc *d = &conv->desc;
    const int64_t across = up_across_row_floats(conv, a), threads = up_pool_threads(pool);
    rows_job job = {.conv = conv, .args = a, .across = most_rows(d, a, across) > 0 && up_across_pays(conv, a)};
    job.row_floats = job.across ? across : padded_columns(d, a) * d->in_channels;
    const int64_t most = most_rows(d, a, job.row_floats);
    const int64_t wanted = threads > 1 ? (4 * threads + a->batch - 1) / a->batch : 1;
    job.blocks = (a->out_h + most - 1) / most;
    if (job.blocks < wanted) job.blocks = wanted < a->out_h ? wanted : a->out_h;
    return up_parallel(pool, run_tasks, &job, a->batch * job.blocks);
}
