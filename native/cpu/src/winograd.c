/* Packing of a Winograd convolution's weights, and its handle. */
#include "winograd.h"

#include <stdlib.h>
#include <string.h>

typedef struct packed_header {
    char magic[8];
    int32_t abi, isa;
    int32_t m, in_channels, out_channels, width;
    int32_t reserved[8];
} packed_header;

_Static_assert(sizeof(packed_header) == 64, "the header keeps the bias aligned");

static const char MAGIC[8] = "upwino1";

int32_t up_winograd_check(const char *where, const up_conv_desc *d, int32_t m) {
    int32_t status = up_conv_check(where, d);
    if (status) return status;
    if (m != 2 && m != 4) return up_fail(UP_INVALID, "%s: tiles of %d, not 2 or 4", where, m);
    if (d->kernel_h != 3 || d->kernel_w != 3 || d->stride_h != 1 || d->stride_w != 1 || d->dilation_h != 1 || d->dilation_w != 1 ||
        d->groups != 1)
        return up_fail(UP_UNSUPPORTED, "%s: kernel %dx%d, stride %dx%d, dilation %dx%d, %d groups; only 3x3, 1x1, 1x1 and 1", where,
                       d->kernel_h, d->kernel_w, d->stride_h, d->stride_w, d->dilation_h, d->dilation_w, d->groups);
    return UP_OK;
}

/* ---------------------------------------------------------------- weights */

/* [product][tap] */
static void weights_transform(int32_t m, double g[6][3]) {
    static const double of2[3] = {0, 1, -1}, of4[5] = {0, UP_WINOGRAD_A, -UP_WINOGRAD_A, UP_WINOGRAD_B, -UP_WINOGRAD_B};
    const double *points = m == 2 ? of2 : of4;
    for (int i = 0; i <= m; i++) {
        double scale = 1;
        for (int j = 0; j <= m; j++)
            if (j != i) scale /= points[i] - points[j];
        for (int k = 0; k < 3; k++) g[i][k] = scale * (k == 0 ? 1 : k == 1 ? points[i] : points[i] * points[i]);
    }
    for (int k = 0; k < 3; k++) g[m + 1][k] = k == 2;
}

/* One 3x3 kernel to its (m + 2) x (m + 2) factors. */
static void transform(int32_t m, const double g[6][3], const float *kernel, float *factors) {
    for (int i = 0; i < m + 2; i++) {
        double row[3] = {0};
        for (int k = 0; k < 3; k++)
            for (int j = 0; j < 3; j++) row[j] += g[i][k] * kernel[k * 3 + j];
        for (int j = 0; j < m + 2; j++)
            factors[i * (m + 2) + j] = (float)(row[0] * g[j][0] + row[1] * g[j][1] + row[2] * g[j][2]);
    }
}

static void pack_weights(const up_conv_desc *d, int32_t m, const up_layout *layout, const up_kernels *kernels, const float *weights,
                         float *to) {
    const int64_t inputs = d->in_channels, products = up_winograd_products(m);
    double g[6][3];
    weights_transform(m, g);
    memset(to, 0, (size_t)(layout->padded_outputs * inputs * products) * 4);
    for (int32_t q = 0; q < layout->panels; q++) {
        const up_panel panel = up_panel_at(layout, kernels->panels[0].width, q);
        const int32_t width = kernels->panels[panel.kind].width;
        float *place = to + products * inputs * panel.first;
        for (int32_t o = 0; o < width && panel.first + o < d->out_channels; o++)
            for (int64_t c = 0; c < inputs; c++) {
                float factors[UP_MOST_PRODUCTS];
                transform(m, g, weights + ((panel.first + o) * inputs + c) * 9, factors);
                for (int64_t i = 0; i < products; i++) place[(i * inputs + c) * width + o] = factors[i];
            }
    }
}

/* ---------------------------------------------------------------- packing */

typedef struct packing {
    const up_kernels *kernels;
    up_layout layout;
    int64_t bias_floats, bytes;
    packed_header header;
} packing;

static packing packing_of(const up_conv_desc *d, int32_t m, const up_kernels *kernels) {
    packing p = {.kernels = kernels};
    up_conv_desc product = *d;
    product.kernel_h = product.kernel_w = 1;
    up_conv_layout(&product, kernels, &p.layout);
    p.bias_floats = (p.layout.padded_outputs + 31) / 16 * 16;
    p.bytes = (int64_t)sizeof(packed_header) +
              (p.bias_floats + (up_winograd_products(m) * d->in_channels * p.layout.padded_outputs + 15) / 16 * 16) * 4;
    p.header = (packed_header){.abi = UP_ABI_VERSION, .isa = kernels->isa, .m = m, .in_channels = d->in_channels,
                               .out_channels = d->out_channels, .width = kernels->panels[0].width};
    memcpy(p.header.magic, MAGIC, sizeof MAGIC);
    return p;
}

static void pack(const up_conv_desc *d, int32_t m, const packing *p, const float *weights, const float *bias, void *packed) {
    memcpy(packed, &p->header, sizeof p->header);
    float *to = (float *)((char *)packed + sizeof p->header);
    memset(to, 0, (size_t)p->bias_floats * 4);
    if (bias) memcpy(to, bias, (size_t)d->out_channels * 4);
    pack_weights(d, m, &p->layout, p->kernels, weights, to + p->bias_floats);
}

static int32_t make_handle(const char *where, const up_conv_desc *d, int32_t m, const packing *p, const void *packed, void *owned,
                           up_winograd **result) {
    up_winograd *w = malloc(sizeof *w);
    if (!w) return up_fail(UP_NO_MEMORY, "%s: out of memory", where);
    *w = (up_winograd){.desc = *d, .m = m, .layout = p->layout, .kernels = p->kernels, .owned = owned};
    w->bias = (const float *)((const char *)packed + sizeof(packed_header));
    w->weights = w->bias + p->bias_floats;
    w->clamp = up_act_is_clamp(&d->act, &w->low, &w->high);
    *result = w;
    return UP_OK;
}

static int32_t check_packed(const char *where, const packing *p, const void *packed, int64_t bytes) {
    if (!packed || (uintptr_t)packed % 64) return up_fail(UP_INVALID, "%s: packed memory is not aligned to 64 bytes", where);
    if (bytes < p->bytes)
        return up_fail(UP_INVALID, "%s: %lld bytes of packed memory, %lld needed", where, (long long)bytes, (long long)p->bytes);
    return UP_OK;
}

int32_t up_winograd_packed_bytes(const up_conv_desc *desc, int32_t tile, int64_t *bytes) {
    int32_t status = up_winograd_check("up_winograd_packed_bytes", desc, tile);
    if (status) return status;
    if (!bytes) return up_fail(UP_INVALID, "up_winograd_packed_bytes: no place for the result");
    *bytes = packing_of(desc, tile, up_current()).bytes;
    return UP_OK;
}

int32_t up_winograd_pack(const up_conv_desc *desc, int32_t tile, const float *weights, const float *bias, void *packed, int64_t bytes) {
    int32_t status = up_winograd_check("up_winograd_pack", desc, tile);
    if (status) return status;
    if (!weights) return up_fail(UP_INVALID, "up_winograd_pack: no weights");
    const packing p = packing_of(desc, tile, up_current());
    if ((status = check_packed("up_winograd_pack", &p, packed, bytes))) return status;
    pack(desc, tile, &p, weights, bias, packed);
    return UP_OK;
}

int32_t up_winograd_create(const up_conv_desc *desc, int32_t tile, const float *weights, const float *bias, up_winograd **result) {
    int32_t status = up_winograd_check("up_winograd_create", desc, tile);
    if (status) return status;
    if (!weights || !result) return up_fail(UP_INVALID, "up_winograd_create: no %s", weights ? "place for the result" : "weights");
    const packing p = packing_of(desc, tile, up_current());
    void *packed = aligned_alloc(64, (size_t)p.bytes);
    if (!packed) return up_fail(UP_NO_MEMORY, "up_winograd_create: no memory for %lld bytes", (long long)p.bytes);
    pack(desc, tile, &p, weights, bias, packed);
    status = make_handle("up_winograd_create", desc, tile, &p, packed, packed, result);
    if (status) free(packed);
    return status;
}

int32_t up_winograd_create_packed(const up_conv_desc *desc, int32_t tile, const void *packed, int64_t bytes, up_winograd **result) {
    int32_t status = up_winograd_check("up_winograd_create_packed", desc, tile);
    if (status) return status;
    if (!result) return up_fail(UP_INVALID, "up_winograd_create_packed: no place for the result");
    if (!packed || bytes < (int64_t)sizeof(packed_header))
        return up_fail(UP_INVALID, "up_winograd_create_packed: %lld bytes hold no packed weights", (long long)bytes);
    packed_header found;
    memcpy(&found, packed, sizeof found);
    const up_kernels *kernels = up_kernels_of(found.isa);
    if (memcmp(found.magic, MAGIC, sizeof MAGIC) || found.abi != UP_ABI_VERSION || !kernels)
        return up_fail(UP_BAD_PACKING, "up_winograd_create_packed: not packed by this version for this CPU: pack the weights again");
    const packing p = packing_of(desc, tile, kernels);
    if (memcmp(&found, &p.header, sizeof found))
        return up_fail(UP_BAD_PACKING, "up_winograd_create_packed: packed for %d to %d channels, tiles of %d", found.in_channels,
                       found.out_channels, found.m);
    if ((status = check_packed("up_winograd_create_packed", &p, packed, bytes))) return status;
    return make_handle("up_winograd_create_packed", desc, tile, &p, packed, NULL, result);
}

void up_winograd_destroy(up_winograd *w) {
    if (!w) return;
    free(w->owned);
    free(w);
}
