/*
 * Times convolutions: dense, from a slice, and from a random index list (ascending) of a tensor twice as wide; those that Winograd's
 * algorithm can do by it too, with both tiles. Prints GFLOP/s of the definition's operations (medians of interleaved rounds) and
 * ratios of times. use: bench [ISA] [THREADS] [ROUNDS] [TEXT: shapes whose names contain it]
 */
#include "problem.h"

enum { MOST_ROUNDS = 64 };

static void timed_run(const problem *q, int variant, up_pool *pool) {
    int way = variant / SOURCES;
    if (way ? up_winograd_run(q->winograd[way - 1], &q->winograd_args[way - 1][variant % SOURCES], pool)
            : up_conv_run(q->conv, &q->args[variant % SOURCES], pool)) {
        fprintf(stderr, "%s\n", up_last_error());
        exit(1);
    }
}

int main(int argc, char **argv) {
    int isa = argc > 1 ? atoi(argv[1]) : up_best_isa(), threads = argc > 2 ? atoi(argv[2]) : 1, rounds = argc > 3 ? atoi(argv[3]) : 15;
    const char *text = argc > 4 ? argv[4] : "";
    rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
    up_pool *pool;
    if (up_set_isa(isa) || up_pool_create(threads, &pool)) {
        fprintf(stderr, "%s\n", up_last_error());
        return 2;
    }
    printf("%s, %d thread%s\n%-34s %8s %8s %8s %8s   slice/dense index/dense   F(4)/direct: dense index   F(2)/direct: dense index\n",
           up_isa_name(isa), threads, threads > 1 ? "s" : "", "shape", "us", "dense", "slice", "index");
    double worst = 0, product = 0;
    int count = 0;
    for (size_t i = 0; i < SHAPES; i++) {
        const bench_shape *s = &shapes[i];
        if (!strstr(s->name, text)) continue;
        problem q = make_problem(s, threads);
        double times[WAYS * SOURCES][MOST_ROUNDS], median[WAYS * SOURCES];
        int variants = has_winograd(s) ? WAYS * SOURCES : SOURCES, repeats = (int)(10e6 / s_flops(s)) + 1;
        for (int r = -1; r < rounds; r++)
            for (int v = 0; v < variants; v++) {
                double t = seconds();
                for (int n = 0; n < repeats; n++) timed_run(&q, v, pool);
                if (r >= 0) times[v][r] = (seconds() - t) / repeats;
            }
        for (int v = 0; v < variants; v++) median[v] = median_of(times[v], rounds);
        double g = s_flops(s) * 1e-9, index = median[INDEXED] / median[DENSE];
        printf("%-34s %8.1f %8.1f %8.1f %8.1f   %11.3f %11.3f", s->name, 1e6 * median[DENSE], g / median[DENSE], g / median[SLICE], g / median[INDEXED],
               median[SLICE] / median[DENSE], index);
        for (int v = SOURCES; v < variants; v += SOURCES)
            printf("   %18.3f %5.3f", median[v + DENSE] / median[DENSE], median[v + INDEXED] / median[INDEXED]);
        printf("\n");
        fflush(stdout);
        worst = fmax(worst, index);
        product += log(index);
        count++;
        free_problem(&q);
    }
    printf("index/dense: geometric mean %.3f, worst %.3f\n", exp(product / count), worst);
    up_pool_destroy(pool);
    return 0;
}
