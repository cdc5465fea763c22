/* The transforms of inputs and outputs of Winograd convolutions (the weights' is in winograd.c), vectors of channels. */
#include "reader.h"

#define A UP_WINOGRAD_A
#define B UP_WINOGRAD_B

/* m + 2 inputs `step` vectors apart to as many products. */
UP_INLINE void input_line(const vf *d, const int step, vf *v, const int m) {
    const vf d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    if (m == 2) {
        v[0] = d2 - d0;
        v[1] = d2 + d1;
        v[2] = d2 - d1;
        v[3] = d3 - d1;
        return;
    }
    const vf d4 = d[4 * step], d5 = d[5 * step];
    const vf a0 = d4 - (B * B) * d2, a1 = d3 - (B * B) * d1;
    const vf b0 = d4 - (A * A) * d2, b1 = d3 - (A * A) * d1;
    v[0] = b0 - (B * B) * (d2 - (A * A) * d0);
    v[1] = a0 + A * a1;
    v[2] = a0 - A * a1;
    v[3] = b0 + B * b1;
    v[4] = b0 - B * b1;
    v[5] = d5 - (A * A) * d3 - (B * B) * b1;
}

/* m + 2 sums of products to m outputs, each `to` vectors apart. */
UP_INLINE void output_line(const vf *s, vf *y, const int to, const int m) {
    if (m == 2) {
        y[0] = s[0] + s[1] + s[2];
        y[to] = s[1] - s[2] + s[3];
        return;
    }
    const vf even_a = s[1] + s[2], odd_a = s[1] - s[2], even_b = s[3] + s[4], odd_b = s[3] - s[4];
    y[0] = s[0] + even_a + even_b;
    y[to] = A * odd_a + B * odd_b;
    y[2 * to] = (A * A) * even_a + (B * B) * even_b;
    y[3 * to] = (A * A * A) * odd_a + (B * B * B) * odd_b + s[5];
}

/* ---------------------------------------------------------------- inputs */

/* One vector of channels of all tiles. Columns are transformed once, though neighbouring tiles share two of them. */
UP_INLINE void input_strip(const up_winograd_input *s, const reader *r, const float *image, float *to, const int m,
                          const enum reading how) {
    const int n = m + 2;
    const float *rows[6];
    for (int i = 0; i < n; i++) {
        const int64_t row = s->top + i;
        rows[i] = row >= 0 && row < s->in_h ? image + row * s->in_w * s->pixel_stride : NULL;
    }
    const int inside = rows[0] && rows[n - 1];
    vf columns[6 * 6];    /* [column of the tile][product of the column] */
    int64_t x = s->left;
    int have = 0;
    for (int64_t t = 0; t < s->tiles; t++, to += s->tile_step, have = 2) {
        if (have) memcpy(columns, columns + m * n, sizeof(vf) * 2 * (size_t)n);
        for (int j = have; j < n; j++, x++) {
            vf d[6];
            if (x < 0 || x >= s->in_w) {
                for (int i = 0; i < n; i++) columns[j * n + i] = vsplat(0);
                continue;
            }
            const int64_t at = x * s->pixel_stride;
            if (inside) {
#pragma GCC unroll 6
                for (int i = 0; i < n; i++) d[i] = read_channels(r, rows[i] + at, how);
            } else {
#pragma GCC unroll 6
                for (int i = 0; i < n; i++) d[i] = rows[i] ? read_channels(r, rows[i] + at, how) : vsplat(0);
            }
            input_line(d, 1, columns + j * n, m);
        }
#pragma GCC unroll 6
        for (int i = 0; i < n; i++) {
            vf v[6];
            input_line(columns + i, n, v, m);
#pragma GCC unroll 6
            for (int j = 0; j < n; j++) vstore(to + (i * n + j) * s->product_step, v[j]);
        }
    }
}

UP_INLINE void input_strips(const up_winograd_input *s, const int m) {
    for (int64_t c = 0; c < s->channels; c += VW) {
        reader r;
        const float *image = s->index ? s->image : s->image + c;
        switch (make_reader(&r, s->index ? s->index + c : NULL, s->channels - c)) {
            case WHOLE: input_strip(s, &r, image, s->to + c, m, WHOLE); break;
            case PART: input_strip(s, &r, image, s->to + c, m, PART); break;
            case PERMUTED: input_strip(s, &r, image, s->to + c, m, PERMUTED); break;
            default: input_strip(s, &r, image, s->to + c, m, ONE_BY_ONE);
        }
    }
}

void UP_NAME(up_winograd_input2)(const up_winograd_input *strip) { input_strips(strip, 2); }
void UP_NAME(up_winograd_input4)(const up_winograd_input *strip) { input_strips(strip, 4); }

/* ---------------------------------------------------------------- outputs */

/* One tile, `n` outputs (VW or fewer) from `from` on, of which `rows` x `columns` pixels exist. */
UP_INLINE void output_tile(const up_winograd_output *s, const float *from, const float *addend, float *dst, vf bias, int64_t rows,
                           int64_t columns, int64_t n, const int m, const int whole) {
    const vf low = vsplat(s->low), high = vsplat(s->high);
    vf half[4 * 6];    /* [row of outputs][column of products] */
#pragma GCC unroll 6
    for (int j = 0; j < m + 2; j++) {
        vf sums[6];
#pragma GCC unroll 6
        for (int i = 0; i < m + 2; i++) sums[i] = vload(from + (i * (m + 2) + j) * s->product_step);
        output_line(sums, half + j, m + 2, m);
    }
#pragma GCC unroll 4
    for (int i = 0; i < m; i++) {
        if (!whole && i >= rows) break;
        vf y[4];
        output_line(half + i * (m + 2), y, 1, m);
        float *to = dst + i * s->dst_row;
        const float *a = addend ? addend + i * s->addend_row : NULL;
#pragma GCC unroll 4
        for (int j = 0; j < m; j++) {
            if (!whole && j >= columns) break;
            vf x = y[j] + bias;
            if (a) x += whole ? vload(a + j * s->addend_stride) : vload_n(a + j * s->addend_stride, n);
            x = vmin(high, vmax(low, x));
            if (whole) vstore(to + j * s->dst_stride, x);
            else vstore_n(to + j * s->dst_stride, x, n);
        }
    }
}

UP_INLINE void output_strip(const up_winograd_output *s, const int m) {
    for (int64_t x = 0, t = 0; x < s->columns; x += m, t++)
        for (int64_t o = 0; o < s->outputs; o += VW) {
            const int64_t columns = s->columns - x < m ? s->columns - x : m, n = s->outputs - o < VW ? s->outputs - o : VW;
            const float *from = s->from + t * s->tile_step + o;
            const float *addend = s->addend ? s->addend + x * s->addend_stride + o : NULL;
            float *dst = s->dst + x * s->dst_stride + o;
            const vf bias = vload(s->bias + o);
            if (s->rows == m && columns == m && n == VW) output_tile(s, from, addend, dst, bias, m, m, VW, m, 1);
            else output_tile(s, from, addend, dst, bias, s->rows, columns, n, m, 0);
        }
}

void UP_NAME(up_winograd_output2)(const up_winograd_output *strip) { output_strip(strip, 2); }
void UP_NAME(up_winograd_output4)(const up_winograd_output *strip) { output_strip(strip, 4); }
