// cuDNN's handles, errors and executions of plans.
#include "descriptors.h"

#include <cstring>

using namespace sim;

namespace {

struct Handle {
    void *stream = nullptr;
};

thread_local std::string last_error;

/* What an execution does: checked when it is queued, run when its turn comes. */
Operation prepared(void *plan_handle, void *pack_handle) {
    auto plan = require_descriptor(plan_handle);
    auto pack = require_descriptor(pack_handle);
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

namespace sim {

int refuse(int status, const std::string &why) {
    last_error = "simulated cuDNN: " + why;
    return status;
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

}      // namespace sim

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
        if (state().faults.count("capture") || !is_native(require_descriptor(plan)->operations)) {
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
