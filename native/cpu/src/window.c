/*
 * Pooling over windows, one to four vectors of channels at a time. Of a row of outputs, taps one above the other are combined first, and a
 * column that the next windows share is kept in registers; pixels whose windows are cut at the image's left and right are done one by one.
 *
 * Channels by index are first gathered, a band of rows of the image at a time, into memory that stays in the cache.
 */
#include "group.h"

enum { BAND_FLOATS = 24 << 10 };

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t within(int64_t x, int64_t low, int64_t high) { return smaller(larger(x, low), high); }

/* The taps of a window that lie inside of the image: [first, last), and how many count for an average. */
typedef struct extent {
    int64_t first, last, counted;
    int64_t at;    /* position of tap `first` */
} extent;

static int64_t taps_below(int64_t from, int64_t dilation, int64_t bound, int64_t kernel) {
    int64_t n = bound <= from ? 0 : dilation == 1 ? bound - from : (bound - from + dilation - 1) / dilation;
    return n < kernel ? n : kernel;
}

static extent window_extent(int64_t out, int32_t stride, int32_t kernel, int32_t dilation, int32_t before, int32_t after, int32_t size,
                            int include_pad) {
    const int64_t from = out * stride - before;
    extent e;
    e.first = taps_below(from, dilation, 0, kernel);
    e.last = taps_below(from, dilation, size, kernel);
    if (e.last < e.first) e.last = e.first;
    e.counted = include_pad ? taps_below(from, dilation, (int64_t)size + after, kernel) : e.last - e.first;
    e.at = from + e.first * dilation;
    return e;
}

static extent row_extent(const up_window_args *a, int64_t y) {
    return window_extent(y, a->stride_h, a->kernel_h, a->dilation_h, a->pad_top, a->pad_bottom, a->in_h, a->count_include_pad);
}
static extent column_extent(const up_window_args *a, int64_t x) {
    return window_extent(x, a->stride_w, a->kernel_w, a->dilation_w, a->pad_left, a->pad_right, a->in_w, a->count_include_pad);
}

/* The outputs of a row whose windows are not cut at the left or right. */
static extent whole_columns(const up_window_args *a) {
    const int64_t end = (int64_t)a->in_w + a->pad_left - (int64_t)(a->kernel_w - 1) * a->dilation_w;
    return (extent){.first = (a->pad_left + a->stride_w - 1) / a->stride_w, .last = end > 0 ? (end - 1) / a->stride_w + 1 : 0};
}

/* ---------------------------------------------------------------- a row of outputs */

/* Some vectors of channels of a row of outputs, and the rows of the image that it reads. */
typedef struct pool_row {
    const float *src;                /* of the first tap inside, where column 0 of the image is or would be */
    int64_t row_step, step;          /* floats from tap to tap, and from column to column */
    int64_t taps, counted;           /* one above the other: inside of the image, and for an average */
    int64_t src_tail, dst_tail;      /* where the last of the vectors lies in a pixel */
    int64_t channels;                /* fewer than a vector: of the only one */
    float *dst;                      /* column 0 */
    int64_t dst_stride;
    extent whole;                    /* outputs whose windows are not cut at the left or right: [first, last) */
} pool_row;

UP_INLINE vf combine(vf x, vf y, const int max) { return max ? vmax(x, y) : y + x; }

UP_INLINE void clear(vf *y, const int nv, const int max) {
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) y[v] = vsplat(max ? -__builtin_inff() : 0.0f);
}

/* Adds the taps one above the other from p on; the order of arguments keeps NaN out of a maximum. */
UP_INLINE void add_column(const pool_row *r, const float *p, vf *y, int64_t taps, const int nv, const int max, const int part) {
    const int64_t row_step = r->row_step, tail = r->src_tail;
#pragma GCC unroll 3
    for (int64_t i = 0; i < taps; i++, p += row_step)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) {
            const float *from = p + vector_at(v, nv, tail);
            y[v] = combine(part ? vload_part(from, r->channels) : vload(from), y[v], max);
        }
}

UP_INLINE void column(const pool_row *r, const float *p, vf *y, int64_t taps, const int nv, const int max, const int part) {
    clear(y, nv, max);
    add_column(r, p, y, taps, nv, max, part);
}

UP_INLINE void store_pixel(const pool_row *r, float *to, const vf *y, vf scale, const int nv, const int max, const int part) {
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        const vf x = max ? y[v] : y[v] * scale;
        float *at = to + vector_at(v, nv, r->dst_tail);
        if (part) vstore_part(at, x, r->channels);
        else vstore(at, x);
    }
}

static vf average_of(int64_t counted) { return vsplat(counted > 0 ? 1.0f / (float)counted : 0.0f); }

/* Windows of `kernel` neighbouring columns, all inside of the image, `stride` apart. */
UP_INLINE void run_columns(const pool_row *r, const float *p, float *to, int64_t pixels, int64_t taps, const int kernel, const int stride,
                           const int nv, const int max, const int part) {
    if (pixels <= 0) return;
    const vf scale = average_of(r->counted * kernel);
    const int64_t step = r->step;
    vf last[2][MOST_VECTORS], y[MOST_VECTORS];
#pragma GCC unroll 2
    for (int j = 0; j < kernel - stride; j++, p += step) column(r, p, last[j], taps, nv, max, part);
#pragma GCC unroll 1
    for (; pixels > 0; pixels--, to += r->dst_stride) {
        if (kernel > stride) {
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++) y[v] = kernel - stride > 1 ? combine(last[1][v], last[0][v], max) : last[0][v];
        } else {
            clear(y, nv, max);
        }
#pragma GCC unroll 2
        for (int j = 0; j < stride; j++, p += step) {
            if (kernel == stride) {
                add_column(r, p, y, taps, nv, max, part);
                continue;
            }
            vf next[MOST_VECTORS];
            column(r, p, next, taps, nv, max, part);
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++) {
                y[v] = combine(next[v], y[v], max);
                if (kernel - stride > 1) last[0][v] = last[1][v];
                last[kernel - stride > 1][v] = next[v];
            }
        }
        store_pixel(r, to, y, scale, nv, max, part);
    }
}

/* A window that may be cut. */
UP_INLINE void one_pixel(const up_window_args *a, const pool_row *r, int64_t x, const int nv, const int max, const int part) {
    const extent xs = column_extent(a, x);
    const float *p = r->src + xs.at * r->step;
    vf y[MOST_VECTORS];
    clear(y, nv, max);
    for (int64_t j = xs.first; j < xs.last; j++, p += a->dilation_w * r->step) add_column(r, p, y, r->taps, nv, max, part);
    store_pixel(r, r->dst + x * r->dst_stride, y, average_of(r->counted * xs.counted), nv, max, part);
}

/* Outputs [x0, x1). */
UP_INLINE void run_row(const up_window_args *a, const pool_row *r, int64_t x0, int64_t x1, const int nv, const int max, const int part) {
    const int64_t whole = within(r->whole.first, x0, x1);
    int64_t cut = within(r->whole.last, whole, x1);
    int64_t x = x0;
    for (; x < whole; x++) one_pixel(a, r, x, nv, max, part);
    const float *p = r->src + (x * a->stride_w - a->pad_left) * r->step;
    float *to = r->dst + x * r->dst_stride;
    const int kernel = a->dilation_w > 1 ? 0 : a->kernel_w, stride = a->stride_w;
    if (kernel == 3 && stride == 1) {
        if (r->taps == 3) run_columns(r, p, to, cut - x, 3, 3, 1, nv, max, part);
        else run_columns(r, p, to, cut - x, r->taps, 3, 1, nv, max, part);
    } else if (kernel == 3 && stride == 2) {
        if (r->taps == 3) run_columns(r, p, to, cut - x, 3, 3, 2, nv, max, part);
        else run_columns(r, p, to, cut - x, r->taps, 3, 2, nv, max, part);
    } else if (kernel == 2 && stride == 2) {
        if (r->taps == 2) run_columns(r, p, to, cut - x, 2, 2, 2, nv, max, part);
        else run_columns(r, p, to, cut - x, r->taps, 2, 2, nv, max, part);
    } else {
        cut = x;
    }
    for (x = cut; x < x1; x++) one_pixel(a, r, x, nv, max, part);
}

#define UP_POOL_ROW(name, nv, max, part)                                                                 \
    static void name(const up_window_args *a, const pool_row *r, int64_t x0, int64_t x1) { run_row(a, r, x0, x1, nv, max, part); }
UP_POOL_ROW(average_part, 1, 0, 1)
UP_POOL_ROW(average_1, 1, 0, 0)
UP_POOL_ROW(average_2, 2, 0, 0)
UP_POOL_ROW(average_3, 3, 0, 0)
UP_POOL_ROW(average_4, 4, 0, 0)
UP_POOL_ROW(max_part, 1, 1, 1)
UP_POOL_ROW(max_1, 1, 1, 0)
UP_POOL_ROW(max_2, 2, 1, 0)
UP_POOL_ROW(max_3, 3, 1, 0)
UP_POOL_ROW(max_4, 4, 1, 0)

typedef void (*pool_function)(const up_window_args *a, const pool_row *r, int64_t x0, int64_t x1);

/* For so many vectors, or 0: fewer channels than a vector has. */
static pool_function function_of(const up_window_args *a, int64_t vectors) {
    static const pool_function functions[2][MOST_VECTORS + 1] = {{average_part, average_1, average_2, average_3, average_4},
                                                                  {max_part, max_1, max_2, max_3, max_4}};
    return functions[a->op == UP_POOL_MAX][vectors];
}

/* ---------------------------------------------------------------- channels */

static pool_row row_of(const up_window_args *a, int64_t row, const channel_group *g, extent ys, extent whole) {
    return (pool_row){.whole = whole, .taps = ys.last - ys.first, .counted = ys.counted, .src_tail = g->tail, .dst_tail = g->tail, .channels = a->channels,
                      .dst = a->dst.data + row * a->out_w * a->dst.pixel_stride + g->first, .dst_stride = a->dst.pixel_stride};
}

static void dense_rows(const up_window_args *a, int64_t first, int64_t end) {
    const int64_t stride = a->src.pixel_stride;
    const extent whole = whole_columns(a);
    for (int64_t row = first; row < end; row++) {
        const extent ys = row_extent(a, row % a->out_h);
        const float *src = a->src.data;
        if (ys.last > ys.first) src += (row / a->out_h * a->in_h + ys.at) * a->in_w * stride;
        for (int64_t k = 0; k < a->channels; k += MOST_VECTORS * VW) {
            const channel_group g = group_at(k, a->channels, MOST_VECTORS);
            pool_row r = row_of(a, row, &g, ys, whole);
            r.src = src + g.first;
            r.row_step = (int64_t)a->dilation_h * a->in_w * stride;
            r.step = stride;
            function_of(a, g.vectors)(a, &r, 0, a->out_w);
        }
    }
}

/* ---------------------------------------------------------------- channels by index */

/* Rows [from, to) and some columns of one image, of a group of channels. */
typedef struct band {
    float *memory;
    int64_t row;                 /* floats */
    int64_t column, columns;
    int64_t from, to;
} band;

static int64_t window_rows(const up_window_args *a) { return (int64_t)(a->kernel_h - 1) * a->dilation_h + 1; }

/* Columns that so many outputs in a row read. */
static int64_t columns_read(const up_window_args *a, int64_t outputs) {
    return (outputs - 1) * a->stride_w + (int64_t)(a->kernel_w - 1) * a->dilation_w + 1;
}

/* Gathers the rows up to `to`, after those that the band has already; its first is to be row `from`. */
static void fill_band(const up_window_args *a, const float *image, const channel_group *g, const take *takes, int64_t from, int64_t to,
                      band *b) {
    const int64_t kept = larger(0, b->to - from), first = from + kept, stride = a->src.pixel_stride;
    if (kept > 0 && from > b->from) memmove(b->memory, b->memory + (from - b->from) * b->row, (size_t)(kept * b->row) * 4);
    for (int64_t y = first; y < to; y++)
        take_group(takes, g, image + (y * a->in_w + b->column) * stride, stride, b->memory + (y - from) * b->row, b->columns);
    b->from = from;
    b->to = to;
}

/* Outputs [x0, x1) of rows [y0, y1) of an image. */
static void indexed_columns(const up_window_args *a, int64_t image, const channel_group *g, const take *takes, int64_t y0, int64_t y1,
                            int64_t x0, int64_t x1, float *memory) {
    const int64_t pixel = group_floats(g), column = within(x0 * a->stride_w - a->pad_left, 0, a->in_w);
    const int64_t last = within(x0 * a->stride_w - a->pad_left + columns_read(a, x1 - x0), column, a->in_w);
    band b = {.memory = memory, .row = (last - column) * pixel, .column = column, .columns = last - column};
    const int64_t room = b.row ? BAND_FLOATS / b.row : a->in_h, rows = larger(1, (room - window_rows(a)) / a->stride_h + 1);
    const float *src = a->src.data + image * a->in_h * a->in_w * a->src.pixel_stride;
    const pool_function function = function_of(a, g->vectors);
    const extent whole = whole_columns(a);
    for (int64_t y = y0; y < y1; ) {
        const int64_t end = smaller(y1, y + rows);
        const int64_t from = within(y * a->stride_h - a->pad_top, 0, a->in_h);
        const int64_t to = within((end - 1) * a->stride_h - a->pad_top + window_rows(a), from, a->in_h);
        fill_band(a, src, g, takes, from, to, &b);
        for (; y < end; y++) {
            const extent ys = row_extent(a, y);
            pool_row r = row_of(a, image * a->out_h + y, g, ys, whole);
            r.src_tail = pixel - VW;
            r.src = b.memory - b.column * pixel;
            if (r.taps > 0) r.src += (ys.at - from) * b.row;
            r.row_step = a->dilation_h * b.row;
            r.step = pixel;
            function(a, &r, x0, x1);
        }
    }
}

/* How many vectors of channels, and columns of the output, a band has room for; 0 vectors: for none. */
static int64_t band_vectors(const up_window_args *a, int64_t *columns) {
    const int64_t rows = smaller(a->in_h, window_rows(a)), height = smaller(a->in_h, rows + a->stride_h);
    *columns = a->out_w;
    for (int64_t vectors = MOST_VECTORS; vectors > 0; vectors--)
        if (smaller(a->in_w, columns_read(a, a->out_w)) * height * vectors * VW <= BAND_FLOATS) return vectors;
    const int64_t most = BAND_FLOATS / VW / rows, one = columns_read(a, 1);
    if (most < one) return 0;
    *columns = (most - one) / a->stride_w + 1;
    return 1;
}

/* Rows [y0, y1) of an image, channels [k0, k1). */
static void indexed_rows(const up_window_args *a, int64_t image, int64_t y0, int64_t y1, int64_t k0, int64_t k1, int64_t vectors, int64_t columns,
                         float *memory) {
    for (int64_t k = k0; k < k1; k += vectors * VW) {
        channel_group g = group_at(k - k0, k1 - k0, vectors);
        take takes[MOST_VECTORS];
        g.first += k0;
        plan_group(a->src.index, a->channels, &g, takes);
        for (int64_t x = 0; x < a->out_w; x += columns) indexed_columns(a, image, &g, takes, y0, y1, x, smaller(a->out_w, x + columns), memory);
    }
}

/* The same of windows larger than a band: value by value. */
static void scattered_rows(const up_window_args *a, int64_t image, int64_t y0, int64_t y1, int64_t k0, int64_t k1) {
    const float *src = a->src.data + image * a->in_h * a->in_w * a->src.pixel_stride;
    const int max = a->op == UP_POOL_MAX;
    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = 0; x < a->out_w; x++) {
            const extent ys = row_extent(a, y), xs = column_extent(a, x);
            float *to = a->dst.data + ((image * a->out_h + y) * a->out_w + x) * a->dst.pixel_stride;
            for (int64_t k = k0; k < k1; k += VW) {
                vf sum;
                clear(&sum, 1, max);
                for (int64_t i = 0; i < ys.last - ys.first; i++)
                    for (int64_t j = 0; j < xs.last - xs.first; j++) {
                        const float *p = src + ((ys.at + i * a->dilation_h) * a->in_w + xs.at + j * a->dilation_w) * a->src.pixel_stride;
                        sum = combine(vgather_n(p, a->src.index + k, k1 - k), sum, max);
                    }
                vstore_n(to + k, max ? sum : sum * average_of(ys.counted * xs.counted), k1 - k);
            }
        }
}

/* Pieces [first, end) of the work: see up_window_parts(). */
static void indexed_pieces(const up_window_args *a, int64_t first, int64_t end) {
    float memory[BAND_FLOATS] __attribute__((aligned(64)));
    const int64_t chunks = up_window_chunks(a), parts = up_window_parts(a);
    int64_t columns;
    const int64_t vectors = band_vectors(a, &columns);
    for (int64_t i = first; i < end; i++) {
        const int64_t chunk = i % chunks, part = i / chunks % parts, image = i / chunks / parts;
        const int64_t k0 = chunk * UP_WINDOW_CHANNELS, k1 = chunk == chunks - 1 ? a->channels : k0 + UP_WINDOW_CHANNELS;
        const int64_t y0 = up_cut(a->out_h, parts, part), y1 = up_cut(a->out_h, parts, part + 1);
        if (vectors) indexed_rows(a, image, y0, y1, k0, k1, vectors, columns, memory);
        else scattered_rows(a, image, y0, y1, k0, k1);
    }
}

void UP_NAME(up_window_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_window_args *a = job->args;
    const int64_t from = up_cut(job->items, job->tasks, first), end = up_cut(job->items, job->tasks, last);
    if (a->src.index) indexed_pieces(a, from, end);
    else dense_rows(a, from, end);
}
