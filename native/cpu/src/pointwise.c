/* Kernels on one pixel at a time: scale, shift and function; softmax. */
#include "functions.h"
#include "channels.h"

/* ---------------------------------------------------------------- scale, shift, function */

UP_INLINE void affine_row(const up_pointwise_args *a, const float *from, float *to, int64_t n, const int indexed,
                          const int affine, vf low, vf high) {
    int64_t k = 0;
    for (; k + VW <= n; k += VW) {
        vf x = indexed ? vgather_n(from, a->src.index + k, VW) : vload(from + k);
        if (affine) {
            vf shift = a->shift ? vload(a->shift + k) : vsplat(0);
            x = a->scale ? x * vload(a->scale + k) + shift : x + shift;
        }
        vstore(to + k, vmin(high, vmax(low, x)));
    }
    if (k < n) {
        const int64_t left = n - k;
        vf x = indexed ? vgather_n(from, a->src.index + k, left) : vload_part(from + k, left);
        if (affine) {
            vf shift = a->shift ? vload_part(a->shift + k, left) : vsplat(0);
            x = a->scale ? x * vload_part(a->scale + k, left) + shift : x + shift;
        }
        vstore_part(to + k, vmin(high, vmax(low, x)), left);
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
            affine_row(a, from, to, scale, 0, 0, vlow, vhigh);
            if (!clamp) UP_NAME(up_apply)(&a->act, to, scale);
        }
        return;
    }
    for (int64_t p = p0; p < p1; p++) {
        const float *from = a->src.data + p * a->src.pixel_stride;
        float *to = a->dst.data + p * a->dst.pixel_stride;
        if (a->src.index) affine_row(a, from, to, n, 1, affine, vlow, vhigh);
        else affine_row(a, from, to, n, 0, affine, vlow, vhigh);
        if (!clamp) UP_NAME(up_apply)(&a->act, to, n);
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
    for (int64_t p = up_cut(job->items, job->tasks, first); p < end; p++) {
        float *to = a->dst.data + p * a->dst.pixel_stride;
        const float *from = a->src.data + p * a->src.pixel_stride;
        if (from != to || a->src.index) copy_channels(to, from, a->src.index, n);
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
