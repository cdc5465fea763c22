/* XNNPACK functions of the hot path with buffers' addresses as integers: on every ABI that the bindings serve a pointer and a
   64-bit integer argument travel in the same register, and Java re-points an operator without making segments for it. */
#include <stdint.h>
int xnn_setup_convolution2d_nhwc_f32(void *op, int64_t workspace, int64_t input, int64_t output);
int xnn_setup_deconvolution2d_nhwc_f32(void *op, int64_t input, int64_t output);
int xnn_setup_fully_connected_nc_f32(void *op, int64_t input, int64_t output);
int xnn_setup_max_pooling2d_nhwc_f32(void *op, int64_t input, int64_t output);
int xnn_setup_average_pooling2d_nhwc_f32(void *op, int64_t input, int64_t output);
int xnn_setup_resize_bilinear2d_nhwc(void *op, int64_t workspace, int64_t input, int64_t output);
int xnn_setup_binary_elementwise_nd(void *op, int64_t input1, int64_t input2, int64_t output);
int xnn_setup_unary_elementwise_nc(void *op, int64_t input, int64_t output);
int xnn_setup_copy_nc_x32(void *op, int64_t input, int64_t output);
