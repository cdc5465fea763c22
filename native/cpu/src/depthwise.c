/*
 * Depthwise convolution: vectors of channels. A tile is a few pixels, which share the weights, by one or two vectors; a
 * pixel alone has four, so that enough sums are under way.
 */
#include "pick.h"

/* Holds a loaded value in a register, where a compiler would rather load it again with each use. */
#if defined(__x86_64__) && UP_ISA > 0
#define UP_KEEP(value) __asm__("" : "+v"(value))
#else
#define UP_KEEP(value) (void)0
#endif

enum { MOST_PIXELS = 6, MOST_ROW_PIXELS = 8, MOST_ROW_TAPS = 7 };

/* `mr` pixels from p by `nv` vectors of channels from c; the last vector has `left` channels. */
UP_INLINE void tile(const up_depthwise_run *t, int64_t p, int64_t c, const int mr, const int nv, const int64_t left, const int indexed) {
    vf sum[MOST_PIXELS * 2];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++)
#pragma GCC unroll 6
        for (int i = 0; i < mr; i++) sum[i * nv + v] = vload(t->bias + c + v * VW);
    if (t->addend)
#pragma GCC unroll 6
        for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++)
                sum[i * nv + v] += vload_n(t->addend + (p + i) * t->addend_stride + c + v * VW, nv > 1 ? VW : left);
    const float *plane = t->src + p * t->pixel_step + (indexed ? 0 : c), *weights_plane = t->weights + c;
    const int64_t step = t->pixel_step;
    int64_t rows = t->rows;
    for (int64_t k = 0; k < t->planes; k++, plane += t->plane_step, weights_plane += t->weights_plane, rows = t->later_rows) {
        const float *row = plane, *weights = weights_plane;
        for (int64_t y = 0; y < rows; y++, row += t->row_step, weights += t->weights_row) {
            const float *x = row, *w = weights;
#pragma GCC unroll 1
            for (int64_t j = 0; j < t->columns; j++, x += t->column_step, w += t->weights_tap) {
                vf b[4];
#pragma GCC unroll 4
                for (int v = 0; v < nv; v++) b[v] = vload(w + v * VW);
#pragma GCC unroll 6
                for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
                    for (int v = 0; v < nv; v++)
                        sum[i * nv + v] += b[v] * (indexed ? vgather_n(x + i * step, t->index + c + v * VW, nv > 1 ? VW : left)
                                                           : vload_n(x + i * step + v * VW, nv > 1 ? VW : left));
            }
        }
    }
    const vf low = vsplat(t->low), high = vsplat(t->high);
#pragma GCC unroll 6
    for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++)
            vstore_n(t->dst + (p + i) * t->dst_stride + c + v * VW, vmin(high, vmax(low, sum[i * nv + v])), nv > 1 ? VW : left);
}

UP_INLINE void pixels(const up_depthwise_run *t, int64_t p, const int mr, const int indexed) {
    int64_t c = 0;
    if (mr == 1)
        for (; c + 4 * VW <= t->channels; c += 4 * VW) tile(t, p, c, 1, 4, VW, indexed);
    for (; c + 2 * VW <= t->channels; c += 2 * VW) tile(t, p, c, mr, 2, VW, indexed);
    for (; c + VW <= t->channels; c += VW) tile(t, p, c, mr, 1, VW, indexed);
    if (c < t->channels) tile(t, p, c, mr, 1, t->channels - c, indexed);
}

/*
 * `mr` pixels in a row from p by `nv` vectors of channels, for `kernel` taps in a row that lie side by side: an input is loaded once for all
 * taps of a row that read it, and one outside of the image not at all.
 */
UP_INLINE void row_tile(const up_depthwise_run *t, int64_t p, int64_t c, const int mr, const int nv, const int kernel, const int stride,
                        const int64_t left, const int cut) {
    const int inputs = (mr - 1) * stride + kernel;
    const float *src = t->src + p * t->pixel_step + c, *addend = t->addend ? t->addend + p * t->addend_stride + c : NULL;
    float *dst = t->dst + p * t->dst_stride + c;
    const int64_t first = t->before - p * stride, end = (t->pixels - 1 - p) * stride + kernel - t->after;    /* inputs inside of the image */
    vf sum[MOST_ROW_PIXELS * 2];
#pragma GCC unroll 2
    for (int v = 0; v < nv; v++) {
        const vf bias = vload(t->bias + c + v * VW);
#pragma GCC unroll 8
        for (int i = 0; i < mr; i++) sum[i * nv + v] = bias;
    }
    if (addend)
#pragma GCC unroll 8
        for (int i = 0; i < mr; i++, addend += t->addend_stride)
#pragma GCC unroll 2
            for (int v = 0; v < nv; v++) sum[i * nv + v] += vload_n(addend + v * VW, left);
    const int64_t step = t->column_step, row_step = t->row_step, weights_row = t->weights_row, tap = t->weights_tap;
    int64_t rows = t->rows;
    const float *weights_plane = t->weights + c;
#pragma GCC unroll 1
    for (int64_t k = t->planes; k > 0; k--, src += t->plane_step, weights_plane += t->weights_plane, rows = t->later_rows) {
        const float *row = src, *weights = weights_plane;
#pragma GCC unroll 1
        for (int64_t y = rows; y > 0; y--, row += row_step, weights += weights_row) {
            vf b[MOST_ROW_TAPS * 2];
#pragma GCC unroll 7
            for (int j = 0; j < kernel; j++)
#pragma GCC unroll 2
                for (int v = 0; v < nv; v++) b[j * nv + v] = vload(weights + j * tap + v * VW);
            const float *x = row;
#pragma GCC unroll 24
            for (int i = 0; i < inputs; i++, x += step) {
                if (cut && ((i < kernel - 1 && i < first) || (i > inputs - kernel && i >= end))) continue;
#pragma GCC unroll 2
                for (int v = 0; v < nv; v++) {
                    vf value = vload_n(x + v * VW, left);
                    UP_KEEP(value);
#pragma GCC unroll 7
                    for (int j = 0; j < kernel; j++)
                        if (i >= j && (i - j) % stride == 0 && (i - j) / stride < mr) sum[(i - j) / stride * nv + v] += b[j * nv + v] * value;
                }
            }
        }
    }
    const vf low = vsplat(t->low), high = vsplat(t->high);
    const int64_t dst_stride = t->dst_stride;
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++, dst += dst_stride)
#pragma GCC unroll 2
        for (int v = 0; v < nv; v++) vstore_n(dst + v * VW, vmin(high, vmax(low, sum[i * nv + v])), left);
}

typedef void (*row_kernel)(const up_depthwise_run *run, int64_t pixel);

/* Vectors side by side, where there are registers for two. */
#define ROW_VECTORS(kernel) (UP_ISA == 2 && kernel <= 5 ? 2 : 1)

/*
 * Tiles that the border may cut and, with stride 2, whose inputs have few products to hide the questions behind (56x56 144 with AVX2: 6 %),
 * others for those that lie inside.
 */
#define UP_ROW(mr, kernel, stride, cut)                                                                                 \
    static void row_##mr##_##kernel##_##stride##_##cut(const up_depthwise_run *t, int64_t p) {                           \
        int64_t c = 0;                                                                                                  \
        if (ROW_VECTORS(kernel) == 2)                                                                                   \
            for (; c + 2 * VW <= t->channels; c += 2 * VW) row_tile(t, p, c, mr, 2, kernel, stride, VW, cut);            \
        for (; c + VW <= t->channels; c += VW) row_tile(t, p, c, mr, 1, kernel, stride, VW, cut);                        \
        if (c < t->channels) row_tile(t, p, c, mr, 1, kernel, stride, t->channels - c, cut);                             \
    }
#define UP_ROWS_CUT(kernel, stride, cut)                                                                                \
    UP_ROW(1, kernel, stride, cut) UP_ROW(2, kernel, stride, cut) UP_ROW(3, kernel, stride, cut) UP_ROW(4, kernel, stride, cut)     \
    UP_ROW(5, kernel, stride, cut) UP_ROW(6, kernel, stride, cut) UP_ROW(7, kernel, stride, cut) UP_ROW(8, kernel, stride, cut)
#define UP_ROW_NAMES(kernel, stride, cut)                                                                               \
    {row_1_##kernel##_##stride##_##cut, row_2_##kernel##_##stride##_##cut, row_3_##kernel##_##stride##_##cut,            \
     row_4_##kernel##_##stride##_##cut, row_5_##kernel##_##stride##_##cut, row_6_##kernel##_##stride##_##cut,            \
     row_7_##kernel##_##stride##_##cut, row_8_##kernel##_##stride##_##cut}
#define UP_ROWS(kernel, stride, inside)                                                                                 \
    UP_ROWS_CUT(kernel, stride, 1)                                                                                      \
    static const row_kernel rows_##kernel##_##stride[2][MOST_ROW_PIXELS] = {UP_ROW_NAMES(kernel, stride, inside), UP_ROW_NAMES(kernel, stride, 1)};
UP_ROWS(3, 1, 1)
UP_ROWS_CUT(3, 2, 0)
UP_ROWS(3, 2, 0)
UP_ROWS(5, 1, 1)
UP_ROWS_CUT(5, 2, 0)
UP_ROWS(5, 2, 0)
UP_ROWS(7, 1, 1)

void UP_NAME(up_depthwise)(const up_depthwise_run *t) {
    if (!t->index && t->rows > 0) {
        const int stride = t->pixel_step == t->column_step ? 1 : t->pixel_step == 2 * t->column_step ? 2 : 0;
        const row_kernel(*row)[MOST_ROW_PIXELS] =
            t->columns == 3 ? stride == 1 ? rows_3_1 : stride == 2 ? rows_3_2 : NULL
            : t->columns == 5 ? stride == 1 ? rows_5_1 : stride == 2 ? rows_5_2 : NULL : t->columns == 7 && stride == 1 ? rows_7_1 : NULL;
        if (row) {
            const int64_t tiles = (t->pixels + MOST_ROW_PIXELS - 1) / MOST_ROW_PIXELS;
            for (int64_t i = 0; i < tiles; i++) {
                const int64_t p = up_cut(t->pixels, tiles, i), next = up_cut(t->pixels, tiles, i + 1);
                const int cut = p * stride < t->before || (t->pixels - next) * stride < t->after;
                row[cut][next - p - 1](t, p);
            }
            return;
        }
    }
    const int64_t most = t->index ? 1 : MOST_PIXELS, tiles = (t->pixels + most - 1) / most;
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t p = up_cut(t->pixels, tiles, i);
        if (t->index) {
            pixels(t, p, 1, 1);
            continue;
        }
        switch (up_cut(t->pixels, tiles, i + 1) - p) {
            case 6: pixels(t, p, 6, 0); break;
            case 5: pixels(t, p, 5, 0); break;
            case 4: pixels(t, p, 4, 0); break;
            case 3: pixels(t, p, 3, 0); break;
            case 2: pixels(t, p, 2, 0); break;
            default: pixels(t, p, 1, 0);
        }
    }
}

#if UP_ISA == 2
/*
 * Adds `rows` rows of taps to the sums of `mr` pixels of one vector of channels. With a plan of so many `vectors` their inputs are picked and left in
 * the ring, but for those that the tile before has picked, unless the row begins here. With none they are read there.
 */
UP_INLINE void picked_taps(const up_depthwise_run *t, const up_picked_rows *r, const pick *plan, int64_t c, int64_t row, int64_t rows,
                           const float *source, float *ring, vf *sum, const int mr, const int kernel, const int stride, int begins, int64_t first,
                           int64_t end, const int vectors) {
    const int inputs = (mr - 1) * stride + kernel;
    const int64_t step = t->column_step, tap = t->weights_tap, source_step = r->src_step;
    const float *weights = t->weights + c + (r->cut + row) * t->weights_row;
    int64_t at = r->first + row * t->row_step;
    const pick channels = *plan;    /* in registers, which what is stored cannot change */
    if (at >= r->ring_floats) at -= r->ring_floats;
#pragma GCC unroll 1
    for (int64_t y = 0; y < rows; y++, source += r->src_row, weights += t->weights_row) {
        vf b[MOST_ROW_TAPS];
#pragma GCC unroll 7
        for (int j = 0; j < kernel; j++) b[j] = vload(weights + j * tap);
        const float *from = source;
        float *x = ring + at;
#pragma GCC unroll 24
        for (int i = 0; i < inputs; i++, x += step, from += source_step) {
            if ((i < kernel - 1 && i < first) || (i > inputs - kernel && i >= end)) continue;
            vf value;
            if (vectors == 0 || (i < kernel - stride && !begins)) {
                value = vload(x);
            } else {
                value = pick_vectors(&channels, from, vectors);
                vstore(x, value);
            }
            UP_KEEP(value);
#pragma GCC unroll 7
            for (int j = 0; j < kernel; j++)
                if (i >= j && (i - j) % stride == 0 && (i - j) / stride < mr) sum[(i - j) / stride] += b[j] * value;
        }
        at += t->row_step;
        if (at >= r->ring_floats) at -= r->ring_floats;
    }
}

/* Whether a tile picks by a plan: others are rare where channels are pruned at random, and picked before. */
static int in_tiles(const pick *plan) { return plan->vectors >= 2 && plan->vectors <= 4; }

UP_INLINE void picked_tile(const up_depthwise_run *t, const up_picked_rows *r, const pick *plan, int64_t p, int64_t c, const int mr, const int kernel,
                           const int stride) {
    const int64_t left = t->channels - c, kept = in_tiles(plan) ? r->kept : r->rows, fresh = r->rows - kept;
    const int begins = p == 0;
    const int64_t first = t->before - p * stride, end = (t->pixels - 1 - p) * stride + kernel - t->after;    /* inputs inside of the image */
    const float *source = r->src + p * stride * r->src_step + plan->first;
    float *ring = r->ring + p * t->pixel_step + c;
    vf sum[MOST_ROW_PIXELS];
    const vf bias = vload(t->bias + c), low = vsplat(t->low), high = vsplat(t->high);
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++) sum[i] = t->addend ? bias + vload_n(t->addend + (p + i) * t->addend_stride + c, left) : bias;
    picked_taps(t, r, plan, c, 0, kept, source, ring, sum, mr, kernel, stride, begins, first, end, 0);
    switch (plan->vectors) {
        case 2: picked_taps(t, r, plan, c, kept, fresh, source, ring, sum, mr, kernel, stride, begins, first, end, 2); break;
        case 3: picked_taps(t, r, plan, c, kept, fresh, source, ring, sum, mr, kernel, stride, begins, first, end, 3); break;
        case 4: picked_taps(t, r, plan, c, kept, fresh, source, ring, sum, mr, kernel, stride, begins, first, end, 4); break;
    }
    float *dst = t->dst + p * t->dst_stride + c;
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++, dst += t->dst_stride) vstore_n(dst, vmin(high, vmax(low, sum[i])), left);
}

/* Adds a row of inputs to the sums of the upper row of outputs, the lower one, or both, with the weights `a` and `b` of each. */
UP_INLINE void pair_taps(const up_depthwise_run *t, const up_picked_rows *r, const pick *plan, const float *from, float *x, vf *upper, vf *lower,
                         const float *a, const float *b, const int mr, int begins, int64_t first, int64_t end, const int above, const int below,
                         const int vectors) {
    const int64_t step = t->column_step, tap = t->weights_tap, source_step = r->src_step;
    const pick channels = *plan;    /* in registers, which what is stored cannot change */
    vf wa[3], wb[3];
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++) {
        if (above) wa[j] = vload(a + j * tap);
        if (below) wb[j] = vload(b + j * tap);
    }
#pragma GCC unroll 10
    for (int i = 0; i < mr + 2; i++, x += step, from += source_step) {
        if ((i < 2 && i < first) || (i > mr - 1 && i >= end)) continue;
        vf value;
        if (vectors == 0 || (i < 2 && !begins)) {
            value = vload(x);
        } else {
            value = pick_vectors(&channels, from, vectors);
            vstore(x, value);
        }
        UP_KEEP(value);
#pragma GCC unroll 3
        for (int j = 0; j < 3; j++)
            if (i >= j && i - j < mr) {
                if (above) upper[i - j] += wa[j] * value;
                if (below) lower[i - j] += wb[j] * value;
            }
    }
}

/* Two rows of outputs (or one, the last) of 3x3 with stride 1: rows of the ring are read half as many times. */
UP_INLINE void pair_tile(const up_depthwise_run *t, const up_picked_rows *r, const pick *plan, int64_t p, int64_t c, const int mr) {
    const int64_t left = t->channels - c, kept = in_tiles(plan) ? r->kept : r->rows;
    const int64_t first = t->before - p, end = t->pixels + 2 - p - t->after;    /* inputs inside of the image */
    const int begins = p == 0, two = r->outputs == 2;
    vf upper[MOST_ROW_PIXELS], lower[MOST_ROW_PIXELS];
    const vf bias = vload(t->bias + c), low = vsplat(t->low), high = vsplat(t->high);
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++) upper[i] = lower[i] = bias;
    if (t->addend) {
        const float *addend = t->addend + p * t->addend_stride + c;
#pragma GCC unroll 8
        for (int i = 0; i < mr; i++) {
            upper[i] += vload_n(addend + i * t->addend_stride, left);
            if (two) lower[i] += vload_n(addend + (t->pixels + i) * t->addend_stride, left);
        }
    }
    const float *source = r->src + p * r->src_step + plan->first, *weights = t->weights + c;
    float *ring = r->ring + p * t->pixel_step + c;
    int64_t at = r->first;
#pragma GCC unroll 1
    for (int64_t y = 0; y < r->rows; y++) {
        const int64_t row = r->cut + y;
        const float *a = weights + row * t->weights_row, *b = a - t->weights_row;
        const int vectors = y < kept ? 0 : (int)plan->vectors, lower_only = row == 3, upper_only = !two || row == 0;
        float *x = ring + at;
#define UP_PAIR(above, below, vectors) pair_taps(t, r, plan, source, x, upper, lower, a, b, mr, begins, first, end, above, below, vectors)
        switch (8 * (lower_only + 2 * upper_only) + vectors) {    /* one jump */
            case 0: UP_PAIR(1, 1, 0); break;
            case 2: UP_PAIR(1, 1, 2); break;
            case 3: UP_PAIR(1, 1, 3); break;
            case 4: UP_PAIR(1, 1, 4); break;
            case 8: UP_PAIR(0, 1, 0); break;
            case 10: UP_PAIR(0, 1, 2); break;
            case 11: UP_PAIR(0, 1, 3); break;
            case 12: UP_PAIR(0, 1, 4); break;
            case 16: UP_PAIR(1, 0, 0); break;
            case 18: UP_PAIR(1, 0, 2); break;
            case 19: UP_PAIR(1, 0, 3); break;
            default: UP_PAIR(1, 0, 4);
        }
        if (y >= kept) source += r->src_row;
        at += t->row_step;
        if (at >= r->ring_floats) at -= r->ring_floats;
    }
    float *dst = t->dst + p * t->dst_stride + c;
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++) vstore_n(dst + i * t->dst_stride, vmin(high, vmax(low, upper[i])), left);
    dst += t->pixels * t->dst_stride;
    if (two)
#pragma GCC unroll 8
        for (int i = 0; i < mr; i++) vstore_n(dst + i * t->dst_stride, vmin(high, vmax(low, lower[i])), left);
}

typedef void (*picked_kernel)(const up_depthwise_run *run, const up_picked_rows *rows, int64_t pixel);

#define UP_PICKED(mr, kernel, stride)                                                                                                \
    static void picked_##mr##_##kernel##_##stride(const up_depthwise_run *t, const up_picked_rows *r, int64_t p) {                    \
        const char *plan = r->plans;                                                                                                 \
        for (int64_t c = 0; c < t->channels; c += VW, plan += UP_TAKE_BYTES)                                                          \
            if (kernel == 3 && stride == 1) pair_tile(t, r, (const pick *)plan, p, c, mr);                                           \
            else picked_tile(t, r, (const pick *)plan, p, c, mr, kernel, stride);                                                    \
    }
UP_PICKED(7, 3, 1) UP_PICKED(8, 3, 1)
UP_PICKED(7, 3, 2) UP_PICKED(8, 3, 2)
UP_PICKED(7, 5, 1) UP_PICKED(8, 5, 1)
UP_PICKED(7, 5, 2) UP_PICKED(8, 5, 2)

/* Picks the channels whose plans tiles do not read. */
static void pick_others(const up_depthwise_run *t, const up_picked_rows *r, int64_t columns) {
    const char *plan = r->plans;
    for (int64_t c = 0; c < t->channels; c += VW, plan += UP_TAKE_BYTES) {
        if (in_tiles((const pick *)plan)) continue;
        for (int64_t row = r->kept; row < r->rows; row++)
            UP_NAME(up_take_pixels)(&(up_take_pixels){
                .plans = plan, .vectors = 1, .src = r->src + (row - r->kept) * r->src_row + t->before * r->src_step, .src_stride = r->src_step,
                .pixels = columns - t->before - t->after, .to_stride = t->column_step,
                .to = r->ring + (r->first + row * t->row_step) % r->ring_floats + t->before * t->column_step + c});
    }
}

void UP_NAME(up_depthwise_picked)(const up_depthwise_run *t, const up_picked_rows *r) {
    static const picked_kernel kernels[2][2][2] = {{{picked_7_3_1, picked_8_3_1}, {picked_7_3_2, picked_8_3_2}},
                                                    {{picked_7_5_1, picked_8_5_1}, {picked_7_5_2, picked_8_5_2}}};
    const int64_t stride = t->pixel_step / t->column_step, tiles = (t->pixels + MOST_ROW_PIXELS - 1) / MOST_ROW_PIXELS;
    const picked_kernel *kernel = kernels[t->columns == 5][stride - 1];
    pick_others(t, r, (t->pixels - 1) * stride + t->columns);
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t p = up_cut(t->pixels, tiles, i), next = up_cut(t->pixels, tiles, i + 1);
        kernel[next - p == MOST_ROW_PIXELS](t, r, p);
    }
}
#endif
