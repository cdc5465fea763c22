// What kernels over images share: which pixel and channels a thread has.
#ifndef UPSCALE_IMAGES_H
#define UPSCALE_IMAGES_H

#include "portable.h"

struct pixel {
    int n, y, x, c;
};

template <typename A> static UP_DEVICE pixel pixel_of(const A &a, unsigned thread, int vector) {
    pixel p;
    p.c = (int)split(thread, a.vectors) * vector;
    p.x = (int)split(thread, a.width);
    p.y = (int)split(thread, a.height);
    p.n = (int)thread;
    return p;
}

static UP_DEVICE long long place(const struct up_cuda_image &image, int n, int y, int x) {
    return n * image.image + y * image.row + x * image.pixel;
}

template <typename T, int V>
static UP_DEVICE void read_pixel(float *values, const struct up_cuda_image &image, int n, int y, int x, int c) {
    read_channels<T, V>(values, image.data, image.index, place(image, n, y, x), c, image.channel);
}

template <typename T, int V>
static UP_DEVICE void write_pixel(const struct up_cuda_image &image, const pixel &p, const float *values) {
    write_vector<T, V>(image.data, place(image, p.n, p.y, p.x) + p.c * image.channel, values);
}

#define UP_IMAGE_KERNEL(what, S, D)                                           \
    UP_KERNEL(up_##what##_##S##_##D, up_cuda_##what##_args) {                 \
        UP_THREADS(                                                           \
            unsigned i = UP_BLOCK_X * UP_WIDTH + UP_X;                        \
            if (i >= a.threads) UP_RETURN;                                    \
            if (a.vector > 1) {                                               \
                what##_vector<S, D, 16 / (int)sizeof(D::stored)>(a, i);       \
            } else {                                                          \
                what##_vector<S, D, 1>(a, i);                                 \
            }                                                                 \
        )                                                                     \
    }

#endif
