/*
 * Operations of two values. An operand that is not a row of neighbouring floats (channels by index, one value for all) is
 * first written into a small row of its own, once per pixel or, where it is the same for all pixels of an image, once
 * per image; so the arithmetic has one shape only.
 */
#include "functions.h"
#include "channels.h"

#include <math.h>

enum { CHUNK = 512 };

#define ROW(expression)                                           \
    do {                                                          \
        int64_t k = 0;                                            \
        for (; k + VW <= n; k += VW) {                            \
            vf x = vload(a + k), y = vload(b + k);                \
            vstore(to + k, vmin(high, vmax(low, (expression))));  \
        }                                                         \
        if (k < n) {                                              \
            vf x = vload_part(a + k, n - k), y = vload_part(b + k, n - k); \
            vstore_part(to + k, vmin(high, vmax(low, (expression))), n - k); \
        }                                                         \
        return;                                                   \
    } while (0)

static void row(int32_t op, const float *a, const float *b, float *to, int64_t n, vf low, vf high) {
    switch (op) {
        case UP_ADD: ROW(x + y);
        case UP_SUB: ROW(x - y);
        case UP_MUL: ROW(x * y);
        case UP_DIV: ROW(x / y);
        case UP_MIN: ROW(vmin(x, y));
        case UP_MAX: ROW(vmax(x, y));
        case UP_PRELU: ROW(vchoose(x < 0.0f, x * y, x));
        default: break;
    }
    const float l = low[0], h = high[0];
    for (int64_t k = 0; k < n; k++) {
        float z = powf(a[k], b[k]);
        z = z < l ? l : z;
        to[k] = z > h ? h : z;
    }
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

/* Whether an operand has to be written into a row first. */
static int scattered(const up_operand *o) { return o->channel_stride == 0 || o->index; }

static const float *spread(const up_operand *o, const float *pixel, int64_t c, int64_t n, float *buffer) {
    if (o->channel_stride == 0)
        for (int64_t k = 0; k < n; k++) buffer[k] = *pixel;
    else
        copy_channels(buffer, pixel, o->index + c, n);
    return buffer;
}

/* Whether the operand's pixels lie without gaps, or all of it is one value: then `pixels` of them are one long row. */
static int flat(const up_operand *o, int64_t channels) {
    if (o->channel_stride == 0) return o->pixel_stride == 0;
    return !o->index && o->pixel_stride == channels;
}

static void image_part(const up_binary_args *args, const up_operand *a, const up_operand *b, float *dst, int64_t dst_stride,
                       int64_t pixels, int64_t channels) {
    float low, high, rows[2][CHUNK];
    const int clamp = up_act_is_clamp(&args->act, &low, &high);
    const vf vlow = vsplat(low), vhigh = vsplat(high);
    const int one_exponent = args->op == UP_POW && b->channel_stride == 0;
    for (int64_t c = 0; c < channels; c += CHUNK) {
        const int64_t n = channels - c < CHUNK ? channels - c : CHUNK;
        const float *x = a->data, *y = b->data, *xs = NULL, *ys = NULL;
        for (int64_t p = 0; p < pixels; p++, x += a->pixel_stride, y += b->pixel_stride) {
            float *to = dst + p * dst_stride + c;
            if (!scattered(a)) xs = x + c;
            else if (!xs || a->pixel_stride) xs = spread(a, x, c, n, rows[0]);
            if (!scattered(b)) ys = y + c;
            else if (!ys || b->pixel_stride) ys = spread(b, y, c, n, rows[1]);
            if (!one_exponent || !simple_power(*y, xs, to, n, vlow, vhigh)) row(args->op, xs, ys, to, n, vlow, vhigh);
            if (!clamp) UP_NAME(up_apply)(&args->act, to, n);
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
