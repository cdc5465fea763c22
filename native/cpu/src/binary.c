/*
 * Operations of two values. An operand that is not a row of neighbouring floats (channels by index, one value for all) is
 * first written into small rows of its own, for a few pixels at a time or, where it is the same for all pixels of an image, once
 * per image; so the arithmetic has one shape only.
 */
#include "functions.h"
#include "channels.h"
#include "take.h"

#include <math.h>

enum {
    CHUNK = 256,             /* channels whose operands are written into rows, or results into the cache, at a time */
    PIXELS = TAKE_PIXELS     /* rows */
};

/* A block of an operand: rows of neighbouring floats; a stride of 0: the same for all pixels. */
typedef struct rows {
    const float *data;
    int64_t stride;
} rows;

#define ROWS(expression)                                          \
    do {                                                          \
        for (; pixels > 0; pixels--, a += as, b += bs, to += ts) { \
            int64_t k = 0;                                        \
            for (; k + VW <= n; k += VW) {                        \
                vf x = vload(a + k), y = vload(b + k);            \
                vstore(to + k, vmin(high, vmax(low, (expression)))); \
            }                                                     \
            if (k < n) {                                          \
                vf x = vload_part(a + k, n - k), y = vload_part(b + k, n - k); \
                vstore_part(to + k, vmin(high, vmax(low, (expression))), n - k); \
            }                                                     \
        }                                                         \
        return;                                                   \
    } while (0)

static void compute(int32_t op, rows x_rows, rows y_rows, float *to, int64_t ts, int64_t pixels, int64_t n, vf low, vf high) {
    const float *a = x_rows.data, *b = y_rows.data;
    const int64_t as = x_rows.stride, bs = y_rows.stride;
    switch (op) {
        case UP_ADD: ROWS(x + y);
        case UP_SUB: ROWS(x - y);
        case UP_MUL: ROWS(x * y);
        case UP_DIV: ROWS(x / y);
        case UP_MIN: ROWS(vmin(x, y));
        case UP_MAX: ROWS(vmax(x, y));
        case UP_PRELU: ROWS(vchoose(x < 0.0f, x * y, x));
        default: break;
    }
    const float l = low[0], h = high[0];
    for (; pixels > 0; pixels--, a += as, b += bs, to += ts)
        for (int64_t k = 0; k < n; k++) {
            float z = powf(a[k], b[k]);
            z = z < l ? l : z;
            to[k] = z > h ? h : z;
        }
}

UP_INLINE vf result_of(int32_t op, vf x, vf y) {
    switch (op) {
        case UP_ADD: return x + y;
        case UP_SUB: return x - y;
        case UP_MUL: return x * y;
        case UP_DIV: return x / y;
        case UP_MIN: return vmin(x, y);
        case UP_MAX: return vmax(x, y);
        default: return vchoose(x < 0.0f, x * y, x);
    }
}

/* A vector of channels by index, which are the second operand or the first, and those of rows. All but powers. */
UP_INLINE void compute_taken(int32_t op, const take *t, const float *from, int64_t from_stride, rows other, float *to, int64_t to_stride,
                             int64_t pixels, vf low, vf high, int second, const int vectors) {
    const float *data = other.data;
    for (; pixels > 0; pixels--, from += from_stride, data += other.stride, to += to_stride) {
        const vf taken = take_pixel(t, from, vectors), loaded = vload_n(data, t->n);
        const vf z = op == UP_ADD ? taken + loaded : op == UP_MUL ? taken * loaded : second ? result_of(op, loaded, taken) : result_of(op, taken, loaded);
        vstore_n(to, vmin(high, vmax(low, z)), t->n);
    }
}

/* The channels of a few pixels that `plans` take. */
static void compute_by_index(int32_t op, const take *plans, int64_t n, const float *from, int64_t from_stride, rows other, float *to,
                             int64_t to_stride, int64_t pixels, vf low, vf high, int second) {
    for (const take *t = plans; t < plans + n; t++, other.data += VW, to += VW)
        UP_WITH_VECTORS(t, compute_taken(op, t, from, from_stride, other, to, to_stride, pixels, low, high, second, VECTORS))
}

/* Powers that need no powf: x, x^2, x^3. */
static int simple_power(float exponent, const float *a, float *to, int64_t n, vf low, vf high) {
    if (exponent != 1 && exponent != 2 && exponent != 3) return 0;
    for (int64_t k = 0; k < n; k += VW) {
        vf x = vload_n(a + k, n - k);
        vf y = exponent == 1 ? x : exponent == 2 ? x * x : x * x * x;
        vstore_n(to + k, vmin(high, vmax(low, y)), n - k);
    }
    return 1;
}

/* Whether an operand has to be written into rows first. */
static int scattered(const up_operand *o) { return o->channel_stride == 0 || o->index; }

/* Whether each pixel's channels are read by index. */
static int by_index(const up_operand *o) { return o->channel_stride && o->index && o->pixel_stride; }

/* Channels [c, c + n) of pixels from p on; `buffer` keeps those of an operand that is the same for all pixels. */
static rows block_of(const up_operand *o, int64_t p, int64_t pixels, int64_t c, int64_t n, float *buffer, int fresh) {
    const float *data = o->data + p * o->pixel_stride;
    if (!scattered(o)) return (rows){data + c, o->pixel_stride};
    const int64_t stride = o->pixel_stride ? CHUNK : 0, count = stride ? pixels : 1;
    if (!stride && !fresh) return (rows){buffer, 0};
    if (o->channel_stride == 0) {
        for (int64_t i = 0; i < count; i++, data += o->pixel_stride)
            for (int64_t k = 0; k < n; k++) buffer[i * CHUNK + k] = *data;
    } else if (count > 1) {
        take_channels(o->index + c, n, data, o->pixel_stride, buffer, CHUNK, count);
    } else {
        copy_channels(buffer, data, o->index + c, n);
    }
    return (rows){buffer, stride};
}

/* Whether the operand's pixels lie without gaps, or all of it is one value: then `pixels` of them are one long row. */
static int flat(const up_operand *o, int64_t channels) {
    if (o->channel_stride == 0) return o->pixel_stride == 0;
    return !o->index && o->pixel_stride == channels;
}

static void image_part(const up_binary_args *args, const up_operand *a, const up_operand *b, float *dst, int64_t dst_stride,
                       int64_t pixels, int64_t channels) {
    float low, high, buffers[2][PIXELS * CHUNK];
    const int clamp = up_act_is_clamp(&args->act, &low, &high);
    const vf vlow = vsplat(low), vhigh = vsplat(high);
    const int one_exponent = args->op == UP_POW && b->channel_stride == 0;
    const int whole = clamp && !scattered(a) && !scattered(b);    /* all channels at once */
    const int64_t chunk = whole ? channels : pixels == 1 ? PIXELS * CHUNK : CHUNK;
    /* which operand is taken by index while it is computed */
    const int taken = args->op == UP_POW || pixels == 1 ? 0 : by_index(a) ? 1 : by_index(b) ? 2 : 0;
    const up_operand *listed = taken == 1 ? a : b;
    take plans[CHUNK / VW];
    const int64_t most = one_exponent ? 1 : whole ? PIXELS : take_between(dst_stride, take_between(a->pixel_stride, b->pixel_stride));
    for (int64_t c = 0; c < channels; c += chunk) {
        const int64_t n = channels - c < chunk ? channels - c : chunk, vectors = taken ? (n + VW - 1) / VW : 0;
        for (int64_t v = 0; v < vectors; v++) plans[v] = plan_take(listed->index + c + v * VW, n - v * VW < VW ? n - v * VW : VW);
        for (int64_t p = 0, count; p < pixels; p += count) {
            count = pixels - p < most ? pixels - p : most;
            float *to = dst + p * dst_stride + c;
            rows x = {0}, y = {0};
            if (taken != 1) x = block_of(a, p, count, c, n, buffers[0], p == 0);
            if (taken != 2) y = block_of(b, p, count, c, n, buffers[1], p == 0);
            if (taken) compute_by_index(args->op, plans, vectors, listed->data + p * listed->pixel_stride, listed->pixel_stride, taken == 1 ? y : x, to,
                                        dst_stride, count, vlow, vhigh, taken == 2);
            else if (!one_exponent || !simple_power(b->data[p * b->pixel_stride], x.data, to, n, vlow, vhigh))
                compute(args->op, x, y, to, dst_stride, count, n, vlow, vhigh);
            if (!clamp) UP_NAME(up_act_pixels)(&args->act, to, dst_stride, count, n);
        }
    }
}

void UP_NAME(up_binary_task)(const void *argument, int64_t first, int64_t last) {
    const up_job *job = argument;
    const up_binary_args *args = job->args;
    const int64_t channels = args->channels;
    int64_t p = up_cut(job->items, job->tasks, first), end = up_cut(job->items, job->tasks, last);
    while (p < end) {
        const int64_t image = p / args->pixels, at = p % args->pixels;
        const int64_t count = args->pixels - at < end - p ? args->pixels - at : end - p;
        up_operand a = args->a, b = args->b;
        a.data += image * a.image_stride + at * a.pixel_stride;
        b.data += image * b.image_stride + at * b.pixel_stride;
        float *dst = args->dst.data + p * args->dst.pixel_stride;
        if (flat(&a, channels) && flat(&b, channels) && args->dst.pixel_stride == channels)
            image_part(args, &a, &b, dst, 0, 1, count * channels);
        else
            image_part(args, &a, &b, dst, args->dst.pixel_stride, count, channels);
        p += count;
    }
}
