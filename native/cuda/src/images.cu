// Pooling, resizing, padding and response normalisation of images.
#include "images.h"

static UP_DEVICE int at_least(int low, int x) { return x < low ? low : x; }
static UP_DEVICE int at_most(int high, int x) { return x > high ? high : x; }

/* How many of the window's taps from start on lie below end. */
static UP_DEVICE int taps(int start, int dilation, int kernel, int end) {
    int room = end - start;
    return room <= 0 ? 0 : at_most(kernel, (room + dilation - 1) / dilation);
}

template <typename S, typename D, int V> static UP_DEVICE void pool_vector(const struct up_cuda_pool_args &a, unsigned thread) {
    pixel p = pixel_of(a, thread, V);
    const struct up_cuda_window &w = a.window;
    int top = p.y * w.stride_h - w.pad_top;
    int left = p.x * w.stride_w - w.pad_left;
    int first_y = top < 0 ? (-top + w.dilation_h - 1) / w.dilation_h : 0;
    int first_x = left < 0 ? (-left + w.dilation_w - 1) / w.dilation_w : 0;
    int last_y = taps(top, w.dilation_h, w.kernel_h, a.source.height);
    int last_x = taps(left, w.dilation_w, w.kernel_w, a.source.width);
    float sums[V];
#pragma unroll
    for (int k = 0; k < V; k++) {
        sums[k] = a.op == 0 ? -UP_INFINITY : 0;
    }
    for (int y = first_y; y < last_y; y++) {
        for (int x = first_x; x < last_x; x++) {
            float values[V];
            read_pixel<S, V>(values, a.source, p.n, top + y * w.dilation_h, left + x * w.dilation_w, p.c);
#pragma unroll
            for (int k = 0; k < V; k++) {
                sums[k] = a.op != 0 ? sums[k] + values[k] : values[k] > sums[k] || values[k] != values[k] ? values[k] : sums[k];
            }
        }
    }
    if (a.op != 0) {
        int count = at_least(0, last_y - first_y) * at_least(0, last_x - first_x);
        if (a.op == 2) {
            count = taps(top, w.dilation_h, w.kernel_h, a.source.height + w.pad_bottom)
                    * taps(left, w.dilation_w, w.kernel_w, a.source.width + w.pad_right);
        }
        float share = 1 / (float)count;
#pragma unroll
        for (int k = 0; k < V; k++) {
            sums[k] *= share;
        }
    }
    clip_each<V>(a.after, sums);
    write_pixel<D, V>(a.destination, p, sums);
}

template <typename S, typename D, int V> static UP_DEVICE void resize_vector(const struct up_cuda_resize_args &a, unsigned thread) {
    pixel p = pixel_of(a, thread, V);
    int y0 = entry(a.row_first, p.y);
    int x0 = entry(a.column_first, p.x);
    float values[V];
    read_pixel<S, V>(values, a.source, p.n, y0, x0, p.c);
    if (a.row_second) {
        int y1 = entry(a.row_second, p.y);
        int x1 = entry(a.column_second, p.x);
        float down = load((const float *)a.row_weight + p.y);
        float right = load((const float *)a.column_weight + p.x);
        float top_right[V], low_left[V], low_right[V];
        read_pixel<S, V>(top_right, a.source, p.n, y0, x1, p.c);
        read_pixel<S, V>(low_left, a.source, p.n, y1, x0, p.c);
        read_pixel<S, V>(low_right, a.source, p.n, y1, x1, p.c);
#pragma unroll
        for (int k = 0; k < V; k++) {
            float upper = values[k] * (1 - right) + top_right[k] * right;
            float lower = low_left[k] * (1 - right) + low_right[k] * right;
            values[k] = upper * (1 - down) + lower * down;
        }
    }
    apply_each<V>(a.after, values);
    write_pixel<D, V>(a.destination, p, values);
}

/* Where a padded position lies in the source, for modes reflect and edge. */
static UP_DEVICE int reflected(int position, int size, int mode) {
    if (mode == 1) {
        int period = at_least(1, 2 * (size - 1));
        int inside = position % period;
        inside = inside < 0 ? inside + period : inside;
        return inside < size ? inside : period - inside;
    }
    return at_most(size - 1, at_least(0, position));
}

template <typename S, typename D, int V> static UP_DEVICE void pad_vector(const struct up_cuda_pad_args &a, unsigned thread) {
    pixel p = pixel_of(a, thread, V);
    int y = p.y - a.before_h;
    int x = p.x - a.before_w;
    float values[V];
    if (a.mode == 0 && (y < 0 || y >= a.source.height || x < 0 || x >= a.source.width)) {
#pragma unroll
        for (int k = 0; k < V; k++) {
            values[k] = a.value;
        }
    } else {
        y = reflected(y, a.source.height, a.mode);
        x = reflected(x, a.source.width, a.mode);
        read_pixel<S, V>(values, a.source, p.n, y, x, p.c);
    }
    apply_each<V>(a.after, values);
    write_pixel<D, V>(a.destination, p, values);
}

static UP_FUNCTION float power(float x, float exponent) { return powf(x, exponent); }

/* Neighbours are read in the vectors that they lie in, so that each is read once for all channels of a thread. */
template <typename S, typename D, int V> static UP_DEVICE void lrn_vector(const struct up_cuda_lrn_args &a, unsigned thread) {
    pixel p = pixel_of(a, thread, V);
    float squares[V];
#pragma unroll
    for (int k = 0; k < V; k++) {
        squares[k] = 0;
    }
    int first = at_least(0, p.c - a.before) / V * V;
    int last = at_most(a.channels - 1, p.c + V - 1 + a.after);
    for (int c = first; c <= last; c += V) {
        float others[V];
        read_pixel<S, V>(others, a.source, p.n, p.y, p.x, c);
#pragma unroll
        for (int j = 0; j < V; j++) {
#pragma unroll
            for (int k = 0; k < V; k++) {
                int distance = c - p.c + j - k;
                squares[k] += distance >= -a.before && distance <= a.after ? others[j] * others[j] : 0;
            }
        }
    }
    float values[V];
    read_pixel<S, V>(values, a.source, p.n, p.y, p.x, p.c);
#pragma unroll
    for (int k = 0; k < V; k++) {
        values[k] /= power(a.bias + a.scale * squares[k], a.beta);
    }
    apply_each<V>(a.activation, values);
    write_pixel<D, V>(a.destination, p, values);
}

#define UP_POOL(S, D) UP_IMAGE_KERNEL(pool, S, D)
#define UP_RESIZE(S, D) UP_IMAGE_KERNEL(resize, S, D)
#define UP_PAD(S, D) UP_IMAGE_KERNEL(pad, S, D)
#define UP_LRN(S, D) UP_IMAGE_KERNEL(lrn, S, D)
UP_EACH_TYPE(UP_POOL)
UP_EACH_TYPE(UP_RESIZE)
UP_EACH_TYPE(UP_PAD)
UP_EACH_TYPE(UP_LRN)
