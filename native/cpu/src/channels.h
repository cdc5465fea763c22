/* Copying the channels of one pixel. */
#ifndef UP_CHANNELS_H
#define UP_CHANNELS_H

#include "vector.h"

/* to[k] = pixel[index[k]], or pixel[k] without an index. What is read may not be written. */
static inline __attribute__((unused)) void copy_channels(float *to, const float *pixel, const int32_t *index, int64_t n) {
    int64_t k = 0;
    if (index)
        for (; k + VW <= n; k += VW) vstore(to + k, vgather_n(pixel, index + k, VW));
    else
        for (; k + VW <= n; k += VW) vstore(to + k, vload(pixel + k));
    if (k < n && n >= VW) {    /* the last vector shares channels with the one before */
        vstore(to + n - VW, vread(pixel, index ? index + n - VW : NULL, index ? 0 : n - VW, VW));
        return;
    }
    for (; k < n; k++) to[k] = pixel[index ? index[k] : k];
}

#endif
