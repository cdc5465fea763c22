/*
 * Times convolutions with bf16 beside those in f32, dense and from a random index list. Prints GFLOP/s (medians of interleaved rounds)
 * and how many times as fast bf16 is. use: bench_bf16 [THREADS] [ROUNDS]
 */
#include "problem.h"

enum { MOST = 64, TIMED = 4 };    /* f32 dense, bf16 dense, f32 by index, bf16 by index */

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 1, rounds = argc > 2 ? atoi(argv[2]) : 15;
    rounds = rounds < 1 ? 1 : rounds > MOST ? MOST : rounds;
    up_pool *pool;
    require(up_pool_create(threads, &pool));
    printf("%d thread%s\n%-34s %8s %8s %8s   %8s %8s %8s\n", threads, threads > 1 ? "s" : "", "shape", "f32", "bf16", "times", "index", "bf16",
           "times");
    double product = 0;
    int count = 0;
    for (size_t i = 0; i < SHAPES; i++) {
        const bench_shape *s = &shapes[i];
        if (s->groups == s->in) continue;
        problem q = make_problem(s, threads);
        const up_conv_desc d = s_desc(s);
        up_conv *conv;
        int64_t bytes;
        require(up_conv_bf16_create(&d, q.weights, q.bias, &conv));
        require(up_conv_bf16_workspace_bytes(&d, &q.args[0], threads, &bytes));
        void *workspace = aligned_alloc(64, (size_t)bytes);
        const up_conv_bf16_args args[2] = {{q.args[DENSE], workspace, bytes}, {q.args[INDEXED], workspace, bytes}};
        double times[TIMED][MOST], g[TIMED];
        int repeats = (int)(10e6 / s_flops(s)) + 1;
        for (int r = -1; r < rounds; r++)
            for (int v = 0; v < TIMED; v++) {
                double t = seconds();
                for (int n = 0; n < repeats; n++)
                    require(v % 2 ? up_conv_bf16_run(conv, &args[v / 2], pool) : up_conv_run(q.conv, &q.args[v ? INDEXED : DENSE], pool));
                if (r >= 0) times[v][r] = (seconds() - t) / repeats;
            }
        for (int v = 0; v < TIMED; v++) g[v] = s_flops(s) / median_of(times[v], rounds) * 1e-9;
        printf("%-34s %8.1f %8.1f %8.2f   %8.1f %8.1f %8.2f\n", s->name, g[0], g[1], g[1] / g[0], g[2], g[3], g[3] / g[2]);
        fflush(stdout);
        product += log(g[1] / g[0]);
        count++;
        up_conv_destroy(conv);
        free(workspace);
        free_problem(&q);
    }
    printf("bf16/f32, dense: geometric mean %.2f times as fast\n", exp(product / count));
    up_pool_destroy(pool);
    return 0;
}
