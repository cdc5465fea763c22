// cuDNN's backend descriptors, as the simulation keeps them.
#ifndef CUDASIM_DESCRIPTORS_H
#define CUDASIM_DESCRIPTORS_H

#include "operations.h"

namespace sim {

// cudnnStatus_t
enum CudnnStatus { OK = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000, EXECUTION_FAILED = 5000, NOT_INITIALISED = 1001 };

// cudnnBackendDescriptorType_t
enum DescriptorKind { POINTWISE = 0, CONVOLUTION = 1, ENGINE = 2, ENGINECFG = 3, ENGINEHEUR = 4, PLAN = 5, OP_CONVOLUTION = 10, OP_POINTWISE = 13,
    GRAPH = 15, PACK = 16, TENSOR = 17, DEVICEPROP = 38 };

struct Descriptor {
    int kind = 0;
    bool finalized = false;
    std::map<int, std::vector<double>> numbers;
    std::map<int, std::vector<uint64_t>> pointers;
    std::map<int, std::string> texts;
    std::map<int, std::vector<std::shared_ptr<Descriptor>>> parts;
    Operations operations;                 // of a graph, and of what is made of it
};

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// By their handles.
std::map<void *, std::shared_ptr<Descriptor>> &descriptors();

// The one of a handle, or a violation.
std::shared_ptr<Descriptor> require_descriptor(void *handle);

// The values of an attribute, which must be there.
const std::vector<double> &numbers(const Descriptor &descriptor, int attribute);
std::vector<int64_t> integers(const std::vector<double> &values);

// Checks what was set, and takes the operations over from the parts.
void finalize(Descriptor &descriptor);

// Of a plan of such operations: its workspace in bytes, and whether it can be put into a graph without being captured.
size_t workspace_of(const Operations &operations);
bool is_native(const Operations &operations);

// Keeps the reason for cudnnGetLastErrorString.
int refuse(int status, const std::string &why);

// A call of cuDNN: under the lock, its failures turned into statuses.
int guarded(const std::function<int()> &body);

}      // namespace sim
#endif
