/*
 * Running a convolution of few input channels with vectors across pixels (across.c). Of each row of the image that is read, each channel is
 * packed by itself, with the zeros around the image; with a stride of s, every s-th pixel from the first on, from the second on, and so on,
 * so that what neighbouring outputs read lies side by side.
 */
#include "conv.h"

#include <string.h>

enum { MOST_SUMS = 1024 };    /* their places are on the stack */

/* What takes how long, in products of a vector. Measured on a Zen 5. */
static const double TURN = 6;             /* turning and storing a vector of sums */
static const double PACK_PLANE = 0.35;    /* more for a value that comes from a plane than tiles' packing takes, */
static const double PACK_DENSE = 2.6;     /*   and from pixels without gaps, which for tiles are copied whole; by index both take as long */
static const double TILE = 12;            /* a pixel of a tile, beside its products */
static const double LONE_VECTOR = 1.35;
static const double PAYS = 0.95;

static int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/* Floats of what is packed of a channel for one of the stride's phases. */
static int64_t phase_floats(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    const int64_t width = conv->kernels->vector_floats;
    return round_up(round_up(a->out_w, width) + (d->kernel_w - 1) / d->stride_w, width);
}

int64_t up_across_row_floats(const up_conv *conv, const up_conv_args *a) {
    return conv->desc.in_channels * conv->desc.stride_w * phase_floats(conv, a);
}

/* Vectors by which tiles multiply each value that they read; where it is one alone, loads take longer. */
static double tile_vectors(const up_conv *conv) {
    const double vector = conv->kernels->vector_floats, narrowest = up_narrow_pays(conv->kernels->isa) ? vector / 2 : vector;
    double vectors = 0;
    for (int32_t q = 0; q < conv->layout.panels; q++) {
        const double width = conv->panels[up_panel_at(&conv->layout, conv->panels[0].width, q).kind].width;
        vectors += (width > narrowest ? width : narrowest) / vector;
    }
    return vectors > LONE_VECTOR ? vectors : LONE_VECTOR;
}

int up_across_pays(const up_conv *conv, const up_conv_args *a) {
    const up_conv_desc *d = &conv->desc;
    const double pixels = (double)a->out_h * a->out_w, sums = (double)conv->layout.taps * d->in_channels, width = conv->kernels->vector_floats;
    if (!conv->kernels->across_row || a->addend.data || d->stride_w > 2 || sums > MOST_SUMS) return 0;
    const double packed = (double)a->in_h * a->in_w * d->in_channels / pixels;    /* values, for each output pixel */
    const double filled = (double)round_up(a->out_w, conv->kernels->vector_floats) / a->out_w;
    const double pack = a->src.pixel_stride == 1 ? PACK_PLANE : a->src.index || a->src.pixel_stride > d->in_channels ? 0 : PACK_DENSE;
    return d->out_channels / width * filled * (sums + TURN) + packed * pack < PAYS * (tile_vectors(conv) * sums + TILE);
}

UP_INLINE void take_every(const float *from, int64_t step, float *to, int64_t n) {
#pragma GCC unroll 4
    for (int64_t x = 0; x < n; x++) to[x] = from[x * step];
}

void up_across_pack_row(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t y, float *to) {
    const up_conv_desc *d = &conv->desc;
    const int64_t phase = phase_floats(conv, a), stride = d->stride_w, pixel = a->src.pixel_stride;
    memset(to, 0, (size_t)(d->in_channels * stride * phase) * sizeof *to);
    if (y < 0 || y >= a->in_h) return;
    const int64_t read = (a->out_w - 1) * stride + d->kernel_w - d->pad_left;    /* pixels of the image, from its first on */
    const int64_t n = read < a->in_w ? read : a->in_w;
    for (int64_t c = 0; c < d->in_channels; c++, to += stride * phase) {
        const float *from = a->src.data + (image * a->in_h + y) * a->in_w * pixel + (a->src.index ? a->src.index[c] : c);
        float *first = to + d->pad_left % stride * phase + d->pad_left / stride;
        if (stride == 1 && pixel == 1) {
            if (n > 0) memcpy(first, from, (size_t)n * sizeof *to);
        } else if (stride == 1) {
            take_every(from, pixel, first, n);
        } else {
            float *second = to + (d->pad_left + 1) % 2 * phase + (d->pad_left + 1) / 2;
            if (pixel == 1) {
                conv->kernels->split(from, n, first, second);
            } else {
                take_every(from, 2 * pixel, first, (n + 1) / 2);
                take_every(from + pixel, 2 * pixel, second, n / 2);
            }
        }
    }
}

void up_across_rows(const up_conv *conv, const up_conv_args *a, int64_t image, int64_t y0, int64_t y1, const float *packed) {
    const up_conv_desc *d = &conv->desc;
    const up_layout *layout = &conv->layout;
    const int64_t phase = phase_floats(conv, a), row = up_across_row_floats(conv, a), sums = (int64_t)layout->taps * d->in_channels;
    int32_t places[MOST_SUMS], *place = places;
    for (int32_t ky = 0; ky < d->kernel_h; ky++)
        for (int32_t kx = 0; kx < d->kernel_w; kx++)
            for (int32_t c = 0; c < d->in_channels; c++)
                *place++ = (int32_t)(ky * d->dilation_h * row + (c * d->stride_w + kx % d->stride_w) * phase + kx / d->stride_w);
    for (int64_t y = y0; y < y1; y++, packed += d->stride_h * row) {
        float *dst = a->dst.data + (image * a->out_h + y) * a->out_w * a->dst.pixel_stride;
        for (int32_t q = 0; q < layout->panels; q++) {
            const up_panel panel = up_panel_at(layout, conv->panels[0].width, q);
            const int64_t left = layout->group_outputs - panel.first, width = conv->panels[panel.kind].width;
            const up_across t = {.src = packed, .places = places, .sums = sums, .weights = conv->weights + sums * panel.first, .weights_step = width,
                                 .bias = conv->bias + panel.first, .outputs = left < width ? left : width, .pixels = a->out_w,
                                 .dst = dst + panel.first, .dst_stride = a->dst.pixel_stride, .low = conv->low, .high = conv->high};
            conv->kernels->across_row(&t);
        }
        if (!conv->clamp) conv->kernels->act(&d->act, dst, a->dst.pixel_stride, a->out_w, d->out_channels);
    }
}
