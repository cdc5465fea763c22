/* Winograd convolutions against a plain loop in double precision. */
#include "check.h"

typedef struct winograd_case {
    up_conv_desc d;
    int tile, batch, in_h, in_w, out_h, out_w;
    enum shape source;
    int addend;        /* 0 none, 1 elsewhere, 2 the destination */
    int bias;
} winograd_case;

static up_conv_desc described(int in, int out, int pad_top, int pad_left) {
    return (up_conv_desc){in, out, 1, 3, 3, 1, 1, 1, 1, pad_top, pad_left, random_act()};
}

static winograd_case random_case(void) {
    int big = one_in(8);
    winograd_case c = {.d = described(one_in(8) ? 1 : random_int(1, big ? 300 : 40), one_in(8) ? 1 : random_int(1, big ? 20 : 70),
                                      random_int(0, 4), random_int(0, 4)),
                       .tile = one_in(2) ? 2 : 4, .batch = one_in(3) ? random_int(1, 3) : 1, .in_h = random_int(1, 14),
                       .in_w = random_int(1, 17), .source = ANY, .addend = one_in(3) ? random_int(1, 2) : 0, .bias = !one_in(4)};
    int height = c.in_h + c.d.pad_top + random_int(0, 3) - 2, width = c.in_w + c.d.pad_left + random_int(0, 3) - 2;
    c.out_h = height < 1 ? 1 : height;
    c.out_w = width < 1 ? 1 : width;
    return c;
}

static double dot(const winograd_case *c, view src, const float *weights, int64_t n, int y, int x, int o) {
    double sum = 0;
    for (int ky = 0; ky < 3; ky++)
        for (int kx = 0; kx < 3; kx++) {
            int iy = y - c->d.pad_top + ky, ix = x - c->d.pad_left + kx;
            if (iy < 0 || iy >= c->in_h || ix < 0 || ix >= c->in_w) continue;
            for (int k = 0; k < c->d.in_channels; k++)
                sum += (double)at(src, (n * c->in_h + iy) * c->in_w + ix, k) *
                       weights[((int64_t)o * c->d.in_channels + k) * 9 + ky * 3 + kx];
        }
    return sum;
}

/* Every output, or of large ones a sample: each against the definition, and all by their relative L2 error. */
static void compare(const winograd_case *c, view src, view dst, view addend, const float *weights, const float *bias, int every) {
    const up_conv_desc *d = &c->d;
    double wrong = 0, all = 0;
    for (int64_t p = 0; p < dst.pixels; p++) {
        int x = (int)(p % c->out_w), y = (int)(p / c->out_w % c->out_h);
        for (int o = (int)(p % every); o < d->out_channels; o += every) {
            double sum = dot(c, src, weights, p / c->out_w / c->out_h, y, x, o);
            if (c->bias) sum += bias[o];
            if (c->addend) sum += at(addend, p, o);
            double want = function_of(&d->act, sum), got = dst.data[p * dst.stride + o];
            wrong += (got - want) * (got - want);
            all += want * want;
            /* a tile's error depends on all its inputs: also those that this output does not read */
            CHECK(near((float)got, want, 1e-6 * d->in_channels + 2e-5),
                  "%s: F(%d) %d->%d pad %d,%d image %dx%dx%d -> %dx%d, function %d, addend %d, source stride %ld%s: pixel %ld "
                  "output %d: %g, not %g", up_isa_name(up_get_isa()), c->tile, d->in_channels, d->out_channels, d->pad_top, d->pad_left,
                  c->batch, c->in_h, c->in_w, c->out_h, c->out_w, d->act.function, c->addend, (long)src.stride, src.index ? " indexed" : "", (long)p,
                  o, got, want);
        }
    }
    CHECK(d->act.function > UP_RELU || sqrt(wrong) <= 3e-6 * sqrt(all) + 4e-6,
          "F(%d) %d->%d: relative error %g", c->tile, d->in_channels, d->out_channels, sqrt(wrong / all));
}

static up_winograd *make(const winograd_case *c, const float *weights, const float *bias, void **packed) {
    up_winograd *w = NULL;
    int64_t bytes;
    *packed = NULL;
    if (one_in(2)) {
        CHECK(up_winograd_create(&c->d, c->tile, weights, bias, &w) == UP_OK, "%s", up_last_error());
    } else {
        CHECK(up_winograd_packed_bytes(&c->d, c->tile, &bytes) == UP_OK, "%s", up_last_error());
        *packed = aligned_alloc(64, (size_t)bytes);
        CHECK(up_winograd_pack(&c->d, c->tile, weights, bias, *packed, bytes) == UP_OK, "%s", up_last_error());
        CHECK(up_winograd_create_packed(&c->d, c->tile, *packed, bytes, &w) == UP_OK, "%s", up_last_error());
    }
    return w;
}

static void run_case(const winograd_case *c, up_pool *pool, int every) {
    const up_conv_desc *d = &c->d;
    int64_t pixels = (int64_t)c->batch * c->out_h * c->out_w, count = (int64_t)d->out_channels * d->in_channels * 9;
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
    void *packed;
    up_winograd *w = make(c, weights, c->bias ? bias : NULL, &packed);
    up_winograd_args args = {.conv = {.batch = c->batch, .in_h = c->in_h, .in_w = c->in_w, .out_h = c->out_h, .out_w = c->out_w,
                                      .src = as_source(src), .dst = as_target(dst)}};
    if (c->addend) args.conv.addend = c->addend == 2 ? as_source(dst) : as_source(addend);
    CHECK(up_winograd_workspace_bytes(d, c->tile, &args.conv, up_pool_threads(pool) + random_int(0, 2), &args.workspace_bytes) == UP_OK,
          "%s", up_last_error());
    CHECK(args.workspace_bytes % 64 == 0, "a workspace of %ld bytes", (long)args.workspace_bytes);
    do {    /* of NaN, up to the unreadable page */
        args.workspace = guarded(args.workspace_bytes / 4);
    } while ((uintptr_t)args.workspace % 64);
    CHECK(up_winograd_run(w, &args, pool) == UP_OK, "%s", up_last_error());
    CHECK(untouched_around(dst), "winograd %d->%d wrote beside its slice", d->in_channels, d->out_channels);
    compare(c, src, dst, addend, weights, bias, every);
    if (pool && c->addend != 2) {    /* alone, in another place: the same to the last bit */
        view again = copy_of(dst);
        args.conv.dst = as_target(again);
        CHECK(up_winograd_run(w, &args, NULL) == UP_OK, "%s", up_last_error());
        CHECK(!memcmp(again.memory, dst.memory, (size_t)dst.floats * 4),
              "winograd %d->%d depends on threads", d->in_channels, d->out_channels);
    }
    up_winograd_destroy(w);
    free(packed);
    free(src.index);
    release_all();
}

void test_winograd(up_pool *pool) {
    int threads = up_pool_threads(pool);
    for (int i = 0; i < 400; i++) {
        seed(40000 + (uint64_t)(i * 8 + threads));
        winograd_case c = random_case();
        run_case(&c, pool, 1);
    }
    /* shapes of networks: [height, width, inputs, outputs, batch] */
    static const int shapes[][5] = {{7, 7, 512, 65, 1}, {7, 7, 512, 512, 3}, {14, 14, 171, 171, 1}, {28, 28, 83, 83, 2},
                                    {57, 55, 37, 51, 1},
                                    {112, 112, 3, 35, 1}, {1, 1, 9, 4, 1}, {1, 200, 64, 32, 1}, {56, 56, 64, 64, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int source = DENSE; source <= INDEXED; source++) {
            seed(50000 + i * 4 + (uint64_t)source);
            const int *s = shapes[i];
            winograd_case c = {.d = described(s[2], s[3], 1, 1), .tile = one_in(3) ? 2 : 4, .batch = s[4], .in_h = s[0], .in_w = s[1],
                               .out_h = s[0], .out_w = s[1], .source = (enum shape)source, .addend = random_int(0, 2), .bias = 1};
            run_case(&c, pool, s[2] < 20 ? 1 : 1 + (int)(i * 7 % 30));
        }
}

void test_winograd_errors(void) {
    float weights[4 * 4 * 9] = {0}, data[64] = {0}, out[64] = {0};
    const up_conv_desc plain = {.in_channels = 4, .out_channels = 4, .groups = 1, .kernel_h = 3, .kernel_w = 3, .stride_h = 1,
                                .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .pad_top = 1, .pad_left = 1};
    up_winograd *w;
    EXPECT(up_winograd_create(&plain, 3, weights, NULL, &w), UP_INVALID, "tiles of 3");
    EXPECT(up_winograd_create(&plain, 4, NULL, NULL, &w), UP_INVALID, "no weights");
    up_conv_desc d = plain;
    d.stride_w = 2;
    EXPECT(up_winograd_create(&d, 4, weights, NULL, &w), UP_UNSUPPORTED, "stride 1x2");
    d = plain;
    d.groups = 2;
    EXPECT(up_winograd_create(&d, 4, weights, NULL, &w), UP_UNSUPPORTED, "2 groups");
    int64_t bytes;
    CHECK(up_winograd_packed_bytes(&plain, 4, &bytes) == UP_OK, "%s", up_last_error());
    char *packed = aligned_alloc(64, (size_t)bytes + 64);
    EXPECT(up_winograd_pack(&plain, 4, weights, NULL, packed + 4, bytes), UP_INVALID, "aligned to 64");
    EXPECT(up_winograd_pack(&plain, 4, weights, NULL, packed, bytes - 1), UP_INVALID, "needed");
    CHECK(up_winograd_pack(&plain, 4, weights, NULL, packed, bytes) == UP_OK, "%s", up_last_error());
    EXPECT(up_winograd_create_packed(&plain, 2, packed, bytes, &w), UP_BAD_PACKING, "tiles of 4");
    packed[0] ^= 1;
    EXPECT(up_winograd_create_packed(&plain, 4, packed, bytes, &w), UP_BAD_PACKING, "pack the weights again");
    free(packed);

    CHECK(up_winograd_create(&plain, 4, weights, NULL, &w) == UP_OK, "%s", up_last_error());
    up_winograd_args a = {.conv = {.batch = 1, .in_h = 4, .in_w = 4, .out_h = 4, .out_w = 4, .src = {data, 4, NULL}, .dst = {out, 4}}};
    CHECK(up_winograd_workspace_bytes(&plain, 4, &a.conv, 1, &a.workspace_bytes) == UP_OK, "%s", up_last_error());
    EXPECT(up_winograd_run(w, &a, NULL), UP_INVALID, "the workspace is not aligned");
    a.workspace = aligned_alloc(64, (size_t)a.workspace_bytes);
    CHECK(up_winograd_run(w, &a, NULL) == UP_OK, "%s", up_last_error());
    a.workspace_bytes--;
    EXPECT(up_winograd_run(w, &a, NULL), UP_INVALID, "needed");
    a.conv.dst.pixel_stride = 3;
    EXPECT(up_winograd_run(w, &a, NULL), UP_INVALID, "pixel stride of 3 for 4 channels");
    a.conv.out_h = -1;
    EXPECT(up_winograd_run(w, &a, NULL), UP_INVALID, "destination -1x4");
    a.conv.out_h = 0;
    CHECK(up_winograd_run(w, &a, NULL) == UP_OK, "an output without rows");
    free(a.workspace);
    up_winograd_destroy(w);
    up_winograd_destroy(NULL);
}
