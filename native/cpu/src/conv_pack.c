/* Packing of a convolution's weights, and its handle. */
#include "conv.h"

#include <stdlib.h>
#include <string.h>

/*
 * Sums that one tile accumulates before it goes on to the next block of K: a panel's block lies in the first cache
 * (1x1), or in the second with long runs of channels for each tap.
 */
enum { BLOCK_SUMS = 512, BLOCK_SUMS_OF_TAPS = 2048, FEWEST_CHANNELS = 32 };

/* Groups of fewer outputs than the narrower vectors of panels hold, two of which are multiplied at a time, and of few inputs, are small. */
enum { FILLED_OUTPUTS = 8, MOST_SMALL_INPUTS = 16 };

typedef struct packed_header {
    char magic[8];
    int32_t abi, isa;
    int32_t in_channels, out_channels, groups, kernel_h, kernel_w;
    int32_t block_taps, block_channels, width;
    int32_t reserved[4];
} packed_header;

_Static_assert(sizeof(packed_header) == 64, "the header keeps the bias aligned");

static const char MAGIC[8] = "upconv1";

int32_t up_conv_check(const char *where, const up_conv_desc *d) {
    if (!d) return up_fail(UP_INVALID, "%s: no description", where);
    if (d->in_channels < 1 || d->out_channels < 1)
        return up_fail(UP_INVALID, "%s: in_channels %d, out_channels %d", where, d->in_channels, d->out_channels);
    if (d->groups < 1 || d->in_channels % d->groups || d->out_channels % d->groups)
        return up_fail(UP_INVALID, "%s: groups %d does not divide in_channels %d and out_channels %d", where, d->groups,
                       d->in_channels, d->out_channels);
    if (d->kernel_h < 1 || d->kernel_w < 1 || d->kernel_h > 32768 || d->kernel_w > 32768 ||
        (int64_t)d->kernel_h * d->kernel_w > 1 << 20)
        return up_fail(UP_INVALID, "%s: kernel %dx%d", where, d->kernel_h, d->kernel_w);
    if (d->stride_h < 1 || d->stride_w < 1) return up_fail(UP_INVALID, "%s: stride %dx%d", where, d->stride_h, d->stride_w);
    if (d->dilation_h < 1 || d->dilation_w < 1)
        return up_fail(UP_INVALID, "%s: dilation %dx%d", where, d->dilation_h, d->dilation_w);
    if (d->pad_top < 0 || d->pad_left < 0) return up_fail(UP_INVALID, "%s: padding %d, %d", where, d->pad_top, d->pad_left);
    return up_check_act(where, &d->act);
}

static int32_t round_up(int32_t n, int32_t to) { return (n + to - 1) / to * to; }

static void add_panel(const up_kernels *kernels, up_layout *layout, int32_t kind) {
    layout->tail[layout->panels++ - layout->wide_panels] = (up_panel){kind, layout->padded_outputs};
    layout->padded_outputs += kernels->panels[kind].width;
}

/*
 * Panels of two vectors, and others for the outputs that are left: one that is nearly filled, or narrower ones. Where a narrow vector takes
 * no less time than a wide one, they have as few vectors as can be. A vector alone joins the panel before it, to three: with more products
 * for each value that is read they take less time.
 */
static void lay_panels(const up_kernels *kernels, up_layout *layout) {
    enum { TWO, ONE };
    const up_panel_kind *kinds = kernels->panels;
    layout->panels = layout->wide_panels = layout->group_outputs / kinds[TWO].width;
    int32_t left = round_up(layout->group_outputs % kinds[TWO].width, kinds[kernels->kinds - 1].width);
    const int narrow_pays = up_narrow_pays(kernels->isa);
    if (layout->wide_panels && (narrow_pays ? left >= kinds[ONE].width - kinds[ONE].width / 4 : left > 0) &&
        left <= kinds[ONE].width + (narrow_pays ? kinds[ONE].width / 2 : 0)) {
        layout->panels = --layout->wide_panels;
        layout->padded_outputs = layout->wide_panels * kinds[TWO].width;
        add_panel(kernels, layout, kernels->kinds);
        left -= kinds[ONE].width;
    } else {
        layout->padded_outputs = layout->wide_panels * kinds[TWO].width;
    }
    for (int32_t kind = 0; left > 0; ) {
        const int32_t width = kinds[kind].width;
        const int last = kind == kernels->kinds - 1;
        if (last || left >= width || left > (narrow_pays ? width - width / 4 : kinds[kind + 1].width)) {
            add_panel(kernels, layout, kind);
            left -= width;
        } else {
            kind++;
        }
    }
}

/* Panels of three vectors, and of two for the one or two vectors, or four, that are left; or, of fewer outputs, one narrower panel. */
static void lay_panels_of_three(const up_kernels *kernels, up_layout *layout) {
    enum { THREE, TWO };
    const int32_t vector = kernels->vector_floats, vectors = (layout->group_outputs + vector - 1) / vector;
    layout->panels = layout->wide_panels = vectors % 3 == 1 && vectors > 1 ? vectors / 3 - 1 : vectors / 3;
    layout->padded_outputs = layout->wide_panels * kernels->panels[THREE].width;
    int32_t narrow = TWO;
    while (narrow < kernels->kinds - 1 && kernels->panels[narrow + 1].width >= layout->group_outputs) narrow++;
    while (layout->padded_outputs < layout->group_outputs) add_panel(kernels, layout, narrow);
}

/* Whether vectors run over the outputs of several groups: where those of one group fill no vector of a panel. */
static int is_depthwise(const up_conv_desc *d, const up_kernels *kernels) {
    const int64_t inputs = d->in_channels / d->groups, outputs = d->out_channels / d->groups;
    if (d->groups == 1 || (inputs == 1 && outputs == 1)) return d->groups > 1;
    const int64_t window = ((d->kernel_h - 1) * (int64_t)d->dilation_h + 1) * ((d->kernel_w - 1) * (int64_t)d->dilation_w + 1);
    return outputs < FILLED_OUTPUTS && outputs < kernels->vector_floats && inputs <= MOST_SMALL_INPUTS &&
           window * inputs * kernels->vector_floats <= UP_PACKED_FLOATS / 2;
}

static up_layout layout_of(const up_conv_desc *d) {
    return (up_layout){.taps = d->kernel_h * d->kernel_w, .group_inputs = d->in_channels / d->groups,
                       .group_outputs = d->out_channels / d->groups};
}

void up_conv_layout(const up_conv_desc *d, const up_kernels *kernels, up_layout *layout) {
    if (!is_depthwise(d, kernels)) {
        up_conv_panel_layout(d, kernels, layout);
        return;
    }
    *layout = layout_of(d);
    layout->depthwise = 1;
    layout->padded_outputs = round_up(d->out_channels, 16);
    layout->bias_floats = layout->padded_outputs;
    layout->weight_floats = (int64_t)layout->group_inputs * layout->taps * layout->padded_outputs;
}

void up_conv_panel_layout(const up_conv_desc *d, const up_kernels *kernels, up_layout *layout) {
    *layout = layout_of(d);
    layout->tap_blocks = (layout->taps + UP_MOST_TAPS - 1) / UP_MOST_TAPS;
    layout->block_taps = (layout->taps + layout->tap_blocks - 1) / layout->tap_blocks;
    layout->tap_blocks = (layout->taps + layout->block_taps - 1) / layout->block_taps;
    int64_t sums = (int64_t)layout->block_taps * layout->group_inputs;
    const int64_t block = layout->block_taps == 1 ? BLOCK_SUMS : BLOCK_SUMS_OF_TAPS;
    int32_t blocks = (int32_t)((sums + block / 2) / block);
    int32_t channels = round_up((layout->group_inputs + blocks) / (blocks + !blocks), 4);
    if (channels < FEWEST_CHANNELS) channels = FEWEST_CHANNELS;
    if (channels > layout->group_inputs || blocks <= 1) channels = layout->group_inputs;
    layout->block_channels = channels;
    layout->channel_blocks = (layout->group_inputs + channels - 1) / channels;

    if (kernels->panels[0].width == 3 * kernels->vector_floats) lay_panels_of_three(kernels, layout);
    else lay_panels(kernels, layout);
    layout->bias_floats = (int64_t)round_up(d->groups * layout->padded_outputs, 16);
    layout->weight_floats = (int64_t)d->groups * layout->taps * layout->group_inputs * layout->padded_outputs;
}

static int64_t packed_bytes(const up_layout *layout) {
    return (int64_t)sizeof(packed_header) + (layout->bias_floats + (layout->weight_floats + 15) / 16 * 16) * 4;
}

static packed_header header_of(const up_conv_desc *d, const up_layout *layout, const up_kernels *kernels) {
    packed_header h = {.abi = UP_ABI_VERSION, .isa = kernels->isa, .in_channels = d->in_channels,
                       .out_channels = d->out_channels, .groups = d->groups, .kernel_h = d->kernel_h,
                       .kernel_w = d->kernel_w, .block_taps = layout->block_taps, .block_channels = layout->block_channels,
                       .width = kernels->panels[0].width};
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    return h;
}

static void pack_depthwise(const up_conv_desc *d, const up_layout *layout, const float *weights, float *to) {
    for (int32_t c = 0; c < layout->group_inputs; c++)
        for (int32_t t = 0; t < layout->taps; t++)
            for (int32_t o = 0; o < layout->padded_outputs; o++)
                *to++ = o < d->out_channels ? weights[((int64_t)o * layout->group_inputs + c) * layout->taps + t] : 0;
}

static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

static void pack_groups(const up_conv_desc *d, const up_layout *layout, const up_kernels *kernels, const float *weights,
                        float *to) {
    const int64_t taps = layout->taps, inputs = layout->group_inputs, outputs = layout->group_outputs;
    for (int32_t g = 0; g < d->groups; g++, weights += outputs * inputs * taps)
        for (int32_t t0 = 0; t0 < taps; t0 += layout->block_taps)
            for (int32_t c0 = 0; c0 < inputs; c0 += layout->block_channels)
                for (int32_t j = 0; j < layout->panels; j++) {
                    up_panel panel = up_panel_at(layout, kernels->panels[0].width, j);
                    int32_t width = kernels->panels[panel.kind].width;
                    int32_t t1 = smaller(layout->taps, t0 + layout->block_taps);
                    int32_t c1 = smaller(layout->group_inputs, c0 + layout->block_channels);
                    for (int32_t t = t0; t < t1; t++)
                        for (int32_t c = c0; c < c1; c++)
                            for (int32_t o = panel.first; o < panel.first + width; o++)
                                *to++ = o < outputs ? weights[((int64_t)o * inputs + c) * taps + t] : 0;
                }
}

static void pack(const up_conv_desc *d, const up_layout *layout, const up_kernels *kernels, const float *weights,
                 const float *bias, void *packed) {
    packed_header header = header_of(d, layout, kernels);
    memcpy(packed, &header, sizeof header);
    float *to = (float *)((char *)packed + sizeof header);
    memset(to, 0, (size_t)layout->bias_floats * 4);
    int32_t groups = layout->depthwise ? 1 : d->groups, outputs = d->out_channels / groups;
    for (int32_t g = 0; bias && g < groups; g++)
        memcpy(to + (int64_t)g * layout->padded_outputs, bias + (int64_t)g * outputs, (size_t)outputs * 4);
    to += layout->bias_floats;
    if (layout->depthwise) pack_depthwise(d, layout, weights, to);
    else pack_groups(d, layout, kernels, weights, to);
}

static int32_t make_handle(const char *where, const up_conv_desc *d, const up_layout *layout, const up_kernels *kernels,
                           const void *packed, void *owned, up_conv **result) {
    up_conv *conv = malloc(sizeof *conv);
    if (!conv) return up_fail(UP_NO_MEMORY, "%s: out of memory", where);
    *conv = (up_conv){.desc = *d, .layout = *layout, .kernels = kernels, .panels = kernels->panels, .owned = owned};
    conv->bias = (const float *)((const char *)packed + sizeof(packed_header));
    conv->weights = conv->bias + layout->bias_floats;
    conv->clamp = up_act_is_clamp(&d->act, &conv->low, &conv->high);
    *result = conv;
    return UP_OK;
}

int32_t up_conv_packed_bytes(const up_conv_desc *desc, int64_t *bytes) {
    int32_t status = up_conv_check("up_conv_packed_bytes", desc);
    if (status) return status;
    if (!bytes) return up_fail(UP_INVALID, "up_conv_packed_bytes: no place for the result");
    up_layout layout;
    up_conv_layout(desc, up_current(), &layout);
    *bytes = packed_bytes(&layout);
    return UP_OK;
}

static int32_t check_packed(const char *where, const up_layout *layout, const void *packed, int64_t bytes) {
    if (!packed || (uintptr_t)packed % 64) return up_fail(UP_INVALID, "%s: packed memory is not aligned to 64 bytes", where);
    if (bytes < packed_bytes(layout))
        return up_fail(UP_INVALID, "%s: %lld bytes of packed memory, %lld needed", where, (long long)bytes,
                       (long long)packed_bytes(layout));
    return UP_OK;
}

int32_t up_conv_pack(const up_conv_desc *desc, const float *weights, const float *bias, void *packed, int64_t bytes) {
    int32_t status = up_conv_check("up_conv_pack", desc);
    if (status) return status;
    if (!weights) return up_fail(UP_INVALID, "up_conv_pack: no weights");
    const up_kernels *kernels = up_current();
    up_layout layout;
    up_conv_layout(desc, kernels, &layout);
    if ((status = check_packed("up_conv_pack", &layout, packed, bytes))) return status;
    pack(desc, &layout, kernels, weights, bias, packed);
    return UP_OK;
}

int32_t up_conv_create(const up_conv_desc *desc, const float *weights, const float *bias, up_conv **conv) {
    int32_t status = up_conv_check("up_conv_create", desc);
    if (status) return status;
    if (!weights || !conv) return up_fail(UP_INVALID, "up_conv_create: no %s", weights ? "place for the result" : "weights");
    const up_kernels *kernels = up_current();
    up_layout layout;
    up_conv_layout(desc, kernels, &layout);
    void *packed = aligned_alloc(64, (size_t)packed_bytes(&layout));
    if (!packed) return up_fail(UP_NO_MEMORY, "up_conv_create: no memory for %lld bytes", (long long)packed_bytes(&layout));
    pack(desc, &layout, kernels, weights, bias, packed);
    status = make_handle("up_conv_create", desc, &layout, kernels, packed, packed, conv);
    if (status) free(packed);
    return status;
}

int32_t up_conv_packed_range(const up_conv *conv, up_range *range) {
    if (!conv || !range) return up_fail(UP_INVALID, "up_conv_packed_range: no %s", conv ? "place for the result" : "convolution");
    *range = (up_range){conv->bias, (conv->layout.bias_floats + conv->layout.weight_floats) * 4};
    return UP_OK;
}

int32_t up_conv_create_packed(const up_conv_desc *desc, const void *packed, int64_t bytes, up_conv **conv) {
    int32_t status = up_conv_check("up_conv_create_packed", desc);
    if (status) return status;
    if (!conv) return up_fail(UP_INVALID, "up_conv_create_packed: no place for the result");
    if (!packed || bytes < (int64_t)sizeof(packed_header))
        return up_fail(UP_INVALID, "up_conv_create_packed: %lld bytes hold no packed weights", (long long)bytes);
    packed_header found;
    memcpy(&found, packed, sizeof found);
    const up_kernels *kernels = up_kernels_of(found.isa);
    if (memcmp(found.magic, MAGIC, sizeof MAGIC) || found.abi != UP_ABI_VERSION || !kernels)
        return up_fail(UP_BAD_PACKING, "up_conv_create_packed: not packed by this version for this CPU: pack the weights again");
    up_layout layout;
    up_conv_layout(desc, kernels, &layout);
    packed_header wanted = header_of(desc, &layout, kernels);
    if (memcmp(&found, &wanted, sizeof wanted))
        return up_fail(UP_BAD_PACKING, "up_conv_create_packed: packed for %d to %d channels, kernel %dx%d, %d groups",
                       found.in_channels, found.out_channels, found.kernel_h, found.kernel_w, found.groups);
    if ((status = check_packed("up_conv_create_packed", &layout, packed, bytes))) return status;
    return make_handle("up_conv_create_packed", desc, &layout, kernels, packed, NULL, conv);
}

void up_conv_destroy(up_conv *conv) {
    if (!conv) return;
    free(conv->owned);
    free(conv);
}
