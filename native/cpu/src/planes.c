/* Layout conversion between planes (NCHW) and pixels (NHWC): squares of four by four values, and single ones at the edges. */
#include "take.h"

typedef struct square {
    v4f row[4];
} square;

UP_INLINE square transpose(square s) {
    v4f a = __builtin_shufflevector(s.row[0], s.row[1], 0, 4, 1, 5), b = __builtin_shufflevector(s.row[0], s.row[1], 2, 6, 3, 7);
    v4f c = __builtin_shufflevector(s.row[2], s.row[3], 0, 4, 1, 5), d = __builtin_shufflevector(s.row[2], s.row[3], 2, 6, 3, 7);
    return (square){{__builtin_shufflevector(a, c, 0, 1, 4, 5), __builtin_shufflevector(a, c, 2, 3, 6, 7),
                     __builtin_shufflevector(b, d, 0, 1, 4, 5), __builtin_shufflevector(b, d, 2, 3, 6, 7)}};
}

/* The pixels [p0, p1) of block i of a batch. */
UP_INLINE void block_of(int64_t i, int64_t pixels, int64_t *image, int64_t *p0, int64_t *p1) {
    const int64_t blocks = (pixels + UP_PLANE_PIXELS - 1) / UP_PLANE_PIXELS;
    *image = i / blocks;
    *p0 = i % blocks * UP_PLANE_PIXELS;
    *p1 = *p0 + UP_PLANE_PIXELS < pixels ? *p0 + UP_PLANE_PIXELS : pixels;
}

void UP_NAME(up_from_planes_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_from_planes_args *a = job->args;
    const int64_t plane = a->plane_stride, stride = a->dst.pixel_stride, n = a->channels, end = up_cut(job->items, job->tasks, last);
    for (int64_t i = up_cut(job->items, job->tasks, first); i < end; i++) {
        int64_t image, p, p1, k = 0;
        block_of(i, a->pixels, &image, &p, &p1);
        const float *from = a->src + image * a->image_stride;
        float *to = a->dst.data + image * a->pixels * stride;
        const int64_t p0 = p;
        for (; k + 4 <= n; k += 4) {
            for (p = p0; p + 4 <= p1; p += 4) {
                square s;
                for (int c = 0; c < 4; c++) s.row[c] = load4(from + (k + c) * plane + p);
                s = transpose(s);
                for (int c = 0; c < 4; c++) store4(to + (p + c) * stride + k, s.row[c]);
            }
            for (; p < p1; p++)
                for (int c = 0; c < 4; c++) to[p * stride + k + c] = from[(k + c) * plane + p];
        }
        for (p = p0; p < p1; p++)
            for (int64_t c = k; c < n; c++) to[p * stride + c] = from[c * plane + p];
    }
}

/* Some channels of some pixels to planes. */
static void pixels_to_planes(const float *from, int64_t stride, float *to, int64_t plane, int64_t pixels, int64_t n) {
    int64_t k = 0, p;
    for (; k + 4 <= n; k += 4) {
        for (p = 0; p + 4 <= pixels; p += 4) {
            square s;
            for (int c = 0; c < 4; c++) s.row[c] = load4(from + (p + c) * stride + k);
            s = transpose(s);
            for (int c = 0; c < 4; c++) store4(to + (k + c) * plane + p, s.row[c]);
        }
        for (; p < pixels; p++)
            for (int c = 0; c < 4; c++) to[(k + c) * plane + p] = from[p * stride + k + c];
    }
    for (; k < n; k++)
        for (p = 0; p < pixels; p++) to[k * plane + p] = from[p * stride + k];
}

void UP_NAME(up_to_planes_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_to_planes_args *a = job->args;
    const int64_t stride = a->src.pixel_stride, n = a->channels, end = up_cut(job->items, job->tasks, last);
    for (int64_t i = up_cut(job->items, job->tasks, first); i < end; i++) {
        int64_t image, p, p1;
        block_of(i, a->pixels, &image, &p, &p1);
        const float *from = a->src.data + (image * a->pixels + p) * stride;
        float *to = a->dst + image * a->image_stride + p;
        if (!a->src.index) {
            pixels_to_planes(from, stride, to, a->plane_stride, p1 - p, n);
            continue;
        }
        float taken[UP_PLANE_PIXELS * VW];    /* a vector of channels */
        for (int64_t k = 0; k < n; k += VW) {
            const int64_t m = n - k < VW ? n - k : VW;
            const take t = plan_take(a->src.index + k, m);
            take_pixels(&t, from, stride, taken, VW, p1 - p, VW);
            pixels_to_planes(taken, VW, to + k * a->plane_stride, a->plane_stride, p1 - p, m);
        }
    }
}
