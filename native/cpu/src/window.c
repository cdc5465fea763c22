/* Pooling over windows, and reductions over all pixels of an image. */
#include "vector.h"

/* The taps of a window that lie inside of the image: [first, last), and how many count for an average. */
typedef struct extent {
    int64_t first, last, counted;
    int64_t at;    /* position of tap `first` */
} extent;

static int64_t taps_below(int64_t from, int64_t dilation, int64_t bound, int64_t kernel) {
    int64_t n = bound <= from ? 0 : (bound - from + dilation - 1) / dilation;
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

UP_INLINE void window_pixel(const up_window_args *a, const float *corner, int64_t row_step, int64_t column_step, extent ys, extent xs,
                            float *to, const int max, const int indexed) {
    const int64_t counted = ys.counted * xs.counted;
    const vf scale = vsplat(counted > 0 ? 1.0f / (float)counted : 0.0f);
    const int64_t n = a->channels;
    for (int64_t k = 0; k < n; k += VW) {
        vf y = vsplat(max ? -__builtin_inff() : 0.0f);
        const float *row = corner;
        for (int64_t i = ys.first; i < ys.last; i++, row += row_step) {
            const float *p = row;
            for (int64_t j = xs.first; j < xs.last; j++, p += column_step) {
                vf x = indexed ? vgather_n(p, a->src.index + k, n - k) : vload_n(p + k, n - k);
                y = max ? vmax(x, y) : y + x;
            }
        }
        vstore_n(to + k, max ? y : y * scale, n - k);
    }
}

void UP_NAME(up_window_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_window_args *a = job->args;
    const int64_t stride = a->src.pixel_stride, end = up_cut(job->items, job->tasks, last);
    for (int64_t r = up_cut(job->items, job->tasks, first); r < end; r++) {
        const int64_t image = r / a->out_h, oy = r % a->out_h;
        const extent ys = window_extent(oy, a->stride_h, a->kernel_h, a->dilation_h, a->pad_top, a->pad_bottom, a->in_h, a->count_include_pad);
        float *to = a->dst.data + r * a->out_w * a->dst.pixel_stride;
        for (int64_t ox = 0; ox < a->out_w; ox++, to += a->dst.pixel_stride) {
            const extent xs = window_extent(ox, a->stride_w, a->kernel_w, a->dilation_w, a->pad_left, a->pad_right, a->in_w, a->count_include_pad);
            const float *corner = a->src.data;
            if (ys.last > ys.first && xs.last > xs.first) corner += ((image * a->in_h + ys.at) * a->in_w + xs.at) * stride;
            const int64_t down = (int64_t)a->dilation_h * a->in_w * stride, right = a->dilation_w * stride;
            if (a->op == UP_POOL_MAX && a->src.index) window_pixel(a, corner, down, right, ys, xs, to, 1, 1);
            else if (a->op == UP_POOL_MAX) window_pixel(a, corner, down, right, ys, xs, to, 1, 0);
            else if (a->src.index) window_pixel(a, corner, down, right, ys, xs, to, 0, 1);
            else window_pixel(a, corner, down, right, ys, xs, to, 0, 0);
        }
    }
}

/* ---------------------------------------------------------------- reductions */

/* `nv` vectors of channels from k; sums of 32 pixels at a time, so that their rounding errors stay small. */
UP_INLINE void reduce_vectors(const up_reduce_args *a, const float *from, float *to, int64_t k, const int nv, const int max, const int indexed) {
    enum { TOGETHER = 32 };
    const int64_t n = a->channels;
    vf all[4];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) all[v] = vsplat(max ? -__builtin_inff() : 0.0f);
    for (int64_t p = 0; p < a->pixels; ) {
        const int64_t end = p + TOGETHER < a->pixels ? p + TOGETHER : a->pixels;
        vf y[4];
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) y[v] = max ? all[v] : (vf){0};
        for (; p < end; p++, from += a->src.pixel_stride)
#pragma GCC unroll 4
            for (int v = 0; v < nv; v++) {
                const int64_t c = k + v * VW, left = nv == 1 ? n - c : VW;
                vf x = indexed ? vgather_n(from, a->src.index + c, left) : vload_n(from + c, left);
                y[v] = max ? vmax(x, y[v]) : y[v] + x;
            }
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) all[v] = max ? y[v] : all[v] + y[v];
    }
    const vf scale = vsplat(a->op == UP_REDUCE_MEAN ? 1.0f / (float)a->pixels : 1.0f);
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) vstore_n(to + k + v * VW, max ? all[v] : all[v] * scale, nv == 1 ? n - k : VW);
}

UP_INLINE void reduce_channels(const up_reduce_args *a, const float *from, float *to, int64_t k, int64_t end, const int max, const int indexed) {
    for (; k + 4 * VW <= end; k += 4 * VW) reduce_vectors(a, from, to, k, 4, max, indexed);
    for (; k < end; k += VW) reduce_vectors(a, from, to, k, 1, max, indexed);
}

void UP_NAME(up_reduce_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_reduce_args *a = job->args;
    const int64_t blocks = (a->channels + UP_REDUCE_CHANNELS - 1) / UP_REDUCE_CHANNELS, end = up_cut(job->items, job->tasks, last);
    for (int64_t i = up_cut(job->items, job->tasks, first); i < end; i++) {
        const int64_t image = i / blocks, k = i % blocks * UP_REDUCE_CHANNELS;
        const int64_t stop = k + UP_REDUCE_CHANNELS < a->channels ? k + UP_REDUCE_CHANNELS : a->channels;
        const float *from = a->src.data + image * a->pixels * a->src.pixel_stride;
        float *to = a->dst.data + image * a->dst.pixel_stride;
        if (a->op == UP_REDUCE_MAX && a->src.index) reduce_channels(a, from, to, k, stop, 1, 1);
        else if (a->op == UP_REDUCE_MAX) reduce_channels(a, from, to, k, stop, 1, 0);
        else if (a->src.index) reduce_channels(a, from, to, k, stop, 0, 1);
        else reduce_channels(a, from, to, k, stop, 0, 0);
    }
}
