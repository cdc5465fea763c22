/* Convolutions against a plain loop in double precision. */
#include "check.h"

typedef struct conv_case {
    up_conv_desc d;
    int batch, in_h, in_w, out_h, out_w;
    enum shape source;
    int addend;        /* 0 none, 1 elsewhere, 2 the destination */
    int bias;
    int bf16;
} conv_case;

/* Products of values rounded to bf16 are exact in f32; of values that are not, they differ by two roundings of 2^-9. */
static const double ROUNDED = 4e-6, UNROUNDED = 1.0 / 128;

static float bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &bits, 4);
    return x;
}

static int out_size(int in, int kernel, int stride, int dilation, int pad_before, int pad_after) {
    return (in + pad_before + pad_after - dilation * (kernel - 1) - 1) / stride + 1;
}

static conv_case simple(int h, int w, int in, int out, int kernel, int stride, int pad) {
    conv_case c = {.d = {in, out, 1, kernel, kernel, stride, stride, 1, 1, pad, pad, {UP_RELU, 0, 0}}, .batch = 1, .in_h = h,
                   .in_w = w, .source = ANY, .bias = 1};
    c.out_h = out_size(h, kernel, stride, 1, pad, pad);
    c.out_w = out_size(w, kernel, stride, 1, pad, pad);
    return c;
}

static conv_case random_case(void) {
    conv_case c = {.source = ANY, .addend = one_in(3) ? random_int(1, 2) : 0, .bias = !one_in(4)};
    up_conv_desc *d = &c.d;
    int kind = random_int(0, 9);
    d->groups = kind == 0 ? random_int(2, 5) : 1;
    int big = one_in(8);
    d->in_channels = d->groups * random_int(1, big ? 300 : 40);
    d->out_channels = d->groups * random_int(1, big ? 20 : 70);
    if (kind == 1) d->groups = d->out_channels = d->in_channels;
    if (kind == 2) {
        d->groups = d->in_channels;
        d->out_channels = d->in_channels * random_int(2, 3);
    }
    d->kernel_h = one_in(2) ? 1 : random_int(1, 5);
    d->kernel_w = one_in(2) ? d->kernel_h : random_int(1, 5);
    if (one_in(40)) {
        d->kernel_h = random_int(9, 14);
        d->kernel_w = random_int(11, 17);
        d->in_channels = d->out_channels = d->groups * random_int(1, 3);
    }
    d->stride_h = one_in(2) ? 1 : random_int(1, 3);
    d->stride_w = one_in(2) ? d->stride_h : random_int(1, 3);
    d->dilation_h = one_in(3) ? random_int(1, 3) : 1;
    d->dilation_w = one_in(3) ? random_int(1, 3) : 1;
    d->pad_top = random_int(0, d->kernel_h);
    d->pad_left = random_int(0, d->kernel_w);
    d->act = random_act();
    c.batch = one_in(3) ? random_int(1, 3) : 1;
    c.in_h = random_int(1, 12);
    c.in_w = random_int(1, 15);
    int bottom = random_int(0, d->kernel_h), right = random_int(0, d->kernel_w);
    c.out_h = out_size(c.in_h, d->kernel_h, d->stride_h, d->dilation_h, d->pad_top, bottom);
    c.out_w = out_size(c.in_w, d->kernel_w, d->stride_w, d->dilation_w, d->pad_left, right);
    if (c.out_h < 1 || c.in_h + d->pad_top + bottom < d->dilation_h * (d->kernel_h - 1) + 1) c.out_h = 1;
    if (c.out_w < 1 || c.in_w + d->pad_left + right < d->dilation_w * (d->kernel_w - 1) + 1) c.out_w = 1;
    return c;
}

/* Few input channels and any number of outputs, from planes or elsewhere, in rows that vectors do not fill. */
static conv_case few_channels(void) {
    const int stride = random_int(1, 3), kernel = one_in(3) ? random_int(4, 7) : 3, in = one_in(3) ? random_int(4, 16) : 3;
    conv_case c = simple(random_int(kernel, 20), random_int(kernel, 120), in, random_int(in + 1, one_in(2) ? in + 8 : in + 60), kernel, stride,
                         random_int(0, kernel / 2));
    c.d.pad_left = random_int(0, kernel);
    c.out_w = out_size(c.in_w, kernel, stride, 1, c.d.pad_left, random_int(0, kernel));
    if (one_in(4)) {
        c.d.dilation_h = 2;
        c.out_h = out_size(c.in_h, kernel, stride, 2, c.d.pad_top, 2 * kernel);
    }
    c.d.act = random_act();
    c.source = (enum shape)random_int(DENSE, PLANES);
    c.batch = c.source != PLANES && one_in(3) ? random_int(2, 3) : 1;
    c.addend = one_in(6);
    return c;
}

/* Every output (or, of large ones, a sample) against the definition. */
static void compare(const conv_case *c, view src, view dst, view addend, const float *weights, const float *bias, int every) {
    const up_conv_desc *d = &c->d;
    int group_in = d->in_channels / d->groups, group_out = d->out_channels / d->groups;
    for (int64_t p = 0; p < dst.pixels; p++) {
        int x = (int)(p % c->out_w), y = (int)(p / c->out_w % c->out_h);
        int64_t n = p / c->out_w / c->out_h;
        for (int o = (int)(p % every); o < d->out_channels; o += every) {
            double sum = c->bias ? bias[o] : 0;
            if (c->addend) sum += at(addend, p, o);
            double size = fabs(sum), unrounded = sum, products = 0;
            int first = o / group_out * group_in;
            for (int ky = 0; ky < d->kernel_h; ky++)
                for (int kx = 0; kx < d->kernel_w; kx++) {
                    int iy = y * d->stride_h - d->pad_top + ky * d->dilation_h, ix = x * d->stride_w - d->pad_left + kx * d->dilation_w;
                    if (iy < 0 || iy >= c->in_h || ix < 0 || ix >= c->in_w) continue;
                    for (int k = 0; k < group_in; k++) {
                        float value = at(src, (n * c->in_h + iy) * c->in_w + ix, first + k);
                        float weight = weights[(((int64_t)o * group_in + k) * d->kernel_h + ky) * d->kernel_w + kx];
                        double term = c->bf16 ? (double)bf16(value) * bf16(weight) : (double)value * weight;
                        sum += term;
                        size += fabs(term);
                        unrounded += (double)value * weight;
                        products += fabs((double)value * weight);
                    }
                }
            double want = function_of(&d->act, sum);
            if (c->bf16)
                CHECK(near(dst.data[p * dst.stride + o], function_of(&d->act, unrounded), UNROUNDED * products + ROUNDED * size + 1e-6),
                      "bf16: conv %d->%d/%d: pixel %ld output %d: %g is far from %g", d->in_channels, d->out_channels, d->groups,
                      (long)p, o, (double)dst.data[p * dst.stride + o], function_of(&d->act, unrounded));
            CHECK(near(dst.data[p * dst.stride + o], want, (c->bf16 ? ROUNDED : 2e-6) * size + 1e-6),
                  "%s%s: conv %d->%d/%d kernel %dx%d stride %d,%d dilation %d,%d pad %d,%d image %dx%dx%d -> %dx%d, function %d, "
                  "addend %d, source stride %ld%s: pixel %ld output %d: %g, not %g",
                  up_isa_name(up_get_isa()), c->bf16 ? " bf16" : "", d->in_channels, d->out_channels, d->groups, d->kernel_h,
                  d->kernel_w, d->stride_h,
                  d->stride_w, d->dilation_h, d->dilation_w, d->pad_top, d->pad_left, c->batch, c->in_h, c->in_w, c->out_h,
                  c->out_w, d->act.function, c->addend, (long)src.stride, src.index ? " indexed" : "", (long)p, o,
                  (double)dst.data[p * dst.stride + o], want);
        }
    }
}

/* In a workspace that ends at an unreadable page and is NaN before. */
static void run_bf16(const up_conv *conv, const up_conv_desc *desc, const up_conv_args *args, up_pool *pool) {
    int64_t bytes;
    CHECK(up_conv_bf16_workspace_bytes(desc, args, up_pool_threads(pool), &bytes) == UP_OK, "%s", up_last_error());
    CHECK(bytes % 64 == 0, "a workspace of %ld bytes", (long)bytes);
    up_conv_bf16_args run = {*args, guarded(bytes / 4), bytes};
    CHECK(up_conv_bf16_run(conv, &run, pool) == UP_OK, "%s", up_last_error());
}

/* Memory of any size that ends at an unreadable page, or nothing: a hint, which is to change nothing. */
static void add_fetches(up_conv_args *args, up_range ranges[3]) {
    args->fetch_count = random_int(0, 3);
    if (args->fetch_count > 0) args->fetches = ranges;
    for (int i = 0; i < args->fetch_count; i++) {
        const int floats = one_in(4) ? 0 : one_in(2) ? random_int(1, 40) : random_int(1, 20000);
        ranges[i] = (up_range){guarded(floats), floats * 4};
    }
}

static void run_case(const conv_case *c, up_pool *pool, int every) {
    const up_conv_desc *d = &c->d;
    int64_t pixels = (int64_t)c->batch * c->out_h * c->out_w;
    int64_t count = (int64_t)d->out_channels * (d->in_channels / d->groups) * d->kernel_h * d->kernel_w;
    float *weights = guarded(count), *bias = guarded(d->out_channels);
    for (int64_t i = 0; i < count; i++) weights[i] = random_float();
    for (int i = 0; i < d->out_channels; i++) bias[i] = random_float();
    view src = source_view((int64_t)c->batch * c->in_h * c->in_w, d->in_channels, c->source);
    view dst = target_view(pixels, d->out_channels), addend = {0};
    if (c->addend == 1) addend = source_view(pixels, d->out_channels, one_in(2) ? DENSE : SLICE);
    if (c->addend == 2) {
        for (int64_t p = 0; p < pixels; p++)
            for (int o = 0; o < d->out_channels; o++) dst.data[p * dst.stride + o] = random_float();
        addend = copy_of(dst);
    }

    up_conv *conv;
    void *packed = NULL;
    if (c->bf16) {
        CHECK(up_conv_bf16_create(d, weights, c->bias ? bias : NULL, &conv) == UP_OK, "%s", up_last_error());
    } else if (one_in(2)) {
        CHECK(up_conv_create(d, weights, c->bias ? bias : NULL, &conv) == UP_OK, "%s", up_last_error());
    } else {
        int64_t bytes;
        up_conv_packed_bytes(d, &bytes);
        packed = aligned_alloc(64, (size_t)bytes);
        CHECK(up_conv_pack(d, weights, c->bias ? bias : NULL, packed, bytes) == UP_OK, "%s", up_last_error());
        CHECK(up_conv_create_packed(d, packed, bytes, &conv) == UP_OK, "%s", up_last_error());
    }
    up_conv_args args = {.batch = c->batch, .in_h = c->in_h, .in_w = c->in_w, .out_h = c->out_h, .out_w = c->out_w,
                         .src = as_source(src), .dst = as_target(dst)};
    up_range ranges[3], own;
    add_fetches(&args, ranges);
    CHECK(up_conv_packed_range(conv, &own) == UP_OK && own.bytes >= (c->bf16 ? 2 : 4) * count && own.data, "packed weights of %ld bytes", (long)own.bytes);
    if (c->addend) args.addend = c->addend == 2 ? as_source(dst) : as_source(addend);
    if (c->bf16) run_bf16(conv, d, &args, pool);
    else CHECK(up_conv_run(conv, &args, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "conv %d->%d wrote beside its slice", d->in_channels, d->out_channels);
    compare(c, src, dst, addend, weights, bias, every);
    up_conv_destroy(conv);
    free(packed);
    free(src.index);
    release_all();
}

void test_convolutions(up_pool *pool) {
    int threads = up_pool_threads(pool);
    for (int i = 0; i < 400; i++) {
        seed((uint64_t)(i * 8 + threads));
        conv_case c = random_case();
        run_case(&c, pool, 1);
        c.bf16 = up_conv_bf16_available() && c.d.kernel_h * c.d.kernel_w <= 128 && (c.d.groups == 1 || c.d.in_channels > c.d.groups);
        if (c.bf16) run_case(&c, pool, 1);
    }
    for (int i = 0; i < 200; i++) {    /* few channels, as networks begin with */
        seed((uint64_t)(5000 + i * 8 + threads));
        conv_case c = few_channels();
        run_case(&c, pool, 1);
    }
    /* shapes of networks, one value in some */
    static const int shapes[][7] = {{7, 7, 512, 33, 3, 1, 1}, {14, 14, 171, 171, 3, 1, 1}, {28, 28, 83, 83, 3, 2, 1},
                                    {57, 55, 37, 51, 3, 1, 1}, {1, 1, 2048, 1000, 1, 1, 0}, {1, 3, 4608, 17, 1, 1, 0},
                                    {64, 63, 3, 35, 7, 2, 3}, {30, 31, 5, 8, 3, 1, 1}, {14, 14, 1024, 19, 1, 1, 0},
                                    {9, 11, 1024, 135, 1, 1, 0}, {1, 1, 9, 4, 3, 1, 1},
                                    {1, 1, 37, 263, 3, 1, 1}, {1, 1, 1100, 531, 1, 1, 0}, {64, 63, 3, 17, 3, 2, 1},
                                    {39, 112, 3, 49, 7, 2, 3}, {30, 29, 12, 22, 3, 1, 1}, {2, 5, 1100, 531, 1, 1, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int source = DENSE; source <= PLANES; source++) {
            seed(1000 + i * 4 + (uint64_t)source);
            const int *s = shapes[i];
            conv_case c = simple(s[0], s[1], s[2], s[3], s[4], s[5], s[6]);
            c.source = (enum shape)source;
            c.addend = random_int(0, 2);
            run_case(&c, pool, 1 + (int)(i * 7 % 30));
            c.bf16 = up_conv_bf16_available();
            if (c.bf16) run_case(&c, pool, 1 + (int)(i * 7 % 30));
        }
    /* depthwise, and small groups: {h, w, groups, kernel, stride, pad, batch, inputs and outputs of a group} */
    static const int depthwise[][9] = {{56, 57, 51, 3, 1, 1, 1, 1, 1}, {112, 40, 32, 3, 1, 1, 1, 1, 1}, {30, 111, 19, 3, 2, 1, 2, 1, 1},
                                       {14, 14, 67, 5, 1, 2, 2, 1, 1}, {7, 7, 130, 5, 1, 2, 3, 1, 1}, {14, 15, 40, 5, 2, 2, 1, 1, 1},
                                       {9, 30, 21, 7, 1, 3, 1, 1, 1}, {200, 9, 17, 3, 1, 1, 1, 1, 1}, {3, 800, 5, 5, 1, 2, 1, 1, 1},
                                       {12, 2, 33, 5, 1, 2, 1, 1, 1}, {28, 28, 9, 3, 1, 1, 1, 4, 4}, {14, 300, 5, 3, 2, 1, 1, 3, 5},
                                       {20, 20, 11, 3, 1, 1, 2, 1, 2}, {7, 9, 6, 1, 1, 0, 1, 16, 7}, {9, 8, 4, 5, 1, 2, 1, 2, 1},
                                       {14, 13, 300, 3, 2, 1, 1, 1, 1}, {6, 7, 290, 7, 1, 3, 2, 1, 1}, {5, 1, 40, 5, 1, 2, 1, 1, 1},
                                       {4, 3, 260, 5, 2, 4, 1, 1, 1}, {3, 20, 33, 3, 1, 3, 1, 1, 1}, {15, 14, 13, 3, 2, 1, 2, 2, 2},
                                       {29, 45, 100, 3, 2, 1, 2, 1, 1}, {33, 14, 75, 3, 2, 0, 1, 1, 1}, {10, 23, 130, 5, 1, 3, 1, 1, 1},
                                       {11, 31, 90, 5, 2, 2, 3, 1, 1}, {2, 8, 200, 5, 1, 4, 1, 1, 1},
                                       {13, 15, 150, 3, 1, 1, 2, 1, 1}, {6, 24, 70, 3, 1, 0, 1, 1, 1}, {1, 7, 60, 3, 1, 2, 3, 1, 1},
                                       {9, 16, 70, 3, 2, 1, 2, 1, 1}, {3, 12, 180, 3, 1, 2, 1, 1, 1}, {2, 11, 90, 5, 1, 2, 2, 1, 1},
                                       {5, 10, 25, 3, 1, 1, 1, 1, 1}, {8, 6, 100, 5, 1, 1, 1, 1, 1}, {7, 26, 16, 3, 1, 1, 2, 1, 1}};
    for (size_t i = 0; i < sizeof depthwise / sizeof *depthwise; i++)
        for (int source = DENSE; source <= INDEXED; source++) {
            seed(2000 + i * 4 + (uint64_t)source);
            const int *s = depthwise[i];
            conv_case c = simple(s[0], s[1], s[2] * s[7], s[2] * s[8], s[3], s[4], s[5]);
            c.d.groups = s[2];
            c.d.act = random_act();
            c.batch = s[6];
            c.source = (enum shape)source;
            c.addend = random_int(0, 2);
            run_case(&c, pool, 1);
        }
}
