/* Kernels that move pixels: resize by tables; pad, crop and stride. */
#include "channels.h"

/* ---------------------------------------------------------------- resize */

static void bilinear_pixel(const up_resize_args *a, const float *const corner[4], float down, float right, float *to) {
    const vf w[4] = {vsplat((1 - down) * (1 - right)), vsplat((1 - down) * right), vsplat(down * (1 - right)), vsplat(down * right)};
    const int64_t n = a->channels;
    for (int64_t k = 0; k < n; k += VW) {
        vf y = w[0] * vread(corner[0], a->src.index, k, n - k);
#pragma GCC unroll 4
        for (int i = 1; i < 4; i++) y += w[i] * vread(corner[i], a->src.index, k, n - k);
        vstore_n(to + k, y, n - k);
    }
}

void UP_NAME(up_resize_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_resize_args *a = job->args;
    const int64_t stride = a->src.pixel_stride, end = up_cut(job->items, job->tasks, last);
    for (int64_t r = up_cut(job->items, job->tasks, first); r < end; r++) {
        const int64_t image = r / a->out_h, y = r % a->out_h;
        const float *top = a->src.data + (image * a->in_h + a->row0[y]) * a->in_w * stride;
        float *to = a->dst.data + r * a->out_w * a->dst.pixel_stride;
        if (!a->row1) {
            for (int64_t x = 0; x < a->out_w; x++, to += a->dst.pixel_stride)
                copy_channels(to, top + a->col0[x] * stride, a->src.index, a->channels);
            continue;
        }
        const float *bottom = a->src.data + (image * a->in_h + a->row1[y]) * a->in_w * stride;
        for (int64_t x = 0; x < a->out_w; x++, to += a->dst.pixel_stride) {
            const float *const corner[4] = {top + a->col0[x] * stride, top + a->col1[x] * stride, bottom + a->col0[x] * stride,
                                            bottom + a->col1[x] * stride};
            bilinear_pixel(a, corner, a->row_weight[y], a->col_weight[x], to);
        }
    }
}

/* ---------------------------------------------------------------- pad, crop, stride */

static void fill(float *to, int64_t stride, int64_t pixels, int64_t channels, float value) {
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
        else
            for (int64_t x = x0; x < x1; x++, from += a->step_w * from_stride, to += to_stride) copy_channels(to, from, a->src.index, n);
    }
}
