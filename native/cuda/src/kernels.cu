// All kernels as one program.
#include "map.cu"
#include "transpose.cu"
#include "images.cu"
#include "reduce.cu"
#include "rows.cu"
#include "products.cu"
