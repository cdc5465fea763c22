/* Functions of one value, and the kernels on one pixel at a time. */
#include "check.h"

/* ---------------------------------------------------------------- functions */

static void check_function(up_act act, double low, double high, double relative) {
    enum { N = 20011 };
    float *x = guarded(N), *y = guarded(N);
    for (int i = 0; i < N; i++) x[i] = (float)(low + (high - low) * i / (N - 1));
    for (int i = 0; i < 4000; i++) x[i] = (float)((high - low) / 2 * random_float() * exp2(-random_int(0, 30)));    /* near zero too */
    for (int i = 0; i < 4000; i++)
        if (x[i] < low) x[i] = -x[i];
    up_pointwise_args args = {.pixels = N, .channels = 1, .src = {x, 1, NULL}, .dst = {y, 1}, .act = act};
    CHECK(up_pointwise(&args, NULL) == UP_OK, "%s", up_last_error());
    double worst = 0, at = 0;
    for (int i = 0; i < N; i++) {
        double want = function_of(&act, x[i]), difference = fabs(y[i] - want);
        if (isnan(want) || isinf((float)want) || fabs(want) < 1e-37) {
            CHECK(near(y[i], isnan(want) ? want : (float)want, 1e-37), "%s: function %d of %g: %g, not %g", up_isa_name(up_get_isa()),
                  act.function, (double)x[i], (double)y[i], want);
            continue;
        }
        if (!(difference / fabs(want) <= worst)) {
            worst = difference / fabs(want);
            at = x[i];
        }
    }
    CHECK(worst <= relative, "%s: function %d: relative error %g at %g", up_isa_name(up_get_isa()), act.function, worst, at);
    if (getenv("UP_TEST_VERBOSE")) printf("%s function %2d on [%g, %g]: relative error %.2g at %g\n", up_isa_name(up_get_isa()), act.function, low, high, worst, at);
    release_all();
}

void test_functions(void) {
    seed(5);
    check_function((up_act){UP_NONE, 0, 0}, -100, 100, 0);
    check_function((up_act){UP_RELU, 0, 0}, -100, 100, 0);
    check_function((up_act){UP_CLAMP, -3, 2.5f}, -100, 100, 0);
    check_function((up_act){UP_SIGMOID, 0, 0}, -87, 100, 5e-7);
    check_function((up_act){UP_SILU, 0, 0}, -85, 100, 5e-7);
    check_function((up_act){UP_HARD_SIGMOID, 0.25f, 0.5f}, -10, 10, 2e-7);
    check_function((up_act){UP_HARD_SWISH, 0, 0}, -2.9, 10, 4e-6);
    check_function((up_act){UP_LEAKY_RELU, 0.1f, 0}, -10, 10, 2e-7);
    check_function((up_act){UP_TANH, 0, 0}, -50, 50, 5e-7);
    check_function((up_act){UP_GELU, 0, 0}, -3, 50, 2e-6);
    check_function((up_act){UP_GELU, 0, 0}, -8, -3, 1e-5);
    check_function((up_act){UP_GELU_TANH, 0, 0}, -5, 50, 5e-6);
    check_function((up_act){UP_ELU, 1.5f, 0}, -50, 50, 5e-7);
    check_function((up_act){UP_SELU, 1.67326f, 1.0507f}, -50, 50, 5e-7);
    check_function((up_act){UP_MISH, 0, 0}, -80, 100, 5e-7);
    check_function((up_act){UP_SOFTPLUS, 0, 0}, -85, 100, 5e-7);
    check_function((up_act){UP_ERF, 0, 0}, -10, 10, 5e-7);
    check_function((up_act){UP_EXP, 0, 0}, -86, 100, 2.5e-7);
    check_function((up_act){UP_LOG, 0, 0}, 0, 0.7, 5e-7);
    check_function((up_act){UP_LOG, 0, 0}, 0.7, 1.4, 1.5e-6);
    check_function((up_act){UP_LOG, 0, 0}, 1e-38, 1e-30, 5e-7);
    check_function((up_act){UP_LOG, 0, 0}, 1.4, 1e30, 5e-7);
    check_function((up_act){UP_SQRT, 0, 0}, 0, 1e5, 1e-7);
    check_function((up_act){UP_ABS, 0, 0}, -5, 5, 0);
    check_function((up_act){UP_NEG, 0, 0}, -5, 5, 0);
    check_function((up_act){UP_RECIPROCAL, 0, 0}, 1e-3, 5, 1e-7);
    check_function((up_act){UP_SQUARE, 0, 0}, -5, 5, 1e-7);
    check_function((up_act){UP_FLOOR, 0, 0}, -50, 50, 0);
    check_function((up_act){UP_CEIL, 0, 0}, -50, 50, 0);
    check_function((up_act){UP_ROUND, 0, 0}, -50, 50, 0);
    check_function((up_act){UP_FLOOR, 0, 0}, -1e9, 1e9, 0);
    check_function((up_act){UP_SIGN, 0, 0}, -5, 5, 0);

    /* special values */
    static const float special[] = {0, -0.0f, 1, -1, INFINITY, -INFINITY, NAN, 1e-40f, -1e-40f, 3e38f, -3e38f, 0.5f, 1.5f, 2.5f, -0.5f, 88.9f};
    enum { N = sizeof special / sizeof *special };
    for (int f = 0; f < UP_FUNCTIONS; f++) {
        float y[N];
        up_act act = {f, f == UP_CLAMP ? -1 : 1, 1};
        up_pointwise_args args = {.pixels = N, .channels = 1, .src = {special, 1, NULL}, .dst = {y, 1}, .act = act};
        CHECK(up_pointwise(&args, NULL) == UP_OK, "%s", up_last_error());
        for (int i = 0; i < N; i++) {
            double want = (float)function_of(&act, special[i]), tolerance = 2e-6 * fabs(want) + 1e-37;
            int unclear = isinf(special[i]) && (f == UP_SILU || f == UP_GELU || f == UP_GELU_TANH || f == UP_MISH || f == UP_HARD_SWISH);
            int fmax_of_nan = isnan(special[i]) && (f == UP_HARD_SIGMOID || f == UP_HARD_SWISH);
            if (fmax_of_nan) want = NAN;
            CHECK(unclear || near(y[i], want, tolerance), "%s: function %d of %g: %g, not %g", up_isa_name(up_get_isa()), f,
                  (double)special[i], (double)y[i], want);
        }
    }
}

/* ---------------------------------------------------------------- pointwise, softmax, gather */

static void pointwise_case(up_pool *pool) {
    int64_t pixels = random_int(0, 60);
    int channels = random_int(1, one_in(4) ? 400 : 40);
    int scaled = one_in(2), shifted = one_in(2), in_place = one_in(4);
    up_act act = random_act();
    view src = source_view(pixels, channels, in_place ? (one_in(2) ? DENSE : SLICE) : ANY), dst = in_place ? src : target_view(pixels, channels);
    view before = in_place ? copy_of(src) : src;
    float *scale = guarded(channels), *shift = guarded(channels);
    for (int k = 0; k < channels; k++) {
        scale[k] = random_float();
        shift[k] = random_float();
    }
    up_pointwise_args args = {.pixels = pixels, .channels = channels, .src = as_source(src), .dst = as_target(dst),
                              .scale = scaled ? scale : NULL, .shift = shifted ? shift : NULL, .act = act};
    CHECK(up_pointwise(&args, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "pointwise wrote beside");
    for (int64_t p = 0; p < pixels; p++)
        for (int k = 0; k < channels; k++) {
            double x = (double)at(before, p, k) * (scaled ? scale[k] : 1) + (shifted ? shift[k] : 0);
            CHECK(near(dst.data[p * dst.stride + k], function_of(&act, x), 1e-6), "pointwise: pixel %ld channel %d function %d", (long)p, k, act.function);
        }
    free(src.index);
    release_all();
}

static void softmax_case(up_pool *pool) {
    int64_t pixels = random_int(0, 40);
    int channels = random_int(1, one_in(4) ? 1500 : 40), logarithm = one_in(2), in_place = one_in(4);
    view src = source_view(pixels, channels, in_place ? SLICE : ANY);
    for (int64_t p = 0; p < pixels && !src.index; p++)
        for (int k = 0; k < channels; k++) src.data[p * src.stride + k] *= 30;
    view dst = in_place ? src : target_view(pixels, channels), before = in_place ? copy_of(src) : src;
    up_softmax_args args = {.pixels = pixels, .channels = channels, .logarithm = logarithm, .src = as_source(src), .dst = as_target(dst)};
    CHECK(up_softmax(&args, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "softmax wrote beside");
    for (int64_t p = 0; p < pixels; p++) {
        double most = -INFINITY, sum = 0;
        for (int k = 0; k < channels; k++) most = fmax(most, at(before, p, k));
        for (int k = 0; k < channels; k++) sum += exp(at(before, p, k) - most);
        for (int k = 0; k < channels; k++) {
            double x = at(before, p, k) - most, want = logarithm ? x - log(sum) : exp(x) / sum;
            CHECK(near(dst.data[p * dst.stride + k], want, 2e-6 * fabs(want) + 5e-7), "softmax of %d, logarithm %d: channel %d: %g, not %g", channels,
                  logarithm, k, (double)dst.data[p * dst.stride + k], want);
        }
    }
    free(src.index);
    release_all();
}

static void gather_case(up_pool *pool) {
    int64_t pixels = random_int(0, one_in(4) ? 300 : 60);
    int channels = random_int(1, one_in(4) ? 400 : 40);
    view src = source_view(pixels, channels, ANY), dst = target_view(pixels, channels);
    if (src.index && one_in(2) && src.stride >= channels + 2) {    /* two long runs */
        int cut = random_int(0, channels);
        for (int k = 0; k < channels; k++) src.index[k] = k < cut ? k : k + 2;
        src.data = guarded(pixels * src.stride);
        for (int64_t i = 0; i < pixels * src.stride; i++) src.data[i] = random_float();
    }
    up_gather_args args = {.pixels = pixels, .channels = channels, .src = as_source(src), .dst = as_target(dst)};
    CHECK(up_gather(&args, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "gather wrote beside");
    for (int64_t p = 0; p < pixels; p++)
        for (int k = 0; k < channels; k++)
            CHECK(dst.data[p * dst.stride + k] == at(src, p, k), "gather: pixel %ld channel %d of %d, stride %ld", (long)p, k, channels, (long)src.stride);
    free(src.index);
    release_all();
}

void test_pointwise(up_pool *pool) {
    for (int i = 0; i < 300; i++) {
        seed(20000 + (uint64_t)i);
        pointwise_case(pool);
        softmax_case(pool);
        gather_case(pool);
    }
}

/* ---------------------------------------------------------------- binary */

enum kind { SAME, PER_IMAGE, PER_CHANNEL, PER_PIXEL, ONE };

static up_operand operand(enum kind kind, int batch, int64_t pixels, int channels, view *v) {
    if (kind == SAME) {
        *v = source_view(batch * pixels, channels, ANY);
        return (up_operand){v->data, pixels * v->stride, v->stride, 1, v->index};
    }
    if (kind == PER_IMAGE) {
        *v = source_view(batch, channels, ANY);
        return (up_operand){v->data, v->stride, 0, 1, v->index};
    }
    if (kind == PER_CHANNEL) {
        *v = source_view(1, channels, ANY);
        return (up_operand){v->data, 0, 0, 1, v->index};
    }
    if (kind == PER_PIXEL) {
        *v = source_view(batch * pixels, 1, one_in(2) ? DENSE : SLICE);
        return (up_operand){v->data, pixels * v->stride, v->stride, 0, NULL};
    }
    *v = source_view(1, 1, DENSE);
    return (up_operand){v->data, 0, 0, 0, NULL};
}

static double value(const up_operand *o, int64_t n, int64_t p, int k) {
    return o->data[n * o->image_stride + p * o->pixel_stride + (o->channel_stride ? (o->index ? o->index[k] : k) : 0)];
}

static double binary_of(int op, double x, double y) {
    switch (op) {
        case UP_ADD: return x + y;
        case UP_SUB: return x - y;
        case UP_MUL: return x * y;
        case UP_DIV: return x / y;
        case UP_MIN: return x < y ? x : y;
        case UP_MAX: return x > y ? x : y;
        case UP_POW: return pow(x, y);
        default: return x < 0 ? x * y : x;
    }
}

static void binary_case(up_pool *pool) {
    int batch = random_int(0, 3), channels = random_int(1, one_in(5) ? 1100 : 40), op = random_int(UP_ADD, UP_PRELU);
    int64_t pixels = random_int(0, one_in(4) ? 70 : 30);
    enum kind ka = one_in(2) ? SAME : (enum kind)random_int(SAME, ONE), kb = (enum kind)random_int(SAME, ONE);
    view va, vb;
    up_operand a = operand(ka, batch, pixels, channels, &va), b = operand(kb, batch, pixels, channels, &vb);
    if (op == UP_POW)
        for (int64_t i = 0; i < va.floats; i++) va.memory[i] = fabsf(va.memory[i]);
    if (op == UP_POW && kb == ONE && one_in(2)) vb.data[0] = (float)random_int(1, 3);
    view dst = target_view(batch * pixels, channels), original = va;
    int in_place = ka == SAME && !va.index && one_in(3);
    if (in_place) {
        original = copy_of(va);
        dst = va;
    }
    up_binary_args args = {.batch = batch, .channels = channels, .pixels = pixels, .op = op, .act = random_act(), .a = a, .b = b, .dst = as_target(dst)};
    CHECK(up_binary(&args, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "binary wrote beside");
    a.data = original.data;
    for (int64_t n = 0; n < batch; n++)
        for (int64_t p = 0; p < pixels; p++)
            for (int k = 0; k < channels; k++) {
                double want = function_of(&args.act, binary_of(op, value(&a, n, p, k), value(&b, n, p, k)));
                float got = dst.data[(n * pixels + p) * dst.stride + k];
                CHECK(near(got, want, 3e-6 * fabs(want) + 1e-6), "binary %d of kinds %d, %d: image %ld pixel %ld channel %d of %d: %g, not %g", op, ka, kb, (long)n,
                      (long)p, k, channels, (double)got, want);
            }
    free(va.index);
    free(vb.index);
    release_all();
}

void test_binary(up_pool *pool) {
    for (int i = 0; i < 500; i++) {
        seed(30000 + (uint64_t)i);
        binary_case(pool);
    }
}
