/*
 * Reading VW channels by index from many pixels. Where the channels lie within four vectors, as those of a pruned tensor mostly do, they
 * are permuted out of these; only channels up to the last one of the list are loaded.
 */
#ifndef UP_TAKE_H
#define UP_TAKE_H

#include "vector.h"

enum { TAKE_VECTORS = 4 };

typedef struct take {
    const int32_t *index;
    int64_t n;           /* channels, at most VW; the other lanes are 0 */
    int64_t first;       /* the lowest of them */
    int64_t vectors;     /* from there on; 0: read one by one */
    vi lanes;            /* which lane of its vector each channel is */
#if UP_ISA == 2
    __mmask16 from[TAKE_VECTORS], last;    /* the channels of each vector; the lanes of the last vector that may be loaded */
#elif UP_ISA == 1
    __m256i from[TAKE_VECTORS], last;
#endif
} take;

UP_INLINE take plan_take(const int32_t *index, int64_t n) {
    take t = {.index = index, .n = n};
#if UP_ISA >= 1
    int32_t low = index[0], high = index[0];
    for (int64_t i = 1; i < n; i++) {
        low = index[i] < low ? index[i] : low;
        high = index[i] > high ? index[i] : high;
    }
    t.first = low;
    t.vectors = ((int64_t)high - low) / VW + 1;
    if (t.vectors > TAKE_VECTORS) {
        t.vectors = 0;
        return t;
    }
    const int64_t loaded = (int64_t)high - low + 1 - (t.vectors - 1) * VW;
    int32_t lanes[VW] = {0}, vector[VW];
    for (int i = 0; i < VW; i++) {
        vector[i] = -1;
        if (i < n) {
            lanes[i] = (index[i] - low) % VW;
            vector[i] = (index[i] - low) / VW;
        }
    }
    memcpy(&t.lanes, lanes, sizeof lanes);
#if UP_ISA == 2
    t.last = (__mmask16)((1u << loaded) - 1);
    for (int v = 0; v < TAKE_VECTORS; v++) t.from[v] = _mm512_cmpeq_epi32_mask(_mm512_loadu_si512(vector), _mm512_set1_epi32(v));
#else
    const __m256i all = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    t.last = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)loaded), all);
    for (int v = 0; v < TAKE_VECTORS; v++)
        t.from[v] = _mm256_cmpeq_epi32(_mm256_loadu_si256((const __m256i *)vector), _mm256_set1_epi32(v));
#endif
#endif
    return t;
}

#if UP_ISA == 2
UP_INLINE vf take_vector(const take *t, vf y, const float *p, int v, int last) {
    const __m512 x = last ? _mm512_maskz_loadu_ps(t->last, p + v * VW) : _mm512_loadu_ps(p + v * VW);
    return (vf)_mm512_mask_permutexvar_ps((__m512)y, t->from[v], (__m512i)t->lanes, x);
}
#elif UP_ISA == 1
UP_INLINE vf take_vector(const take *t, vf y, const float *p, int v, int last) {
    const __m256 x = last ? _mm256_maskload_ps(p + v * VW, t->last) : _mm256_loadu_ps(p + v * VW);
    const __m256 permuted = _mm256_permutevar8x32_ps(x, (__m256i)t->lanes);
    return (vf)_mm256_blendv_ps((__m256)y, permuted, (__m256)t->from[v]);
}
#else
UP_INLINE vf take_vector(const take *t, vf y, const float *p, int v, int last) {
    (void)t, (void)p, (void)v, (void)last;
    return y;
}
#endif

/* The channels of one pixel; `vectors` is the plan's, as a constant. */
UP_INLINE vf take_pixel(const take *t, const float *pixel, const int vectors) {
    if (vectors == 0) return vgather_n(pixel, t->index, t->n);
    vf y = {0};
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) y = take_vector(t, y, pixel + t->first, v, v == vectors - 1);
    return y;
}

/* Expands `statement` for the plan's number of vectors, which is the constant VECTORS in it. */
#define UP_WITH_VECTORS(t, statement)                          \
    switch ((t)->vectors) {                                    \
        case 1: { enum { VECTORS = 1 }; statement; } break;    \
        case 2: { enum { VECTORS = 2 }; statement; } break;    \
        case 3: { enum { VECTORS = 3 }; statement; } break;    \
        case 4: { enum { VECTORS = 4 }; statement; } break;    \
        default: { enum { VECTORS = 0 }; statement; }          \
    }

#endif
