// Reductions: 32 kept elements per block, each by 8 threads, whose parts meet in shared memory.
#include "portable.h"

#define UP_KEPT 32
#define UP_PARTS 8

static UP_DEVICE float merge(int op, float sum, float x) {
    switch (op) {
        case 2: return x > sum || x != x ? x : sum;
        case 3: return x < sum || x != x ? x : sum;
        default: return sum + x;
    }
}

#define UP_REDUCE(S, D)                                                                                              \
    UP_KERNEL(up_reduce_##S##_##D, up_cuda_reduce_args) {                                                            \
        UP_SHARED float parts[UP_PARTS][UP_KEPT];                                                                    \
        const int outer = (int)UP_BLOCK_Y / a.kept[1];                                                               \
        const int middle = (int)UP_BLOCK_Y % a.kept[1];                                                              \
        const long long from = outer * a.source_kept[0] + middle * a.source_kept[1];                                 \
        const int count = a.reduced[0] * a.reduced[1] * a.reduced[2];                                                \
        UP_PHASE(                                                                                                    \
            int c = (int)(UP_BLOCK_X * UP_KEPT + UP_X);                                                              \
            float sum = a.op == 2 ? -UP_INFINITY : a.op == 3 ? UP_INFINITY : 0;                                      \
            if (c < a.kept[2]) {                                                                                     \
                long long start = from + (a.index ? entry(a.index, c) : c) * a.source_kept[2];                       \
                for (int i = (int)UP_Y; i < count; i += UP_PARTS) {                                                  \
                    int inner = i % a.reduced[2];                                                                    \
                    int rest = i / a.reduced[2];                                                                     \
                    sum = merge(a.op, sum, read<S>(a.source, start + inner * a.source_reduced[2]                     \
                            + rest % a.reduced[1] * a.source_reduced[1] + rest / a.reduced[1] * a.source_reduced[0])); \
                }                                                                                                    \
            }                                                                                                        \
            parts[UP_Y][UP_X] = sum;                                                                                 \
        )                                                                                                            \
        UP_THREADS(                                                                                                  \
            int c = (int)(UP_BLOCK_X * UP_KEPT + UP_X);                                                              \
            if (UP_Y == 0 && c < a.kept[2]) {                                                                        \
                float sum = parts[0][UP_X];                                                                          \
                for (int part = 1; part < UP_PARTS; part++) {                                                        \
                    sum = merge(a.op, sum, parts[part][UP_X]);                                                       \
                }                                                                                                    \
                sum = a.op == 0 ? sum / (float)count : sum;                                                          \
                write<D>(a.destination, outer * a.destination_kept[0] + middle * a.destination_kept[1]               \
                        + c * a.destination_kept[2], apply(a.after, sum));                                           \
            }                                                                                                        \
        )                                                                                                            \
    }
UP_EACH_TYPE(UP_REDUCE)
