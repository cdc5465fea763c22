/* Copying the channels of one pixel. */
#ifndef UP_CHANNELS_H
#define UP_CHANNELS_H

#include "vector.h"

/* to[k] = pixel[index[k]], or pixel[k] without an index. */
static inline __attribute__((unused)) void copy_channels(float *to, const float *pixel, const int32_t *index, int64_t n) {
    int64_t k = 0;
    if (index)
        for (; k + VW <= n; k += VW) vstore(to + k, vgather_n(pixel, index + k, VW));
    else
        for (; k + VW <= n; k += VW) vstore(to + k, vload(pixel + k));
    for (; k < n; k++) to[k] = pixel[index ? index[k] : k];
}

#endif
