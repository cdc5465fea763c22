/*
 * Times convolutions: dense, from a slice, and from a random index list (ascending) of a tensor twice as wide.
 * Prints GFLOP/s (medians of interleaved rounds) and the ratios to dense. use: bench [ISA] [THREADS] [ROUNDS]
 */
#include "shapes.h"

#include <time.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int isa = argc > 1 ? atoi(argv[1]) : up_best_isa(), threads = argc > 2 ? atoi(argv[2]) : 1, rounds = argc > 3 ? atoi(argv[3]) : 15;
    rounds = rounds < 1 ? 1 : rounds > 64 ? 64 : rounds;
    up_pool *pool;
    if (up_set_isa(isa) || up_pool_create(threads, &pool)) {
        fprintf(stderr, "%s\n", up_last_error());
        return 2;
    }
    printf("%s, %d thread%s\n%-34s %8s %8s %8s   slice/dense index/dense\n", up_isa_name(isa), threads, threads > 1 ? "s" : "", "shape", "dense", "slice", "index");
    double worst = 0, product = 0;
    int count = 0;
    for (size_t i = 0; i < SHAPES; i++) {
        const bench_shape *s = &shapes[i];
        problem q = make_problem(s);
        double times[3][64];
        int repeats = (int)(10e6 / s_flops(s)) + 1;
        for (int r = -1; r < rounds; r++)
            for (int v = 0; v < 3; v++) {
                double t = seconds();
                for (int n = 0; n < repeats; n++)
                    if (up_conv_run(q.conv, &q.args[v], pool)) {
                        fprintf(stderr, "%s\n", up_last_error());
                        return 1;
                    }
                if (r >= 0) times[v][r] = (seconds() - t) / repeats;
            }
        double g[3];
        for (int v = 0; v < 3; v++) {
            qsort(times[v], (size_t)rounds, sizeof(double), by_value);
            g[v] = s_flops(s) / times[v][rounds / 2] * 1e-9;
        }
        printf("%-34s %8.1f %8.1f %8.1f   %6.3f %6.3f\n", s->name, g[0], g[1], g[2], g[0] / g[1], g[0] / g[2]);
        fflush(stdout);
        worst = fmax(worst, g[0] / g[2]);
        product += log(g[0] / g[2]);
        count++;
        free_problem(&q);
    }
    printf("index/dense: geometric mean %.3f, worst %.3f\n", exp(product / count), worst);
    up_pool_destroy(pool);
    return 0;
}
