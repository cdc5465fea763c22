/* Functions of one value, for the instruction set that a file is compiled for. */
#ifndef UP_FUNCTIONS_H
#define UP_FUNCTIONS_H

#include "vector.h"

/* Applies a function to n neighbouring values, in place. */
void UP_NAME(up_apply)(const up_act *act, float *data, int64_t n);

/* Applies a function in place to `channels` values of each pixel. */
void UP_NAME(up_act_pixels)(const up_act *act, float *data, int64_t stride, int64_t pixels, int64_t channels);

#endif
