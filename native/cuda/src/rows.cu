// Softmax and layer normalisation: a block for each row, sums over the row by a tree in shared memory.
#include "portable.h"

#define UP_ROW 128

static UP_DEVICE long long inner_place(const struct up_cuda_rows_args &a, const long long *stride, int element) {
    unsigned rest = (unsigned)element;
    long long z = split(rest, a.inner[2]);
    long long y = split(rest, a.inner[1]);
    return rest * stride[0] + y * stride[1] + z * stride[2];
}

static UP_DEVICE long long outer_place(const struct up_cuda_rows_args &a, const long long *stride, unsigned row) {
    long long z = split(row, a.outer[2]);
    long long y = split(row, a.outer[1]);
    return row * stride[0] + y * stride[1] + z * stride[2];
}

/* In parts[0]: the sum of all parts, or their maximum. */
#define UP_TREE(merge)                                                         \
    for (unsigned half = UP_ROW / 2; half > 0; half /= 2) {                    \
        UP_PHASE(                                                              \
            if (UP_X < half) {                                                 \
                float p = parts[UP_X];                                         \
                float q = parts[UP_X + half];                                  \
                parts[UP_X] = merge;                                           \
            }                                                                  \
        )                                                                      \
    }

#define UP_SOFTMAX(S, D)                                                                                       \
    UP_KERNEL(up_softmax_##S##_##D, up_cuda_rows_args) {                                                       \
        UP_SHARED float parts[UP_ROW];                                                                         \
        UP_SHARED float found[1];                                                                              \
        const long long from = outer_place(a, a.source_outer, UP_BLOCK_X);                                     \
        const long long to = outer_place(a, a.destination_outer, UP_BLOCK_X);                                  \
        UP_PHASE(                                                                                              \
            float most = -UP_INFINITY;                                                                         \
            for (int i = (int)UP_X; i < a.count; i += UP_ROW) {                                                \
                float x = read<S>(a.source, from + inner_place(a, a.source_inner, i));                         \
                most = x > most || x != x ? x : most;                                                          \
            }                                                                                                  \
            parts[UP_X] = most;                                                                                \
        )                                                                                                      \
        UP_TREE(p > q || p != p ? p : q)                                                                       \
        UP_PHASE(if (UP_X == 0) { found[0] = parts[0]; })                                                      \
        UP_PHASE(                                                                                              \
            float sum = 0;                                                                                     \
            for (int i = (int)UP_X; i < a.count; i += UP_ROW) {                                                \
                sum += expf(read<S>(a.source, from + inner_place(a, a.source_inner, i)) - found[0]);           \
            }                                                                                                  \
            parts[UP_X] = sum;                                                                                 \
        )                                                                                                      \
        UP_TREE(p + q)                                                                                         \
        UP_THREADS(                                                                                            \
            for (int i = (int)UP_X; i < a.count; i += UP_ROW) {                                                \
                float x = read<S>(a.source, from + inner_place(a, a.source_inner, i));                         \
                float y = expf(x - found[0]) / parts[0];                                                       \
                write<D>(a.destination, to + inner_place(a, a.destination_inner, i), apply(a.after, y));       \
            }                                                                                                  \
        )                                                                                                      \
    }
UP_EACH_TYPE(UP_SOFTMAX)

#define UP_LAYERNORM(S, D)                                                                                     \
    UP_KERNEL(up_layernorm_##S##_##D, up_cuda_rows_args) {                                                     \
        UP_SHARED float parts[UP_ROW];                                                                         \
        UP_SHARED float mean[1];                                                                               \
        const long long from = outer_place(a, a.source_outer, UP_BLOCK_X);                                     \
        const long long to = outer_place(a, a.destination_outer, UP_BLOCK_X);                                  \
        UP_PHASE(                                                                                              \
            float sum = 0;                                                                                     \
            for (int i = (int)UP_X; i < a.count; i += UP_ROW) {                                                \
                sum += read<S>(a.source, from + inner_place(a, a.source_inner, i));                            \
            }                                                                                                  \
            parts[UP_X] = sum;                                                                                 \
        )                                                                                                      \
        UP_TREE(p + q)                                                                                         \
        UP_PHASE(if (UP_X == 0) { mean[0] = parts[0] / (float)a.count; })                                      \
        UP_PHASE(                                                                                              \
            float sum = 0;                                                                                     \
            for (int i = (int)UP_X; i < a.count; i += UP_ROW) {                                                \
                float x = read<S>(a.source, from + inner_place(a, a.source_inner, i)) - mean[0];               \
                sum += x * x;                                                                                  \
            }                                                                                                  \
            parts[UP_X] = sum;                                                                                 \
        )                                                                                                      \
        UP_TREE(p + q)                                                                                         \
        UP_THREADS(                                                                                            \
            float scale = 1 / sqrtf(parts[0] / (float)a.count + a.epsilon);                                    \
            for (int i = (int)UP_X; i < a.count; i += UP_ROW) {                                                \
                float x = read<S>(a.source, from + inner_place(a, a.source_inner, i));                         \
                float y = (x - mean[0]) * scale * read<S>(a.scale, inner_place(a, a.scale_inner, i));          \
                if (a.shift) { y += read<S>(a.shift, inner_place(a, a.shift_inner, i)); }                      \
                write<D>(a.destination, to + inner_place(a, a.destination_inner, i), apply(a.after, y));       \
            }                                                                                                  \
        )                                                                                                      \
    }
UP_EACH_TYPE(UP_LAYERNORM)
