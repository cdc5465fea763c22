/* The table of one instruction set's kernels. */
#include "vector.h"

extern const up_panel_kind UP_NAME(up_panels)[];
void UP_NAME(up_depthwise)(const up_depthwise_run *run);
void UP_NAME(up_depthwise_columns)(const up_depthwise_band *band);
void UP_NAME(up_depthwise_down)(const up_depthwise_run *run, const up_down_rows *rows);
int UP_NAME(up_plan_down)(const up_source *source, int64_t channels, int64_t most, void *plans);
void UP_NAME(up_pack_rows)(const up_pack_rows *rows);
void UP_NAME(up_plan_takes)(const int32_t *index, int64_t channels, void *plans);
void UP_NAME(up_take_pixels)(const up_take_pixels *pixels);
void UP_NAME(up_across_row)(const up_across *row);
void UP_NAME(up_split)(const float *from, int64_t n, float *even, float *odd);
void UP_NAME(up_winograd_input2)(const up_winograd_input *strip);
void UP_NAME(up_winograd_input4)(const up_winograd_input *strip);
void UP_NAME(up_winograd_output2)(const up_winograd_output *strip);
void UP_NAME(up_winograd_output4)(const up_winograd_output *strip);
void UP_NAME(up_act_pixels)(const up_act *act, float *data, int64_t stride, int64_t pixels, int64_t channels);
void UP_NAME(up_pointwise_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_softmax_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_gather_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_binary_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_window_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_resize_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_pad_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_reduce_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_from_planes_task)(const void *job, int64_t first, int64_t last);
void UP_NAME(up_to_planes_task)(const void *job, int64_t first, int64_t last);

const up_kernels UP_NAME(up_kernels) = {
    .isa = UP_ISA,
    .vector_floats = VW,
    .kinds = UP_ISA == 0 ? 2 : 4,
    .panels = UP_NAME(up_panels),
    .depthwise = UP_NAME(up_depthwise),
#if UP_ISA == 2
    .depthwise_columns = UP_NAME(up_depthwise_columns),
    .depthwise_down = UP_NAME(up_depthwise_down),
    .plan_down = UP_NAME(up_plan_down),
#endif
    .pack_rows = UP_NAME(up_pack_rows),
    .spreads = UP_ISA > 0,
    .plan_takes = UP_NAME(up_plan_takes),
    .take_pixels = UP_NAME(up_take_pixels),
#if UP_ISA > 0
    .across_row = UP_NAME(up_across_row),
    .split = UP_NAME(up_split),
#endif
    .winograd_input = {UP_NAME(up_winograd_input2), UP_NAME(up_winograd_input4)},
    .winograd_output = {UP_NAME(up_winograd_output2), UP_NAME(up_winograd_output4)},
    .act = UP_NAME(up_act_pixels),
    .pointwise = UP_NAME(up_pointwise_task),
    .softmax = UP_NAME(up_softmax_task),
    .gather = UP_NAME(up_gather_task),
    .binary = UP_NAME(up_binary_task),
    .window = UP_NAME(up_window_task),
    .resize = UP_NAME(up_resize_task),
    .pad = UP_NAME(up_pad_task),
    .reduce = UP_NAME(up_reduce_task),
    .from_planes = UP_NAME(up_from_planes_task),
    .to_planes = UP_NAME(up_to_planes_task),
};
