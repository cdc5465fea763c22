/* The shapes that are timed: those of residual, dense and mobile networks, and odd widths as pruning leaves them. */
#ifndef SHAPES_H
#define SHAPES_H

#include "upscale_cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    {"224x224 3->32 3x3 /2", 1, 224, 3, 32, 3, 2, 1},
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

enum { DENSE, SLICE, INDEXED, SOURCES, WAYS = 3 };

static int has_winograd(const bench_shape *s) { return s->kernel == 3 && s->stride == 1 && s->groups == 1; }

/* One shape's convolution, and its runs: directly, and by Winograd's algorithm with tiles of 4 and of 2. */
typedef struct problem {
    up_conv *conv;
    up_conv_args args[SOURCES];
    up_winograd *winograd[2];
    up_winograd_args winograd_args[2][SOURCES];
    float *weights, *bias, *dense, *wide, *dst;
    int32_t *index;
    int pad, out;
} problem;

static double s_flops(const bench_shape *s) {
    double out = (s->size + s->stride - 1) / s->stride;
    return 2.0 * s->batch * out * out * s->out * (s->in / s->groups) * s->kernel * s->kernel;
}

static float *filled(int64_t n) {
    float *p = aligned_alloc(64, (size_t)(n * 4 + 63) / 64 * 64);
    for (int64_t i = 0; i < n; i++) p[i] = (float)rand() * (2.0f / (float)RAND_MAX) - 1;
    return p;
}

static void require(int32_t status) {
    if (!status) return;
    fprintf(stderr, "%s\n", up_last_error());
    exit(1);
}

static void make_winograd(problem *q, const up_conv_desc *d, int threads) {
    for (int i = 0; i < 2; i++) {
        int64_t bytes;
        require(up_winograd_create(d, i ? 2 : 4, q->weights, q->bias, &q->winograd[i]));
        require(up_winograd_workspace_bytes(d, i ? 2 : 4, q->args, threads, &bytes));
        void *workspace = aligned_alloc(64, (size_t)bytes);
        for (int v = 0; v < SOURCES; v++) q->winograd_args[i][v] = (up_winograd_args){q->args[v], workspace, bytes};
    }
}

static problem make_problem(const bench_shape *s, int threads) {
    problem q = {0};
    q.pad = s->kernel / 2;
    q.out = (s->size + s->stride - 1) / s->stride;
    int64_t pixels = (int64_t)s->batch * s->size * s->size;
    int64_t stride = 2 * s->in + 16;
    q.weights = filled((int64_t)s->out * (s->in / s->groups) * s->kernel * s->kernel);
    q.bias = filled(s->out);
    q.dense = filled(pixels * s->in);
    q.wide = filled(pixels * stride);
    q.dst = filled((int64_t)s->batch * q.out * q.out * s->out);
    q.index = malloc((size_t)s->in * 4);
    for (int i = 0, left = s->in; left > 0; i++)
        if (rand() % (2 * s->in - i) < left) q.index[s->in - left--] = i;
    up_conv_desc d = {.in_channels = s->in, .out_channels = s->out, .groups = s->groups, .kernel_h = s->kernel, .kernel_w = s->kernel,
                      .stride_h = s->stride, .stride_w = s->stride, .dilation_h = 1, .dilation_w = 1, .pad_top = q.pad, .pad_left = q.pad,
                      .act = {UP_RELU, 0, 0}};
    require(up_conv_create(&d, q.weights, q.bias, &q.conv));
    up_conv_args a = {.batch = s->batch, .in_h = s->size, .in_w = s->size, .out_h = q.out, .out_w = q.out,
                      .src = {q.dense, s->in, NULL}, .dst = {q.dst, s->out}};
    q.args[DENSE] = q.args[SLICE] = q.args[INDEXED] = a;
    q.args[SLICE].src = (up_source){q.wide + 5, stride, NULL};
    q.args[INDEXED].src = (up_source){q.wide, stride, q.index};
    if (has_winograd(s)) make_winograd(&q, &d, threads);
    return q;
}

static void free_problem(problem *q) {
    up_conv_destroy(q->conv);
    for (int i = 0; i < 2; i++) {
        up_winograd_destroy(q->winograd[i]);
        free(q->winograd_args[i][0].workspace);
    }
    free(q->weights);
    free(q->bias);
    free(q->dense);
    free(q->wide);
    free(q->dst);
    free(q->index);
}

#endif
