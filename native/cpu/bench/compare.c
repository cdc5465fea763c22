/*
 * Times builds of the kernels in turns, in one process, on the same data: convolutions, dense, from a random index list (ascending) of a
 * tensor twice as wide, and where channels are few from planes. Prints what the first build takes, dense, and every build's times over that (medians of rounds, in each of which
 * another build begins), and how far the others' outputs are from the first one's.
 * use: compare [bf16] LIBRARY... [-- ISA [THREADS [ROUNDS [TEXT: shapes whose names contain it]]]]
 */
#include "shapes.h"

#include <dlfcn.h>

enum { MOST_BUILDS = 8, MOST_ROUNDS = 200, DENSE = 0, INDEXED, PLANES, SOURCES, MOST_PLANES = 16 };

static const double MOST_ERROR = 1e-4;    /* relative, L2 */

static int bf16;

/* A build, and one shape's convolution of its own. */
typedef struct build {
    const char *name;
    int32_t (*best_isa)(void), (*set_isa)(int32_t);
    int32_t (*pool_create)(int32_t, up_pool **);
    int32_t (*create)(const up_conv_desc *, const float *, const float *, up_conv **);
    int32_t (*workspace_bytes)(const up_conv_desc *, const up_conv_args *, int32_t, int64_t *);
    int32_t (*run)(const up_conv *, const up_conv_args *, up_pool *), (*run_bf16)(const up_conv *, const up_conv_bf16_args *, up_pool *);
    void (*destroy)(up_conv *);
    const char *(*last_error)(void);
    up_pool *pool;
    up_conv *conv;
    void *workspace;
    int64_t workspace_size;
    double times[SOURCES][MOST_ROUNDS];
} build;

static void require(const build *b, int32_t status) {
    if (!status) return;
    fprintf(stderr, "%s: %s\n", b->name, b->last_error());
    exit(1);
}

static void *function(void *library, const char *name) {
    void *f = dlsym(library, name);
    if (f) return f;
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
}

static build open_build(const char *file) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return (build){.name = file, .best_isa = function(library, "up_best_isa"), .set_isa = function(library, "up_set_isa"),
                   .pool_create = function(library, "up_pool_create"), .create = function(library, bf16 ? "up_conv_bf16_create" : "up_conv_create"),
                   .workspace_bytes = function(library, "up_conv_bf16_workspace_bytes"), .run = function(library, "up_conv_run"),
                   .run_bf16 = function(library, "up_conv_bf16_run"), .destroy = function(library, "up_conv_destroy"),
                   .last_error = function(library, "up_last_error")};
}

static void run(const build *b, const up_conv_args *args) {
    const up_conv_bf16_args with_workspace = {*args, b->workspace, b->workspace_size};
    require(b, bf16 ? b->run_bf16(b->conv, &with_workspace, b->pool) : b->run(b->conv, args, b->pool));
}

static double distance(const float *a, const float *b, int64_t n) {
    double error = 0, square = 0;
    for (int64_t i = 0; i < n; i++) {
        error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        square += (double)a[i] * a[i];
    }
    return sqrt(error / square);
}

static void time_shape(const bench_shape *s, build *builds, int n, int threads, int rounds, double *products) {
    const int out = s_out(s);
    const int64_t pixels = (int64_t)s->batch * s->size * s->size, outputs = (int64_t)s->batch * out * out * s->out;
    float *weights = filled((int64_t)s->out * (s->in / s->groups) * s->kernel * s->kernel), *bias = filled(s->out);
    float *dense = filled(pixels * s->in), *wide = filled(pixels * s_wide(s)), *first = filled(outputs), *dst = filled(outputs);
    int32_t *index = random_half(s->in);
    const up_conv_desc d = s_desc(s);
    up_conv_args args[SOURCES] = {{.batch = s->batch, .in_h = s->size, .in_w = s->size, .out_h = out, .out_w = out,
                                   .src = {dense, s->in, NULL}, .dst = {dst, s->out}}};
    args[INDEXED] = args[PLANES] = args[DENSE];
    args[INDEXED].src = (up_source){wide, s_wide(s), index};
    int32_t planes[MOST_PLANES];
    const int sources = s->in <= MOST_PLANES && s->batch == 1 && s->groups == 1 ? SOURCES : PLANES;
    for (int k = 0; sources == SOURCES && k < s->in; k++) planes[k] = (int32_t)(k * pixels);
    args[PLANES].src = (up_source){dense, 1, planes};
    double error = 0;
    for (int i = 0; i < n; i++) {
        build *b = &builds[i];
        require(b, b->create(&d, weights, bias, &b->conv));
        if (bf16) {
            require(b, b->workspace_bytes(&d, args, threads, &b->workspace_size));
            b->workspace = aligned_alloc(64, (size_t)b->workspace_size + 64);
        }
        for (int v = 0; v < sources; v++) {
            up_conv_args reference = args[v];
            reference.dst.data = first;
            run(&builds[0], &reference);
            memset(dst, 0xff, (size_t)outputs * 4);
            run(b, &args[v]);
            const double differs = distance(first, dst, outputs);
            if (!(differs < MOST_ERROR)) {
                fprintf(stderr, "%s: outputs of %s differ from the first build's by %.1e\n", b->name, s->name, differs);
                exit(1);
            }
            error = fmax(error, differs);
        }
    }
    const int repeats = 1 + (int)(6e6 / s_flops(s));
    for (int r = -1; r < rounds; r++)
        for (int i = 0; i < n; i++)
            for (int v = 0; v < sources; v++) {
                build *b = &builds[(i + r + 1) % n];
                run(b, &args[v]);    /* its threads awake, its weights in the cache as far as they go */
                const double t = seconds();
                for (int k = 0; k < repeats; k++) run(b, &args[v]);
                if (r >= 0) b->times[v][r] = (seconds() - t) / repeats;
            }
    const double base = median_of(builds[0].times[DENSE], rounds);
    printf("%-28s %9.1f", s->name, 1e6 * base);
    for (int i = 0; i < n; i++) {
        const double time = i ? median_of(builds[i].times[DENSE], rounds) : base;
        printf(" | %8.3f %8.3f", time / base, median_of(builds[i].times[INDEXED], rounds) / base);
        if (sources > PLANES) printf(" %8.3f", median_of(builds[i].times[PLANES], rounds) / base);
        else printf(" %8s", "");
        products[i] += log(time / base);
        builds[i].destroy(builds[i].conv);
        free(builds[i].workspace);
    }
    printf("   %.1e\n", error);
    fflush(stdout);
    void *all[] = {weights, bias, dense, wide, first, dst, index};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

int main(int argc, char **argv) {
    build builds[MOST_BUILDS];
    int n = 0, at = 1;
    bf16 = argc > 1 && !strcmp(argv[1], "bf16");
    for (at += bf16; at < argc && strcmp(argv[at], "--"); at++) {
        if (n == MOST_BUILDS) {
            fprintf(stderr, "compare: more than %d libraries\n", MOST_BUILDS);
            return 2;
        }
        builds[n++] = open_build(argv[at]);
    }
    if (n == 0) {
        fprintf(stderr, "compare: no library; use: compare [bf16] LIBRARY... [-- ISA [THREADS [ROUNDS [TEXT]]]]\n");
        return 2;
    }
    const int isa = argc > at + 1 ? atoi(argv[at + 1]) : builds[0].best_isa(), threads = argc > at + 2 ? atoi(argv[at + 2]) : 1;
    int rounds = argc > at + 3 ? atoi(argv[at + 3]) : 15;
    rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
    const char *text = argc > at + 4 ? argv[at + 4] : "";
    printf("%-28s %9s", "shape", "us");
    for (int i = 0; i < n; i++) {
        require(&builds[i], builds[i].set_isa(isa));
        require(&builds[i], builds[i].pool_create(threads, &builds[i].pool));
        printf(" | %8s %8s %8s", "dense", "index", "planes");
    }
    printf("   difference\n");
    double products[MOST_BUILDS] = {0};
    int count = 0;
    for (size_t i = 0; i < SHAPES; i++) {
        if (!strstr(shapes[i].name, text) || (bf16 && shapes[i].groups == shapes[i].in)) continue;
        time_shape(&shapes[i], builds, n, threads, rounds, products);
        count++;
    }
    for (int i = 0; count && i < n; i++) printf("%s: dense, geometric mean %.4f of the first\n", builds[i].name, exp(products[i] / count));
    return 0;
}
