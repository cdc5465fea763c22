/*
 * Depthwise convolution of channels by index: a strip of columns of outputs by vectors of channels, from the top down. The sums of all rows of
 * outputs that a row of inputs adds to are in registers, so that an input is picked once for all its taps, and nothing is packed.
 */
#include "vector.h"

#if UP_ISA == 2
enum { DOWN_VECTORS = 8, MOST_SUMS = 5, MOST_COLUMNS = 7, MOST_INPUTS = 15 };

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Out of how many vectors of the source a vector of channels is picked. MORE: or out of some of which the last overlaps the one before. */
typedef enum down_way { TWO, THREE, FOUR, MORE, WAYS } down_way;

typedef struct down_plan {
    __m512i lanes;                              /* which lane of its vector each channel is */
    int64_t first, last;                        /* positions of the first vector, and from there of the last one; those between lie in a row */
    int64_t vectors;
    down_way way;
    __mmask16 from[DOWN_VECTORS], from_last;    /* the channels of each vector */
} down_plan;

_Static_assert(sizeof(down_plan) == UP_DOWN_BYTES, "the size of a plan");

/*
 * For n channels, of a list whose highest is `bound` - 1, beyond which nothing is read; false if they lie too far apart. Where `aligned`, vectors
 * begin at multiples of VW: one more of these takes less than fewer that lie in two lines each.
 */
static int plan_down(const int32_t *index, int64_t n, int64_t bound, int aligned, down_plan *t) {
    const __mmask16 exists = (__mmask16)((1u << n) - 1);
    const __m512i all = _mm512_mask_loadu_epi32(_mm512_set1_epi32(index[0]), exists, index);
    const int64_t low = _mm512_reduce_min_epi32(all), end = _mm512_reduce_max_epi32(all) + 1, first = aligned ? low / VW * VW : low;
    t->vectors = end - first <= 2 * VW ? 2 : (end - first + VW - 1) / VW;
    t->way = t->vectors > 4 ? MORE : (down_way)(t->vectors - 2);
    t->first = smaller(first, bound - t->vectors * VW);
    if (t->first < 0) {
        t->way = MORE;
        t->first = smaller(first, bound - VW);
        t->vectors = (end - t->first + VW - 1) / VW;
    }
    if (t->first < 0 || t->vectors > DOWN_VECTORS) return 0;
    t->last = smaller((t->vectors - 1) * VW, bound - VW - t->first);
    const __m512i at = _mm512_sub_epi32(all, _mm512_set1_epi32((int)t->first)), vector = _mm512_srli_epi32(at, 4);
#pragma GCC unroll 8
    for (int v = 0; v < DOWN_VECTORS; v++) t->from[v] = _mm512_mask_cmpeq_epi32_mask(exists, vector, _mm512_set1_epi32(v));
    t->from_last = t->from[t->vectors - 1];
    t->lanes = _mm512_mask_sub_epi32(at, t->from_last, at, _mm512_set1_epi32((int)t->last));
    return 1;
}

int UP_NAME(up_plan_down)(const up_source *source, int64_t channels, int64_t most, void *plans) {
    const int aligned = ((uintptr_t)source->data | (uintptr_t)(source->pixel_stride * 4)) % 64 == 0;
    const int64_t count = (channels + VW - 1) / VW;
    int64_t highest = 0, vectors = 0;
    for (int64_t c = 0; c < channels; c++) highest = source->index[c] > highest ? source->index[c] : highest;
    down_plan *plan = plans;
    for (int64_t i = 0; i < count; i++) {
        if (!plan_down(source->index + i * VW, smaller(channels - i * VW, VW), highest + 1, aligned, &plan[i])) return 0;
        vectors += plan[i].vectors;
    }
    return vectors <= most;
}

/* Permutations that leave zeros run beside multiply-adds, those of two sources (vpermt2ps) take their place. */
UP_INLINE __m512i pick_lanes(const down_plan *t, const float *p, __mmask16 from) {
    return _mm512_castps_si512(_mm512_maskz_permutexvar_ps(from, t->lanes, _mm512_loadu_ps(p)));
}

/* At constant distances where they can be: others cost instructions. */
UP_INLINE vf pick_down(const down_plan *t, const float *p, const down_way way) {
    const int any = 0xfe;    /* a | b | c */
    const __m512i a = pick_lanes(t, p, t->from[0]);
    if (way == TWO) return (vf)_mm512_or_si512(a, pick_lanes(t, p + VW, t->from[1]));
    if (way == THREE) return (vf)_mm512_ternarylogic_epi32(a, pick_lanes(t, p + VW, t->from[1]), pick_lanes(t, p + 2 * VW, t->from[2]), any);
    if (way == FOUR) {
        const __m512i y = _mm512_or_si512(a, pick_lanes(t, p + VW, t->from[1]));
        return (vf)_mm512_ternarylogic_epi32(y, pick_lanes(t, p + 2 * VW, t->from[2]), pick_lanes(t, p + 3 * VW, t->from[3]), any);
    }
    __m512i y = _mm512_or_si512(a, pick_lanes(t, p + t->last, t->from_last));
    int64_t v = 1;
    if (t->vectors > 4) {
        y = _mm512_ternarylogic_epi32(y, pick_lanes(t, p + VW, t->from[1]), pick_lanes(t, p + 2 * VW, t->from[2]), any);
        y = _mm512_or_si512(y, pick_lanes(t, p + 3 * VW, t->from[3]));
        v = 4;
    }
#pragma GCC unroll 1
    for (; v < t->vectors - 1; v++) y = _mm512_or_si512(y, pick_lanes(t, p + v * VW, t->from[v]));
    return (vf)y;
}

/* The line that a pick of the row below reads last, whose others were mostly fetched for the channels before. */
UP_INLINE void fetch_below(const down_plan *t, const float *p, int64_t row) {
    _mm_prefetch((const char *)(p + row + t->last), _MM_HINT_T0);
}

/* What the rows of inputs of a strip share. */
typedef struct down_strip {
    const float *weights;
    int64_t weights_row, weights_tap, src_step, src_row;
    int64_t first, end;    /* inputs inside of the image */
} down_strip;

/*
 * Adds a row of inputs to the sums of rows of outputs: tap row `tap` to the first (if `upper`), tap - stride to the next, and so on (to the last if
 * `lower`). 3x3, with weights in registers.
 */
UP_INLINE void down_row3(const down_strip *s, const down_plan *plan, const float *from, const vf *w, vf sum[][MOST_COLUMNS], const int tap,
                         const int upper, const int lower, const int mr, const int stride, const down_way way) {
    const int inputs = (mr - 1) * stride + 3, sums = (2 + stride) / stride;
    const int64_t step = s->src_step;
#pragma GCC unroll 16
    for (int i = 0; i < inputs; i++, from += step) {
        if ((i < 2 && i < s->first) || (i > inputs - 3 && i >= s->end)) continue;
        const vf value = pick_down(plan, from, way);
        fetch_below(plan, from, s->src_row);
#pragma GCC unroll 3
        for (int j = 0; j < 3; j++)
            if (i >= j && (i - j) % stride == 0 && (i - j) / stride < mr)
#pragma GCC unroll 3
                for (int m = 0; m < sums; m++)
                    if (tap - m * stride >= 0 && (m > 0 || upper) && (m < sums - 1 || lower))
                        sum[m][(i - j) / stride] += w[(tap - m * stride) * 3 + j] * value;
    }
}

/* The same of 5x5, with inputs in registers; `upper` and `lower` are how many of the first and last sums are left out. */
UP_INLINE void down_row5(const down_strip *s, const down_plan *plan, const float *from, vf sum[][MOST_COLUMNS], const int tap, int64_t upper,
                         int64_t lower, const int mr, const int stride, const down_way way) {
    const int inputs = (mr - 1) * stride + 5, sums = (4 + stride) / stride;
    const int64_t step = s->src_step, weights_tap = s->weights_tap;
    vf x[MOST_INPUTS];
#pragma GCC unroll 16
    for (int i = 0; i < inputs; i++, from += step) {
        x[i] = (vf){0};
        if ((i < 2 && i < s->first) || (i > inputs - 3 && i >= s->end)) continue;
        x[i] = pick_down(plan, from, way);
        fetch_below(plan, from, s->src_row);
    }
#pragma GCC unroll 5
    for (int m = 0; m < sums; m++) {
        if (tap - m * stride < 0 || m < upper || m >= lower) continue;
        const float *weights = s->weights + (tap - m * stride) * s->weights_row;
#pragma GCC unroll 2
        for (int i = 0; i < 2; i++)
            if (i >= s->first)
#pragma GCC unroll 5
                for (int j = 0; j < 5; j++)
                    if (i >= j && (i - j) % stride == 0) sum[m][(i - j) / stride] += vload(weights + j * weights_tap) * x[i];
#pragma GCC unroll 5
        for (int j = 0; j < 5; j++) {
            const vf w = vload(weights + j * weights_tap);
#pragma GCC unroll 4
            for (int i = 0; i < mr; i++)
                if (i * stride + j >= 2 && i * stride + j <= inputs - 3) sum[m][i] += w * x[i * stride + j];
        }
#pragma GCC unroll 16
        for (int i = inputs - 2; i < inputs; i++)
            if (i < s->end)
#pragma GCC unroll 5
                for (int j = 0; j < 5; j++)
                    if ((i - j) % stride == 0 && (i - j) / stride < mr) sum[m][(i - j) / stride] += vload(weights + j * weights_tap) * x[i];
    }
}

/* `mr` columns of outputs by one vector of channels. */
UP_INLINE void down_tile(const up_depthwise_run *t, const up_down_rows *r, const down_plan *plan_at, int64_t c, const int mr, const int kernel,
                         const int stride, const down_way way) {
    const int64_t p = r->column;
    const int sums = (kernel + stride - 1) / stride;    /* sum[m]: of the output row that is stored next, of the one after it, ... */
    const down_plan plan = *plan_at;                    /* in registers, which what is stored cannot change */
    const down_strip s = {.weights = t->weights + c, .weights_row = t->weights_row, .weights_tap = t->weights_tap, .src_step = r->src_step,
                          .src_row = r->src_row, .first = t->before - p * stride, .end = (t->pixels - 1 - p) * stride + kernel - t->after};
    const float *source = r->src + p * stride * r->src_step + plan.first;
    const float *addend = t->addend ? t->addend + p * t->addend_stride + c : NULL;
    float *dst = t->dst + p * t->dst_stride + c;
    const int64_t left = t->channels - c, step = t->dst_stride;
    vf w[9], sum[MOST_SUMS][MOST_COLUMNS];
    if (kernel == 3)
#pragma GCC unroll 9
        for (int j = 0; j < 9; j++) w[j] = vload(s.weights + j / 3 * s.weights_row + j % 3 * s.weights_tap);
#pragma GCC unroll 5
    for (int m = 0; m < sums - 1; m++)
#pragma GCC unroll 7
        for (int i = 0; i < mr; i++) sum[m][i] = (vf){0};
#pragma GCC unroll 1
    for (int64_t o = 1 - sums; o < r->outputs; o++) {
        const vf bias = vload(t->bias + c);    /* here, and the bounds below: read again, rather than kept in registers */
#pragma GCC unroll 7
        for (int i = 0; i < mr; i++) sum[sums - 1][i] = bias;
        if (addend && o + sums <= r->outputs) {
#pragma GCC unroll 7
            for (int i = 0; i < mr; i++) sum[sums - 1][i] += vload_n(addend + i * t->addend_stride, left);
            addend += t->pixels * t->addend_stride;
        }
#pragma GCC unroll 2
        for (int e = 0; e < stride; e++) {
            const int tap = kernel - stride + e;
            const int64_t row = o * stride + tap - r->cut;
            if (row < 0 || row >= r->rows) continue;
            const float *from = source + row * r->src_row;
            if (kernel == 5) down_row5(&s, &plan, from, sum, tap, -o, r->outputs - o, mr, stride, way);
            else if (o < 0) down_row3(&s, &plan, from, w, sum, tap, 0, 1, mr, stride, way);
            else if (o + sums > r->outputs) down_row3(&s, &plan, from, w, sum, tap, 1, 0, mr, stride, way);
            else down_row3(&s, &plan, from, w, sum, tap, 1, 1, mr, stride, way);
        }
        if (o >= 0) {
            const vf low = vsplat(t->low), high = vsplat(t->high);
            if (left >= VW)
#pragma GCC unroll 7
                for (int i = 0; i < mr; i++) vstore(dst + i * step, vmin(high, vmax(low, sum[0][i])));
            else
#pragma GCC unroll 7
                for (int i = 0; i < mr; i++) vstore_part(dst + i * step, vmin(high, vmax(low, sum[0][i])), left);
            dst += t->pixels * step;
        }
#pragma GCC unroll 5
        for (int m = 0; m < sums - 1; m++)
#pragma GCC unroll 7
            for (int i = 0; i < mr; i++) sum[m][i] = sum[m + 1][i];
    }
}

typedef void (*down_kernel)(const up_depthwise_run *run, const up_down_rows *rows, const down_plan *plan, int64_t channel);

#define UP_DOWN(mr, kernel, stride, way)                                                                                                      \
    static void down_##mr##_##kernel##_##stride##_##way(const up_depthwise_run *t, const up_down_rows *r, const down_plan *plan, int64_t c) { \
        down_tile(t, r, plan, c, mr, kernel, stride, way);                                                                                    \
    }
#define UP_DOWNS(mr, kernel, stride) \
    UP_DOWN(mr, kernel, stride, TWO) UP_DOWN(mr, kernel, stride, THREE) UP_DOWN(mr, kernel, stride, FOUR) UP_DOWN(mr, kernel, stride, MORE)
#define UP_DOWN_NAMES(mr, kernel, stride)                                                            \
    {down_##mr##_##kernel##_##stride##_TWO, down_##mr##_##kernel##_##stride##_THREE,                 \
     down_##mr##_##kernel##_##stride##_FOUR, down_##mr##_##kernel##_##stride##_MORE}
UP_DOWNS(4, 3, 1) UP_DOWNS(5, 3, 1) UP_DOWNS(6, 3, 1) UP_DOWNS(7, 3, 1)
UP_DOWNS(4, 3, 2) UP_DOWNS(5, 3, 2) UP_DOWNS(6, 3, 2) UP_DOWNS(7, 3, 2)
UP_DOWNS(3, 5, 1) UP_DOWNS(4, 5, 1)
UP_DOWNS(3, 5, 2) UP_DOWNS(4, 5, 2)

void UP_NAME(up_depthwise_down)(const up_depthwise_run *t, const up_down_rows *r) {
    static const down_kernel threes[2][4][WAYS] = {
        {UP_DOWN_NAMES(4, 3, 1), UP_DOWN_NAMES(5, 3, 1), UP_DOWN_NAMES(6, 3, 1), UP_DOWN_NAMES(7, 3, 1)},
        {UP_DOWN_NAMES(4, 3, 2), UP_DOWN_NAMES(5, 3, 2), UP_DOWN_NAMES(6, 3, 2), UP_DOWN_NAMES(7, 3, 2)}};
    static const down_kernel fives[2][2][WAYS] = {{UP_DOWN_NAMES(3, 5, 1), UP_DOWN_NAMES(4, 5, 1)}, {UP_DOWN_NAMES(3, 5, 2), UP_DOWN_NAMES(4, 5, 2)}};
    const int64_t mr = r->end - r->column;
    const down_kernel *kernels = t->columns == 3 ? threes[r->stride - 1][mr - 4] : fives[r->stride - 1][mr - 3];
    const down_plan *plan = r->plans;
    for (int64_t c = 0; c < t->channels; c += VW, plan++) kernels[plan->way](t, r, plan, c);
}
#endif
