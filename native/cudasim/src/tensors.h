// Tensors in simulated device memory, as the libraries' operations see them: read and written in f32, in the order of their dimensions.
#ifndef CUDASIM_TENSORS_H
#define CUDASIM_TENSORS_H

#include "sim.h"

namespace sim {

// Codes of cuDNN's types: 0 f32, 2 f16, 9 bf16.
struct Tensor {
    int64_t id = 0;
    int type = 0;
    int64_t alignment = 4;
    bool is_virtual = false;
    std::vector<int64_t> dims, strides;

    size_t elements() const {
        size_t count = 1;
        for (int64_t dim : dims) {
            count *= (size_t)dim;
        }
        return count;
    }
};

std::vector<float> read_tensor(const Tensor &tensor, uint64_t address);
void write_tensor(const Tensor &tensor, uint64_t address, const std::vector<float> &values);

}      // namespace sim
#endif
