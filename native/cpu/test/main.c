/* Runs every test with each instruction set that this CPU has, with one to three threads. */
#include "check.h"

int main(int argc, char **argv) {
    int only = argc > 1 ? atoi(argv[1]) : -1;
    for (int isa = UP_ISA_GENERIC; isa <= up_best_isa(); isa++) {
        if (only >= 0 && only != isa) continue;
        if (up_set_isa(isa)) {
            printf("skipped: %s\n", up_last_error());
            continue;
        }
        for (int threads = 1; threads <= 3; threads++) {
            up_pool *pool = NULL;
            if (threads > 1) CHECK(up_pool_create(threads, &pool) == UP_OK, "%s", up_last_error());
            test_convolutions(pool);
            test_winograd(pool);
            test_pointwise(pool);
            test_binary(pool);
            test_windows(pool);
            test_places(pool);
            up_pool_destroy(pool);
        }
        test_functions();
        test_errors();
        test_winograd_errors();
        test_threads();
        test_processors();
        printf("%s: %ld checks, %d failed\n", up_isa_name(isa), checks, failures);
        fflush(stdout);
    }
    return failures != 0;
}
