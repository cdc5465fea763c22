/* Kernels that move pixels: resize by tables; pad, crop and stride. */
#include "channels.h"
#include "group.h"

/* ---------------------------------------------------------------- nearest neighbours */

/* A vector of channels by index; neighbours that come from one pixel take it once. */
UP_INLINE void nearest_taken(const take *t, const float *from, int64_t from_stride, const int32_t *columns, float *to, int64_t to_stride,
                             int64_t pixels, int64_t n, const int vectors) {
    vf x = {0};
    for (int64_t p = 0; p < pixels; p++, to += to_stride) {
        if (p == 0 || columns[p] != columns[p - 1]) x = take_pixel(t, from + columns[p] * from_stride, vectors);
        vstore_n(to, x, n);
    }
}

static void nearest_row(const up_resize_args *a, const float *from, float *to) {
    const int64_t n = a->channels, stride = a->src.pixel_stride, to_stride = a->dst.pixel_stride;
    if (!a->src.index) {
        for (int64_t x = 0; x < a->out_w; x++, to += to_stride) copy_channels(to, from + a->col0[x] * stride, NULL, n);
        return;
    }
    for (int64_t x = 0; x < a->out_w; x += 2 * TAKE_PIXELS, to += 2 * TAKE_PIXELS * to_stride) {
        const int64_t pixels = a->out_w - x < 2 * TAKE_PIXELS ? a->out_w - x : 2 * TAKE_PIXELS, m = n < VW ? n : VW;
        for (int64_t k = 0; k < n; k += VW) {
            const int64_t c = vector_start(k, n);
            const take t = plan_take(a->src.index + c, m);
            UP_WITH_VECTORS(&t, nearest_taken(&t, from, stride, a->col0 + x, to + c, to_stride, pixels, m, VECTORS))
        }
    }
}

static void copy_row(float *to, const float *from, int64_t stride, int64_t pixels, int64_t n) {
    if (stride == n) memcpy(to, from, (size_t)(pixels * n) * 4);
    else for (int64_t x = 0; x < pixels; x++) copy_channels(to + x * stride, from + x * stride, NULL, n);
}

static void nearest_rows(const up_resize_args *a, int64_t first, int64_t end) {
    const int64_t image_floats = a->in_h * (int64_t)a->in_w * a->src.pixel_stride, row_floats = a->out_w * a->dst.pixel_stride;
    for (int64_t r = first; r < end; r++) {
        const int64_t image = r / a->out_h, y = r % a->out_h;
        float *to = a->dst.data + r * row_floats;
        if (r > first && y > 0 && a->row0[y] == a->row0[y - 1]) copy_row(to, to - row_floats, a->dst.pixel_stride, a->out_w, a->channels);
        else nearest_row(a, a->src.data + image * image_floats + a->row0[y] * (int64_t)a->in_w * a->src.pixel_stride, to);
    }
}

/* ---------------------------------------------------------------- bilinear */

enum { HELD_FLOATS = 8 << 10 };

/* Outputs [x0, x1) of a row, some vectors of their channels, between two rows of the source. */
typedef struct bilinear_row {
    const float *top, *bottom;    /* column 0 */
    int64_t step;                 /* floats from column to column */
    int64_t src_tail, dst_tail;   /* where the last of the vectors lies in a pixel */
    float weight;                 /* of the row below */
    int64_t x0, x1;
    float *dst;                   /* column 0 */
} bilinear_row;

UP_INLINE vf load_between(const float *top, const float *bottom, vf w0, vf w1, int64_t n, const int part) {
    return part ? w0 * vload_part(top, n) + w1 * vload_part(bottom, n) : w0 * vload(top) + w1 * vload(bottom);
}

/* Between the rows first: neighbouring outputs share the columns that they lie between. */
UP_INLINE void run_bilinear(const up_resize_args *a, const bilinear_row *r, const int nv, const int part) {
    const vf w0 = vsplat(1 - r->weight), w1 = vsplat(r->weight);
    const int64_t n = a->channels, to_stride = a->dst.pixel_stride;
    const float *top = r->top, *bottom = r->bottom, *weights = a->col_weight;
    const int32_t *lefts = a->col0, *rights = a->col1;
    int64_t held[2] = {-1, -1};
    vf left[MOST_VECTORS], right[MOST_VECTORS];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) left[v] = right[v] = vsplat(0);
    float *to = r->dst + r->x0 * to_stride;
    for (int64_t x = r->x0; x < r->x1; x++, to += to_stride) {
        if (lefts[x] != held[0]) {
            const int64_t at = lefts[x] * r->step;
            const int moved = lefts[x] == held[1];
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++) {
                const int64_t c = at + vector_at(v, nv, r->src_tail);
                left[v] = moved ? right[v] : load_between(top + c, bottom + c, w0, w1, n, part);
            }
            held[0] = lefts[x];
        }
        if (rights[x] != held[1]) {
            const int64_t at = rights[x] * r->step;
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++) {
                const int64_t c = at + vector_at(v, nv, r->src_tail);
                right[v] = load_between(top + c, bottom + c, w0, w1, n, part);
            }
            held[1] = rights[x];
        }
        const vf w2 = vsplat(1 - weights[x]), w3 = vsplat(weights[x]);
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) {
            const vf y = w2 * left[v] + w3 * right[v];
            if (part) vstore_part(to, y, n);
            else vstore(to + vector_at(v, nv, r->dst_tail), y);
        }
    }
}

#define UP_BILINEAR(name, nv, part) \
    static void name(const up_resize_args *a, const bilinear_row *r) { run_bilinear(a, r, nv, part); }
UP_BILINEAR(bilinear_part, 1, 1)
UP_BILINEAR(bilinear_1, 1, 0)
UP_BILINEAR(bilinear_2, 2, 0)
UP_BILINEAR(bilinear_3, 3, 0)
UP_BILINEAR(bilinear_4, 4, 0)

static void (*const bilinear[MOST_VECTORS + 1])(const up_resize_args *a, const bilinear_row *r) = {bilinear_part, bilinear_1, bilinear_2,
                                                                                                  bilinear_3, bilinear_4};

/* The rows of the source above and below an output row, of all images. */
static int64_t row_above(const up_resize_args *a, int64_t r) { return r / a->out_h * a->in_h + a->row0[r % a->out_h]; }
static int64_t row_below(const up_resize_args *a, int64_t r) { return r / a->out_h * a->in_h + a->row1[r % a->out_h]; }

static bilinear_row row_of(const up_resize_args *a, int64_t r, const channel_group *g) {
    return (bilinear_row){.src_tail = g->tail, .dst_tail = g->tail, .weight = a->row_weight[r % a->out_h], .x1 = a->out_w,
                          .dst = a->dst.data + r * a->out_w * a->dst.pixel_stride + g->first};
}

static void bilinear_dense(const up_resize_args *a, int64_t first, int64_t end) {
    const int64_t step = a->src.pixel_stride, row = a->in_w * step;
    for (int64_t r = first; r < end; r++)
        for (int64_t k = 0; k < a->channels; k += MOST_VECTORS * VW) {
            const channel_group g = group_at(k, a->channels, MOST_VECTORS);
            bilinear_row b = row_of(a, r, &g);
            b.top = a->src.data + row_above(a, r) * row + g.first;
            b.bottom = a->src.data + row_below(a, r) * row + g.first;
            b.step = step;
            bilinear[g.vectors](a, &b);
        }
}

/* Two rows of the source, of a group of channels, that were gathered: columns [first, first + columns). */
typedef struct held_rows {
    const take *takes;
    const channel_group *group;
    int64_t pixel;                /* floats */
    int64_t first, columns;
    int64_t rows[2];              /* of all images; -1: none */
    float *memory;
} held_rows;

/* Row `row`, gathered if it is not held yet, where row `other` does not lie. */
static const float *hold_row(const up_resize_args *a, held_rows *h, int64_t row, int64_t other) {
    const int at = h->rows[0] == row ? 0 : h->rows[1] == row ? 1 : h->rows[0] == other;
    float *to = h->memory + at * h->columns * h->pixel;
    if (h->rows[at] != row)
        take_group(h->takes, h->group, a->src.data + (row * a->in_w + h->first) * a->src.pixel_stride, a->src.pixel_stride, to, h->columns);
    h->rows[at] = row;
    return to - h->first * h->pixel;
}

/*
 * The outputs [x0, ...) whose columns of the source have room: returns the end. None, if those of one have not.
 */
static int64_t range_from(const up_resize_args *a, int64_t x0, int64_t room, int64_t *first, int64_t *columns) {
    int64_t low = INT64_MAX, high = -1, x = x0;
    for (; x < a->out_w; x++) {
        const int64_t left = a->col0[x], right = a->col1[x], least = left < right ? left : right, most = left < right ? right : left;
        const int64_t l = least < low ? least : low, h = most > high ? most : high;
        if (h - l >= room) break;
        low = l;
        high = h;
    }
    *first = low;
    *columns = high - low + 1;
    return x;
}

/* One column of outputs whose two columns of the source lie far apart. */
static void bilinear_scattered(const up_resize_args *a, int64_t x, int64_t first, int64_t end) {
    const int64_t step = a->src.pixel_stride, row = a->in_w * step;
    for (int64_t r = first; r < end; r++) {
        const float *top = a->src.data + row_above(a, r) * row, *bottom = a->src.data + row_below(a, r) * row;
        float *to = a->dst.data + (r * a->out_w + x) * a->dst.pixel_stride;
        const float down = a->row_weight[r % a->out_h], right = a->col_weight[x];
        for (int64_t k = 0; k < a->channels; k++) {
            const int64_t c0 = a->col0[x] * step + a->src.index[k], c1 = a->col1[x] * step + a->src.index[k];
            to[k] = (1 - right) * ((1 - down) * top[c0] + down * bottom[c0]) + right * ((1 - down) * top[c1] + down * bottom[c1]);
        }
    }
}

static void bilinear_indexed(const up_resize_args *a, int64_t first, int64_t end) {
    float memory[HELD_FLOATS] __attribute__((aligned(64)));
    int64_t most = HELD_FLOATS / 2 / VW / a->in_w;    /* vectors of which whole rows have room */
    most = most < 1 ? 1 : most > MOST_VECTORS ? MOST_VECTORS : most;
    for (int64_t k = 0; k < a->channels; k += most * VW) {
        const channel_group g = group_at(k, a->channels, most);
        take takes[MOST_VECTORS];
        plan_group(a->src.index, a->channels, &g, takes);
        held_rows h = {.takes = takes, .group = &g, .pixel = (g.vectors ? g.vectors : 1) * VW, .memory = memory};
        for (int64_t x = 0; x < a->out_w; ) {
            const int64_t x0 = x;
            x = range_from(a, x0, HELD_FLOATS / 2 / h.pixel, &h.first, &h.columns);
            if (x == x0) {
                bilinear_scattered(a, x++, first, end);
                continue;
            }
            h.rows[0] = h.rows[1] = -1;
            for (int64_t r = first; r < end; r++) {
                bilinear_row b = row_of(a, r, &g);
                b.top = hold_row(a, &h, row_above(a, r), row_below(a, r));
                b.bottom = hold_row(a, &h, row_below(a, r), row_above(a, r));
                b.step = h.pixel;
                b.src_tail = h.pixel - VW;
                b.x0 = x0;
                b.x1 = x;
                bilinear[g.vectors](a, &b);
            }
        }
    }
}

void UP_NAME(up_resize_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_resize_args *a = job->args;
    const int64_t start = up_cut(job->items, job->tasks, first), end = up_cut(job->items, job->tasks, last);
    if (a->in_w == 0 || a->out_w == 0) return;
    if (a->row1 && a->src.index) bilinear_indexed(a, start, end);
    else if (a->row1) bilinear_dense(a, start, end);
    else nearest_rows(a, start, end);
}

/* ---------------------------------------------------------------- pad, crop, stride */

static void fill(float *to, int64_t stride, int64_t pixels, int64_t channels, float value) {
    if (stride == channels) {
        channels *= pixels;
        pixels = 1;
    }
    for (int64_t p = 0; p < pixels; p++, to += stride)
        for (int64_t k = 0; k < channels; k++) to[k] = value;
}

void UP_NAME(up_pad_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_pad_args *a = job->args;
    const int64_t n = a->channels, from_stride = a->src.pixel_stride, to_stride = a->dst.pixel_stride;
    /* columns [x0, x1) of the output lie inside of the image */
    int64_t x0 = a->left <= 0 ? 0 : (a->left + a->step_w - 1) / a->step_w;
    int64_t x1 = (int64_t)a->in_w + a->left <= 0 ? 0 : ((int64_t)a->in_w + a->left - 1) / a->step_w + 1;
    if (x1 > a->out_w) x1 = a->out_w;
    if (x0 > a->out_w) x0 = a->out_w;
    if (x1 < x0) x1 = x0;
    const int64_t end = up_cut(job->items, job->tasks, last);
    for (int64_t r = up_cut(job->items, job->tasks, first); r < end; r++) {
        const int64_t image = r / a->out_h, row = r % a->out_h * a->step_h - a->top;
        float *to = a->dst.data + r * a->out_w * to_stride;
        if (row < 0 || row >= a->in_h) {
            fill(to, to_stride, a->out_w, n, a->value);
            continue;
        }
        fill(to, to_stride, x0, n, a->value);
        fill(to + x1 * to_stride, to_stride, a->out_w - x1, n, a->value);
        if (x0 == x1) continue;
        const float *from = a->src.data + ((image * a->in_h + row) * a->in_w + x0 * a->step_w - a->left) * from_stride;
        to += x0 * to_stride;
        if (!a->src.index && a->step_w == 1 && from_stride == n && to_stride == n)
            memcpy(to, from, (size_t)((x1 - x0) * n) * 4);
        else if (a->src.index)
            for (int64_t x = x0; x < x1; x += TAKE_PIXELS, from += TAKE_PIXELS * a->step_w * from_stride, to += TAKE_PIXELS * to_stride)
                take_channels(a->src.index, n, from, a->step_w * from_stride, to, to_stride, x1 - x < TAKE_PIXELS ? x1 - x : TAKE_PIXELS);
        else
            for (int64_t x = x0; x < x1; x++, from += a->step_w * from_stride, to += to_stride) copy_channels(to, from, NULL, n);
    }
}
