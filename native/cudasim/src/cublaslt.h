// cuBLASLt's descriptors, as the simulation keeps them.
#ifndef CUDASIM_CUBLASLT_H
#define CUDASIM_CUBLASLT_H

#include "tensors.h"

namespace sim {

// cublasStatus_t
enum LtStatus { LT_SUCCESS = 0, LT_NOT_INITIALISED = 1, LT_INVALID_VALUE = 7, LT_EXECUTION_FAILED = 13, LT_NOT_SUPPORTED = 15 };

struct LtDescriptor {
    enum Kind { PRODUCT, LAYOUT, PREFERENCE, HANDLE } kind = PRODUCT;
    std::map<int, uint64_t> values;

    uint64_t get(int attribute) const {
        auto found = values.find(attribute);
        return found == values.end() ? 0 : found->second;
    }
};

// A call that the library's documentation forbids: a violation.
struct LtMistake : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// By their handles.
std::map<void *, std::shared_ptr<LtDescriptor>> &lt_descriptors();

// The one of a handle, or a mistake.
std::shared_ptr<LtDescriptor> require_lt(void *handle, LtDescriptor::Kind kind);

// A call of cuBLASLt: under the lock, its failures turned into statuses.
int lt_guarded(const char *name, const std::function<int()> &body);

}      // namespace sim
#endif
