/* What a caller may rely on besides numbers: errors, packed weights, pools. */
#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static const up_conv_desc plain = {.in_channels = 4, .out_channels = 8, .groups = 1, .kernel_h = 1, .kernel_w = 1, .stride_h = 1,
                                   .stride_w = 1, .dilation_h = 1, .dilation_w = 1};

static void test_bf16_errors(void) {
    float weights[32] = {0}, data[64] = {0}, out[64] = {0};
    up_conv *conv;
    if (!up_conv_bf16_available()) {
        EXPECT(up_conv_bf16_create(&plain, weights, NULL, &conv), UP_UNSUPPORTED, "AVX-512 BF16");
        return;
    }
    up_conv_desc d = plain;
    d.groups = 4;
    EXPECT(up_conv_bf16_create(&d, weights, NULL, &conv), UP_UNSUPPORTED, "groups of one input channel");
    d = plain;
    d.kernel_h = 129;
    EXPECT(up_conv_bf16_create(&d, weights, NULL, &conv), UP_UNSUPPORTED, "129 taps");
    d.kernel_h = 0;
    EXPECT(up_conv_bf16_create(&d, weights, NULL, &conv), UP_INVALID, "kernel 0x1");
    EXPECT(up_conv_bf16_create(&plain, NULL, NULL, &conv), UP_INVALID, "no weights");
    CHECK(up_conv_bf16_create(&plain, weights, NULL, &conv) == UP_OK, "%s", up_last_error());
    up_conv_bf16_args a = {.conv = {.batch = 1, .in_h = 2, .in_w = 2, .out_h = 2, .out_w = 2, .src = {data, 4, NULL}, .dst = {out, 8}}};
    int64_t one, three;
    EXPECT(up_conv_bf16_workspace_bytes(&plain, &a.conv, 0, &one), UP_INVALID, "0 threads");
    EXPECT(up_conv_bf16_workspace_bytes(&plain, &a.conv, 1, NULL), UP_INVALID, "no place for the result");
    EXPECT(up_conv_bf16_workspace_bytes(&plain, NULL, 1, &one), UP_INVALID, "no arguments");
    EXPECT(up_conv_bf16_workspace_bytes(&d, &a.conv, 1, &one), UP_INVALID, "kernel 0x1");
    CHECK(up_conv_bf16_workspace_bytes(&plain, &a.conv, 1, &one) == UP_OK, "%s", up_last_error());
    CHECK(up_conv_bf16_workspace_bytes(&plain, &a.conv, 3, &three) == UP_OK && three == 3 * one, "%ld bytes for three threads", (long)three);
    EXPECT(up_conv_run(conv, &a.conv, NULL), UP_INVALID, "needs a workspace");
    EXPECT(up_conv_bf16_run(conv, &a, NULL), UP_INVALID, "needed");
    a.workspace = aligned_alloc(64, (size_t)one);
    a.workspace_bytes = one - 1;
    EXPECT(up_conv_bf16_run(conv, &a, NULL), UP_INVALID, "needed");
    a.workspace_bytes = one;
    CHECK(up_conv_bf16_run(conv, &a, NULL) == UP_OK, "%s", up_last_error());
    a.conv.dst.pixel_stride = 7;
    EXPECT(up_conv_bf16_run(conv, &a, NULL), UP_INVALID, "pixel stride of 7 for 8 channels");
    a.conv.out_h = 0;
    a.conv.dst.pixel_stride = 8;
    CHECK(up_conv_bf16_run(conv, &a, NULL) == UP_OK, "an output without rows");
    free(a.workspace);
    up_conv_destroy(conv);
    CHECK(up_conv_create(&plain, weights, NULL, &conv) == UP_OK, "%s", up_last_error());
    EXPECT(up_conv_bf16_run(conv, &a, NULL), UP_INVALID, "no convolution with bf16");
    up_conv_destroy(conv);
}

void test_errors(void) {
    test_bf16_errors();
    float weights[32] = {0}, data[64] = {0}, out[64] = {0};
    up_conv *conv;
    up_conv_desc d = plain;
    d.groups = 3;
    EXPECT(up_conv_create(&d, weights, NULL, &conv), UP_INVALID, "groups 3 does not divide in_channels 4");
    d = plain;
    d.stride_w = 0;
    EXPECT(up_conv_create(&d, weights, NULL, &conv), UP_INVALID, "stride 1x0");
    d = plain;
    d.act.function = UP_FUNCTIONS;
    EXPECT(up_conv_create(&d, weights, NULL, &conv), UP_INVALID, "unknown function 27");
    EXPECT(up_conv_create(NULL, weights, NULL, &conv), UP_INVALID, "no description");
    EXPECT(up_conv_create(&plain, NULL, NULL, &conv), UP_INVALID, "no weights");

    int64_t bytes;
    CHECK(up_conv_packed_bytes(&plain, &bytes) == UP_OK, "%s", up_last_error());
    char *packed = aligned_alloc(64, (size_t)bytes + 64);
    EXPECT(up_conv_pack(&plain, weights, NULL, packed + 4, bytes), UP_INVALID, "aligned to 64");
    EXPECT(up_conv_pack(&plain, weights, NULL, packed, bytes - 1), UP_INVALID, "needed");
    CHECK(up_conv_pack(&plain, weights, NULL, packed, bytes) == UP_OK, "%s", up_last_error());
    d = plain;
    d.in_channels = 5;
    EXPECT(up_conv_create_packed(&d, packed, bytes, &conv), UP_BAD_PACKING, "packed for 4 to 8 channels");
    packed[0] ^= 1;
    EXPECT(up_conv_create_packed(&plain, packed, bytes, &conv), UP_BAD_PACKING, "pack the weights again");
    free(packed);

    CHECK(up_conv_create(&plain, weights, NULL, &conv) == UP_OK, "%s", up_last_error());
    up_conv_args a = {.batch = 1, .in_h = 2, .in_w = 2, .out_h = 2, .out_w = 2, .src = {data, 4, NULL}, .dst = {out, 8}};
    CHECK(up_conv_run(conv, &a, NULL) == UP_OK, "%s", up_last_error());
    a.dst.pixel_stride = 7;
    EXPECT(up_conv_run(conv, &a, NULL), UP_INVALID, "pixel stride of 7 for 8 channels");
    a.dst.pixel_stride = 8;
    a.src.data = NULL;
    EXPECT(up_conv_run(conv, &a, NULL), UP_INVALID, "source has no data");
    a.src.data = data;
    a.out_h = -1;
    EXPECT(up_conv_run(conv, &a, NULL), UP_INVALID, "destination -1x2");
    a.out_h = 0;
    CHECK(up_conv_run(conv, &a, NULL) == UP_OK, "an output without rows");
    a.out_h = 2;
    a.addend = (up_source){data, 8, (int32_t[8]){0}};
    EXPECT(up_conv_run(conv, &a, NULL), UP_UNSUPPORTED, "addend with an index");
    up_conv_destroy(conv);
    up_conv_destroy(NULL);

    up_pool *pool;
    EXPECT(up_pool_create(0, &pool), UP_INVALID, "0 threads");
    EXPECT(up_set_isa(7), UP_UNSUPPORTED, "no unknown here");
    up_binary_args b = {.batch = 1, .channels = 4, .pixels = 1, .op = 9, .a = {data, 0, 4, 1, NULL}, .b = {data, 0, 4, 1, NULL}, .dst = {out, 4}};
    EXPECT(up_binary(&b, NULL), UP_INVALID, "unknown operation 9");
    b.op = UP_ADD;
    b.b.channel_stride = 2;
    EXPECT(up_binary(&b, NULL), UP_INVALID, "operand b has a channel stride of 2");
    CHECK(up_abi_version() == UP_ABI_VERSION, "version");
    for (int s = UP_OK; s <= UP_BAD_PACKING + 1; s++) CHECK(strlen(up_status_text(s)) > 0, "status %d has no text", s);
}

/* ---------------------------------------------------------------- pools */

enum { PIXELS = 700, IN = 37, OUT = 51 };

typedef struct shared {
    up_conv *conv;
    up_pool *pool;
    const float *src;
    float *want;
    int busy, wrong, runs;
} shared;

static void *run_often(void *argument) {
    shared *s = argument;
    float *out = malloc(PIXELS * OUT * 4);
    up_conv_args a = {.batch = 1, .in_h = 1, .in_w = PIXELS, .out_h = 1, .out_w = PIXELS, .src = {s->src, IN, NULL}, .dst = {out, OUT}};
    for (int i = 0; i < 400; i++) {
        if (i % 100 == 99) usleep(2000);    /* workers fall asleep */
        int32_t status = up_conv_run(s->conv, &a, s->pool);
        if (status == UP_BUSY) s->busy++;
        else if (status || memcmp(out, s->want, PIXELS * OUT * 4)) s->wrong++;
        else s->runs++;
    }
    free(out);
    return NULL;
}

/* One handle in many threads, a pool each; then one pool among them all. Results are the same to the last bit. */
void test_threads(void) {
    float *src = malloc(PIXELS * IN * 4), *weights = malloc(IN * OUT * 4), *want = malloc(PIXELS * OUT * 4);
    seed(9);
    for (int i = 0; i < PIXELS * IN; i++) src[i] = random_float();
    for (int i = 0; i < IN * OUT; i++) weights[i] = random_float();
    up_conv_desc d = plain;
    d.in_channels = IN;
    d.out_channels = OUT;
    up_conv *conv;
    CHECK(up_conv_create(&d, weights, NULL, &conv) == UP_OK, "%s", up_last_error());
    up_conv_args a = {.batch = 1, .in_h = 1, .in_w = PIXELS, .out_h = 1, .out_w = PIXELS, .src = {src, IN, NULL}, .dst = {want, OUT}};
    CHECK(up_conv_run(conv, &a, NULL) == UP_OK, "%s", up_last_error());
    for (int together = 0; together < 2; together++) {
        shared s[3];
        pthread_t threads[3];
        up_pool *pool = NULL;
        for (int i = 0; i < 3; i++) {
            if (!together || i == 0) CHECK(up_pool_create(2, &pool) == UP_OK, "%s", up_last_error());
            s[i] = (shared){.conv = conv, .pool = pool, .src = src, .want = want};
        }
        for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, run_often, &s[i]);
        for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
        CHECK(s[0].runs + s[1].runs + s[2].runs > 0, "every run found the pool busy");
        for (int i = 0; i < 3; i++) {
            CHECK(s[i].wrong == 0, "thread %d: %d of 400 runs wrong", i, s[i].wrong);
            CHECK(together || s[i].busy == 0, "thread %d: busy %d times with a pool of its own", i, s[i].busy);
            CHECK(s[i].runs + s[i].busy == 400, "thread %d: %d runs", i, s[i].runs);
            if (!together || i == 0) up_pool_destroy(s[i].pool);
        }
    }
    up_conv_destroy(conv);
    free(src);
    free(weights);
    free(want);
}

#if defined(__linux__)
/* The threads of this process, and how many may not run wherever this one may. */
static void count_threads(int *threads, int *others) {
    cpu_set_t mine, its;
    *threads = *others = 0;
    CHECK(sched_getaffinity(0, sizeof mine, &mine) == 0, "where this thread may run");
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks && (task = readdir(tasks)); ) {
        const int id = atoi(task->d_name);
        if (id <= 0 || sched_getaffinity(id, sizeof its, &its)) continue;
        ++*threads;
        *others += !CPU_EQUAL(&mine, &its);
    }
    if (tasks) closedir(tasks);
}

/* Although workers are kept off the caller's processor as they begin and wake, they may run wherever the caller may at all other times. */
void test_processors(void) {
    enum { THREADS = 4 };
    float *src = calloc(PIXELS * IN, 4), *weights = calloc(IN * OUT, 4), *out = malloc(PIXELS * OUT * 4);
    up_conv_desc d = plain;
    d.in_channels = IN;
    d.out_channels = OUT;
    up_conv *conv;
    CHECK(up_conv_create(&d, weights, NULL, &conv) == UP_OK, "%s", up_last_error());
    const up_conv_args a = {.batch = 1, .in_h = 1, .in_w = PIXELS, .out_h = 1, .out_w = PIXELS, .src = {src, IN, NULL}, .dst = {out, OUT}};
    int before, foreign, threads, others;
    cpu_set_t all, first;
    sched_getaffinity(0, sizeof all, &all);
    for (int alone = 0; alone < 2; alone++) {    /* on one processor, they have to stay on the caller's */
        if (alone) {
            CPU_ZERO(&first);
            CPU_SET(sched_getcpu(), &first);
            sched_setaffinity(0, sizeof first, &first);
        }
        count_threads(&before, &foreign);    /* a sanitizer has threads too */
        for (int count = 2; count <= THREADS; count++) {
            up_pool *pool;
            CHECK(up_pool_create(count, &pool) == UP_OK, "%s", up_last_error());
            for (int i = 0; i < 50; i++) {
                CHECK(up_conv_run(conv, &a, pool) == UP_OK, "%s", up_last_error());
                if (i % 2) usleep(i % 4 == 1 ? 100 : 1000);    /* some workers fall asleep, or all */
            }
            for (int waits = 0; waits < 1000; waits++) {
                count_threads(&threads, &others);
                if (others == foreign) break;
                usleep(1000);
            }
            CHECK(threads == before + count - 1, "%d threads, not %d", threads, before + count - 1);
            CHECK(others == foreign, "%d of %d workers may not run wherever the caller may", others - foreign, count - 1);
            up_pool_destroy(pool);
        }
    }
    sched_setaffinity(0, sizeof all, &all);
    up_conv_destroy(conv);
    free(src);
    free(weights);
    free(out);
}
#else
void test_processors(void) {}
#endif
