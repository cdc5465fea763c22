/*
 * The driver for building, not for running: a libcuda.so.1 for machines without a GPU.
 *
 * cuDNN compiles the kernels of its runtime engines itself (with the NVRTC that is found beside it) and then hands them to the CUDA driver.
 * Where no driver is installed it refuses these engines, though the plan that is being built is for a described device and is not to
 * run here. This library offers the functions that cuDNN looks up (cuDNN 9.24: those below), takes what it is given without looking
 * at it, and says of everything else that there is no device. It is never loaded where a real driver is, and no session runs on it.
 */
#include <stddef.h>

typedef int CUresult;
enum { SUCCESS = 0, INVALID_VALUE = 1, NO_DEVICE = 100 };

#define EXPORT __attribute__((visibility("default")))

/* What a library and a kernel are here: something with an address. */
static char loaded;

EXPORT CUresult cuLibraryLoadData(void **library, const void *code, void *jitOptions, void *jitValues, unsigned jitCount, void *options,
                                  void *values, unsigned count) {
    (void)jitOptions, (void)jitValues, (void)jitCount, (void)options, (void)values, (void)count;
    if (!library || !code) return INVALID_VALUE;
    *library = &loaded;
    return SUCCESS;
}

EXPORT CUresult cuLibraryUnload(void *library) { return library == &loaded ? SUCCESS : INVALID_VALUE; }

EXPORT CUresult cuLibraryGetKernel(void **kernel, void *library, const char *name) {
    if (!kernel || library != &loaded || !name) return INVALID_VALUE;
    *kernel = &loaded;
    return SUCCESS;
}

EXPORT CUresult cuKernelSetAttribute(int attribute, int value, void *kernel, int device) {
    (void)attribute, (void)value, (void)device;
    return kernel == &loaded ? SUCCESS : INVALID_VALUE;
}

/* The version of the CUDA interface that the kernels are compiled for: 13.0. */
EXPORT CUresult cuDriverGetVersion(int *version) {
    if (!version) return INVALID_VALUE;
    *version = 13000;
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetCount(int *count) {
    if (!count) return INVALID_VALUE;
    *count = 0;
    return SUCCESS;
}

static CUresult describe(CUresult error, const char **text) {
    if (!text) return INVALID_VALUE;
    *text = error == SUCCESS ? "no error" : error == INVALID_VALUE ? "invalid value" : "no device: this driver is for building plans only";
    return SUCCESS;
}

EXPORT CUresult cuGetErrorName(CUresult error, const char **text) { return describe(error, text); }
EXPORT CUresult cuGetErrorString(CUresult error, const char **text) { return describe(error, text); }

/* All that would need a device. */
#define REFUSE(name) EXPORT CUresult name(void) { return NO_DEVICE; }
REFUSE(cuInit)
REFUSE(cuDeviceGet)
REFUSE(cuCtxGetCurrent)
REFUSE(cuCtxGetLimit)
REFUSE(cuCtxPopCurrent)
REFUSE(cuCtxPushCurrent)
REFUSE(cuStreamGetCtx)
REFUSE(cuKernelGetAttribute)
REFUSE(cuLaunchKernel)
REFUSE(cuLaunchKernelEx)
REFUSE(cuLaunchCooperativeKernel)
REFUSE(cuLibraryLoadFromFile)
REFUSE(cuLinkCreate)
REFUSE(cuLinkAddData)
REFUSE(cuLinkComplete)
REFUSE(cuLinkDestroy)
REFUSE(cuOccupancyMaxPotentialClusterSize)
