// cuDNN's operations as the simulation computes them.
#ifndef CUDASIM_OPERATIONS_H
#define CUDASIM_OPERATIONS_H

#include "tensors.h"

namespace sim {

struct Computation {
    enum Kind { CONVOLUTION, POINTWISE } kind = CONVOLUTION;
    int mode = 0;
    std::vector<Tensor> tensors;                     // x, w, y; x, y, [b]
    std::vector<std::vector<int64_t>> sizes;         // of a convolution: strides, dilations, padding before, padding after
    std::vector<double> parameters;                  // of a pointwise operation: lower clip, upper clip, slope, alpha, softplus beta, swish beta

    // Why it cannot be, or nothing.
    std::string mistake() const;
};

typedef std::vector<Computation> Operations;

void run_operations(const Operations &operations, const std::map<int64_t, uint64_t> &memory);

// As the text of a plan.
std::string write_operations(const Operations &operations);
bool read_operations(const std::string &text, Operations &operations);

}      // namespace sim
#endif
