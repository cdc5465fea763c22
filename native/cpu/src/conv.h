/* A convolution's handle and the layout of its packed weights. */
#ifndef UP_CONV_H
#define UP_CONV_H

#include "internal.h"

enum { UP_MOST_TAPS = 128 };    /* of a block */

/* A panel: which kind of register tile computes it, and its first output within its group. */
typedef struct up_panel {
    int32_t kind;
    int32_t first;
} up_panel;

/*
 * Packed: a header of 64 bytes; the bias, [groups][padded_outputs]; the weights,
 * [groups][tap blocks][channel blocks][panels][taps of the block][channels of the block][width of the panel].
 * Depthwise, and groups so small that vectors run over several of them: the bias, [padded_outputs]; the weights,
 * [channels of a group][taps][padded_outputs].
 */
typedef struct up_layout {
    int depthwise;                 /* or small groups */
    int32_t taps;
    int32_t group_inputs, group_outputs;
    int32_t block_taps, tap_blocks;
    int32_t block_channels, channel_blocks;
    int32_t padded_outputs;        /* of a group: the sum of its panels' widths */
    int32_t panels;                /* of a group */
    int32_t wide_panels;           /* these first ones are of kind 0 */
    up_panel tail[UP_MAX_WIDTHS];  /* the others */
    int64_t bias_floats, weight_floats;
} up_layout;

struct up_conv {
    up_conv_desc desc;
    up_layout layout;
    const up_kernels *kernels;
    const up_panel_kind *panels;   /* the kernels', or those for pairs of bf16 */
    int bf16;          /* "channels" of the layout and of tiles are pairs of bf16, packed anew in each run */
    const float *bias;
    const float *weights;
    void *owned;       /* NULL: the packed memory is the caller's */
    int clamp;         /* the activation is the clamp to [low, high] */
    float low, high;
};

UP_INLINE up_panel up_panel_at(const up_layout *layout, int32_t width, int32_t panel) {
    if (panel < layout->wide_panels) return (up_panel){0, panel * width};
    return layout->tail[panel - layout->wide_panels];
}

/* Checks a description; `where` is the function's name. */
int32_t up_conv_check(const char *where, const up_conv_desc *desc);

/* How a (checked) convolution is packed for a set of kernels. */
void up_conv_layout(const up_conv_desc *desc, const up_kernels *kernels, up_layout *layout);

/* As panels, whatever its groups. */
void up_conv_panel_layout(const up_conv_desc *desc, const up_kernels *kernels, up_layout *layout);

/* Checks a description of a convolution with bf16, and makes its handle but for the weights. */
int32_t up_conv_bf16_plan(const char *where, const up_conv_desc *desc, up_conv *conv);

/* Packs `channels` channels of some pixels as bf16, two to the float, an odd one beside 0. */
void up_bf16_pack_pixels(const float *src, int64_t src_stride, const int32_t *index, int64_t channels, float *to, int64_t to_stride,
                         int64_t pixels);
extern const up_panel_kind up_panels_bf16[];

/*
 * A depthwise convolution, or one of small groups, packs this much of its source at a time. The window of one output must fit, for a
 * vector of outputs and all channels of a group.
 */
enum { UP_PACKED_FLOATS = 12 << 10 };

/* Whether a convolution has few enough channels to be run by packed rows; and that run, on checked arguments. */
int up_conv_has_rows(const up_conv *conv, const up_conv_args *args);
int32_t up_conv_run_rows(const up_conv *conv, const up_conv_args *args, up_pool *pool);

/*
 * Such a run with vectors across pixels: whether it takes less time; floats of a row of the image, packed for it; packing row `y` of an image, which may
 * lie above or below it; and output rows [y0, y1), whose inputs are packed.
 */
int up_across_pays(const up_conv *conv, const up_conv_args *args);
int64_t up_across_row_floats(const up_conv *conv, const up_conv_args *args);
void up_across_pack_row(const up_conv *conv, const up_conv_args *args, int64_t image, int64_t y, float *to);
void up_across_rows(const up_conv *conv, const up_conv_args *args, int64_t image, int64_t y0, int64_t y1, const float *packed);

/* Runs a convolution whose layout is depthwise, on checked arguments. */
int32_t up_depthwise_conv(const up_conv *conv, const up_conv_args *args, up_pool *pool);

#endif
