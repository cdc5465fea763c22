/* The table of one instruction set's kernels. */
#include "vector.h"

extern const up_panel_kind UP_NAME(up_panels)[];
void UP_NAME(up_depthwise)(const up_depthwise_tile *tile);
void UP_NAME(up_act_pixels)(const up_act *act, float *data, int64_t stride, int64_t pixels, int64_t channels);

const up_kernels UP_NAME(up_kernels) = {
    .isa = UP_ISA,
    .kinds = UP_ISA == 0 ? 2 : UP_ISA == 1 ? 3 : 4,
    .panels = UP_NAME(up_panels),
    .depthwise = UP_NAME(up_depthwise),
    .act = UP_NAME(up_act_pixels),
};
