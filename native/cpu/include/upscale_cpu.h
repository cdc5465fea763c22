/*
 * upscale_cpu: f32 kernels on NHWC tensors that read channels where they lie.
 *
 * Layout. A tensor of shape [N, H, W, C] is a sequence of N*H*W pixels in row-major order. A pixel is a place in
 * memory that holds at least C floats; neighbouring pixels lie `pixel_stride` floats apart (>= C, any value; large
 * powers of two make pixels collide in a cache set and are slower). A channel slice of a wider tensor is the same
 * thing: the address of the first pixel's first channel, and the stride of the wider tensor.
 *
 * Index lists. Where a source has an `index`, channel k of the kernel is read from position index[k] of the pixel,
 * 0 <= index[k] < pixel_stride, in any order, repetitions allowed; without one (NULL) it is read from position k.
 * Index lists are read during every run and are not checked: a position outside of the pixel reads foreign memory.
 *
 * What is touched. A kernel reads no float that is not one of the channels it was told to read, and writes no float
 * that is not one of the channels of its destination: neighbours in a wider tensor keep their values, and what lies
 * beside the source (NaN, unmapped memory) does not matter. Floats need an alignment of 4 bytes, nothing more.
 *
 * Aliasing. A destination may overlap no source, with three exceptions, each of which must then match exactly (same
 * address, same strides, no index): the addend of a convolution; the operands of up_binary; the source of up_pointwise
 * and up_softmax.
 *
 * Errors. Functions return an `up_status` (0 is success) and leave the destination untouched when they fail;
 * up_last_error() says in words which argument was wrong. Nothing aborts, nothing is printed. Sizes of zero
 * (no image, no pixel) are success without work; sizes below zero are UP_INVALID.
 *
 * Threads. Handles of convolutions are immutable: any number of threads may run one at the same time. A pool belongs to
 * one caller at a time: a run that finds its pool at work for another caller returns UP_BUSY. A run with a NULL pool
 * uses the calling thread alone. Results do not depend on the number of threads.
 *
 * Argument blocks (`..._args`) are read during the call and not kept; a caller may fill one once and run it for ever.
 */
#ifndef UPSCALE_CPU_H
#define UPSCALE_CPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define UP_API __attribute__((visibility("default")))
#else
#define UP_API
#endif

/* Raised whenever a struct or the meaning of a function changes; additions do not raise it. */
#define UP_ABI_VERSION 2

/* ---------------------------------------------------------------- status, version, instruction set */

enum up_status {
    UP_OK = 0,
    UP_INVALID = 1,     /* an argument is out of its range: see up_last_error() */
    UP_NO_MEMORY = 2,   /* an allocation failed */
    UP_UNSUPPORTED = 3, /* a valid request that this build or this CPU cannot serve */
    UP_BUSY = 4,        /* the pool is at work for another caller */
    UP_BAD_PACKING = 5  /* packed weights were made for another convolution, instruction set or version */
};

/* Instruction sets, in ascending order. A build for another processor than x86-64 has UP_ISA_GENERIC alone. */
enum up_isa {
    UP_ISA_GENERIC = 0, /* portable vectors of 4 floats: SSE2 on x86-64, NEON on aarch64 */
    UP_ISA_AVX2 = 1,    /* AVX2 and FMA */
    UP_ISA_AVX512 = 2   /* AVX-512 F and VL */
};

/* UP_ABI_VERSION of the library. */
UP_API int32_t up_abi_version(void);

/* A constant text for a status, e.g. "invalid argument". Never NULL. */
UP_API const char *up_status_text(int32_t status);

/*
 * What was wrong in this thread's latest failed call, e.g. "up_conv_create: groups 3 does not divide in_channels 64".
 * Valid until the thread's next failed call; "" if none failed. Never NULL.
 */
UP_API const char *up_last_error(void);

/* The best instruction set of this CPU that this build has (an up_isa). */
UP_API int32_t up_best_isa(void);

/* The instruction set in use: up_best_isa() unless up_set_isa() changed it. */
UP_API int32_t up_get_isa(void);

/*
 * Forces an instruction set for the whole process: for convolutions created or packed from now on (a handle keeps the
 * one it was created with) and for all other kernels at once. UP_UNSUPPORTED if the CPU or the build lacks it.
 */
UP_API int32_t up_set_isa(int32_t isa);

/* "generic", "avx2", "avx512"; "unknown" for anything else. Never NULL. */
UP_API const char *up_isa_name(int32_t isa);

/* ---------------------------------------------------------------- threads */

/* A fixed set of worker threads. The caller of a run is one of them. */
typedef struct up_pool up_pool;

/*
 * A pool of `threads` threads, the caller included (1..256): threads - 1 workers are started. Idle workers spin for some
 * microseconds and then sleep. UP_INVALID, UP_NO_MEMORY (also when a thread cannot be started).
 */
UP_API int32_t up_pool_create(int32_t threads, up_pool **pool);

/* Stops and joins the workers. No run may be under way. NULL is allowed. */
UP_API void up_pool_destroy(up_pool *pool);

/* The pool's number of threads, the caller included; 1 for NULL. */
UP_API int32_t up_pool_threads(const up_pool *pool);

/* ---------------------------------------------------------------- tensors and functions */

/* What is read: see "Layout" and "Index lists" above. */
typedef struct up_source {
    const float *data;     /* first pixel, position 0 */
    int64_t pixel_stride;  /* floats from pixel to pixel */
    const int32_t *index;  /* positions of the channels in a pixel; NULL: 0, 1, 2, ... */
} up_source;

/* What is written: channel k of a pixel lies at position k. */
typedef struct up_target {
    float *data;           /* first pixel, first channel */
    int64_t pixel_stride;  /* floats from pixel to pixel */
} up_target;

/* Functions of one value. Relative error of exp and what builds on it: about 1e-6. NaN gives NaN, except as noted. */
enum up_function {
    UP_NONE = 0,          /* x */
    UP_RELU = 1,          /* max(x, 0) */
    UP_CLAMP = 2,         /* min(max(x, a), b); either bound may be infinite */
    UP_SIGMOID = 3,       /* 1 / (1 + exp(-x)) */
    UP_SILU = 4,          /* x * sigmoid(x) */
    UP_HARD_SIGMOID = 5,  /* min(max(a * x + b, 0), 1); ONNX default a = 0.2, b = 0.5 */
    UP_HARD_SWISH = 6,    /* x * min(max(x / 6 + 0.5, 0), 1) */
    UP_LEAKY_RELU = 7,    /* x < 0 ? a * x : x */
    UP_TANH = 8,
    UP_GELU = 9,          /* x * (1 + erf(x / sqrt(2))) / 2 */
    UP_GELU_TANH = 10,    /* the tanh approximation of GELU */
    UP_ELU = 11,          /* x < 0 ? a * (exp(x) - 1) : x */
    UP_SELU = 12,         /* b * (x < 0 ? a * (exp(x) - 1) : x) */
    UP_MISH = 13,         /* x * tanh(log(1 + exp(x))) */
    UP_SOFTPLUS = 14,     /* log(1 + exp(x)) */
    UP_ERF = 15,
    UP_EXP = 16,
    UP_LOG = 17,          /* negative: NaN, 0: -infinity */
    UP_SQRT = 18,
    UP_ABS = 19,
    UP_NEG = 20,
    UP_RECIPROCAL = 21,   /* 1 / x */
    UP_SQUARE = 22,       /* x * x */
    UP_FLOOR = 23,
    UP_CEIL = 24,
    UP_ROUND = 25,        /* to nearest, halves to even */
    UP_SIGN = 26,         /* -1, 0, 1 */
    UP_FUNCTIONS = 27     /* how many there are */
};

/* A function with its parameters; every kernel that has an `act` field takes any of them. {0, 0, 0} is none. */
typedef struct up_act {
    int32_t function;  /* an up_function */
    float a;
    float b;
} up_act;

/* ---------------------------------------------------------------- convolution and linear layers */

/*
 * A convolution:
 *   dst[n, y, x, o] = act(bias[o] + addend[n, y, x, o] + sum over ky, kx, c of
 *       weights[o, c, ky, kx] * src[n, y*stride_h - pad_top + ky*dilation_h, x*stride_w - pad_left + kx*dilation_w, first + c])
 * where first = (o / (out_channels/groups)) * (in_channels/groups), and a tap outside of the image reads 0. There is no
 * bottom or right padding here: the output's height and width are arguments of the run, and imply it.
 * A linear layer is a 1x1 convolution over as many pixels as it has rows (batch 1, height 1, width = rows). A depthwise
 * convolution is one with groups = in_channels, out_channels a multiple of it; it takes a path of its own, as do groups of a few channels.
 */
typedef struct up_conv_desc {
    int32_t in_channels;                  /* of all groups, >= 1 */
    int32_t out_channels;                 /* of all groups, >= 1 */
    int32_t groups;                       /* >= 1, divides both */
    int32_t kernel_h, kernel_w;           /* >= 1 */
    int32_t stride_h, stride_w;           /* >= 1 */
    int32_t dilation_h, dilation_w;       /* >= 1 */
    int32_t pad_top, pad_left;            /* >= 0 */
    up_act act;
} up_conv_desc;

/* A piece of memory. */
typedef struct up_range {
    const void *data;
    int64_t bytes;
} up_range;

/*
 * One run. Source [batch, in_h, in_w, in_channels], destination and addend [batch, out_h, out_w, out_channels].
 * A source that is padded needs a pixel stride of at most 2^20.
 *
 * `fetches` names memory that will be read soon after the run, such as the weights of small layers behind it: where the run's inner loop has room for that,
 * it is fetched into the second cache on the side. A hint: what is computed does not depend on it, and some convolutions (depthwise ones,
 * linear layers of one row, Winograd's) pass it over. The memory must be mapped.
 */
typedef struct up_conv_args {
    int32_t batch;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t fetch_count;       /* of `fetches` */
    up_source src;
    up_source addend;          /* data NULL: none; index must be NULL (else UP_UNSUPPORTED); may be the destination itself */
    up_target dst;
    const up_range *fetches;   /* [fetch_count], in the order of their use; NULL: none */
} up_conv_args;

/* A convolution with packed weights: immutable, shared by any number of threads and runs. */
typedef struct up_conv up_conv;

/*
 * Packs weights ([out_channels, in_channels/groups, kernel_h, kernel_w], dense) and bias ([out_channels], or NULL for
 * none) into memory that the handle owns; the caller's arrays are not needed afterwards. For the instruction set in
 * use. UP_INVALID, UP_NO_MEMORY.
 */
UP_API int32_t up_conv_create(const up_conv_desc *desc, const float *weights, const float *bias, up_conv **conv);

/* The size in bytes that up_conv_pack needs, for the instruction set in use. UP_INVALID. */
UP_API int32_t up_conv_packed_bytes(const up_conv_desc *desc, int64_t *bytes);

/* Packs into the caller's memory: aligned to 64 bytes, of up_conv_packed_bytes() or more. UP_INVALID. */
UP_API int32_t up_conv_pack(const up_conv_desc *desc, const float *weights, const float *bias, void *packed,
                            int64_t bytes);

/*
 * A convolution over weights that up_conv_pack made (also in another process, of the same library version); the memory
 * stays the caller's and must outlive the handle. The activation may differ from the one it was packed with.
 * UP_INVALID, UP_NO_MEMORY, UP_BAD_PACKING.
 */
UP_API int32_t up_conv_create_packed(const up_conv_desc *desc, const void *packed, int64_t bytes, up_conv **conv);

/* The packed weights and bias, which every run reads. They live as long as the handle. UP_INVALID. */
UP_API int32_t up_conv_packed_range(const up_conv *conv, up_range *range);

/* Frees the handle and what it owns. No run of it may be under way. NULL is allowed. */
UP_API void up_conv_destroy(up_conv *conv);

/* Runs a convolution. UP_INVALID, UP_UNSUPPORTED, UP_BUSY. */
UP_API int32_t up_conv_run(const up_conv *conv, const up_conv_args *args, up_pool *pool);

/* ---------------------------------------------------------------- Winograd convolution */

/*
 * The same convolution by Winograd's minimal filtering, F(tile x tile, 3x3) with tile 2 or 4 (Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks"): kernel 3x3, stride 1, dilation 1, one group. It multiplies 2.25 or 4 times less and its packed
 * weights are 16/9 or 4 times as large. Sums are not those of up_conv_run to the last bit: rounding errors are up to about three times as
 * large, and an infinity or NaN in the source reaches all outputs whose tile reads it.
 */
typedef struct up_winograd up_winograd;

/* One run: a convolution's arguments, and memory that the run may use, aligned to 64 bytes. */
typedef struct up_winograd_args {
    up_conv_args conv;
    void *workspace;
    int64_t workspace_bytes;   /* up_winograd_workspace_bytes() or more */
} up_winograd_args;

/* As up_conv_create; also UP_UNSUPPORTED for a convolution that is none of those above. */
UP_API int32_t up_winograd_create(const up_conv_desc *desc, int32_t tile, const float *weights, const float *bias,
                                  up_winograd **result);

/* As up_conv_packed_bytes, up_conv_pack, up_conv_create_packed and up_conv_destroy. */
UP_API int32_t up_winograd_packed_bytes(const up_conv_desc *desc, int32_t tile, int64_t *bytes);
UP_API int32_t up_winograd_pack(const up_conv_desc *desc, int32_t tile, const float *weights, const float *bias, void *packed,
                                int64_t bytes);
UP_API int32_t up_winograd_create_packed(const up_conv_desc *desc, int32_t tile, const void *packed, int64_t bytes,
                                         up_winograd **result);
UP_API void up_winograd_destroy(up_winograd *w);

/*
 * The size of the workspace that runs need on pools of 1 to `threads` threads. Of `args` the sizes alone are read. The same for all
 * instruction sets. UP_INVALID, UP_UNSUPPORTED.
 */
UP_API int32_t up_winograd_workspace_bytes(const up_conv_desc *desc, int32_t tile, const up_conv_args *args, int32_t threads,
                                           int64_t *bytes);

/*
 * Runs a convolution; concurrent runs need workspaces of their own. UP_INVALID (also for too small a workspace),
 * UP_UNSUPPORTED, UP_BUSY.
 */
UP_API int32_t up_winograd_run(const up_winograd *w, const up_winograd_args *args, up_pool *pool);

/* ---------------------------------------------------------------- convolution with bf16 */

/*
 * The same convolution (also of groups of two or more input channels) with weights and source rounded to bf16, to nearest even, products
 * and sums in f32; bias, addend and activation stay f32, and so do all tensors in memory. Values below the least normal float count as 0.
 * Products take pairs of channels: weights are packed in pairs once, and each run packs the channels that it reads, from wherever they
 * lie, into its workspace. It pays where many outputs read each of them.
 */

/* 1 where up_conv_bf16_create can serve: the instruction set in use is AVX-512, and the CPU and this build have AVX-512 BF16. Else 0. */
UP_API int32_t up_conv_bf16_available(void);

/*
 * As up_conv_create; to be destroyed with up_conv_destroy, and run with up_conv_bf16_run alone. Also UP_UNSUPPORTED: where it is not
 * available, for groups of one input channel, and for kernels of more than 128 taps.
 */
UP_API int32_t up_conv_bf16_create(const up_conv_desc *desc, const float *weights, const float *bias, up_conv **conv);

/* One run: a convolution's arguments, and memory that the run may use, aligned to 64 bytes. Concurrent runs need one each. */
typedef struct up_conv_bf16_args {
    up_conv_args conv;
    void *workspace;
    int64_t workspace_bytes;   /* up_conv_bf16_workspace_bytes() or more */
} up_conv_bf16_args;

/*
 * The size of the workspace that runs need on pools of up to `threads` threads. Of `args` the sizes alone are read. UP_INVALID,
 * UP_UNSUPPORTED.
 */
UP_API int32_t up_conv_bf16_workspace_bytes(const up_conv_desc *desc, const up_conv_args *args, int32_t threads, int64_t *bytes);

/* Runs a convolution. UP_INVALID (also for too small a workspace), UP_UNSUPPORTED, UP_BUSY. */
UP_API int32_t up_conv_bf16_run(const up_conv *conv, const up_conv_bf16_args *args, up_pool *pool);

/* ---------------------------------------------------------------- one value at a time */

/*
 * dst[p, k] = act(scale[k] * src[p, k] + shift[k]): folded batch normalisation, activations, unary functions.
 * Source and destination [pixels, channels].
 */
typedef struct up_pointwise_args {
    int64_t pixels;
    int32_t channels;
    int32_t reserved;     /* 0 */
    up_source src;
    up_target dst;
    const float *scale;   /* [channels], in the order of the destination; NULL: 1 */
    const float *shift;   /* [channels], in the order of the destination; NULL: 0 */
    up_act act;
} up_pointwise_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_pointwise(const up_pointwise_args *args, up_pool *pool);

enum up_binary_op {
    UP_ADD = 0,
    UP_SUB = 1,
    UP_MUL = 2,
    UP_DIV = 3,
    UP_MIN = 4,
    UP_MAX = 5,
    UP_POW = 6,    /* a ^ b as C's powf; not vectorised unless b is one value per pixel, image or tensor: 1, 2 or 3 */
    UP_PRELU = 7   /* a < 0 ? a * b : a */
};

/*
 * One operand of up_binary, read at data[n*image_stride + p*pixel_stride + channel], where channel is index[k], or k,
 * or 0 if channel_stride is 0. Strides of 0 broadcast:
 *   same shape                  image_stride = pixels * pixel_stride, pixel_stride, channel_stride 1
 *   one vector per image        image_stride = C,                     0,            1     (squeeze-and-excite scale)
 *   one vector for all          0,                                    0,            1     (constant per channel)
 *   one value per pixel         image_stride = pixels * pixel_stride, pixel_stride, 0
 *   one value                   0,                                    0,            0
 */
typedef struct up_operand {
    const float *data;
    int64_t image_stride;
    int64_t pixel_stride;
    int64_t channel_stride;  /* 1 or 0 */
    const int32_t *index;    /* NULL: 0, 1, 2, ...; ignored if channel_stride is 0 */
} up_operand;

/* dst[n, p, k] = act(op(a[n, p, k], b[n, p, k])). Destination [batch, pixels, channels]; pixels are those of one image. */
typedef struct up_binary_args {
    int32_t batch;
    int32_t channels;
    int64_t pixels;
    int32_t op;        /* an up_binary_op */
    up_act act;
    up_operand a;
    up_operand b;
    up_target dst;
} up_binary_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_binary(const up_binary_args *args, up_pool *pool);

/* ---------------------------------------------------------------- windows and reductions */

enum up_pool_op { UP_POOL_MAX = 0, UP_POOL_AVERAGE = 1 };

/*
 * Pooling. Source [batch, in_h, in_w, channels], destination [batch, out_h, out_w, channels]. Windows are cut at the
 * image's border; an average divides by the number of taps inside of the image or, with count_include_pad, inside of
 * the padded image (in_h + pad_top + pad_bottom rows; so a last window that "ceil" mode adds counts as ONNX counts it).
 * A window without any tap gives -infinity (maximum) or 0 (average). A maximum of values with NaN among them is NaN or
 * the maximum of the others.
 */
typedef struct up_window_args {
    int32_t op;                        /* an up_pool_op */
    int32_t batch;
    int32_t channels;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    int32_t count_include_pad;         /* 0 or 1 */
    up_source src;
    up_target dst;
} up_window_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_window(const up_window_args *args, up_pool *pool);

enum up_reduce_op { UP_REDUCE_MEAN = 0, UP_REDUCE_SUM = 1, UP_REDUCE_MAX = 2 };

/* Over all pixels of an image. Source [batch, pixels, channels], destination [batch, 1, channels]. pixels >= 1. */
typedef struct up_reduce_args {
    int32_t op;        /* an up_reduce_op */
    int32_t batch;
    int32_t channels;
    int32_t reserved;  /* 0 */
    int64_t pixels;
    up_source src;
    up_target dst;     /* pixel_stride: floats from image to image */
} up_reduce_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_reduce(const up_reduce_args *args, up_pool *pool);

/*
 * Softmax over the channels of each pixel; with `logarithm` 1, its logarithm. Source and destination
 * [pixels, channels]. 
 */
typedef struct up_softmax_args {
    int64_t pixels;
    int32_t channels;
    int32_t logarithm;  /* 0 or 1 */
    up_source src;
    up_target dst;
} up_softmax_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_softmax(const up_softmax_args *args, up_pool *pool);

/* ---------------------------------------------------------------- places */

/*
 * Resize by tables, so that every coordinate mode is the caller's. Source [batch, in_h, in_w, channels], destination
 * [batch, out_h, out_w, channels].
 * Nearest (row1 and col1 NULL): dst[y, x] = src[row0[y], col0[x]].
 * Bilinear: dst[y, x] = (1 - row_weight[y]) * ((1 - col_weight[x]) * src[row0[y], col0[x]] + col_weight[x] * src[row0[y], col1[x]])
 *                     +      row_weight[y]  * ((1 - col_weight[x]) * src[row1[y], col0[x]] + col_weight[x] * src[row1[y], col1[x]]).
 * Table entries are not checked: they must lie inside of the image.
 */
typedef struct up_resize_args {
    int32_t batch;
    int32_t channels;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    up_source src;
    up_target dst;
    const int32_t *row0;        /* [out_h] */
    const int32_t *row1;        /* [out_h] or NULL */
    const float *row_weight;    /* [out_h] or NULL */
    const int32_t *col0;        /* [out_w] */
    const int32_t *col1;        /* [out_w] or NULL */
    const float *col_weight;    /* [out_w] or NULL */
} up_resize_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_resize(const up_resize_args *args, up_pool *pool);

/* Copies channels: dst[p, k] = src[p, k]. Source and destination [pixels, channels]. */
typedef struct up_gather_args {
    int64_t pixels;
    int32_t channels;
    int32_t reserved;  /* 0 */
    up_source src;
    up_target dst;
} up_gather_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_gather(const up_gather_args *args, up_pool *pool);

/*
 * Pads, crops and strides: dst[n, y, x, k] = src[n, y*step_h - top, x*step_w - left, k], or `value` where that lies
 * outside of the image. Source [batch, in_h, in_w, channels], destination [batch, out_h, out_w, channels].
 */
typedef struct up_pad_args {
    int32_t batch;
    int32_t channels;
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t top, left;        /* rows and columns added (> 0) or cut (< 0) */
    int32_t step_h, step_w;   /* >= 1 */
    float value;
    int32_t reserved;         /* 0 */
    up_source src;
    up_target dst;
} up_pad_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_pad(const up_pad_args *args, up_pool *pool);

/* Layout conversion of a network's inputs: planes [batch, channels, pixels] (NCHW) to pixels [batch, pixels, channels]. */
typedef struct up_from_planes_args {
    int32_t batch;
    int32_t channels;
    int64_t pixels;
    const float *src;
    int64_t plane_stride;   /* floats from channel to channel, >= pixels */
    int64_t image_stride;   /* floats from image to image */
    up_target dst;
} up_from_planes_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_from_planes(const up_from_planes_args *args, up_pool *pool);

/* Layout conversion of a network's outputs: pixels [batch, pixels, channels] to planes [batch, channels, pixels] (NCHW). */
typedef struct up_to_planes_args {
    int32_t batch;
    int32_t channels;
    int64_t pixels;
    up_source src;
    float *dst;
    int64_t plane_stride;   /* floats from channel to channel, >= pixels */
    int64_t image_stride;   /* floats from image to image */
} up_to_planes_args;

/* UP_INVALID, UP_BUSY. */
UP_API int32_t up_to_planes(const up_to_planes_args *args, up_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
