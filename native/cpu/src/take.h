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

static inline __attribute__((unused)) take plan_take(const int32_t *index, int64_t n) {
    take t = {.index = index, .n = n};
#if UP_ISA >= 1
    int32_t padded[VW];
    if (n < VW) {
        for (int i = 0; i < VW; i++) padded[i] = index[i < n ? i : 0];
        index = padded;
    }
#endif
#if UP_ISA == 2
    const __mmask16 exists = (__mmask16)((1u << n) - 1);
    const __m512i all = _mm512_loadu_si512(index);
    const int32_t low = _mm512_reduce_min_epi32(all), high = _mm512_reduce_max_epi32(all);
    const __m512i at = _mm512_sub_epi32(all, _mm512_set1_epi32(low)), vector = _mm512_srli_epi32(at, 4);
    t.lanes = (vi)at;    /* of which a permutation reads the lower bits alone */
    for (int v = 0; v < TAKE_VECTORS; v++) t.from[v] = (__mmask16)(_mm512_cmpeq_epi32_mask(vector, _mm512_set1_epi32(v)) & exists);
#elif UP_ISA == 1
    const __m256i all = _mm256_loadu_si256((const __m256i *)index);
    int32_t low = index[0], high = index[0];
    for (int i = 1; i < VW; i++) {
        low = index[i] < low ? index[i] : low;
        high = index[i] > high ? index[i] : high;
    }
    const __m256i at = _mm256_sub_epi32(all, _mm256_set1_epi32(low)), numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i vector = _mm256_or_si256(_mm256_srli_epi32(at, 3), _mm256_cmpgt_epi32(numbers, _mm256_set1_epi32((int)n - 1)));
    t.lanes = (vi)at;
    for (int v = 0; v < TAKE_VECTORS; v++) t.from[v] = _mm256_cmpeq_epi32(vector, _mm256_set1_epi32(v));
#endif
#if UP_ISA >= 1
    t.first = low;
    t.vectors = ((int64_t)high - low) / VW + 1;
    const int loaded = (int)((int64_t)high - low + 1 - (t.vectors - 1) * VW);
    if (t.vectors > TAKE_VECTORS) t.vectors = 0;
#endif
#if UP_ISA == 2
    t.last = (__mmask16)((1u << loaded) - 1);
#elif UP_ISA == 1
    t.last = _mm256_cmpgt_epi32(_mm256_set1_epi32(loaded), numbers);
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

UP_INLINE void take_row(const take *t, const float *from, int64_t from_stride, float *to, int64_t to_stride, int64_t pixels, int64_t n,
                        const int vectors) {
    for (int64_t p = 0; p < pixels; p++, from += from_stride, to += to_stride) vstore_n(to, take_pixel(t, from, vectors), n);
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

enum { TAKE_PLANS = 256 / VW };    /* vectors that are planned at once, for all pixels */

/* Plans at most so many vectors, from channel `k` on; the result is their number. */
static inline __attribute__((unused)) int64_t plan_takes(const int32_t *index, int64_t n, int64_t k, take plans[TAKE_PLANS]) {
    int64_t vectors = 0;
    for (; k < n && vectors < TAKE_PLANS; k += VW) plans[vectors++] = plan_take(index + vector_start(k, n), n < VW ? n : VW);
    return vectors;
}

/* All n channels of a few neighbouring pixels; a mere copy waits for memory, not for its plans. */
static inline __attribute__((unused)) void take_channels(const int32_t *index, int64_t n, const float *from, int64_t from_stride, float *to,
                                                         int64_t to_stride, int64_t pixels) {
    for (int64_t k = 0; k < n; k += VW) {
        const int64_t c = vector_start(k, n), m = n < VW ? n : VW;
        const take t = plan_take(index + c, m);
        take_pixels(&t, from, from_stride, to + c, to_stride, pixels, m);
    }
}

#endif
