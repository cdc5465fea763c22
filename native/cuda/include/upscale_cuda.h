/* The CUDA kernels' arguments: one structure per kernel, given by value as the kernel's only parameter. Shared by the kernels
 * (device and host), the simulated device and, through jextract, Java. Plain C, no includes: NVRTC has none.
 *
 * Addresses are device addresses. Strides count elements. Every kernel refuses nothing: whoever fills the structures
 * (dev.upscale.runtime.cuda) checks sizes, so that all element counts stay below 2^31.
 *
 * Kernels are named up_<what>_<source>_<destination> with element types f32, f16 and bf16; each source of one call has the same type,
 * unless stated. Sums and functions are computed in f32 whatever is stored.
 */
#ifndef UPSCALE_CUDA_H
#define UPSCALE_CUDA_H

typedef unsigned long long up_address;

/* Functions of one value, in the order of dev.upscale.graph.Function.Kind. */
enum up_cuda_function {
    UP_FN_NONE, UP_FN_RELU, UP_FN_CLIP, UP_FN_SIGMOID, UP_FN_SILU, UP_FN_HARD_SIGMOID, UP_FN_HARD_SWISH, UP_FN_LEAKY_RELU,
    UP_FN_TANH, UP_FN_GELU, UP_FN_GELU_TANH, UP_FN_ELU, UP_FN_SELU, UP_FN_MISH, UP_FN_SOFTPLUS, UP_FN_ERF, UP_FN_EXP, UP_FN_LOG,
    UP_FN_SQRT, UP_FN_ABS, UP_FN_NEG, UP_FN_RECIPROCAL, UP_FN_FLOOR, UP_FN_CEIL, UP_FN_ROUND, UP_FN_SIGN
};

struct up_cuda_fn {
    int kind;      /* enum up_cuda_function */
    float a, b;
    int reserved;
};

/* Division of n < 2^31 by a constant: (mulhi(n, multiplier) + n) >> shift. */
struct up_cuda_div {
    unsigned divisor, multiplier, shift;
    unsigned reserved;
};

/* An operand of up to five loops, outermost first; the last loop runs through channels. With an index, position k of the last loop
 * is channel index[k] of the data (int32, in device memory), whatever the loop's size. */
struct up_cuda_operand {
    up_address data;
    up_address index;      /* 0: none */
    long long stride[5];
};

/* up_map: destination = after(op(before(source 0), source 1, source 2)) element by element, over five loops. Covers channel gathers,
 * strided copies and conversions (UP_MAP_COPY), gather + scale + shift + activation (UP_MAP_SCALE_SHIFT with indexed sources),
 * and everything with broadcasting (strides of 0).
 * With vector > 1 (4 elements of f32 or 8 of 2 bytes per thread, by the destination's type) the last loop's size is a multiple of it and the
 * destination is aligned to it; each unindexed source with a last stride of 1 is aligned likewise.
 * One thread per vector: grid x * block x >= rows * (size[4] / vector). */
enum up_cuda_map { UP_MAP_COPY, UP_MAP_ADD, UP_MAP_SUB, UP_MAP_MUL, UP_MAP_DIV, UP_MAP_POW, UP_MAP_MIN, UP_MAP_MAX, UP_MAP_PRELU,
    UP_MAP_SCALE_SHIFT };

struct up_cuda_map_args {
    struct up_cuda_operand destination;
    struct up_cuda_operand source[3];
    struct up_cuda_div vectors;      /* size[4] / vector */
    struct up_cuda_div size[4];      /* of the outer loops */
    int op;                          /* enum up_cuda_map */
    int sources;                     /* 1 to 3 */
    int vector;
    unsigned threads;                /* vectors in all */
    struct up_cuda_fn before;
    struct up_cuda_fn after;
};

/* up_transpose: destination[b][c][r] = source[b][r][c]: planes to pixels (r channels, c pixels) and pixels to planes (r pixels, c
 * channels). An index counts rows (indexed_rows 1) or columns (0). Columns of the source and rows of the destination are neighbours.
 * Block 32 x 8; grid (ceil(columns/32), ceil(rows/32), batch). */
struct up_cuda_transpose_args {
    up_address source, destination, index;
    long long source_batch, source_row;
    long long destination_batch, destination_row;
    int rows, columns, batch, indexed_rows;
};

/* Images: element (n, y, x, c) at data + n * image + y * row + x * pixel + c * channel. */
struct up_cuda_image {
    up_address data;
    up_address index;      /* 0: none */
    long long image, row, pixel, channel;
    int height, width;
};

struct up_cuda_window {
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int pad_bottom, pad_right;
};

/* up_pool: maximum (op 0), average of the pixels inside (1), average with padding counted (2), where a window that begins inside
 * of the padded image and ends outside counts what is inside of the padded image. One thread per vector of channels. */
struct up_cuda_pool_args {
    struct up_cuda_image source, destination;
    struct up_cuda_window window;
    struct up_cuda_div vectors, width, height;
    int op, vector;
    unsigned threads;
    int reserved;
    struct up_cuda_fn after;
};

/* up_reduce: mean (0), sum (1), maximum (2), minimum (3) over three loops, for each element of three other loops. The last kept loop
 * is shared out to 32 threads, the reduced elements to 8. Block 32 x 8; grid (ceil(kept[2]/32), kept[0] * kept[1]). An index counts
 * positions of the last kept loop. */
struct up_cuda_reduce_args {
    up_address source, destination, index;
    long long source_kept[3], source_reduced[3], destination_kept[3];
    int kept[3], reduced[3];
    int op, reserved;
    struct up_cuda_fn after;
};

/* up_softmax: along one axis, for each row of three loops. up_layernorm: over three inner loops likewise; scale and shift have the
 * inner loops' strides, type of the source; shift 0: none. One block of 128 per row: grid x = rows. */
struct up_cuda_rows_args {
    up_address source, destination, scale, shift;
    long long source_outer[3], destination_outer[3];
    long long source_inner[3], destination_inner[3], scale_inner[3], shift_inner[3];
    struct up_cuda_div outer[3];
    struct up_cuda_div inner[3];
    int count;             /* of the inner loops together */
    float epsilon;
    struct up_cuda_fn after;
};

/* up_resize: each row and column is first * (1 - weight) + second * weight, by tables in device memory (int32, int32, f32);
 * nearest has no second and weight tables (0). One thread per vector of channels. */
struct up_cuda_resize_args {
    struct up_cuda_image source, destination;
    up_address row_first, row_second, row_weight, column_first, column_second, column_weight;
    struct up_cuda_div vectors, width, height;
    int vector;
    unsigned threads;
    struct up_cuda_fn after;
};

/* up_pad: pixels added or cut around images: a value (mode 0), reflected (1), the edge (2). One thread per vector of channels. */
struct up_cuda_pad_args {
    struct up_cuda_image source, destination;
    struct up_cuda_div vectors, width, height;
    int before_h, before_w, mode, vector;
    float value;
    unsigned threads;
    struct up_cuda_fn after;
};

/* up_lrn: destination = activation(source / (bias + scale * sum) ^ beta), where sum is of the squares of the channels from so many before it to
 * so many after it. One thread per vector of channels. */
struct up_cuda_lrn_args {
    struct up_cuda_image source, destination;
    struct up_cuda_div vectors, width, height;
    int channels, before, after, vector;
    float scale, beta, bias;
    unsigned threads;
    struct up_cuda_fn activation;
};

/* up_convolve: a convolution, direct, for what cuDNN refuses, and to read channels by index: destination = after(sum + bias + addend).
 * Weights [O][C/groups][kernel_h][kernel_w] of the source's type, row-major; bias f32 or 0. transposed 1: a transposed convolution, weights
 * [C][O/groups][kernel_h][kernel_w]. One thread per output element: grid x * block x >= threads. */
struct up_cuda_convolve_args {
    struct up_cuda_image source, destination, addend;
    up_address weights, bias;
    struct up_cuda_window window;
    struct up_cuda_div channels, width, height;      /* of the destination */
    int source_channels, groups, transposed;
    unsigned threads;
    struct up_cuda_fn after;
};

/* up_matmul: destination[b] = after(left[b] x right[b] + bias), 16 x 16 elements per block; strides for batch loops 0 and 1, rows and columns;
 * bias: destination's columns, f32, or 0. Block 16 x 16; grid (ceil(columns/16), ceil(rows/16), batches). An index counts left's columns. */
struct up_cuda_matmul_args {
    up_address left, right, destination, bias, index;
    long long left_stride[4], right_stride[4], destination_stride[4];
    struct up_cuda_div batch;      /* of the inner batch loop */
    int rows, columns, inner, reserved;
    struct up_cuda_fn after;
};

#endif
