// Convolutions that cuDNN refuses, channels by index among them, and products of two activations.
#include "images.h"

/* The sum over the input channels of one tap. */
template <typename S>
static UP_DEVICE float tap(const struct up_cuda_convolve_args &a, const pixel &p, int y, int x, int first, int count, long long weight,
                          long long next, float sum) {
    if (y < 0 || y >= a.source.height || x < 0 || x >= a.source.width) {
        return sum;
    }
    long long from = place(a.source, p.n, y, x);
    for (int c = 0; c < count; c++) {
        int channel = a.source.index ? entry(a.source.index, first + c) : first + c;
        sum += read<S>(a.source.data, from + channel * a.source.channel) * read<S>(a.weights, weight + c * next);
    }
    return sum;
}

template <typename S> static UP_DEVICE float convolve(const struct up_cuda_convolve_args &a, const pixel &p) {
    const struct up_cuda_window &w = a.window;
    int outputs = (int)a.channels.divisor / a.groups;
    int inputs = a.source_channels / a.groups;
    int group = p.c / outputs;
    int area = w.kernel_h * w.kernel_w;
    float sum = 0;
    for (int ky = 0; ky < w.kernel_h; ky++) {
        for (int kx = 0; kx < w.kernel_w; kx++) {
            if (!a.transposed) {
                sum = tap<S>(a, p, p.y * w.stride_h - w.pad_top + ky * w.dilation_h, p.x * w.stride_w - w.pad_left + kx * w.dilation_w,
                        group * inputs, inputs, (long long)p.c * inputs * area + ky * w.kernel_w + kx, area, sum);
            } else {
                int y = p.y + w.pad_top - ky * w.dilation_h;
                int x = p.x + w.pad_left - kx * w.dilation_w;
                if (y % w.stride_h == 0 && x % w.stride_w == 0) {
                    sum = tap<S>(a, p, y / w.stride_h, x / w.stride_w, group * inputs, inputs,
                            ((long long)group * inputs * outputs + p.c % outputs) * area + ky * w.kernel_w + kx,
                            (long long)outputs * area, sum);
                }
            }
        }
    }
    return sum;
}

#define UP_CONVOLVE(S, D)                                                                                      \
    UP_KERNEL(up_convolve_##S##_##D, up_cuda_convolve_args) {                                                  \
        UP_THREADS(                                                                                            \
            unsigned i = UP_BLOCK_X * UP_WIDTH + UP_X;                                                         \
            if (i >= a.threads) UP_RETURN;                                                                     \
            pixel p;                                                                                           \
            p.c = (int)split(i, a.channels);                                                                   \
            p.x = (int)split(i, a.width);                                                                      \
            p.y = (int)split(i, a.height);                                                                     \
            p.n = (int)i;                                                                                      \
            float sum = convolve<S>(a, p);                                                                     \
            if (a.bias) { sum += read<f32>(a.bias, p.c); }                                                     \
            if (a.addend.data) {                                                                               \
                float more;                                                                                    \
                read_pixel<D, 1>(&more, a.addend, p.n, p.y, p.x, p.c);                                         \
                sum += more;                                                                                   \
            }                                                                                                  \
            sum = apply(a.after, sum);                                                                         \
            write_pixel<D, 1>(a.destination, p, &sum);                                                         \
        )                                                                                                      \
    }
UP_EACH_TYPE(UP_CONVOLVE)

#define UP_SIDE 16

/* Each thread's sum lies in shared memory from phase to phase, which the host needs and the device hardly notices. */
#define UP_MATMUL(S, D)                                                                                        \
    UP_KERNEL(up_matmul_##S##_##D, up_cuda_matmul_args) {                                                      \
        UP_SHARED float left[UP_SIDE][UP_SIDE + 1];                                                            \
        UP_SHARED float right[UP_SIDE][UP_SIDE + 1];                                                           \
        UP_SHARED float sums[UP_SIDE][UP_SIDE];                                                                \
        unsigned outer = UP_BLOCK_Z;                                                                           \
        const long long inner = split(outer, a.batch);                                                         \
        const long long from = outer * a.left_stride[0] + inner * a.left_stride[1];                            \
        const long long by = outer * a.right_stride[0] + inner * a.right_stride[1];                            \
        const long long to = outer * a.destination_stride[0] + inner * a.destination_stride[1];                \
        UP_PHASE(sums[UP_Y][UP_X] = 0;)                                                                        \
        for (int start = 0; start < a.inner; start += UP_SIDE) {                                               \
            UP_PHASE(                                                                                          \
                int r = (int)(UP_BLOCK_Y * UP_SIDE + UP_Y);                                                    \
                int k = start + (int)UP_X;                                                                     \
                bool inside = r < a.rows && k < a.inner;                                                       \
                int c = inside && a.index ? entry(a.index, k) : k;                                             \
                left[UP_Y][UP_X] = inside                                                                      \
                        ? read<S>(a.left, from + r * a.left_stride[2] + c * a.left_stride[3]) : 0;             \
                k = start + (int)UP_Y;                                                                         \
                c = (int)(UP_BLOCK_X * UP_SIDE + UP_X);                                                        \
                right[UP_Y][UP_X] = k < a.inner && c < a.columns                                               \
                        ? read<S>(a.right, by + k * a.right_stride[2] + c * a.right_stride[3]) : 0;            \
            )                                                                                                  \
            UP_PHASE(                                                                                          \
                float sum = sums[UP_Y][UP_X];                                                                  \
                for (int k = 0; k < UP_SIDE; k++) {                                                            \
                    sum += left[UP_Y][k] * right[k][UP_X];                                                     \
                }                                                                                              \
                sums[UP_Y][UP_X] = sum;                                                                        \
            )                                                                                                  \
        }                                                                                                      \
        UP_THREADS(                                                                                            \
            int r = (int)(UP_BLOCK_Y * UP_SIDE + UP_Y);                                                        \
            int c = (int)(UP_BLOCK_X * UP_SIDE + UP_X);                                                        \
            if (r < a.rows && c < a.columns) {                                                                 \
                float sum = sums[UP_Y][UP_X];                                                                  \
                if (a.bias) { sum += read<f32>(a.bias, c); }                                                   \
                write<D>(a.destination, to + r * a.destination_stride[2] + c * a.destination_stride[3],        \
                        apply(a.after, sum));                                                                  \
            }                                                                                                  \
        )                                                                                                      \
    }
UP_EACH_TYPE(UP_MATMUL)
