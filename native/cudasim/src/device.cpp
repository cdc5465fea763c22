// The device and its primary context, and launches.
#include "sim.h"

#include <cstring>

#include "upscale_cuda.h"

struct up_host_dim { unsigned x, y, z; };
typedef void (*up_host_kernel)(const void *arguments, up_host_dim block, up_host_dim shape);
extern bool up_host_backwards;
bool up_host_backwards = false;

using namespace sim;

namespace {

struct Code {
    up_host_kernel run;
    size_t arguments;
};

std::map<std::string, Code> &codes() {
    static std::map<std::string, Code> all;
    return all;
}

const char NAME[] = "simulated device (no GPU)";
const int MOST_THREADS = 256;
const unsigned MOST_YZ = 65535;

std::map<int, int> attributes() {
    return {{1, 1024}, {2, 1024}, {3, 1024}, {4, 64}, {5, 2147483647}, {6, (int)MOST_YZ}, {7, (int)MOST_YZ}, {8, 49152}, {10, 32}, {12, 65536}, {13, 1980000},
        {16, 132}, {34, 0}, {35, 0}, {36, 2619000}, {37, 5120}, {38, 52428800}, {39, 2048}, {75, MAJOR}, {76, MINOR}, {81, 233472}, {82, 65536},
        {95, 1}, {97, 232448}, {106, 32}, {111, 1024}};
}

}      // namespace

void *sim::code_of(const std::string &name) {
    auto found = codes().find(name);
    return found == codes().end() ? nullptr : &*found;
}

void up_host_register(const char *name, up_host_kernel kernel, unsigned long arguments) { codes()[name] = {kernel, arguments}; }

SIM_API int cuInit(unsigned) {
    return enter_without_context("cuInit", [] {
        state().initialised = true;
        return (int)SUCCESS;
    });
}

SIM_API int cuDriverGetVersion(int *version) {
    *version = 13000;
    return SUCCESS;
}

SIM_API int cuDeviceGetCount(int *count) {
    return enter_without_context("cuDeviceGetCount", [&] {
        *count = 1;
        return (int)SUCCESS;
    });
}

SIM_API int cuDeviceGet(int *device, int ordinal) {
    return enter_without_context("cuDeviceGet", [&] {
        *device = 0;
        return (int)(ordinal == 0 ? SUCCESS : 101);
    });
}

SIM_API int cuDeviceGetName(char *name, int room, int) {
    std::strncpy(name, NAME, (size_t)room);
    name[room - 1] = 0;
    return SUCCESS;
}

SIM_API int cuDeviceTotalMem_v2(size_t *bytes, int) {
    *bytes = state().total;
    return SUCCESS;
}

SIM_API int cuDeviceGetAttribute(int *value, int attribute, int) {
    return enter_without_context("cuDeviceGetAttribute", [&] {
        auto all = attributes();
        auto found = all.find(attribute);
        if (found == all.end()) {
            violation("attribute " + std::to_string(attribute) + " of the device is not simulated");
            return (int)INVALID_VALUE;
        }
        *value = found->second;
        return (int)SUCCESS;
    });
}

SIM_API int cuDevicePrimaryCtxRetain(void **context, int) {
    return enter_without_context("cuDevicePrimaryCtxRetain", [&] {
        state().retained++;
        *context = &state();
        return (int)SUCCESS;
    });
}

SIM_API int cuDevicePrimaryCtxRelease_v2(int) {
    return cleanup("cuDevicePrimaryCtxRelease", [] {
        if (state().retained == 0) {
            violation("cuDevicePrimaryCtxRelease of a context that is not retained");
            return (int)INVALID_CONTEXT;
        }
        state().retained--;
        return (int)SUCCESS;
    });
}

SIM_API int cuCtxSetCurrent(void *context) {
    has_context() = context != nullptr;
    return context == nullptr || context == &state() ? SUCCESS : INVALID_CONTEXT;
}

SIM_API int cuCtxGetCurrent(void **context) {
    *context = has_context() ? &state() : nullptr;
    return SUCCESS;
}

SIM_API int cuFuncGetAttribute(int *value, int attribute, void *) {
    *value = attribute == 3 ? 0 : 32;
    return SUCCESS;
}

SIM_API int cuFuncSetAttribute(void *, int, int) { return SUCCESS; }

SIM_API int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                           unsigned shared, void *stream, void **parameters, void **extra) {
    return enter("cuLaunchKernel", true, [&] {
        auto *code = (std::pair<const std::string, Code> *)function;
        if (due("refuse")) {
            return (int)LAUNCH_OUT_OF_RESOURCES;
        }
        if (grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_y > MOST_YZ || grid_z > MOST_YZ || block_x * block_y * block_z == 0
                || block_x * block_y * block_z > MOST_THREADS || block_z != 1 || shared != 0 || !parameters || extra) {
            violation("cuLaunchKernel of " + code->first + " with a grid or block that it does not take");
            return (int)INVALID_VALUE;
        }
        std::string arguments((const char *)parameters[0], code->second.arguments);
        Operation operation;
        operation.what = code->first;
        operation.kernel = true;
        operation.run = [=] {
            state().launches++;
            for (unsigned z = 0; z < grid_z; z++) {
                for (unsigned y = 0; y < grid_y; y++) {
                    for (unsigned x = 0; x < grid_x; x++) {
                        code->second.run(arguments.data(), {x, y, z}, {block_x, block_y, 1});
                    }
                }
            }
        };
        return enqueue(stream_of(stream), operation);
    });
}

/* Runs the threads of every phase from the last to the first: no result may change. */
SIM_API void cudasim_backwards(int backwards) { up_host_backwards = backwards != 0; }

SIM_API int cuGetErrorName(int status, const char **name) {
    static const std::map<int, const char *> names = {{SUCCESS, "CUDA_SUCCESS"}, {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
        {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"}, {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"}, {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
        {DEVICE_UNAVAILABLE, "CUDA_ERROR_DEVICE_UNAVAILABLE"}, {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE"}, {NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
        {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"}, {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"}, {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
        {NOT_READY, "CUDA_ERROR_NOT_READY"}, {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
        {LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"}, {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
        {STREAM_CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
        {STREAM_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};
    auto found = names.find(status);
    *name = found == names.end() ? "CUDA_ERROR_UNKNOWN" : found->second;
    return found == names.end() ? INVALID_VALUE : SUCCESS;
}

SIM_API int cuGetErrorString(int status, const char **text) {
    static std::string told;
    told = "simulated status " + std::to_string(status);
    if (status == state().lost && status != 0) {
        told += ": " + state().first_failure;
    }
    *text = told.c_str();
    return SUCCESS;
}
