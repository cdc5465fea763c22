// The kernels of native/cuda, compiled for the host.
#include "map.cu"
#include "transpose.cu"
#include "images.cu"
#include "reduce.cu"
#include "rows.cu"
#include "products.cu"
