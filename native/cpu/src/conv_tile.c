/*
 * The register tiles of convolutions: `mr` pixels by one panel of `nv` vectors of outputs. Per channel, one input value
 * of each pixel is spread over a vector and multiplied with the panel's weights. Where that value lies is one address,
 * so channels come from an index list at the price of one integer load, shared by the whole tile.
 * Compiled with UP_BF16_TILE, a "channel" is a pair of them in bf16, which the run has packed side by side.
 */
#include "vector.h"

#if UP_ISA >= 2
#define UP_WIDEST 16
#elif UP_ISA == 1
#define UP_WIDEST 8
#else
#define UP_WIDEST 4
#endif

#ifdef UP_BF16_TILE
#define UP_MULTIPLY(w, dot, set, cast, sums)                                                                                      \
    UP_INLINE v##w##f spread##w(const float *pair) {                                                                              \
        int32_t bits;                                                                                                             \
        memcpy(&bits, pair, sizeof bits);                                                                                         \
        return (v##w##f)set(bits);                                                                                                \
    }                                                                                                                             \
    UP_INLINE v##w##f multiply_add##w(v##w##f sum, v##w##f a, v##w##f b) { return (v##w##f)dot((sums)sum, (cast)a, (cast)b); }
UP_MULTIPLY(4, _mm_dpbf16_ps, _mm_set1_epi32, __m128bh, __m128)
UP_MULTIPLY(8, _mm256_dpbf16_ps, _mm256_set1_epi32, __m256bh, __m256)
UP_MULTIPLY(16, _mm512_dpbf16_ps, _mm512_set1_epi32, __m512bh, __m512)
#else
#define UP_MULTIPLY(w)                                                                                                            \
    UP_INLINE v##w##f spread##w(const float *value) { return splat##w(*value); }                                                  \
    UP_INLINE v##w##f multiply_add##w(v##w##f sum, v##w##f a, v##w##f b) { return sum + a * b; }
UP_MULTIPLY(4)
#if UP_ISA >= 1
UP_MULTIPLY(8)
#endif
#if UP_ISA >= 2
UP_MULTIPLY(16)
#endif
#endif

/*
 * The edges, where some of the panel's outputs do not exist: stored, and added to the sums from the addend, by masks where the instruction
 * set has them, else by way of memory.
 */
#if UP_ISA == 2
#define UP_MASKED(w, mask, bits)                                                                                                  \
    UP_INLINE mask some##w(int64_t outputs) {                                                                                     \
        return (mask)(outputs >= w ? bits : outputs > 0 ? (1u << outputs) - 1 : 0);                                               \
    }
UP_MASKED(4, __mmask8, 0xf)
UP_MASKED(8, __mmask8, 0xff)
UP_MASKED(16, __mmask16, 0xffff)
#define UP_EDGE(w, vector, prefix)                                                                                                \
    UP_INLINE void finish_part##w(const up_tile *t, float *d, const v##w##f *sum, const int mr, const int nv) {                   \
        _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++, d += t->dst_stride)                                                 \
            _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++)                                                                  \
                prefix##_mask_storeu_ps(d + v * w, some##w(t->outputs - v * w), (vector)sum[i * nv + v]);                         \
    }                                                                                                                             \
    UP_INLINE void begin_part##w(const up_tile *t, const float *a, v##w##f *sum, const int mr, const int nv) {                    \
        _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++, a += t->addend_stride)                                              \
            _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++)                                                                  \
                sum[i * nv + v] += (v##w##f)prefix##_maskz_loadu_ps(some##w(t->outputs - v * w), a + v * w);                      \
    }
UP_EDGE(4, __m128, _mm)
UP_EDGE(8, __m256, _mm256)
UP_EDGE(16, __m512, _mm512)
#define UP_EDGES(w)
#else
#define UP_EDGES(w)                                                                                                               \
    static __attribute__((noinline)) void store_edge##w(const up_tile *t, float *d, const v##w##f *sum, int mr, int nv) {         \
        for (int i = 0; i < mr; i++)                                                                                              \
            for (int v = 0; v < nv; v++) {                                                                                        \
                int64_t left = t->outputs - v * w;                                                                                \
                if (left >= w) store##w(d + i * t->dst_stride + v * w, sum[i * nv + v]);                                          \
                else if (left > 0) store_part##w(d + i * t->dst_stride + v * w, sum[i * nv + v], left);                           \
            }                                                                                                                     \
    }                                                                                                                             \
    static __attribute__((noinline)) void load_edge##w(const up_tile *t, const float *addend, v##w##f *sum, int mr, int nv) {     \
        for (int i = 0; i < mr; i++)                                                                                              \
            for (int v = 0; v < nv; v++) {                                                                                        \
                int64_t left = t->outputs - v * w;                                                                                \
                const float *a = addend + i * t->addend_stride + v * w;                                                           \
                sum[i * nv + v] = left >= w ? load##w(a) : left > 0 ? load_part##w(a, left) : (v##w##f){0};                       \
            }                                                                                                                     \
    }                                                                                                                             \
    UP_INLINE void finish_part##w(const up_tile *t, float *d, const v##w##f *sum, const int mr, const int nv) {                   \
        v##w##f part[UP_MAX_MR * 2];                                                                                              \
        _Pragma("GCC unroll 48") for (int i = 0; i < mr * nv; i++) part[i] = sum[i];                                              \
        store_edge##w(t, d, part, mr, nv);                                                                                        \
    }                                                                                                                             \
    UP_INLINE void begin_part##w(const up_tile *t, const float *a, v##w##f *sum, const int mr, const int nv) {                    \
        v##w##f part[UP_MAX_MR * 2];                                                                                              \
        load_edge##w(t, a, part, mr, nv);                                                                                         \
        _Pragma("GCC unroll 48") for (int i = 0; i < mr * nv; i++) sum[i] += part[i];                                             \
    }
#endif

/*
 * One tile kernel, written once for every width. `w`: floats of a vector, `nv`: vectors of the panel, `mr`: pixels,
 * `indexed`: whether channels come from a list. All are constants where this is expanded, so that the sums live in
 * registers.
 */
#define UP_DEFINE_TILE(w)                                                                                                         \
    UP_EDGES(w)                                                                                                                   \
    UP_INLINE void finish##w(const up_tile *t, float *d, v##w##f *sum, const int mr, const int nv) {                              \
        if (t->low > -__builtin_inff()) {                                                                                         \
            const v##w##f low = splat##w(t->low);                                                                                 \
            _Pragma("GCC unroll 48") for (int i = 0; i < mr * nv; i++) sum[i] = max##w(low, sum[i]);                              \
        }                                                                                                                         \
        if (t->high < __builtin_inff()) {                                                                                         \
            const v##w##f high = splat##w(t->high);                                                                               \
            _Pragma("GCC unroll 48") for (int i = 0; i < mr * nv; i++) sum[i] = min##w(high, sum[i]);                             \
        }                                                                                                                         \
        if (t->outputs == nv * w) {                                                                                               \
            _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++, d += t->dst_stride)                                             \
                _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) store##w(d + v * w, sum[i * nv + v]);                        \
        } else {                                                                                                                  \
            finish_part##w(t, d, sum, mr, nv);                                                                                    \
        }                                                                                                                         \
    }                                                                                                                             \
    UP_INLINE void begin##w(const up_tile *t, const float *d, const float *a, v##w##f *sum, const int mr, const int nv) {         \
        /* the destination's cache lines arrive while the sums are made */                                                        \
        _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++) __builtin_prefetch(d + i * t->dst_stride, 1);                       \
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) {                                                                    \
            v##w##f b = t->bias ? load##w(t->bias + v * w) : (v##w##f){0};                                                        \
            _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++) sum[i * nv + v] = b;                                            \
        }                                                                                                                         \
        if (!a) return;                                                                                                           \
        if (t->outputs == nv * w) {                                                                                               \
            _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++, a += t->addend_stride)                                          \
                _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) sum[i * nv + v] += load##w(a + v * w);                       \
        } else {                                                                                                                  \
            begin_part##w(t, a, sum, mr, nv);                                                                                     \
        }                                                                                                                         \
    }                                                                                                                             \
    /* One channel of the pixels [from, to). */                                                                                   \
    UP_INLINE void channel##w(v##w##f *sum, const float *const *p, int64_t at, const float *weights, const int from, const int to,\
                            const int nv) {                                                                                       \
        v##w##f b[3];                                                                                                             \
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) b[v] = load##w(weights + v * w);                                     \
        _Pragma("GCC unroll 16") for (int i = from; i < to; i++) {                                                                \
            const v##w##f a = spread##w(p[i] + at);                                                                               \
            _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) sum[i * nv + v] = multiply_add##w(sum[i * nv + v], a, b[v]);     \
        }                                                                                                                         \
    }                                                                                                                             \
    /* Several tiles, one behind the other, which fetch nothing and cut nothing off. */                                           \
    UP_INLINE void tiles##w(const up_tile *t, const int mr, const int nv, const int indexed) {                                    \
        const float *const *first = t->rows;                                                                                      \
        const float *addend = t->addend;                                                                                          \
        float *dst = t->dst;                                                                                                      \
        const int64_t length = t->length, offset = indexed ? 0 : t->offset;                                                       \
        for (int64_t more = t->more; more >= 0; more--) {                                                                         \
            v##w##f sum[UP_MAX_MR * 2];                                                                                           \
            const float *p[UP_MAX_MR];                                                                                            \
            begin##w(t, dst, addend, sum, mr, nv);                                                                                \
            const float *weights = t->weights;                                                                                    \
            const float *const *rows = first;                                                                                     \
            for (int64_t s = 0; s < t->segments; s++, rows += t->segment_step) {                                                  \
                _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++) p[i] = rows[i * t->row_step] + offset;                      \
                const int32_t *index = t->index;                                                                                  \
                _Pragma("GCC unroll 4") for (int64_t k = 0; k < length; k++, weights += nv * w)                                   \
                    channel##w(sum, p, indexed ? index[k] : k, weights, 0, mr, nv);                                               \
            }                                                                                                                     \
            finish##w(t, dst, sum, mr, nv);                                                                                       \
            first += mr * t->row_step;                                                                                            \
            dst += mr * t->dst_stride;                                                                                            \
            if (addend) addend += mr * t->addend_stride;                                                                          \
        }                                                                                                                         \
    }                                                                                                                             \
    UP_INLINE void tile##w(const up_tile *t, const int mr, const int nv, const int indexed) {                                     \
        v##w##f sum[UP_MAX_MR * 2];                                                                                               \
        const float *p[UP_MAX_MR];                                                                                                \
        begin##w(t, t->dst, t->addend, sum, mr, nv);                                                                              \
        const float *weights = t->weights;                                                                                        \
        const float *const *rows = t->rows;                                                                                       \
        const char *ahead = t->ahead;                                                                                             \
        const char *cuts = w == UP_WIDEST && mr >= UP_FEWEST_CUT(nv) ? t->cuts : NULL;                                            \
        const int64_t length = t->length, offset = indexed ? 0 : t->offset, step = nv > 1 ? t->ahead_step : 0;                    \
        for (int64_t s = 0; s < t->segments; s++) {                                                                               \
            _Pragma("GCC unroll 16") for (int i = 0; i < mr; i++) p[i] = rows[i * t->row_step] + offset;                          \
            rows += t->segment_step;                                                                                              \
            const int32_t *index = t->index;                                                                                      \
            const int cut = cuts ? cuts[s] : UP_CUT_NONE;                                                                         \
            if (cut == UP_CUT_FIRST) {                                                                                            \
                _Pragma("GCC unroll 2") for (int64_t k = 0; k < length; k++, weights += nv * w, ahead += step) {                  \
                    if (nv > 1) __builtin_prefetch(ahead, 0, 2);                                                                  \
                    channel##w(sum, p, indexed ? index[k] : k, weights, 1, mr, nv);                                               \
                }                                                                                                                 \
            } else if (cut == UP_CUT_LAST) {                                                                                      \
                _Pragma("GCC unroll 2") for (int64_t k = 0; k < length; k++, weights += nv * w, ahead += step) {                  \
                    if (nv > 1) __builtin_prefetch(ahead, 0, 2);                                                                  \
                    channel##w(sum, p, indexed ? index[k] : k, weights, 0, mr - 1, nv);                                           \
                }                                                                                                                 \
            } else if (step) {    /* fetched ahead in small steps: the loop below cannot afford even that */                      \
                _Pragma("GCC unroll 4") for (int64_t k = 0; k < length; k++, weights += nv * w, ahead += step) {                  \
                    __builtin_prefetch(ahead, 0, 2);                                                                              \
                    __builtin_prefetch(ahead + 64, 0, 2);    /* a tile alone fetches two lines with each channel */               \
                    channel##w(sum, p, indexed ? index[k] : k, weights, 0, mr, nv);                                               \
                }                                                                                                                 \
            } else {                                                                                                              \
                _Pragma("GCC unroll 4") for (int64_t k = 0; k < length; k++, weights += nv * w)                                   \
                    channel##w(sum, p, indexed ? index[k] : k, weights, 0, mr, nv);                                               \
            }                                                                                                                     \
        }                                                                                                                         \
        finish##w(t, t->dst, sum, mr, nv);                                                                                        \
    }                                                                                                                             \
    /* One pixel: bound by memory or by latency, so four channels at a time have sums of their own. */                            \
    UP_INLINE void single##w(const up_tile *t, const int nv, const int indexed) {                                                 \
        v##w##f sum[3], more[4 * 3];                                                                                              \
        begin##w(t, t->dst, t->addend, sum, 1, nv);                                                                               \
        _Pragma("GCC unroll 16") for (int i = 0; i < 4 * nv; i++) more[i] = (v##w##f){0};                                         \
        const float *weights = t->weights;                                                                                        \
        for (int64_t s = 0; s < t->segments; s++) {                                                                               \
            const float *p = t->rows[s * t->segment_step] + t->offset;                                                            \
            const int32_t *index = t->index;                                                                                      \
            int64_t k = 0;                                                                                                        \
            for (; k + 4 <= t->length; k += 4) {                                                                                  \
                _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) {                                                             \
                    const v##w##f a = spread##w(p + (indexed ? index[k + i] : k + i));                                            \
                    _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++)                                                          \
                        more[i * nv + v] = multiply_add##w(more[i * nv + v], a, load##w(weights + (i * nv + v) * w));             \
                }                                                                                                                 \
                weights += 4 * nv * w;                                                                                            \
            }                                                                                                                     \
            for (; k < t->length; k++) {                                                                                          \
                const v##w##f a = spread##w(p + (indexed ? index[k] : k));                                                        \
                _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) more[v] = multiply_add##w(more[v], a, load##w(weights + v * w));\
                weights += nv * w;                                                                                                \
            }                                                                                                                     \
        }                                                                                                                         \
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++)                                                                      \
            sum[v] += (more[v] + more[nv + v]) + (more[2 * nv + v] + more[3 * nv + v]);                                           \
        finish##w(t, t->dst, sum, 1, nv);                                                                                         \
    }                                                                                                                             \
    /* One pixel and UP_SIDE_BY_SIDE panels, whose weights are read as so many streams: with fewer beginnings and ends, where they wait. */\
    UP_INLINE void side_by_side##w(const up_tile *t, const int nv, const int indexed) {                                           \
        v##w##f sum[UP_SIDE_BY_SIDE * 3];                                                                                         \
        _Pragma("GCC unroll 16") for (int i = 0; i < UP_SIDE_BY_SIDE * nv; i++) {                                                 \
            sum[i] = t->bias ? load##w(t->bias + i * w) : (v##w##f){0};                                                           \
            if (t->addend) sum[i] += load##w(t->addend + i * w);                                                                  \
        }                                                                                                                         \
        const float *weights = t->weights;                                                                                        \
        for (int64_t s = 0; s < t->segments; s++) {                                                                               \
            const float *p = t->rows[s * t->segment_step] + t->offset;                                                            \
            for (int64_t k = 0; k < t->length; k++, weights += nv * w) {                                                          \
                const v##w##f a = spread##w(p + (indexed ? t->index[k] : k));                                                     \
                _Pragma("GCC unroll 16") for (int i = 0; i < UP_SIDE_BY_SIDE * nv; i++)                                           \
                    sum[i] = multiply_add##w(sum[i], a, load##w(weights + i / nv * t->panel_floats + i % nv * w));                \
            }                                                                                                                     \
        }                                                                                                                         \
        _Pragma("GCC unroll 16") for (int i = 0; i < UP_SIDE_BY_SIDE * nv; i++)                                                   \
            store##w(t->dst + i * w, min##w(splat##w(t->high), max##w(splat##w(t->low), sum[i])));                                \
    }

UP_DEFINE_TILE(4)
#if UP_ISA >= 1
UP_DEFINE_TILE(8)
#endif
#if UP_ISA >= 2
UP_DEFINE_TILE(16)
#endif

/* What is packed is read in order. */
#ifdef UP_BF16_TILE
#define UP_INDEXED 0
#undef UP_NAME
#define UP_NAME(name) name##_bf16
#else
#define UP_INDEXED 1
#endif

/*
 * With AVX-512, panels narrower than a vector are compiled by themselves (UP_NARROW_TILES), since they want another order of instructions: see
 * build.sh.
 */
#ifdef UP_NARROW_TILES
#define UP_LINKAGE
#else
#define UP_LINKAGE static
#endif

#define UP_TILE(w, nv, mr)                                                                                                        \
    UP_LINKAGE void up_tile_##w##x##nv##_##mr(const up_tile *t) { tile##w(t, mr, nv, 0); }                                        \
    UP_LINKAGE void up_tile_##w##x##nv##_##mr##_indexed(const up_tile *t) { tile##w(t, mr, nv, UP_INDEXED); }                     \
    UP_LINKAGE void up_tiles_##w##x##nv##_##mr(const up_tile *t) { tiles##w(t, mr, nv, 0); }                                      \
    UP_LINKAGE void up_tiles_##w##x##nv##_##mr##_indexed(const up_tile *t) { tiles##w(t, mr, nv, UP_INDEXED); }
#define UP_SINGLE(w, nv)                                                                                                          \
    UP_LINKAGE void up_single_##w##x##nv(const up_tile *t) { single##w(t, nv, 0); }                                               \
    UP_LINKAGE void up_single_##w##x##nv##_indexed(const up_tile *t) { single##w(t, nv, UP_INDEXED); }
#define UP_BESIDE(w, nv)                                                                                                          \
    static void up_beside_##w(const up_tile *t) { side_by_side##w(t, nv, 0); }                                                    \
    static void up_beside_##w##_indexed(const up_tile *t) { side_by_side##w(t, nv, UP_INDEXED); }
#define UP_TILE_APART(w, nv, mr)                                                                                                  \
    void up_tile_##w##x##nv##_##mr(const up_tile *t), up_tile_##w##x##nv##_##mr##_indexed(const up_tile *t);                      \
    void up_tiles_##w##x##nv##_##mr(const up_tile *t), up_tiles_##w##x##nv##_##mr##_indexed(const up_tile *t);
#define UP_SINGLE_APART(w, nv) void up_single_##w##x##nv(const up_tile *t), up_single_##w##x##nv##_indexed(const up_tile *t);

#define UP_UP_TO_3(m, w, nv) m(w, nv, 1) m(w, nv, 2) m(w, nv, 3)
#define UP_UP_TO_4(m, w, nv) UP_UP_TO_3(m, w, nv) m(w, nv, 4)
#define UP_UP_TO_6(m, w, nv) UP_UP_TO_4(m, w, nv) m(w, nv, 5) m(w, nv, 6)
#define UP_UP_TO_8(m, w, nv) UP_UP_TO_6(m, w, nv) m(w, nv, 7) m(w, nv, 8)
#define UP_UP_TO_9(m, w, nv) UP_UP_TO_8(m, w, nv) m(w, nv, 9)
#define UP_UP_TO_14(m, w, nv) UP_UP_TO_9(m, w, nv) m(w, nv, 10) m(w, nv, 11) m(w, nv, 12) m(w, nv, 13) m(w, nv, 14)

#define UP_ENTRY(w, nv, mr) up_tile_##w##x##nv##_##mr,
#define UP_ENTRY_INDEXED(w, nv, mr) up_tile_##w##x##nv##_##mr##_indexed,
#define UP_MORE(w, nv, mr) up_tiles_##w##x##nv##_##mr,
#define UP_MORE_INDEXED(w, nv, mr) up_tiles_##w##x##nv##_##mr##_indexed,
#define UP_KIND_AND(w, nv, most, ...)                                                                                             \
    {w * nv, most, {{UP_UP_TO_##most(UP_ENTRY, w, nv)}, {UP_UP_TO_##most(UP_ENTRY_INDEXED, w, nv)}},                              \
     {{UP_UP_TO_##most(UP_MORE, w, nv)}, {UP_UP_TO_##most(UP_MORE_INDEXED, w, nv)}},                                              \
     {up_single_##w##x##nv, up_single_##w##x##nv##_indexed}, {__VA_ARGS__}}
#define UP_KIND(w, nv, most) UP_KIND_AND(w, nv, most, NULL)
#define UP_FIRST_KIND(w, nv, most) UP_KIND_AND(w, nv, most, up_beside_##w, up_beside_##w##_indexed)

#define UP_TILES(w, nv, most) UP_UP_TO_##most(UP_TILE, w, nv) UP_SINGLE(w, nv)
#define UP_TILES_APART(w, nv, most) UP_UP_TO_##most(UP_TILE_APART, w, nv) UP_SINGLE_APART(w, nv)

#if UP_ISA == 0 && defined(__aarch64__)
UP_TILES(4, 2, 8)
UP_BESIDE(4, 2)
UP_TILES(4, 1, 8)
UP_TILES(4, 3, 6)
const up_panel_kind UP_NAME(up_panels)[] = {UP_FIRST_KIND(4, 2, 8), UP_KIND(4, 1, 8), UP_KIND(4, 3, 6)};
#elif UP_ISA == 0
UP_TILES(4, 2, 4)
UP_BESIDE(4, 2)
UP_TILES(4, 1, 8)
UP_TILES(4, 3, 3)
const up_panel_kind UP_NAME(up_panels)[] = {UP_FIRST_KIND(4, 2, 4), UP_KIND(4, 1, 8), UP_KIND(4, 3, 3)};
#elif UP_ISA == 1
UP_TILES(8, 2, 6)
UP_BESIDE(8, 3)
UP_TILES(8, 1, 8)
UP_TILES(4, 1, 8)
UP_TILES(8, 3, 4)
const up_panel_kind UP_NAME(up_panels)[] = {UP_FIRST_KIND(8, 3, 4), UP_KIND(8, 2, 6), UP_KIND(8, 1, 8), UP_KIND(4, 1, 8)};
#elif defined(UP_NARROW_TILES)
UP_TILES(8, 1, 14)
UP_TILES(4, 1, 14)
#else
UP_TILES(16, 2, 14)
UP_BESIDE(16, 2)
UP_TILES(16, 1, 14)
UP_TILES(16, 3, 9)
#ifdef UP_BF16_TILE
UP_TILES(8, 1, 14)
UP_TILES(4, 1, 14)
#else
UP_TILES_APART(8, 1, 14)
UP_TILES_APART(4, 1, 14)
#endif
const up_panel_kind UP_NAME(up_panels)[] = {UP_FIRST_KIND(16, 2, 14), UP_KIND(16, 1, 14), UP_KIND(8, 1, 14), UP_KIND(4, 1, 14), UP_KIND(16, 3, 9)};
#endif
