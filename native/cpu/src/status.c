/* Status texts, the latest error of a thread, argument checks, and the choice of the instruction set. */
#include "internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static _Thread_local char last_error[256];

int32_t up_fail(int32_t status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    return status;
}

const char *up_last_error(void) { return last_error; }

int32_t up_abi_version(void) { return UP_ABI_VERSION; }

const char *up_status_text(int32_t status) {
    switch (status) {
        case UP_OK: return "success";
        case UP_INVALID: return "invalid argument";
        case UP_NO_MEMORY: return "out of memory";
        case UP_UNSUPPORTED: return "not supported by this build or CPU";
        case UP_BUSY: return "the thread pool is at work for another caller";
        case UP_BAD_PACKING: return "packed weights of another convolution, instruction set or version";
        default: return "unknown status";
    }
}

/* ---------------------------------------------------------------- checks */

int32_t up_check_source(const char *where, const char *what, const up_source *source, int64_t channels) {
    if (!source->data) return up_fail(UP_INVALID, "%s: %s has no data", where, what);
    if (source->pixel_stride < (source->index ? 1 : channels))
        return up_fail(UP_INVALID, "%s: %s has a pixel stride of %lld for %lld channels", where, what,
                       (long long)source->pixel_stride, (long long)channels);
    return UP_OK;
}

int32_t up_check_target(const char *where, const up_target *target, int64_t channels) {
    if (!target->data) return up_fail(UP_INVALID, "%s: the destination has no data", where);
    if (target->pixel_stride < channels)
        return up_fail(UP_INVALID, "%s: the destination has a pixel stride of %lld for %lld channels", where,
                       (long long)target->pixel_stride, (long long)channels);
    return UP_OK;
}

int32_t up_check_act(const char *where, const up_act *act) {
    if (act->function < 0 || act->function >= UP_FUNCTIONS)
        return up_fail(UP_INVALID, "%s: unknown function %d", where, act->function);
    if (act->function == UP_CLAMP && !(act->a <= act->b))
        return up_fail(UP_INVALID, "%s: clamp to [%g, %g]", where, (double)act->a, (double)act->b);
    return UP_OK;
}

int up_act_is_clamp(const up_act *act, float *low, float *high) {
    *low = act->function == UP_RELU ? 0 : act->function == UP_CLAMP ? act->a : -INFINITY;
    *high = act->function == UP_CLAMP ? act->b : INFINITY;
    return act->function <= UP_CLAMP;
}

/* ---------------------------------------------------------------- instruction set */

static _Atomic int32_t chosen = -1;

static int has(int32_t isa) {
    switch (isa) {
        case UP_ISA_GENERIC: return 1;
#ifdef UP_X86
        case UP_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case UP_ISA_AVX512: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && has(UP_ISA_AVX2);
#endif
        default: return 0;
    }
}

int up_narrow_pays(int32_t isa) {
#ifdef UP_X86
    return isa == UP_ISA_AVX512 && __builtin_cpu_is("amdfam19h");
#else
    (void)isa;
    return 0;
#endif
}

int up_has_bf16(void) {
#ifdef UP_BF16
    return has(UP_ISA_AVX512) && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

const up_kernels *up_kernels_of(int32_t isa) {
    if (!has(isa)) return NULL;
#ifdef UP_X86
    if (isa == UP_ISA_AVX512) return &up_kernels_avx512;
    if (isa == UP_ISA_AVX2) return &up_kernels_avx2;
#endif
    return &up_kernels_generic;
}

int32_t up_best_isa(void) { return has(UP_ISA_AVX512) ? UP_ISA_AVX512 : has(UP_ISA_AVX2) ? UP_ISA_AVX2 : UP_ISA_GENERIC; }

int32_t up_get_isa(void) {
    int32_t isa = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (isa < 0) {
        isa = up_best_isa();
        atomic_store_explicit(&chosen, isa, memory_order_relaxed);
    }
    return isa;
}

int32_t up_set_isa(int32_t isa) {
    if (!has(isa)) return up_fail(UP_UNSUPPORTED, "up_set_isa: no %s here, the best is %s", up_isa_name(isa), up_isa_name(up_best_isa()));
    atomic_store_explicit(&chosen, isa, memory_order_relaxed);
    return UP_OK;
}

const char *up_isa_name(int32_t isa) {
    switch (isa) {
        case UP_ISA_GENERIC: return "generic";
        case UP_ISA_AVX2: return "avx2";
        case UP_ISA_AVX512: return "avx512";
        default: return "unknown";
    }
}

const up_kernels *up_current(void) { return up_kernels_of(up_get_isa()); }
