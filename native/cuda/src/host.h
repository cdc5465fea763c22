// The host's side of portable.h: a kernel is a function that is called for each block.
#ifndef UPSCALE_HOST_H
#define UPSCALE_HOST_H

#include <cmath>
#include <cstring>
#include <limits>
using std::fabs;

#include "half.h"

#define UP_DEVICE inline
#define UP_FUNCTION inline
#define UP_SHARED
#define UP_X up_thread.x
#define UP_Y up_thread.y
#define UP_BLOCK_X up_block.x
#define UP_BLOCK_Y up_block.y
#define UP_BLOCK_Z up_block.z
#define UP_WIDTH up_shape.x
#define UP_INFINITY std::numeric_limits<float>::infinity()
#define UP_RETURN continue

struct up_host_dim { unsigned x, y, z; };

/* Makes a kernel known to the host by its name: up_host_register is defined by whoever runs the kernels. */
typedef void (*up_host_kernel)(const void *arguments, up_host_dim block, up_host_dim shape);
void up_host_register(const char *name, up_host_kernel kernel, unsigned long arguments);

/* Called for each access to device memory; they throw if it is not allowed. */
void up_host_read(const void *p, unsigned long bytes);
void up_host_write(void *p, unsigned long bytes);

/* Whether threads run from the last to the first: results must not depend on it. */
extern bool up_host_backwards;

struct up_host_registration {
    up_host_registration(const char *name, up_host_kernel kernel, unsigned long arguments) { up_host_register(name, kernel, arguments); }
};

#define UP_KERNEL(name, arguments)                                                                          \
    static void name##_block(const struct arguments &a, up_host_dim up_block, up_host_dim up_shape);        \
    static void name(const void *given, up_host_dim block, up_host_dim shape) {                             \
        name##_block(*(const struct arguments *)given, block, shape);                                       \
    }                                                                                                       \
    static up_host_registration name##_registration(#name, name, sizeof(struct arguments));                 \
    static void name##_block(const struct arguments &a, [[maybe_unused]] up_host_dim up_block, [[maybe_unused]] up_host_dim up_shape)

#define UP_THREADS(...)                                                                                     \
    for (unsigned up_count = up_shape.x * up_shape.y, up_i = 0; up_i < up_count; up_i++) {                   \
        unsigned up_number = up_host_backwards ? up_count - 1 - up_i : up_i;                                 \
        [[maybe_unused]] up_host_dim up_thread = {up_number % up_shape.x, up_number / up_shape.x, 0};        \
        __VA_ARGS__                                                                                         \
    }
#define UP_PHASE(...) UP_THREADS(__VA_ARGS__)

inline unsigned mulhi(unsigned a, unsigned b) { return (unsigned)(((unsigned long long)a * b) >> 32); }

inline float bits_to_float(unsigned bits) {
    float f;
    std::memcpy(&f, &bits, sizeof f);
    return f;
}

inline unsigned float_to_bits(float f) {
    unsigned bits;
    std::memcpy(&bits, &f, sizeof bits);
    return bits;
}

struct bits128 { unsigned w[4]; };
struct bits64 { unsigned w[2]; };

template <typename T> inline T load(const T *p) {
    if ((unsigned long)p % sizeof(T) != 0) {
        up_host_read(nullptr, sizeof(T));      // a misaligned access, as the device would refuse it
    }
    up_host_read(p, sizeof(T));
    return *p;
}

template <typename T> inline void store(T *p, T value) {
    if ((unsigned long)p % sizeof(T) != 0) {
        up_host_write(nullptr, sizeof(T));
    }
    up_host_write(p, sizeof(T));
    *p = value;
}

#endif
