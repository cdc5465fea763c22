/* Packing of pixels as bf16. */
#include "reader.h"

#include "conv.h"

enum {
    READERS = 16,        /* vectors of channels that are read of a pixel before the next */
    FEWEST_PIXELS = 4    /* that are worth to find out how to read them by index */
};

/* A vector of up to 16 channels, as 8 pairs. */
UP_INLINE void pack_vector(const reader *r, const float *pixel, float *to, const enum reading how) {
    const __mmask8 pairs = (__mmask8)((1u << (r->n + 1) / 2) - 1);
    _mm256_mask_storeu_epi32(to, pairs, (__m256i)_mm512_cvtneps_pbh((__m512)read_channels(r, pixel, how)));
}

static void pack_indexed(const float *src, int64_t src_stride, const int32_t *index, int64_t channels, float *to, int64_t to_stride,
                         int64_t pixels) {
    reader readers[READERS];
    enum reading how[READERS];
    int count = 0;
    for (int64_t k = 0; k < channels; k += VW, count++) {
        reader *r = &readers[count];
        if (pixels >= FEWEST_PIXELS) {
            how[count] = make_reader(r, index + k, channels - k);
        } else {
            r->index = index + k;
            r->n = channels - k < VW ? channels - k : VW;
            how[count] = ONE_BY_ONE;
        }
    }
    for (int64_t p = 0; p < pixels; p++, src += src_stride, to += to_stride)
        for (int i = 0; i < count; i++) {
            if (how[i] == PERMUTED) pack_vector(&readers[i], src, to + i * (VW / 2), PERMUTED);
            else pack_vector(&readers[i], src, to + i * (VW / 2), ONE_BY_ONE);
        }
}

static void pack_dense(const float *src, int64_t src_stride, int64_t channels, float *to, int64_t to_stride, int64_t pixels) {
    for (int64_t p = 0; p < pixels; p++, src += src_stride, to += to_stride) {
        int64_t k = 0;
        for (; k + 32 <= channels; k += 32)
            _mm512_storeu_si512(to + k / 2, (__m512i)_mm512_cvtne2ps_pbh((__m512)vload(src + k + 16), (__m512)vload(src + k)));
        for (; k < channels; k += VW) {
            const reader r = {.n = channels - k < VW ? channels - k : VW};
            if (r.n == VW) pack_vector(&r, src + k, to + k / 2, WHOLE);
            else pack_vector(&r, src + k, to + k / 2, PART);
        }
    }
}

void up_bf16_pack_pixels(const float *src, int64_t src_stride, const int32_t *index, int64_t channels, float *to, int64_t to_stride,
                         int64_t pixels) {
    if (!index) {
        pack_dense(src, src_stride, channels, to, to_stride, pixels);
        return;
    }
    for (int64_t k = 0; k < channels; k += READERS * VW) {
        const int64_t left = channels - k;
        pack_indexed(src, src_stride, index + k, left < READERS * VW ? left : READERS * VW, to + k / 2, to_stride, pixels);
    }
}
