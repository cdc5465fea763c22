// Between planes (NCHW) and pixels (NHWC), through a tile of shared memory so that both sides are coalesced.
#include "portable.h"

#define UP_TILE 32

#define UP_TRANSPOSE(S, D)                                                                                    \
    UP_KERNEL(up_transpose_##S##_##D, up_cuda_transpose_args) {                                               \
        UP_SHARED float tile[UP_TILE][UP_TILE + 1];                                                           \
        const int column = (int)UP_BLOCK_X * UP_TILE;                                                         \
        const int row = (int)UP_BLOCK_Y * UP_TILE;                                                            \
        const long long from = UP_BLOCK_Z * a.source_batch;                                                   \
        const long long to = UP_BLOCK_Z * a.destination_batch;                                                \
        UP_PHASE(                                                                                             \
            for (int y = (int)UP_Y; y < UP_TILE; y += 8) {                                                    \
                int r = row + y;                                                                              \
                int c = column + (int)UP_X;                                                                   \
                if (r < a.rows && c < a.columns) {                                                            \
                    if (a.index && a.indexed_rows) { r = entry(a.index, r); }                                 \
                    if (a.index && !a.indexed_rows) { c = entry(a.index, c); }                                \
                    tile[y][UP_X] = read<S>(a.source, from + r * a.source_row + c);                           \
                }                                                                                             \
            }                                                                                                 \
        )                                                                                                     \
        UP_THREADS(                                                                                           \
            for (int y = (int)UP_Y; y < UP_TILE; y += 8) {                                                    \
                int c = column + y;                                                                           \
                int r = row + (int)UP_X;                                                                      \
                if (r < a.rows && c < a.columns) {                                                            \
                    write<D>(a.destination, to + c * a.destination_row + r, tile[UP_X][y]);                   \
                }                                                                                             \
            }                                                                                                 \
        )                                                                                                     \
    }
UP_EACH_TYPE(UP_TRANSPOSE)
