/* The shapes that are timed: those of residual, dense and mobile networks, and odd widths as pruning leaves them. */
#ifndef SHAPES_H
#define SHAPES_H

#include "upscale_cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench_shape {
    const char *name;
    int batch, size, in, out, kernel, stride, groups;
} bench_shape;

static const bench_shape shapes[] = {
    {"56x56 64->64 3x3", 1, 56, 64, 64, 3, 1, 1},
    {"28x28 128->128 3x3", 1, 28, 128, 128, 3, 1, 1},
    {"14x14 256->256 3x3", 1, 14, 256, 256, 3, 1, 1},
    {"7x7 512->512 3x3", 1, 7, 512, 512, 3, 1, 1},
    {"56x56 37->51 3x3", 1, 56, 37, 51, 3, 1, 1},
    {"28x28 83->83 3x3", 1, 28, 83, 83, 3, 1, 1},
    {"14x14 171->171 3x3", 1, 14, 171, 171, 3, 1, 1},
    {"28x28 128->32 3x3", 1, 28, 128, 32, 3, 1, 1},
    {"56x56 256->64 1x1", 1, 56, 256, 64, 1, 1, 1},
    {"56x56 64->256 1x1", 1, 56, 64, 256, 1, 1, 1},
    {"28x28 512->128 1x1", 1, 28, 512, 128, 1, 1, 1},
    {"14x14 1024->256 1x1", 1, 14, 1024, 256, 1, 1, 1},
    {"7x7 2048->512 1x1", 1, 7, 2048, 512, 1, 1, 1},
    {"14x14 417->128 1x1", 1, 14, 417, 128, 1, 1, 1},
    {"56x56 51->171 1x1", 1, 56, 51, 171, 1, 1, 1},
    {"28x28 171->83 1x1", 1, 28, 171, 83, 1, 1, 1},
    {"224x224 3->64 7x7 /2", 1, 224, 3, 64, 7, 2, 1},
    {"224x224 3->49 7x7 /2", 1, 224, 3, 49, 7, 2, 1},
    {"224x224 3->32 3x3 /2", 1, 224, 3, 32, 3, 2, 1},
    {"224x224 3->24 3x3 /2", 1, 224, 3, 24, 3, 2, 1},
    {"224x224 3->17 3x3 /2", 1, 224, 3, 17, 3, 2, 1},
    {"112x112 12->22 3x3", 1, 112, 12, 22, 3, 1, 1},
    {"56x56 128->128 3x3 /2", 1, 56, 128, 128, 3, 2, 1},
    {"56x56 83->97 3x3 /2", 1, 56, 83, 97, 3, 2, 1},
    {"56x56 256->512 1x1 /2", 1, 56, 256, 512, 1, 2, 1},
    {"28x28 128->128 3x3 g32", 1, 28, 128, 128, 3, 1, 32},
    {"112x112 32 depthwise 3x3", 1, 112, 32, 32, 3, 1, 32},
    {"56x56 144 depthwise 3x3", 1, 56, 144, 144, 3, 1, 144},
    {"56x56 51 depthwise 3x3", 1, 56, 51, 51, 3, 1, 51},
    {"56x56 144 depthwise 3x3 /2", 1, 56, 144, 144, 3, 2, 144},
    {"14x14 480 depthwise 5x5", 1, 14, 480, 480, 5, 1, 480},
    {"7x7 960 depthwise 5x5", 1, 7, 960, 960, 5, 1, 960},
    {"1 2048->1000 linear", 1, 1, 2048, 1000, 1, 1, 1},
    {"8 2048->1000 linear", 8, 1, 2048, 1000, 1, 1, 1},
    {"N8 56x56 64->64 3x3", 8, 56, 64, 64, 3, 1, 1},
    {"N8 56x56 37->51 3x3", 8, 56, 37, 51, 3, 1, 1},
    {"N8 28x28 83->83 3x3", 8, 28, 83, 83, 3, 1, 1},
    {"N8 28x28 128->128 3x3", 8, 28, 128, 128, 3, 1, 1},
    {"N8 14x14 256->256 3x3", 8, 14, 256, 256, 3, 1, 1},
    {"N8 7x7 512->512 3x3", 8, 7, 512, 512, 3, 1, 1},
    {"N8 14x14 171->171 3x3", 8, 14, 171, 171, 3, 1, 1},
    {"N8 14x14 1024->256 1x1", 8, 14, 1024, 256, 1, 1, 1},
    {"N8 28x28 171->83 1x1", 8, 28, 171, 83, 1, 1, 1},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static float *filled(int64_t n) {
    float *p = aligned_alloc(64, (size_t)(n * 4 + 63) / 64 * 64);
    for (int64_t i = 0; i < n; i++) p[i] = (float)rand() * (2.0f / (float)RAND_MAX) - 1;
    return p;
}

/* A random half of 2 * n channels, ascending. */
static int32_t *random_half(int n) {
    int32_t *index = malloc((size_t)n * 4);
    for (int i = 0, left = n; left > 0; i++)
        if (rand() % (2 * n - i) < left) index[n - left--] = i;
    return index;
}

static up_conv_desc s_desc(const bench_shape *s) {
    return (up_conv_desc){.in_channels = s->in, .out_channels = s->out, .groups = s->groups, .kernel_h = s->kernel, .kernel_w = s->kernel,
                          .stride_h = s->stride, .stride_w = s->stride, .dilation_h = 1, .dilation_w = 1, .pad_top = s->kernel / 2,
                          .pad_left = s->kernel / 2, .act = {UP_RELU, 0, 0}};
}

static int s_out(const bench_shape *s) { return (s->size + s->stride - 1) / s->stride; }

/* From pixel to pixel of the tensor twice as wide. */
static int64_t s_wide(const bench_shape *s) { return 2 * s->in + 16; }

static double s_flops(const bench_shape *s) {
    double out = s_out(s);
    return 2.0 * s->batch * out * out * s->out * (s->in / s->groups) * s->kernel * s->kernel;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of `n` times, which are put in order. */
static double median_of(double *times, int n) {
    qsort(times, (size_t)n, sizeof *times, by_value);
    return times[n / 2];
}

#endif
