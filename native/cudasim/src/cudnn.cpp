// cuDNN's backend: descriptors, heuristics that know one engine, plans, execution.
#include "operations.h"

#include <cstring>

using namespace sim;

namespace {

// cudnnStatus_t
enum { OK = 0, BAD_PARAM = 2000, NOT_SUPPORTED = 3000, EXECUTION_FAILED = 5000, NOT_INITIALISED = 1001 };

// cudnnBackendDescriptorType_t, cudnnBackendAttributeType_t
enum { POINTWISE = 0, CONVOLUTION = 1, ENGINE = 2, ENGINECFG = 3, ENGINEHEUR = 4, PLAN = 5, OP_CONVOLUTION = 10, OP_POINTWISE = 13, GRAPH = 15, PACK = 16,
    TENSOR = 17, MATMUL = 18, OP_MATMUL = 19, DEVICEPROP = 38 };
enum { T_HANDLE = 0, T_DATA = 1, T_BOOLEAN = 2, T_INT64 = 3, T_FLOAT = 4, T_DOUBLE = 5, T_POINTER = 6, T_CONVMODE = 7, T_DESCRIPTOR = 15, T_INT32 = 23,
    T_CHAR = 24 };

struct Descriptor {
    int kind = 0;
    bool finalized = false;
    std::map<int, std::vector<double>> numbers;
    std::map<int, std::vector<uint64_t>> pointers;
    std::map<int, std::string> texts;
    std::map<int, std::vector<std::shared_ptr<Descriptor>>> parts;
    Operations operations;                 // of a graph, and of what is made of it
    bool is_native = false;
};

struct Handle {
    void *stream = nullptr;
};

std::map<void *, std::shared_ptr<Descriptor>> &descriptors() {
    static std::map<void *, std::shared_ptr<Descriptor>> all;
    return all;
}

thread_local std::string last_error;

int refuse(int status, const std::string &why) {
    last_error = "simulated cuDNN: " + why;
    return status;
}

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

const std::vector<double> &numbers(const Descriptor &descriptor, int attribute) {
    auto found = descriptor.numbers.find(attribute);
    if (found == descriptor.numbers.end() || found->second.empty()) {
        throw Refused("attribute " + std::to_string(attribute) + " is missing in a descriptor of kind " + std::to_string(descriptor.kind));
    }
    return found->second;
}

double number(const Descriptor &descriptor, int attribute, double otherwise) {
    auto found = descriptor.numbers.find(attribute);
    return found == descriptor.numbers.end() ? otherwise : found->second[0];
}

const Descriptor &part(const Descriptor &descriptor, int attribute, int kind) {
    auto found = descriptor.parts.find(attribute);
    if (found == descriptor.parts.end() || found->second.empty() || found->second[0]->kind != kind) {
        throw Refused("attribute " + std::to_string(attribute) + " needs a descriptor of kind " + std::to_string(kind));
    }
    return *found->second[0];
}

std::vector<int64_t> integers(const std::vector<double> &values) { return std::vector<int64_t>(values.begin(), values.end()); }

Tensor tensor(const Descriptor &descriptor) {
    Tensor made;
    made.id = (int64_t)numbers(descriptor, 906)[0];
    made.type = (int)numbers(descriptor, 901)[0];
    made.alignment = (int64_t)numbers(descriptor, 900)[0];
    made.dims = integers(numbers(descriptor, 902));
    made.strides = integers(numbers(descriptor, 903));
    made.is_virtual = number(descriptor, 907, 0) != 0;
    if (made.dims.size() != made.strides.size() || (made.type != 0 && made.type != 2 && made.type != 9)) {
        throw Refused("a tensor with dimensions and strides of different rank, or of another type than f32, f16 and bf16");
    }
    for (size_t axis = 0; axis < made.dims.size(); axis++) {
        if (made.dims[axis] <= 0 || made.strides[axis] <= 0) {
            throw Refused("a tensor with a size or stride that is not positive");
        }
    }
    return made;
}

Computation operation(const Descriptor &descriptor) {
    Computation made;
    if (descriptor.kind == OP_CONVOLUTION) {
        const Descriptor &convolution = part(descriptor, 702, CONVOLUTION);
        made.kind = Computation::CONVOLUTION;
        made.tensors = {tensor(part(descriptor, 704, TENSOR)), tensor(part(descriptor, 703, TENSOR)), tensor(part(descriptor, 705, TENSOR))};
        for (int attribute : {103, 102, 105, 104}) {
            made.sizes.push_back(integers(numbers(convolution, attribute)));
        }
        if (numbers(convolution, 101)[0] != 1 || number(descriptor, 700, 1) != 1 || number(descriptor, 701, 0) != 0) {
            throw Refused("only cross-correlations with alpha 1 and beta 0 are simulated");
        }
    } else if (descriptor.kind == OP_POINTWISE) {
        const Descriptor &mode = part(descriptor, 750, POINTWISE);
        made.kind = Computation::POINTWISE;
        made.mode = (int)numbers(mode, 0)[0];
        made.tensors = {tensor(part(descriptor, 751, TENSOR)), tensor(part(descriptor, 753, TENSOR))};
        if (descriptor.parts.count(752)) {
            made.tensors.push_back(tensor(part(descriptor, 752, TENSOR)));
        }
        made.parameters = {number(mode, 3, 0), number(mode, 4, 3.4e38), number(mode, 5, 0), number(mode, 6, 1), number(mode, 7, 1), number(mode, 8, 1)};
    } else if (descriptor.kind == OP_MATMUL) {
        made.kind = Computation::MATMUL;
        made.tensors = {tensor(part(descriptor, 1520, TENSOR)), tensor(part(descriptor, 1521, TENSOR)), tensor(part(descriptor, 1522, TENSOR))};
    } else {
        throw Refused("an operation of kind " + std::to_string(descriptor.kind) + " is not simulated");
    }
    std::string why = made.mistake();
    if (!why.empty()) {
        throw Refused(why);
    }
    return made;
}

/* Bare convolutions have to be captured; what is fused can be put into a graph directly: so both ways are walked. */
bool is_native(const Operations &operations) { return operations.size() > 1; }

size_t workspace_of(const Operations &operations) {
    const Computation &first = operations.front();
    return first.kind == Computation::CONVOLUTION && first.tensors[1].dims[2] > 1 ? 256 : 0;
}

void finalize(Descriptor &descriptor) {
    switch (descriptor.kind) {
        case TENSOR: tensor(descriptor); break;
        case OP_CONVOLUTION: case OP_POINTWISE: case OP_MATMUL: operation(descriptor); break;
        case GRAPH:
            for (auto &part : descriptor.parts[801]) {
                descriptor.operations.push_back(operation(*part));
            }
            if (descriptor.operations.empty()) {
                throw Refused("an empty operation graph");
            }
            break;
        case ENGINEHEUR: descriptor.operations = part(descriptor, 201, GRAPH).operations; break;
        case ENGINE: descriptor.operations = part(descriptor, 1300, GRAPH).operations; break;
        case ENGINECFG: descriptor.operations = part(descriptor, 300, ENGINE).operations; break;
        case PLAN:
            if (descriptor.texts.count(405)) {
                if (!read_operations(descriptor.texts[405], descriptor.operations)) {
                    throw Refused("a plan that the simulated cuDNN did not make");
                }
            } else {
                descriptor.operations = part(descriptor, 401, ENGINECFG).operations;
            }
            if (!descriptor.pointers.count(400) && !descriptor.parts.count(407)) {
                throw Refused("a plan without a handle or a device");
            }
            break;
        case PACK:
            numbers(descriptor, 1000);
            if (numbers(descriptor, 1000).size() != descriptor.pointers[1001].size()) {
                throw Refused("a variant pack with other numbers of ids and addresses");
            }
            break;
        case DEVICEPROP:
            if (!descriptor.texts.count(2702) && !descriptor.pointers.count(2701) && !descriptor.numbers.count(2700)) {
                throw Refused("a device without a description");
            }
            break;
        default: break;
    }
    descriptor.finalized = true;
}

std::shared_ptr<Descriptor> require(void *handle) {
    auto found = descriptors().find(handle);
    if (found == descriptors().end()) {
        violation("a cuDNN descriptor that does not exist, or no longer");
        throw Refused("no such descriptor");
    }
    return found->second;
}

int guarded(const std::function<int()> &body) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    try {
        return body();
    } catch (const Refused &refused) {
        return refuse(BAD_PARAM, refused.what());
    } catch (const Failure &failure) {
        return refuse(EXECUTION_FAILED, failure.what());
    }
}

template <typename T> int give(const std::vector<T> &values, int64_t room, int64_t *count, void *out) {
    if (count) {
        *count = (int64_t)values.size();
    }
    for (int64_t i = 0; out && i < room && i < (int64_t)values.size(); i++) {
        ((T *)out)[i] = values[(size_t)i];
    }
    return OK;
}

std::shared_ptr<Descriptor> engine_of(const Operations &operations) {
    auto engine = std::make_shared<Descriptor>();
    engine->kind = ENGINE;
    engine->finalized = true;
    engine->operations = operations;
    return engine;
}

/* What an execution does: checked when it is queued, run when its turn comes. */
Operation prepared(void *plan_handle, void *pack_handle) {
    auto plan = require(plan_handle);
    auto pack = require(pack_handle);
    if (plan->kind != PLAN || !plan->finalized || pack->kind != PACK || !pack->finalized) {
        throw Refused("an execution of what is no finalized plan, or with what is no finalized variant pack");
    }
    std::map<int64_t, uint64_t> memory;
    std::vector<int64_t> ids = integers(numbers(*pack, 1000));
    for (size_t i = 0; i < ids.size(); i++) {
        memory[ids[i]] = pack->pointers[1001][i];
    }
    uint64_t workspace = pack->pointers.count(1003) ? pack->pointers[1003][0] : 0;
    size_t needed = workspace_of(plan->operations);
    if (needed > 0 && workspace == 0) {
        throw Refused("a plan that needs a workspace is given none");
    }
    for (const Computation &operation : plan->operations) {
        for (const Tensor &tensor : operation.tensors) {
            if (!tensor.is_virtual && (!memory.count(tensor.id) || memory[tensor.id] % (uint64_t)tensor.alignment != 0)) {
                throw Refused("tensor " + std::to_string(tensor.id) + " has no address, or one that is not aligned to "
                        + std::to_string(tensor.alignment));
            }
        }
    }
    Operations operations = plan->operations;
    Operation queued;
    queued.what = "a cuDNN plan of " + std::to_string(operations.size()) + " operations";
    queued.run = [=] {
        if (needed > 0) {
            check_write(workspace, needed);
            std::memset((void *)workspace, 0xff, needed);
        }
        run_operations(operations, memory);
        state().convolutions++;
    };
    return queued;
}

}      // namespace

/* A version that NVIDIA never made, so that a cache of plans keeps these apart from those of the real library. */
SIM_API size_t cudnnGetVersion() { return 92499; }
SIM_API size_t cudnnGetMaxDeviceVersion() { return 1200; }
SIM_API size_t cudnnGetCudartVersion() { return 13000; }
SIM_API int cudnnGraphVersionCheck() { return OK; }
SIM_API int cudnnQueryRuntimeError(void *, int *status, int, void *) {
    *status = state().lost ? EXECUTION_FAILED : OK;
    return OK;
}

SIM_API const char *cudnnGetErrorString(int status) {
    return status == OK ? "CUDNN_STATUS_SUCCESS" : status == BAD_PARAM ? "CUDNN_STATUS_BAD_PARAM" : status == NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
            : status == EXECUTION_FAILED ? "CUDNN_STATUS_EXECUTION_FAILED" : "CUDNN_STATUS_NOT_INITIALIZED";
}

SIM_API void cudnnGetLastErrorString(char *text, size_t room) {
    std::strncpy(text, last_error.c_str(), room);
    text[room - 1] = 0;
}

SIM_API int cudnnCreate(void **handle) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    if (!has_context() || state().lost) {
        return refuse(NOT_INITIALISED, "no current context");
    }
    *handle = track(new Handle);
    return OK;
}

SIM_API int cudnnDestroy(void *handle) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    if (!untrack(handle)) {
        violation("cudnnDestroy of what is no handle");
        return refuse(BAD_PARAM, "no such handle");
    }
    delete (Handle *)handle;
    return OK;
}

SIM_API int cudnnSetStream(void *handle, void *stream) {
    return guarded([&] {
        ((Handle *)handle)->stream = stream_of(stream);
        return (int)OK;
    });
}

SIM_API int cudnnBackendCreateDescriptor(int kind, void **handle) {
    return guarded([&] {
        auto descriptor = std::make_shared<Descriptor>();
        descriptor->kind = kind;
        descriptors()[descriptor.get()] = descriptor;
        *handle = track(descriptor.get());
        return (int)OK;
    });
}

SIM_API int cudnnBackendDestroyDescriptor(void *handle) {
    return guarded([&] {
        require(handle);
        untrack(handle);
        descriptors().erase(handle);
        return (int)OK;
    });
}

SIM_API int cudnnBackendSetAttribute(void *handle, int attribute, int type, int64_t count, const void *values) {
    return guarded([&] {
        auto descriptor = require(handle);
        if (descriptor->finalized) {
            return refuse(BAD_PARAM, "an attribute set after the descriptor was finalized");
        }
        size_t n = (size_t)count;
        auto numeric = [&](auto *typed) { descriptor->numbers[attribute].assign(typed, typed + n); };
        switch (type) {
            case T_BOOLEAN: numeric((const int8_t *)values); break;
            case T_INT64: numeric((const int64_t *)values); break;
            case T_FLOAT: numeric((const float *)values); break;
            case T_DOUBLE: numeric((const double *)values); break;
            case T_HANDLE: case T_POINTER: descriptor->pointers[attribute].assign((const uint64_t *)values, (const uint64_t *)values + n); break;
            case T_CHAR: descriptor->texts[attribute].assign((const char *)values, n); break;
            case T_DESCRIPTOR: {
                auto &parts = descriptor->parts[attribute];
                parts.clear();
                for (size_t i = 0; i < n; i++) {
                    parts.push_back(require(((void *const *)values)[i]));
                    if (!parts.back()->finalized) {
                        return refuse(BAD_PARAM, "a part that is not finalized");
                    }
                }
                break;
            }
            default: numeric((const int32_t *)values);
        }
        return (int)OK;
    });
}

SIM_API int cudnnBackendFinalize(void *handle) {
    return guarded([&] {
        finalize(*require(handle));
        return (int)OK;
    });
}

SIM_API int cudnnBackendGetAttribute(void *handle, int attribute, int type, int64_t room, int64_t *count, void *out) {
    return guarded([&] {
        auto descriptor = require(handle);
        if (attribute == 202 || attribute == 300) {      // engine configurations of heuristics; a configuration's engine
            *count = 1;
            if (room > 0) {
                auto into = require(((void **)out)[0]);
                into->operations = descriptor->operations;
                into->finalized = true;
                into->parts[300] = {engine_of(descriptor->operations)};
            }
            return (int)OK;
        }
        switch (attribute) {
            case 402: case 303: return give<int64_t>({(int64_t)workspace_of(descriptor->operations)}, room, count, out);
            case 405: {
                std::string text = write_operations(descriptor->operations);
                return give<char>(std::vector<char>(text.begin(), text.end()), room, count, out);
            }
            case 1301: return give<int64_t>({0}, room, count, out);
            case 1303: return give<int32_t>({}, room, count, out);
            case 1305: return give<int32_t>(is_native(descriptor->operations) ? std::vector<int32_t>{3} : std::vector<int32_t>{}, room, count, out);
            default: return refuse(NOT_SUPPORTED, "attribute " + std::to_string(attribute) + " of type " + std::to_string(type) + " cannot be asked for");
        }
    });
}

SIM_API int cudnnBackendExecute(void *handle, void *plan, void *pack) {
    return guarded([&] {
        if (state().lost || due("cudnn")) {
            return refuse(EXECUTION_FAILED, state().lost ? state().first_failure : "injected: an execution was refused");
        }
        enqueue(stream_of(((Handle *)handle)->stream), prepared(plan, pack));
        return (int)OK;
    });
}

SIM_API int cudnnBackendPopulateCudaGraph(void *, void *plan, void *pack, void *graph) {
    return guarded([&] {
        if (state().lost || due("cudnn")) {
            return refuse(EXECUTION_FAILED, state().lost ? state().first_failure : "injected: an execution was refused");
        }
        if (!is_native(require(plan)->operations)) {
            return refuse(NOT_SUPPORTED, "this engine cannot be put into a graph");
        }
        auto found = state().graphs.find((Graph *)graph);
        if (found == state().graphs.end() || !found->second->nodes.empty()) {
            return refuse(BAD_PARAM, "not an empty graph");
        }
        Node node;
        node.operation = prepared(plan, pack);
        found->second->nodes.push_back(std::move(node));
        return (int)OK;
    });
}

SIM_API int cudnnBackendUpdateCudaGraph(void *, void *, void *, void *) { return refuse(NOT_SUPPORTED, "graphs are not updated"); }
