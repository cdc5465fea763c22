/*
 * Reading VW channels by index from many pixels, by plans that are made once and used for a whole tensor: they take longer to make than those
 * of take.h, and need no masks. Where the channels lie within a few vectors, as those of a pruned tensor mostly do, they
 * are permuted out of these. The vectors begin at multiples of VW, so that they are whole cache lines where pixels are; only channels up to
 * the last one of the list are loaded.
 */
#ifndef UP_PICK_H
#define UP_PICK_H

#include "vector.h"

enum { PICK_VECTORS = UP_ISA == 2 ? 6 : 4 };

typedef struct pick {
    const int32_t *index;
    int64_t n;           /* channels, at most VW; what is read for other lanes says nothing */
    int64_t first;       /* position of the first vector */
    int64_t vectors;     /* from there on; 0: read one by one */
#if UP_ISA == 2
    __mmask16 last;      /* the lanes of the last vector that may be loaded */
    __m512i lanes[PICK_VECTORS];    /* of the first two vectors; then of what is there so far (as it is) and one more vector */
#elif UP_ISA == 1
    __m256i lanes, from[PICK_VECTORS], last;    /* which position each channel has; the channels of each vector */
#endif
} pick;

_Static_assert(sizeof(pick) <= UP_TAKE_BYTES, "room for a plan");

void UP_NAME(up_take_pixels)(const up_take_pixels *pixels);

static inline __attribute__((unused)) pick plan_pick(const int32_t *index, int64_t n) {
    pick t = {.index = index, .n = n};
#if UP_ISA == 2
    const __mmask16 exists = (__mmask16)((1u << n) - 1);
    const __m512i all = _mm512_mask_loadu_epi32(_mm512_set1_epi32(index[0]), exists, index);
    const int32_t low = _mm512_reduce_min_epi32(all), high = _mm512_reduce_max_epi32(all);
#elif UP_ISA == 1
    int32_t low = index[0], high = index[0];
    for (int64_t i = 1; i < n; i++) {
        low = index[i] < low ? index[i] : low;
        high = index[i] > high ? index[i] : high;
    }
#endif
#if UP_ISA >= 1
    t.first = low / VW * VW;
    t.vectors = (high - t.first) / VW + 1;
    if (t.vectors > PICK_VECTORS) {
        t.vectors = 0;
        return t;
    }
    const int64_t loaded = high - t.first + 1 - (t.vectors - 1) * VW;
#endif
#if UP_ISA == 2
    t.last = (__mmask16)((1u << loaded) - 1);
    const __m512i own = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), vector = _mm512_set1_epi32(VW);
    __m512i lanes = _mm512_sub_epi32(all, _mm512_set1_epi32((int)t.first));
    t.lanes[0] = lanes;
    for (int64_t v = 2; v < t.vectors; v++) {
        lanes = _mm512_sub_epi32(lanes, vector);
        t.lanes[v - 1] = _mm512_mask_mov_epi32(own, _mm512_cmpeq_epi32_mask(_mm512_srli_epi32(lanes, 4), _mm512_set1_epi32(1)), lanes);
    }
#elif UP_ISA == 1
    const __m256i all = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), listed = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), all);
    const __m256i lanes = _mm256_sub_epi32(_mm256_maskload_epi32(index, listed), _mm256_set1_epi32((int)t.first));
    t.lanes = lanes;
    t.last = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)loaded), all);
    for (int v = 0; v < PICK_VECTORS; v++)
        t.from[v] = _mm256_and_si256(listed, _mm256_cmpeq_epi32(_mm256_srai_epi32(lanes, 3), _mm256_set1_epi32(v)));
#endif
    return t;
}

#if UP_ISA == 2
UP_INLINE __m512 pick_load(const pick *t, const float *p, const int last) {
    return last ? _mm512_maskz_loadu_ps(t->last, p) : _mm512_loadu_ps(p);
}
UP_INLINE vf pick_vectors(const pick *t, const float *p, const int vectors) {
    __m512 y = pick_load(t, p, vectors == 1);
    if (vectors == 1) return (vf)_mm512_permutexvar_ps(t->lanes[0], y);
#pragma GCC unroll 6
    for (int v = 1; v < vectors; v++) y = _mm512_permutex2var_ps(y, t->lanes[v - 1], pick_load(t, p + v * VW, v == vectors - 1));
    return (vf)y;
}
#elif UP_ISA == 1
UP_INLINE vf pick_vectors(const pick *t, const float *p, const int vectors) {
    __m256 y = _mm256_setzero_ps();
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        const __m256 x = v == vectors - 1 ? _mm256_maskload_ps(p + v * VW, t->last) : _mm256_loadu_ps(p + v * VW);
        y = _mm256_blendv_ps(y, _mm256_permutevar8x32_ps(x, t->lanes), (__m256)t->from[v]);
    }
    return (vf)y;
}
#else
UP_INLINE vf pick_vectors(const pick *t, const float *p, const int vectors) {
    (void)t, (void)p, (void)vectors;
    return (vf){0};
}
#endif

/* The channels of one pixel; `vectors` is the plan's, as a constant. */
UP_INLINE vf pick_pixel(const pick *t, const float *pixel, const int vectors) {
    return vectors == 0 ? vgather_n(pixel, t->index, t->n) : pick_vectors(t, pixel + t->first, vectors);
}

#endif
