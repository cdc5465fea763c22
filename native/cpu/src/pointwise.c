/* Kernels on one pixel at a time: scale, shift and function; softmax. */
#include "functions.h"
#include "channels.h"
#include "take.h"

/* ---------------------------------------------------------------- scale, shift, function */

UP_INLINE void affine_row(const float *from, float *to, int64_t n, const float *scale, const float *shift, const int scaled,
                          const int shifted, vf low, vf high) {
    int64_t k = 0;
    for (; k + VW <= n; k += VW) {
        vf x = vload(from + k);
        if (scaled) x *= vload(scale + k);
        if (shifted) x += vload(shift + k);
        vstore(to + k, vmin(high, vmax(low, x)));
    }
    if (k < n) {
        vf x = vload_part(from + k, n - k);
        if (scaled) x *= vload_part(scale + k, n - k);
        if (shifted) x += vload_part(shift + k, n - k);
        vstore_part(to + k, vmin(high, vmax(low, x)), n - k);
    }
}

static void dense_row(const up_pointwise_args *a, const float *from, float *to, int64_t n, vf low, vf high) {
    if (a->scale && a->shift) affine_row(from, to, n, a->scale, a->shift, 1, 1, low, high);
    else if (a->scale) affine_row(from, to, n, a->scale, NULL, 1, 0, low, high);
    else if (a->shift) affine_row(from, to, n, NULL, a->shift, 0, 1, low, high);
    else affine_row(from, to, n, NULL, NULL, 0, 0, low, high);
}

/* A vector of channels by index, of neighbouring pixels. */
UP_INLINE void affine_taken(const take *t, const float *from, int64_t from_stride, float *to, int64_t to_stride, int64_t pixels, int64_t n,
                            vf scale, vf shift, const int affine, vf low, vf high, const int vectors) {
    for (int64_t p = 0; p < pixels; p++, from += from_stride, to += to_stride) {
        vf x = take_pixel(t, from, vectors);
        if (affine) x = x * scale + shift;
        vstore_n(to, vmin(high, vmax(low, x)), n);
    }
}

/* Channels by index of a few neighbouring pixels, from `k` on: so many vectors. */
static void affine_vectors(const up_pointwise_args *a, const take *plans, int64_t vectors, int64_t k, const float *from, float *to, int64_t pixels,
                           vf low, vf high) {
    const int64_t n = a->channels, m = n < VW ? n : VW, from_stride = a->src.pixel_stride, to_stride = a->dst.pixel_stride;
    for (const take *t = plans; t < plans + vectors; t++, k += VW) {
        const int64_t c = vector_start(k, n);
        const vf scale = a->scale ? vload_n(a->scale + c, m) : vsplat(1), shift = a->shift ? vload_n(a->shift + c, m) : vsplat(0);
        if (a->scale || a->shift)
            UP_WITH_VECTORS(t, affine_taken(t, from, from_stride, to + c, to_stride, pixels, m, scale, shift, 1, low, high, VECTORS))
        else
            UP_WITH_VECTORS(t, affine_taken(t, from, from_stride, to + c, to_stride, pixels, m, scale, shift, 0, low, high, VECTORS))
    }
}

/* All channels by index; `clamp`: whether the limits are all of the activation. */
static void affine_pixels(const up_pointwise_args *a, const float *from, float *to, int64_t pixels, vf low, vf high, int clamp) {
    const int64_t n = a->channels, from_stride = a->src.pixel_stride, to_stride = a->dst.pixel_stride, most = take_between(from_stride, to_stride);
    take plans[TAKE_PLANS];
    for (int64_t k = 0, end; k < n; k = end) {
        const int64_t vectors = plan_takes(a->src.index, n, k, plans), first = vector_start(k, n);
        end = k + vectors * VW < n ? k + vectors * VW : n;
        for (int64_t p = 0; p < pixels; p += most) {
            const int64_t count = pixels - p < most ? pixels - p : most;
            affine_vectors(a, plans, vectors, k, from + p * from_stride, to + p * to_stride, count, low, high);
            if (!clamp) UP_NAME(up_act_pixels)(&a->act, to + p * to_stride + first, to_stride, count, end - first);
        }
    }
}

void UP_NAME(up_pointwise_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_pointwise_args *a = job->args;
    const int affine = a->scale || a->shift;
    int64_t p0 = up_cut(job->items, job->tasks, first), p1 = up_cut(job->items, job->tasks, last), n = a->channels, scale = 1;
    float low, high;
    const int clamp = up_act_is_clamp(&a->act, &low, &high);
    const vf vlow = vsplat(low), vhigh = vsplat(high);
    if (!affine && !a->src.index && a->src.pixel_stride == n && a->dst.pixel_stride == n) {    /* pixels lie without gaps */
        enum { CHUNK = 2048 };    /* so that a function that takes a second pass finds its values in the cache */
        const float *from = a->src.data + p0 * n;
        float *to = a->dst.data + p0 * n;
        for (int64_t left = (p1 - p0) * n; left > 0; left -= scale, from += scale, to += scale) {
            scale = left < CHUNK ? left : CHUNK;
            affine_row(from, to, scale, NULL, NULL, 0, 0, vlow, vhigh);
            if (!clamp) UP_NAME(up_apply)(&a->act, to, scale);
        }
        return;
    }
    const float *from = a->src.data + p0 * a->src.pixel_stride;
    float *to = a->dst.data + p0 * a->dst.pixel_stride;
    if (a->src.index) {
        affine_pixels(a, from, to, p1 - p0, vlow, vhigh, clamp);
        return;
    }
    for (int64_t p = p0; p < p1; p++, from += a->src.pixel_stride, to += a->dst.pixel_stride) {
        dense_row(a, from, to, n, vlow, vhigh);
        if (!clamp) UP_NAME(up_act_pixels)(&a->act, to, a->dst.pixel_stride, 1, n);
    }
}

/* ---------------------------------------------------------------- softmax */

static float largest(const float *x, int64_t n) {
    vf most = vsplat(-__builtin_inff());
    int64_t k = 0;
    for (; k + VW <= n; k += VW) most = vmax(vload(x + k), most);
    float m = most[0];
    for (int i = 1; i < VW; i++) m = most[i] > m ? most[i] : m;
    for (; k < n; k++) m = x[k] > m ? x[k] : m;
    return m;
}

static float total(const float *x, int64_t n) {
    vf sum = {0};
    int64_t k = 0;
    for (; k + VW <= n; k += VW) sum += vload(x + k);
    float s = vsum(sum);
    for (; k < n; k++) s += x[k];
    return s;
}

void UP_NAME(up_softmax_task)(const void *argument, int64_t first, int64_t last) {
    enum { CHUNK = 512 };
    const up_job *job = argument;
    const up_softmax_args *a = job->args;
    const up_act exponential = {UP_EXP, 0, 0};
    const int64_t n = a->channels, end = up_cut(job->items, job->tasks, last);
    const int64_t start = up_cut(job->items, job->tasks, first);
    for (int64_t p = start; p < end; p++) {
        float *to = a->dst.data + p * a->dst.pixel_stride;
        const float *from = a->src.data + p * a->src.pixel_stride;
        if (a->src.index && (p - start) % TAKE_PIXELS == 0)
            take_channels(a->src.index, n, from, a->src.pixel_stride, to, a->dst.pixel_stride, end - p < TAKE_PIXELS ? end - p : TAKE_PIXELS);
        else if (!a->src.index && from != to)
            copy_channels(to, from, NULL, n);
        const float most = largest(to, n);
        float sum = 0, part[CHUNK];
        for (int64_t k = 0; k < n; k += CHUNK) {
            const int64_t m = n - k < CHUNK ? n - k : CHUNK;
            float *e = a->logarithm ? part : to + k;
            for (int64_t i = 0; i < m; i++) e[i] = to[k + i] - most;
            UP_NAME(up_apply)(&exponential, e, m);
            sum += total(e, m);
        }
        if (a->logarithm) {
            up_act logarithm = {UP_LOG, 0, 0};
            float log_sum = sum;
            UP_NAME(up_apply)(&logarithm, &log_sum, 1);
            for (int64_t k = 0; k < n; k++) to[k] = (to[k] - most) - log_sum;
        } else {
            const float scale = 1 / sum;
            for (int64_t k = 0; k < n; k++) to[k] *= scale;
        }
    }
}
