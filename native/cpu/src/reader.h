/* Reading vectors of channels of many pixels, from wherever they lie in each. */
#ifndef UP_READER_H
#define UP_READER_H

#include "vector.h"

/*
 * How a vector of channels is read. By index, up to CHUNKS neighbouring vectors that hold all its channels are loaded, of them only
 * the positions that are channels, and permuted to their places; where the channels lie farther apart, one by one.
 */
enum reading { WHOLE, PART, PERMUTED, ONE_BY_ONE };
enum { CHUNKS = 4 };

typedef struct reader {
    const int32_t *index;
    int64_t n;              /* channels of the vector */
#if UP_ISA >= 1
    int64_t first, chunks;
    vi places;              /* of each channel among the chunks */
#endif
#if UP_ISA == 1
    vi present[CHUNKS];     /* positions that are channels */
#elif UP_ISA == 2
    __mmask16 present[CHUNKS];
#endif
} reader;

static enum reading make_reader(reader *r, const int32_t *index, int64_t n) {
    r->index = index;
    r->n = n < VW ? n : VW;
    if (!index) return n >= VW ? WHOLE : PART;
#if UP_ISA >= 1
    int32_t least = index[0], most = index[0];
    for (int64_t i = 1; i < r->n; i++) {
        least = index[i] < least ? index[i] : least;
        most = index[i] > most ? index[i] : most;
    }
    r->first = least;
    r->chunks = (most - least) / VW + 1;
    if (r->chunks > CHUNKS) return ONE_BY_ONE;
    int32_t places[VW] = {0};
    uint64_t present = 0;
    for (int64_t i = 0; i < r->n; i++) {
        places[i] = index[i] - least;
        present |= (uint64_t)1 << places[i];
    }
    memcpy(&r->places, places, sizeof places);
    for (int c = 0; c < CHUNKS; c++, present >>= VW) {
#if UP_ISA == 1
        for (int i = 0; i < VW; i++) r->present[c][i] = -(int32_t)(present >> i & 1);
#else
        r->present[c] = (__mmask16)present;
#endif
    }
    return PERMUTED;
#else
    return ONE_BY_ONE;
#endif
}

#if UP_ISA == 1
UP_INLINE vf read_chunk(const reader *r, const float *p, int c) {
    return (vf)_mm256_permutevar8x32_ps(_mm256_maskload_ps(p + c * VW, (__m256i)r->present[c]), (__m256i)r->places);
}
UP_INLINE vf read_permuted(const reader *r, const float *pixel) {
    const float *p = pixel + r->first;
    vf x = read_chunk(r, p, 0);
    for (int c = 1; c < r->chunks; c++) x = vchoose(r->places >= c * VW, read_chunk(r, p, c), x);
    return x;
}
#elif UP_ISA == 2
UP_INLINE vf read_pair(const reader *r, const float *p, int c) {
    return (vf)_mm512_permutex2var_ps(_mm512_maskz_loadu_ps(r->present[c], p + c * VW), (__m512i)r->places,
                                      _mm512_maskz_loadu_ps(r->present[c + 1], p + (c + 1) * VW));
}
UP_INLINE vf read_permuted(const reader *r, const float *pixel) {
    const float *p = pixel + r->first;
    if (r->chunks == 1) return (vf)_mm512_permutexvar_ps((__m512i)r->places, _mm512_maskz_loadu_ps(r->present[0], p));
    const vf x = read_pair(r, p, 0);
    return r->chunks <= 2 ? x : (vf)_mm512_mask_mov_ps((__m512)x, _mm512_cmpge_epi32_mask((__m512i)r->places, _mm512_set1_epi32(2 * VW)),
                                                       (__m512)read_pair(r, p, 2));
}
#else
UP_INLINE vf read_permuted(const reader *r, const float *pixel) { return vgather_n(pixel, r->index, r->n); }
#endif

UP_INLINE vf read_channels(const reader *r, const float *pixel, const enum reading how) {
    return how == WHOLE ? vload(pixel) : how == PART ? vload_part(pixel, r->n) : how == PERMUTED ? read_permuted(r, pixel)
                                                                                                 : vgather_n(pixel, r->index, r->n);
}

#endif
