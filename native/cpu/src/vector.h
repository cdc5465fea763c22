/*
 * Vectors of floats for the instruction set that a file is compiled for: UP_ISA is 0 (portable), 1 (AVX2, FMA) or
 * 2 (AVX-512). GCC's vector types do the arithmetic; the few things they cannot say are functions here.
 *   vf, vi    the set's natural vector of VW floats, int32s
 *   v4f v8f v16f   vectors of fixed width, for register tiles
 */
#ifndef UP_VECTOR_H
#define UP_VECTOR_H

#include "internal.h"

#include <string.h>

#if UP_ISA == 0
#define VW 4
#define UP_NAME(name) name##_generic
#elif UP_ISA == 1
#define VW 8
#define UP_NAME(name) name##_avx2
#else
#define VW 16
#define UP_NAME(name) name##_avx512
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define UP_VECTOR(w)                                                                                        \
    typedef float v##w##f __attribute__((vector_size(4 * w)));                                              \
    typedef int32_t v##w##i __attribute__((vector_size(4 * w)));                                            \
    typedef float v##w##fu __attribute__((vector_size(4 * w), may_alias, aligned(4)));                      \
    UP_INLINE v##w##f load##w(const float *p) { return *(const v##w##fu *)p; }                              \
    UP_INLINE void store##w(float *p, v##w##f x) { *(v##w##fu *)p = x; }                                    \
    UP_INLINE v##w##f splat##w(float x) { return x - (v##w##f){0}; }                                        \
    UP_INLINE v##w##f choose##w(v##w##i mask, v##w##f x, v##w##f y) {                                       \
        return (v##w##f)((mask & (v##w##i)x) | (~mask & (v##w##i)y));                                       \
    }

UP_VECTOR(4)
#if UP_ISA >= 1
UP_VECTOR(8)
#endif
#if UP_ISA >= 2
UP_VECTOR(16)
#endif

/* The larger (smaller) of two values; where either is NaN, the second. */
#if defined(__x86_64__)
UP_INLINE v4f max4(v4f x, v4f y) { return (v4f)_mm_max_ps((__m128)x, (__m128)y); }
UP_INLINE v4f min4(v4f x, v4f y) { return (v4f)_mm_min_ps((__m128)x, (__m128)y); }
#else
UP_INLINE v4f max4(v4f x, v4f y) { return choose4(x > y, x, y); }
UP_INLINE v4f min4(v4f x, v4f y) { return choose4(x < y, x, y); }
#endif
#if UP_ISA >= 1
UP_INLINE v8f max8(v8f x, v8f y) { return (v8f)_mm256_max_ps((__m256)x, (__m256)y); }
UP_INLINE v8f min8(v8f x, v8f y) { return (v8f)_mm256_min_ps((__m256)x, (__m256)y); }
#endif
#if UP_ISA >= 2
UP_INLINE v16f max16(v16f x, v16f y) { return (v16f)_mm512_max_ps((__m512)x, (__m512)y); }
UP_INLINE v16f min16(v16f x, v16f y) { return (v16f)_mm512_min_ps((__m512)x, (__m512)y); }
#endif

/*
 * Part of a vector: the first n floats, 0 < n < width. What is left over is 0 on loading and untouched on storing; no
 * byte beyond is accessed. Masked stores of AVX are slow on some CPUs, and these are for edges only.
 */
UP_INLINE v4f load_part4(const float *p, int64_t n) {
    v4f x = {0};
    x[0] = p[0];
    if (n > 1) x[1] = p[1];
    if (n > 2) x[2] = p[2];
    return x;
}
UP_INLINE void store_part4(float *p, v4f x, int64_t n) {
    p[0] = x[0];
    if (n > 1) p[1] = x[1];
    if (n > 2) p[2] = x[2];
}
#if UP_ISA == 1
UP_INLINE v8f load_part8(const float *p, int64_t n) {
    v4f low = n >= 4 ? load4(p) : load_part4(p, n);
    v4f high = n > 4 ? load_part4(p + 4, n - 4) : (v4f){0};
    return (v8f)_mm256_set_m128((__m128)high, (__m128)low);
}
UP_INLINE void store_part8(float *p, v8f x, int64_t n) {
    v4f low = (v4f)_mm256_castps256_ps128((__m256)x);
    if (n < 4) {
        store_part4(p, low, n);
    } else {
        store4(p, low);
        if (n > 4) store_part4(p + 4, (v4f)_mm256_extractf128_ps((__m256)x, 1), n - 4);
    }
}
#elif UP_ISA == 2
UP_INLINE v8f load_part8(const float *p, int64_t n) { return (v8f)_mm256_maskz_loadu_ps((__mmask8)((1u << n) - 1), p); }
UP_INLINE void store_part8(float *p, v8f x, int64_t n) { _mm256_mask_storeu_ps(p, (__mmask8)((1u << n) - 1), (__m256)x); }
UP_INLINE v16f load_part16(const float *p, int64_t n) { return (v16f)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
UP_INLINE void store_part16(float *p, v16f x, int64_t n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x); }
#endif

/* The natural vector's operations by one name. */
#define UP_PASTE2(a, b) a##b
#define UP_PASTE(a, b) UP_PASTE2(a, b)
typedef UP_PASTE(UP_PASTE(v, VW), f) vf;
typedef UP_PASTE(UP_PASTE(v, VW), i) vi;
#define vload UP_PASTE(load, VW)
#define vstore UP_PASTE(store, VW)
#define vsplat UP_PASTE(splat, VW)
#define vmax UP_PASTE(max, VW)
#define vmin UP_PASTE(min, VW)
#define vload_part UP_PASTE(load_part, VW)
#define vstore_part UP_PASTE(store_part, VW)

/* mask ? x : y, lane by lane; masks are -1 or 0. */
#if UP_ISA == 1
UP_INLINE vf vchoose(vi mask, vf x, vf y) { return (vf)_mm256_blendv_ps((__m256)y, (__m256)x, (__m256)mask); }
#else
#define vchoose UP_PASTE(choose, VW)
#endif

/* x[lanes[0]], x[lanes[1]], ... */
#if UP_ISA == 1
UP_INLINE vf vpermute(vf x, vi lanes) { return (vf)_mm256_permutevar8x32_ps((__m256)x, (__m256i)lanes); }
#elif UP_ISA == 2
UP_INLINE vf vpermute(vf x, vi lanes) { return (vf)_mm512_permutexvar_ps((__m512i)lanes, (__m512)x); }
#endif

/* Holds a value in a register, where a compiler would rather load it again with each use, or compute it later. */
#if defined(__x86_64__) && UP_ISA > 0
#define UP_KEEP(value) __asm__("" : "+v"(value))
#else
#define UP_KEEP(value) (void)0
#endif

/* Of a vector or, at the end of a row, of n < VW floats. */
UP_INLINE vf vload_n(const float *p, int64_t n) { return n >= VW ? vload(p) : vload_part(p, n); }
UP_INLINE void vstore_n(float *p, vf x, int64_t n) {
    if (n >= VW) vstore(p, x);
    else vstore_part(p, x, n);
}

/* VW values (or n, fewer) at positions index[0..n) of p. */
UP_INLINE vf vgather_n(const float *p, const int32_t *index, int64_t n) {
    vf x = {0};
    if (n >= VW) {
#pragma GCC unroll 16
        for (int i = 0; i < VW; i++) x[i] = p[index[i]];
    } else {
        float part[VW] = {0};
        for (int64_t i = 0; i < n; i++) part[i] = p[index[i]];
        memcpy(&x, part, sizeof x);
    }
    return x;
}

/* Channels k, k+1, ... of a pixel: VW of them, or n. */
UP_INLINE vf vread(const float *pixel, const int32_t *index, int64_t k, int64_t n) {
    return index ? vgather_n(pixel, index + k, n) : vload_n(pixel + k, n);
}

UP_INLINE float vsum(vf x) {
    float sum = 0;
#pragma GCC unroll 16
    for (int i = 0; i < VW; i++) sum += x[i];
    return sum;
}

#endif
