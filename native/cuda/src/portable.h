// What lets one source be a CUDA kernel and a host function.
//
// A kernel is written in phases: UP_PHASE runs its body for every thread of the block and is a barrier at its end; what outlives a phase
// lies in UP_SHARED memory. On the device a phase is the body and __syncthreads(). On the host a block is one call, and a phase
// is a loop over the threads, so that barriers need no fibers; the order of that loop can be turned around (up_host_order), which
// must not change a result. All loads and stores of device memory go through load and store, where the simulated device checks them.
#ifndef UPSCALE_PORTABLE_H
#define UPSCALE_PORTABLE_H

#include "upscale_cuda.h"

typedef unsigned short half_bits;

#ifdef __CUDACC__

#define UP_DEVICE __device__ __forceinline__
#define UP_FUNCTION __device__ __noinline__
#define UP_SHARED __shared__
#define UP_KERNEL(name, arguments) extern "C" __global__ void __launch_bounds__(256, 4) name(const __grid_constant__ struct arguments a)
#define UP_PHASE(...) { { __VA_ARGS__ } __syncthreads(); }
#define UP_THREADS(...) { __VA_ARGS__ }
#define UP_RETURN return
#define UP_X threadIdx.x
#define UP_Y threadIdx.y
#define UP_BLOCK_X blockIdx.x
#define UP_BLOCK_Y blockIdx.y
#define UP_BLOCK_Z blockIdx.z
#define UP_WIDTH blockDim.x
#define UP_INFINITY __int_as_float(0x7f800000)

static UP_DEVICE float half_to_float(half_bits h) {
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
    return f;
}

static UP_DEVICE half_bits float_to_half(float f) {
    half_bits h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
    return h;
}

static UP_DEVICE unsigned mulhi(unsigned a, unsigned b) { return __umulhi(a, b); }
static UP_DEVICE float bits_to_float(unsigned bits) { return __uint_as_float(bits); }
static UP_DEVICE unsigned float_to_bits(float f) { return __float_as_uint(f); }

struct alignas(16) bits128 { unsigned w[4]; };
struct alignas(8) bits64 { unsigned w[2]; };

template <typename T> static UP_DEVICE T load(const T *p) { return *p; }
template <typename T> static UP_DEVICE void store(T *p, T value) { *p = value; }

#else
#include "host.h"
#endif

static UP_DEVICE unsigned divide(unsigned n, const struct up_cuda_div &by) { return (mulhi(n, by.multiplier) + n) >> by.shift; }

/* n becomes the quotient; the remainder is returned. */
static UP_DEVICE unsigned split(unsigned &n, const struct up_cuda_div &by) {
    unsigned quotient = divide(n, by);
    unsigned remainder = n - quotient * by.divisor;
    n = quotient;
    return remainder;
}

/* Element types: how they are stored, and how many go into 16 bytes. */
struct f32 {
    typedef float stored;
    static UP_DEVICE float value(float s) { return s; }
    static UP_DEVICE float from(float v) { return v; }
};

struct f16 {
    typedef half_bits stored;
    static UP_DEVICE float value(half_bits s) { return half_to_float(s); }
    static UP_DEVICE half_bits from(float v) { return float_to_half(v); }
};

struct bf16 {
    typedef half_bits stored;
    static UP_DEVICE float value(half_bits s) { return bits_to_float((unsigned)s << 16); }
    static UP_DEVICE half_bits from(float v) {
        unsigned bits = float_to_bits(v);
        return (half_bits)(v != v ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
};

template <typename T> static UP_DEVICE const typename T::stored *at(up_address data, long long offset) {
    return (const typename T::stored *)data + offset;
}

template <typename T> static UP_DEVICE float read(up_address data, long long offset) { return T::value(load(at<T>(data, offset))); }

template <typename T> static UP_DEVICE void write(up_address data, long long offset, float value) {
    store((typename T::stored *)at<T>(data, offset), T::from(value));
}

static UP_DEVICE int entry(up_address index, int position) { return load((const int *)index + position); }

/* As many neighbours as a vector has, in the widest accesses that they fill. */
template <int BYTES> struct packet { typedef bits128 type; enum { COUNT = BYTES / 16 }; };
template <> struct packet<8> { typedef bits64 type; enum { COUNT = 1 }; };
template <> struct packet<4> { typedef unsigned type; enum { COUNT = 1 }; };
template <> struct packet<2> { typedef half_bits type; enum { COUNT = 1 }; };

template <typename T, int V> union neighbours {
    typedef packet<V * (int)sizeof(typename T::stored)> whole;
    typename whole::type packets[whole::COUNT];
    typename T::stored elements[V];
};

template <typename T, int V> static UP_DEVICE void read_vector(float *values, up_address data, long long offset) {
    neighbours<T, V> raw;
    typedef typename neighbours<T, V>::whole whole;
#pragma unroll
    for (int i = 0; i < whole::COUNT; i++) {
        raw.packets[i] = load((const typename whole::type *)at<T>(data, offset) + i);
    }
#pragma unroll
    for (int k = 0; k < V; k++) {
        values[k] = T::value(raw.elements[k]);
    }
}

template <typename T, int V> static UP_DEVICE void write_vector(up_address data, long long offset, const float *values) {
    neighbours<T, V> raw;
    typedef typename neighbours<T, V>::whole whole;
#pragma unroll
    for (int k = 0; k < V; k++) {
        raw.elements[k] = T::from(values[k]);
    }
#pragma unroll
    for (int i = 0; i < whole::COUNT; i++) {
        store((typename whole::type *)at<T>(data, offset) + i, raw.packets[i]);
    }
}

/* V entries of an index from c on, a multiple of V. */
template <int V> static UP_DEVICE void read_entries(int *positions, up_address index, int c) {
    if (V < 4) {
        positions[0] = entry(index, c);
    } else {
#pragma unroll
        for (int i = 0; i < V / 4; i++) {
            bits128 four = load((const bits128 *)((const int *)index + c) + i);
#pragma unroll
            for (int k = 0; k < 4; k++) {
                positions[(4 * i + k) % V] = (int)four.w[k];
            }
        }
    }
}

/* V channels from c on of a place whose channels lie stride apart, or are listed. */
template <typename T, int V>
static UP_DEVICE void read_channels(float *values, up_address data, up_address index, long long place, int c, long long stride) {
    if (index) {
        int positions[V];
        read_entries<V>(positions, index, c);
#pragma unroll
        for (int k = 0; k < V; k++) {
            values[k] = read<T>(data, place + positions[k] * stride);
        }
    } else if (V == 1 || stride != 1) {
        if (stride == 0) {
            float same = read<T>(data, place);
#pragma unroll
            for (int k = 0; k < V; k++) {
                values[k] = same;
            }
        } else {
#pragma unroll
            for (int k = 0; k < V; k++) {
                values[k] = read<T>(data, place + (c + k) * stride);
            }
        }
    } else {
        read_vector<T, V>(values, data, place + c);
    }
}

static UP_DEVICE float sigmoid(float x) { return 1 / (1 + expf(-x)); }
static UP_DEVICE float softplus(float x) { return fmaxf(x, 0) + log1pf(expf(-fabsf(x))); }

/* As dev.upscale.graph.Function computes it. NaN stays NaN, as it does there. */
static UP_DEVICE float apply_any(int kind, float a, float b, float x) {
    switch (kind) {
        case UP_FN_CLIP: { float low = x < a ? a : x; return low > b ? b : low; }
        case UP_FN_SIGMOID: return sigmoid(x);
        case UP_FN_SILU: return x * sigmoid(x);
        case UP_FN_HARD_SIGMOID: { float y = a * x + b; y = y < 0 ? 0 : y; return y > 1 ? 1 : y; }
        case UP_FN_HARD_SWISH: { float y = x * (1.0f / 6) + 0.5f; y = y < 0 ? 0 : y; return x * (y > 1 ? 1 : y); }
        case UP_FN_LEAKY_RELU: return x < 0 ? a * x : x;
        case UP_FN_TANH: return tanhf(x);
        case UP_FN_GELU: return x * erfcf(-x * 0.70710678118654752f) * 0.5f;
        case UP_FN_GELU_TANH: return x * (1 + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x))) * 0.5f;
        case UP_FN_ELU: return x < 0 ? a * expm1f(x) : x;
        case UP_FN_SELU: return b * (x < 0 ? a * expm1f(x) : x);
        case UP_FN_MISH: return x * tanhf(softplus(x));
        case UP_FN_SOFTPLUS: return softplus(x);
        case UP_FN_ERF: return erff(x);
        case UP_FN_EXP: return expf(x);
        case UP_FN_LOG: return logf(x);
        case UP_FN_SQRT: return sqrtf(x);
        case UP_FN_ABS: return fabsf(x);
        case UP_FN_NEG: return -x;
        case UP_FN_RECIPROCAL: return 1 / x;
        case UP_FN_FLOOR: return floorf(x);
        case UP_FN_CEIL: return ceilf(x);
        case UP_FN_ROUND: return rintf(x);
        case UP_FN_SIGN: return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
        default: return x;
    }
}

template <int V> struct several {
    float v[V];
};

/* A function of its own, called once for a vector: inlined, these functions would be most of every kernel. */
template <int V> static UP_FUNCTION several<V> apply_several(int kind, float a, float b, several<V> x) {
#pragma unroll
    for (int k = 0; k < V; k++) {
        x.v[k] = apply_any(kind, a, b, x.v[k]);
    }
    return x;
}

template <int V> static UP_DEVICE void apply_each(const struct up_cuda_fn &f, float *values) {
    if (f.kind == UP_FN_NONE) {
        return;
    }
    if (f.kind == UP_FN_RELU) {
#pragma unroll
        for (int k = 0; k < V; k++) {
            values[k] = values[k] < 0 ? 0 : values[k];
        }
        return;
    }
    several<V> x;
#pragma unroll
    for (int k = 0; k < V; k++) {
        x.v[k] = values[k];
    }
    x = apply_several<V>(f.kind, f.a, f.b, x);
#pragma unroll
    for (int k = 0; k < V; k++) {
        values[k] = x.v[k];
    }
}

/* The functions that need no call. */
template <int V> static UP_DEVICE void clip_each(const struct up_cuda_fn &f, float *values) {
    if (f.kind != UP_FN_NONE) {
        float low = f.kind == UP_FN_RELU ? 0 : f.a;
        float high = f.kind == UP_FN_RELU ? UP_INFINITY : f.b;
#pragma unroll
        for (int k = 0; k < V; k++) {
            float x = values[k] < low ? low : values[k];
            values[k] = x > high ? high : x;
        }
    }
}

static UP_DEVICE float apply(const struct up_cuda_fn &f, float x) {
    apply_each<1>(f, &x);
    return x;
}

/* All kernels of one kind: sources and destination of the same type, and of two. */
#define UP_EACH_TYPE(kernel) kernel(f32, f32) kernel(f16, f16) kernel(f32, f16) kernel(f16, f32) \
    kernel(bf16, bf16) kernel(f32, bf16) kernel(bf16, f32)

#endif
