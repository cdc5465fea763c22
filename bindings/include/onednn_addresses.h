/* oneDNN functions of the hot path with a buffer's address as an integer: on every ABI that the bindings serve a pointer and a
   64-bit integer argument travel in the same register, and Java re-points a memory object without making a segment for it. */
#include <stdint.h>
int dnnl_memory_set_data_handle(void *memory, int64_t address);
