/* Convolutions with bf16: their weights, packed in pairs of input channels. The layout is that of half as many channels. */
#include "conv.h"

#include <stdlib.h>
#include <string.h>

int32_t up_conv_bf16_available(void) { return up_get_isa() == UP_ISA_AVX512 && up_has_bf16(); }

#ifndef UP_BF16

int32_t up_conv_bf16_plan(const char *where, const up_conv_desc *desc, up_conv *conv) {
    (void)desc, (void)conv;
    return up_fail(UP_UNSUPPORTED, "%s: this build has no AVX-512 BF16", where);
}

int32_t up_conv_bf16_create(const up_conv_desc *desc, const float *weights, const float *bias, up_conv **conv) {
    (void)weights, (void)bias;
    return up_conv_bf16_plan("up_conv_bf16_create", desc, conv ? *conv : NULL);
}

/* Never called: there are no handles. */
void up_bf16_pack_pixels(const float *src, int64_t src_stride, const int32_t *index, int64_t channels, float *to, int64_t to_stride,
                         int64_t pixels) {
    (void)src, (void)src_stride, (void)index, (void)channels, (void)to, (void)to_stride, (void)pixels;
}

#else

/* The bits of the nearest bf16, halves to even. */
static uint32_t rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000) return bits >> 16 | 0x40;    /* NaN stays one */
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

/* The order is that of pack_groups in conv_pack.c. */
static void pack(const up_conv_desc *d, const up_layout *layout, const float *weights, uint32_t *to) {
    const int64_t taps = layout->taps, inputs = d->in_channels / d->groups, outputs = layout->group_outputs;
    for (int32_t g = 0; g < d->groups; g++, weights += outputs * inputs * taps)
        for (int32_t c0 = 0; c0 < layout->group_inputs; c0 += layout->block_channels)
            for (int32_t j = 0; j < layout->panels; j++) {
                const up_panel panel = up_panel_at(layout, up_panels_bf16[0].width, j);
                const int32_t c1 = smaller(layout->group_inputs, c0 + layout->block_channels);
                for (int64_t t = 0; t < taps; t++)
                    for (int64_t c = c0; c < c1; c++)
                        for (int64_t o = panel.first; o < panel.first + up_panels_bf16[panel.kind].width; o++) {
                            const float *pair = weights + (o * inputs + 2 * c) * taps + t;
                            const uint32_t low = o < outputs ? rounded(pair[0]) : 0;
                            const uint32_t high = o < outputs && 2 * c + 1 < inputs ? rounded(pair[taps]) : 0;
                            *to++ = high << 16 | low;
                        }
            }
}

int32_t up_conv_bf16_plan(const char *where, const up_conv_desc *desc, up_conv *conv) {
    int32_t status = up_conv_check(where, desc);
    if (status) return status;
    if (!up_conv_bf16_available()) return up_fail(UP_UNSUPPORTED, "%s: AVX-512 BF16 is not had here, or not in use", where);
    const int32_t inputs = desc->in_channels / desc->groups, taps = desc->kernel_h * desc->kernel_w;
    if (desc->groups > 1 && inputs == 1)
        return up_fail(UP_UNSUPPORTED, "%s: groups of one input channel, which has no other to pair with", where);
    if (taps > UP_MOST_TAPS) return up_fail(UP_UNSUPPORTED, "%s: a kernel of %d taps, more than %d", where, taps, UP_MOST_TAPS);
    *conv = (up_conv){.desc = *desc, .kernels = up_current(), .panels = up_panels_bf16, .bf16 = 1};
    conv->clamp = up_act_is_clamp(&desc->act, &conv->low, &conv->high);
    up_conv_desc pairs = *desc;
    pairs.in_channels = desc->groups * ((inputs + 1) / 2);
    up_conv_panel_layout(&pairs, conv->kernels, &conv->layout);
    return UP_OK;
}

int32_t up_conv_bf16_create(const up_conv_desc *desc, const float *weights, const float *bias, up_conv **result) {
    static const char *const where = "up_conv_bf16_create";
    up_conv planned;
    int32_t status = up_conv_bf16_plan(where, desc, &planned);
    if (status) return status;
    if (!weights || !result) return up_fail(UP_INVALID, "%s: no %s", where, weights ? "place for the result" : "weights");
    const up_layout *layout = &planned.layout;
    const size_t bytes = (size_t)(layout->bias_floats + (layout->weight_floats + 15) / 16 * 16) * 4;
    float *packed = aligned_alloc(64, bytes);
    up_conv *conv = malloc(sizeof *conv);
    if (!packed || !conv) {
        free(packed);
        free(conv);
        return up_fail(UP_NO_MEMORY, "%s: no memory for %lld bytes", where, (long long)bytes);
    }
    memset(packed, 0, (size_t)layout->bias_floats * 4);
    for (int32_t g = 0; bias && g < desc->groups; g++)
        memcpy(packed + (int64_t)g * layout->padded_outputs, bias + (int64_t)g * layout->group_outputs, (size_t)layout->group_outputs * 4);
    pack(desc, layout, weights, (uint32_t *)(packed + layout->bias_floats));
    *conv = planned;
    conv->bias = conv->owned = packed;
    conv->weights = packed + layout->bias_floats;
    *result = conv;
    return UP_OK;
}

#endif
