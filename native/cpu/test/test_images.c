/* Kernels that know rows and columns: windows, reductions, resize, pad, layout conversion. */
#include "check.h"

/* Any windows; those that kernels of their own compute; images wider than the rows that are gathered at a time, windows larger than these. */
static up_window_args random_window(void) {
    up_window_args a = {.op = random_int(0, 1), .batch = random_int(1, 2), .channels = random_int(1, one_in(3) ? 200 : 40), .in_h = random_int(1, 10),
                        .in_w = random_int(1, 10), .kernel_h = random_int(1, 4), .kernel_w = random_int(1, 4), .stride_h = random_int(1, 3),
                        .stride_w = random_int(1, 3), .dilation_h = random_int(1, 2), .dilation_w = random_int(1, 2),
                        .count_include_pad = one_in(2), .out_h = random_int(1, 8), .out_w = random_int(1, 8)};
    if (one_in(2)) {
        a.kernel_h = a.kernel_w = random_int(2, 3);
        a.stride_h = a.stride_w = random_int(a.kernel_w == 2 ? 2 : 1, 2);
        a.dilation_w = 1;
        a.in_h = random_int(1, 30);
        a.in_w = random_int(1, 30);
        a.out_h = (a.in_h + 1) / a.stride_h;
        a.out_w = (a.in_w + 1) / a.stride_w;
    } else if (one_in(10)) {
        a.batch = 1;
        a.channels = random_int(1, 50);
        a.in_w = random_int(200, 700);
        a.out_w = a.in_w / a.stride_w;
        if (one_in(3)) a.kernel_w = random_int(1, a.in_w);
        if (one_in(3)) a.kernel_h = random_int(a.in_h, 30);
    }
    if (a.out_h < 1) a.out_h = 1;
    if (a.out_w < 1) a.out_w = 1;
    return a;
}

/* Some values that are no numbers: maxima leave them out. */
static void spoil(view v) {
    for (int64_t p = 0; p < v.pixels; p++)
        for (int k = 0; k < v.channels; k++)
            if (one_in(3)) v.data[p * v.stride + (v.index ? v.index[k] : k)] = NAN;
}

static void window_case(up_pool *pool) {
    up_window_args a = random_window();
    a.pad_top = random_int(0, a.kernel_h);
    a.pad_left = random_int(0, a.kernel_w);
    a.pad_bottom = random_int(0, a.kernel_h);
    a.pad_right = random_int(0, a.kernel_w);    /* any size of the output is allowed: windows past the end are cut, or empty */
    view src = source_view((int64_t)a.batch * a.in_h * a.in_w, a.channels, ANY), dst = target_view((int64_t)a.batch * a.out_h * a.out_w, a.channels);
    if (a.op == UP_POOL_MAX && one_in(4)) spoil(src);
    a.src = as_source(src);
    a.dst = as_target(dst);
    CHECK(up_window(&a, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "window wrote beside");
    for (int64_t p = 0; p < dst.pixels; p++) {
        int x = (int)(p % a.out_w), y = (int)(p / a.out_w % a.out_h);
        int64_t n = p / a.out_w / a.out_h;
        for (int k = 0; k < a.channels; k++) {
            double most = -INFINITY, sum = 0;
            int inside = 0, padded = 0;
            for (int i = 0; i < a.kernel_h; i++)
                for (int j = 0; j < a.kernel_w; j++) {
                    int iy = y * a.stride_h - a.pad_top + i * a.dilation_h, ix = x * a.stride_w - a.pad_left + j * a.dilation_w;
                    padded += iy < a.in_h + a.pad_bottom && ix < a.in_w + a.pad_right;
                    if (iy < 0 || iy >= a.in_h || ix < 0 || ix >= a.in_w) continue;
                    inside++;
                    double v = at(src, (n * a.in_h + iy) * a.in_w + ix, k);
                    most = fmax(most, v);
                    sum += v;
                }
            int count = a.count_include_pad ? padded : inside;
            double want = a.op == UP_POOL_MAX ? most : count ? sum / count : 0;
            CHECK(near(dst.data[p * dst.stride + k], want, 1e-6), "window %d: pixel %ld channel %d: %g, not %g", a.op, (long)p, k,
                  (double)dst.data[p * dst.stride + k], want);
        }
    }
    free(src.index);
    release_all();
}

static void reduce_case(up_pool *pool) {
    up_reduce_args a = {.op = random_int(0, 2), .batch = random_int(0, 3), .channels = random_int(1, one_in(8) ? 1300 : 200), .pixels = random_int(1, 150)};
    view src = source_view(a.batch * a.pixels, a.channels, ANY), dst = target_view(a.batch, a.channels);
    if (a.op == UP_REDUCE_MAX && one_in(4)) spoil(src);
    a.src = as_source(src);
    a.dst = as_target(dst);
    CHECK(up_reduce(&a, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "reduce wrote beside");
    for (int64_t n = 0; n < a.batch; n++)
        for (int k = 0; k < a.channels; k++) {
            double most = -INFINITY, sum = 0;
            for (int64_t p = 0; p < a.pixels; p++) {
                sum += at(src, n * a.pixels + p, k);
                most = fmax(most, at(src, n * a.pixels + p, k));
            }
            double want = a.op == UP_REDUCE_MAX ? most : a.op == UP_REDUCE_SUM ? sum : sum / (double)a.pixels;
            CHECK(near(dst.data[n * dst.stride + k], want, 1e-7 * (double)a.pixels + 1e-7), "reduce %d over %ld pixels: channel %d: %g, not %g", a.op, (long)a.pixels,
                  k, (double)dst.data[n * dst.stride + k], want);
        }
    free(src.index);
    release_all();
}

void test_windows(up_pool *pool) {
    for (int i = 0; i < 400; i++) {
        seed(40000 + (uint64_t)i);
        window_case(pool);
        reduce_case(pool);
    }
}

/* Where the outputs of a row or column lie: anywhere, or in order. */
static void random_table(int outputs, int inputs, int32_t *first, int32_t *second, float *weight) {
    int ordered = one_in(2);
    for (int i = 0; i < outputs; i++) {
        weight[i] = fabsf(random_float());
        first[i] = ordered ? (int32_t)((int64_t)i * inputs / outputs) : random_int(0, inputs - 1);
        second[i] = ordered ? (first[i] + 1 < inputs ? first[i] + 1 : first[i]) : random_int(0, inputs - 1);
    }
}

static void resize_case(up_pool *pool) {
    enum { MOST = 900 };
    up_resize_args a = {.batch = random_int(1, 2), .channels = random_int(1, one_in(3) ? 200 : 40), .in_h = random_int(1, 8), .in_w = random_int(1, 8),
                        .out_h = random_int(1, 12), .out_w = random_int(1, 12)};
    if (one_in(12)) {    /* wider than the rows that are gathered at a time */
        a.batch = 1;
        a.channels = random_int(1, 50);
        a.in_w = random_int(100, MOST);
        a.out_w = random_int(1, MOST);
        a.in_h = random_int(1, 4);
        a.out_h = random_int(1, 6);
    }
    view src = source_view((int64_t)a.batch * a.in_h * a.in_w, a.channels, ANY), dst = target_view((int64_t)a.batch * a.out_h * a.out_w, a.channels);
    static int32_t rows[2][MOST], columns[2][MOST];
    static float row_weight[MOST], column_weight[MOST];
    random_table(a.out_h, a.in_h, rows[0], rows[1], row_weight);
    random_table(a.out_w, a.in_w, columns[0], columns[1], column_weight);
    int bilinear = one_in(2);
    a.src = as_source(src);
    a.dst = as_target(dst);
    a.row0 = rows[0];
    a.col0 = columns[0];
    if (bilinear) {
        a.row1 = rows[1];
        a.col1 = columns[1];
        a.row_weight = row_weight;
        a.col_weight = column_weight;
    }
    CHECK(up_resize(&a, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "resize wrote beside");
    for (int64_t p = 0; p < dst.pixels; p++) {
        int x = (int)(p % a.out_w), y = (int)(p / a.out_w % a.out_h);
        int64_t n = p / a.out_w / a.out_h;
        for (int k = 0; k < a.channels; k++) {
            double want = 0;
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 2; j++) {
                    double w = !bilinear ? (i + j == 0) : (i ? row_weight[y] : 1 - row_weight[y]) * (j ? column_weight[x] : 1 - column_weight[x]);
                    want += w * at(src, (n * a.in_h + rows[i][y]) * a.in_w + columns[j][x], k);
                }
            CHECK(near(dst.data[p * dst.stride + k], want, 1e-6), "resize: pixel %ld channel %d: %g, not %g", (long)p, k, (double)dst.data[p * dst.stride + k], want);
        }
    }
    free(src.index);
    release_all();
}

static void pad_case(up_pool *pool) {
    up_pad_args a = {.batch = random_int(1, 2), .channels = random_int(1, one_in(4) ? 100 : 40), .in_h = random_int(1, 8), .in_w = random_int(1, one_in(4) ? 40 : 8),
                     .out_h = random_int(1, 12), .out_w = random_int(1, 12), .top = random_int(-4, 4), .left = random_int(-9, 13),
                     .step_h = one_in(2) ? 1 : random_int(1, 3), .step_w = one_in(2) ? 1 : random_int(1, 3), .value = 7.5f};
    view src = source_view((int64_t)a.batch * a.in_h * a.in_w, a.channels, ANY), dst = target_view((int64_t)a.batch * a.out_h * a.out_w, a.channels);
    a.src = as_source(src);
    a.dst = as_target(dst);
    CHECK(up_pad(&a, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "pad wrote beside");
    for (int64_t p = 0; p < dst.pixels; p++) {
        int x = (int)(p % a.out_w) * a.step_w - a.left, y = (int)(p / a.out_w % a.out_h) * a.step_h - a.top;
        int64_t n = p / a.out_w / a.out_h;
        for (int k = 0; k < a.channels; k++) {
            float want = x < 0 || y < 0 || x >= a.in_w || y >= a.in_h ? a.value : at(src, (n * a.in_h + y) * a.in_w + x, k);
            CHECK(dst.data[p * dst.stride + k] == want, "pad: pixel %ld channel %d: %g, not %g", (long)p, k, (double)dst.data[p * dst.stride + k], (double)want);
        }
    }
    free(src.index);
    release_all();
}

static void planes_case(up_pool *pool) {
    int batch = random_int(0, 3), channels = random_int(1, 20);
    int64_t pixels = random_int(0, 200);
    view planes = source_view((int64_t)batch * channels, (int)(pixels ? pixels : 1), one_in(2) ? DENSE : SLICE), dst = target_view(batch * pixels, channels);
    up_from_planes_args from = {.batch = batch, .channels = channels, .pixels = pixels, .src = planes.data, .plane_stride = planes.stride,
                                .image_stride = channels * planes.stride, .dst = as_target(dst)};
    CHECK(up_from_planes(&from, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "from_planes wrote beside");
    for (int64_t n = 0; n < batch; n++)
        for (int64_t p = 0; p < pixels; p++)
            for (int k = 0; k < channels; k++)
                CHECK(dst.data[(n * pixels + p) * dst.stride + k] == at(planes, n * channels + k, (int)p), "from_planes: pixel %ld channel %d", (long)p, k);
    release_all();

    if (!pixels) return;
    view src = source_view(batch * pixels, channels, ANY), back = target_view((int64_t)batch * channels, (int)pixels);
    up_to_planes_args to = {.batch = batch, .channels = channels, .pixels = pixels, .src = as_source(src), .dst = back.data,
                            .plane_stride = back.stride, .image_stride = channels * back.stride};
    CHECK(up_to_planes(&to, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(back), "to_planes wrote beside");
    for (int64_t n = 0; n < batch; n++)
        for (int64_t p = 0; p < pixels; p++)
            for (int k = 0; k < channels; k++)
                CHECK(back.data[(n * channels + k) * back.stride + p] == at(src, n * pixels + p, k), "to_planes: pixel %ld channel %d", (long)p, k);
    free(src.index);
    release_all();
}

void test_places(up_pool *pool) {
    for (int i = 0; i < 400; i++) {
        seed(50000 + (uint64_t)i);
        resize_case(pool);
        pad_case(pool);
        planes_case(pool);
    }
}
