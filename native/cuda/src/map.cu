// Elementwise: gathers, copies, conversions, operations with broadcasting.
#include "portable.h"

static UP_DEVICE float combine(int op, float x, float y, float z) {
    switch (op) {
        case UP_MAP_ADD: return x + y;
        case UP_MAP_SUB: return x - y;
        case UP_MAP_MUL: return x * y;
        case UP_MAP_DIV: return x / y;
        case UP_MAP_POW: return powf(x, y);
        case UP_MAP_MIN: return x < y || x != x ? x : y;
        case UP_MAP_MAX: return x > y || x != x ? x : y;
        case UP_MAP_PRELU: return x < 0 ? x * y : x;
        case UP_MAP_SCALE_SHIFT: return x * y + z;
        default: return x;
    }
}

template <typename S, typename D, int V> static UP_DEVICE void map_vector(const struct up_cuda_map_args &a, unsigned vector) {
    int c = (int)split(vector, a.vectors) * V;
    long long to = c * a.destination.stride[4];
    long long from[3] = {0, 0, 0};
#pragma unroll
    for (int loop = 3; loop >= 0; loop--) {
        long long position = split(vector, a.size[loop]);
        to += position * a.destination.stride[loop];
#pragma unroll
        for (int s = 0; s < 3; s++) {
            from[s] += position * a.source[s].stride[loop];
        }
    }
    float x[V], y[V], z[V];
    read_channels<S, V>(x, a.source[0].data, a.source[0].index, from[0], c, a.source[0].stride[4]);
    apply_each<V>(a.before, x);
    if (a.sources > 1) {
        read_channels<S, V>(y, a.source[1].data, a.source[1].index, from[1], c, a.source[1].stride[4]);
        if (a.sources > 2) {
            read_channels<S, V>(z, a.source[2].data, a.source[2].index, from[2], c, a.source[2].stride[4]);
        } else {
#pragma unroll
            for (int k = 0; k < V; k++) {
                z[k] = 0;
            }
        }
#pragma unroll
        for (int k = 0; k < V; k++) {
            x[k] = combine(a.op, x[k], y[k], z[k]);
        }
    }
    apply_each<V>(a.after, x);
    write_vector<D, V>(a.destination.data, to, x);
}

#define UP_MAP(S, D)                                                          \
    UP_KERNEL(up_map_##S##_##D, up_cuda_map_args) {                           \
        UP_THREADS(                                                           \
            unsigned i = UP_BLOCK_X * UP_WIDTH + UP_X;                        \
            if (i >= a.threads) UP_RETURN;                                    \
            if (a.vector > 1) {                                               \
                map_vector<S, D, 16 / (int)sizeof(D::stored)>(a, i);          \
            } else {                                                          \
                map_vector<S, D, 1>(a, i);                                    \
            }                                                                 \
        )                                                                     \
    }
UP_EACH_TYPE(UP_MAP)
