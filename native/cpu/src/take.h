/*
 * Reading VW channels by index from many pixels. Where the channels lie within a few vectors, as those of a pruned tensor mostly do, they
 * are permuted out of these. The vectors begin at multiples of VW, so that they are whole cache lines where pixels are; only channels up to
 * the last one of the list are loaded.
 */
#ifndef UP_TAKE_H
#define UP_TAKE_H

#include "vector.h"

enum { TAKE_VECTORS = UP_ISA == 2 ? 6 : 4 };

typedef struct take {
    const int32_t *index;
    int64_t n;           /* channels, at most VW; what is read for other lanes says nothing */
    int64_t first;       /* position of the first vector */
    int64_t vectors;     /* from there on; 0: read one by one */
#if UP_ISA == 2
    __mmask16 last;      /* the lanes of the last vector that may be loaded */
    __m512i lanes[TAKE_VECTORS];    /* of the first two vectors; then of what is there so far (as it is) and one more vector */
#elif UP_ISA == 1
    __m256i lanes, from[TAKE_VECTORS], last;    /* which position each channel has; the channels of each vector */
#endif
} take;

_Static_assert(sizeof(take) <= UP_TAKE_BYTES, "room for a plan");

static inline __attribute__((unused)) take plan_take(const int32_t *index, int64_t n) {
    take t = {.index = index, .n = n};
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
    if (t.vectors > TAKE_VECTORS) {
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
    for (int v = 0; v < TAKE_VECTORS; v++)
        t.from[v] = _mm256_and_si256(listed, _mm256_cmpeq_epi32(_mm256_srai_epi32(lanes, 3), _mm256_set1_epi32(v)));
#endif
    return t;
}

#if UP_ISA == 2
UP_INLINE __m512 take_load(const take *t, const float *p, const int last) {
    return last ? _mm512_maskz_loadu_ps(t->last, p) : _mm512_loadu_ps(p);
}
UP_INLINE vf take_vectors(const take *t, const float *p, const int vectors) {
    __m512 y = take_load(t, p, vectors == 1);
    if (vectors == 1) return (vf)_mm512_permutexvar_ps(t->lanes[0], y);
#pragma GCC unroll 6
    for (int v = 1; v < vectors; v++) y = _mm512_permutex2var_ps(y, t->lanes[v - 1], take_load(t, p + v * VW, v == vectors - 1));
    return (vf)y;
}
#elif UP_ISA == 1
UP_INLINE vf take_vectors(const take *t, const float *p, const int vectors) {
    __m256 y = _mm256_setzero_ps();
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        const __m256 x = v == vectors - 1 ? _mm256_maskload_ps(p + v * VW, t->last) : _mm256_loadu_ps(p + v * VW);
        y = _mm256_blendv_ps(y, _mm256_permutevar8x32_ps(x, t->lanes), (__m256)t->from[v]);
    }
    return (vf)y;
}
#else
UP_INLINE vf take_vectors(const take *t, const float *p, const int vectors) {
    (void)t, (void)p, (void)vectors;
    return (vf){0};
}
#endif

/* The channels of one pixel; `vectors` is the plan's, as a constant. */
UP_INLINE vf take_pixel(const take *t, const float *pixel, const int vectors) {
    return vectors == 0 ? vgather_n(pixel, t->index, t->n) : take_vectors(t, pixel + t->first, vectors);
}

/* Expands `statement` for the plan's number of vectors, which is the constant VECTORS in it. */
#if UP_ISA == 2
#define UP_MORE_VECTORS(statement)                             \
        case 5: { enum { VECTORS = 5 }; statement; } break;    \
        case 6: { enum { VECTORS = 6 }; statement; } break;
#else
#define UP_MORE_VECTORS(statement)
#endif
#define UP_WITH_VECTORS(t, statement)                          \
    switch ((t)->vectors) {                                    \
        case 1: { enum { VECTORS = 1 }; statement; } break;    \
        case 2: { enum { VECTORS = 2 }; statement; } break;    \
        case 3: { enum { VECTORS = 3 }; statement; } break;    \
        case 4: { enum { VECTORS = 4 }; statement; } break;    \
        UP_MORE_VECTORS(statement)                             \
        default: { enum { VECTORS = 0 }; statement; }          \
    }

UP_INLINE void take_row(const take *plan, const float *from, int64_t from_stride, float *to, int64_t to_stride, int64_t pixels, int64_t n,
                        const int vectors) {
    const take t = *plan;    /* in registers, which what is stored cannot change */
    for (int64_t p = 0; p < pixels; p++, from += from_stride, to += to_stride) vstore_n(to, take_pixel(&t, from, vectors), n);
}

/* The channels of neighbouring pixels; n: of the plan, or VW where there is room for a whole vector. */
static inline __attribute__((unused)) void take_pixels(const take *t, const float *from, int64_t from_stride, float *to, int64_t to_stride,
                                                       int64_t pixels, int64_t n) {
    if (n >= VW) UP_WITH_VECTORS(t, take_row(t, from, from_stride, to, to_stride, pixels, VW, VECTORS))
    else UP_WITH_VECTORS(t, take_row(t, from, from_stride, to, to_stride, pixels, n, VECTORS))
}

/* Where the vector of channels after `k` begins: the last one shares channels with the one before, where there is one. */
UP_INLINE int64_t vector_start(int64_t k, int64_t n) { return n >= VW && k > n - VW ? n - VW : k; }

enum { TAKE_PIXELS = 16 };    /* whose first channels are taken, then the next ones: they stay in the first cache, and their pages in its table */

/* As many, but fewer where pixels of a tensor that lie so many floats apart fall on the same few sets of the first cache. */
UP_INLINE int64_t take_at_once(int64_t stride) {
    return stride == 0 ? TAKE_PIXELS : stride % 1024 == 0 ? TAKE_PIXELS / 4 : stride % 512 == 0 ? TAKE_PIXELS / 2 : TAKE_PIXELS;
}
UP_INLINE int64_t take_between(int64_t from_stride, int64_t to_stride) {
    const int64_t from = take_at_once(from_stride), to = take_at_once(to_stride);
    return from < to ? from : to;
}

/* All n channels of a few neighbouring pixels. */
static inline __attribute__((unused)) void take_channels(const int32_t *index, int64_t n, const float *from, int64_t from_stride, float *to,
                                                         int64_t to_stride, int64_t pixels) {
    for (int64_t k = 0; k < n; k += VW) {
        const int64_t c = vector_start(k, n), m = n < VW ? n : VW;
        const take t = plan_take(index + c, m);
        take_pixels(&t, from, from_stride, to + c, to_stride, pixels, m);
    }
}

#endif
