/* One shape's convolution with its data, for the library that a program is linked with. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "shapes.h"

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
} problem;

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
    const int out = s_out(s);
    int64_t pixels = (int64_t)s->batch * s->size * s->size;
    const int64_t stride = s_wide(s);
    q.weights = filled((int64_t)s->out * (s->in / s->groups) * s->kernel * s->kernel);
    q.bias = filled(s->out);
    q.dense = filled(pixels * s->in);
    q.wide = filled(pixels * stride);
    q.dst = filled((int64_t)s->batch * out * out * s->out);
    q.index = random_half(s->in);
    const up_conv_desc d = s_desc(s);
    require(up_conv_create(&d, q.weights, q.bias, &q.conv));
    up_conv_args a = {.batch = s->batch, .in_h = s->size, .in_w = s->size, .out_h = out, .out_w = out,
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
