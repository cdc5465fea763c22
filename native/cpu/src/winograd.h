/* A Winograd convolution's handle and the layout of its packed weights. */
#ifndef UP_WINOGRAD_H
#define UP_WINOGRAD_H

#include "conv.h"

/*
 * Packed: a header of 64 bytes; the bias, [padded outputs] and room for a vector; the transformed weights,
 * [panels][products][in_channels][width of the panel].
 */
struct up_winograd {
    up_conv_desc desc;
    int32_t m;             /* outputs of a tile are m x m */
    up_layout layout;      /* of one product: a 1x1 convolution */
    const up_kernels *kernels;
    const float *bias;
    const float *weights;
    void *owned;           /* NULL: the packed memory is the caller's */
    int clamp;             /* the activation is the clamp to [low, high] */
    float low, high;
};

/* Checks a description and a tile; `where` is the function's name. */
int32_t up_winograd_check(const char *where, const up_conv_desc *desc, int32_t m);

#endif
