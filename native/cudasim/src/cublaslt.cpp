// cuBLASLt's handles and descriptors, as the simulation keeps them; its heuristics know one algorithm for a product.
#include "cublaslt.h"

#include <cstring>

namespace sim {

std::map<void *, std::shared_ptr<LtDescriptor>> &lt_descriptors() {
    static std::map<void *, std::shared_ptr<LtDescriptor>> all;
    return all;
}

std::shared_ptr<LtDescriptor> require_lt(void *handle, LtDescriptor::Kind kind) {
    auto found = lt_descriptors().find(handle);
    if (found == lt_descriptors().end() || found->second->kind != kind) {
        throw LtMistake("a descriptor that does not exist, no longer, or is of another kind");
    }
    return found->second;
}

int lt_guarded(const char *name, const std::function<int()> &body) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    try {
        return body();
    } catch (const LtMistake &mistake) {
        violation(std::string(name) + ": " + mistake.what());
        return LT_INVALID_VALUE;
    } catch (const Failure &failure) {
        return LT_EXECUTION_FAILED;
    }
}

namespace {

// Sizes of the attributes that are simulated, in bytes.
const std::map<int, size_t> SIZES[] = {
    {{0, 4}, {1, 4}, {2, 4}, {3, 4}, {4, 4}, {5, 4}, {6, 4}, {7, 4}, {8, 8}, {10, 8}, {26, 4}},      // products
    {{0, 4}, {1, 4}, {2, 8}, {3, 8}, {4, 8}, {5, 4}, {6, 8}},                                        // layouts
    {{0, 4}, {1, 8}, {3, 4}, {5, 4}, {6, 4}, {7, 4}, {8, 4}, {9, 4}, {12, 8}},                       // preferences
};

int create(void **handle, LtDescriptor::Kind kind, std::map<int, uint64_t> values) {
    auto made = std::make_shared<LtDescriptor>();
    made->kind = kind;
    made->values = std::move(values);
    lt_descriptors()[made.get()] = made;
    *handle = track(made.get());
    return LT_SUCCESS;
}

int destroy(void *handle, LtDescriptor::Kind kind) {
    require_lt(handle, kind);
    untrack(handle);
    lt_descriptors().erase(handle);
    return LT_SUCCESS;
}

size_t size_of_attribute(LtDescriptor::Kind kind, int attribute, size_t size) {
    auto known = SIZES[kind].find(attribute);
    if (known == SIZES[kind].end() || known->second != size) {
        throw LtMistake("attribute " + std::to_string(attribute) + " with " + std::to_string(size) + " bytes");
    }
    return size;
}

int set(void *handle, LtDescriptor::Kind kind, int attribute, const void *value, size_t size) {
    auto descriptor = require_lt(handle, kind);
    uint64_t stored = 0;
    std::memcpy(&stored, value, size_of_attribute(kind, attribute, size));
    descriptor->values[attribute] = stored;
    return LT_SUCCESS;
}

int get(void *handle, LtDescriptor::Kind kind, int attribute, void *value, size_t size, size_t *written) {
    auto descriptor = require_lt(handle, kind);
    uint64_t stored = descriptor->get(attribute);
    std::memcpy(value, &stored, size_of_attribute(kind, attribute, size));
    if (written) {
        *written = size;
    }
    return LT_SUCCESS;
}

}      // namespace
}      // namespace sim

using namespace sim;

SIM_API size_t cublasLtGetVersion() { return 130000; }

SIM_API const char *cublasLtGetStatusName(int status) {
    switch (status) {
        case LT_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case LT_NOT_INITIALISED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case LT_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case LT_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
        default: return "CUBLAS_STATUS_NOT_SUPPORTED";
    }
}

SIM_API const char *cublasLtGetStatusString(int status) { return status == LT_SUCCESS ? "success" : "simulated cuBLASLt"; }

SIM_API int cublasLtCreate(void **handle) {
    return lt_guarded("cublasLtCreate", [&] {
        if (!has_context() || state().lost || due("cublasltcreate")) {
            return (int)LT_NOT_INITIALISED;
        }
        return create(handle, LtDescriptor::HANDLE, {});
    });
}

SIM_API int cublasLtDestroy(void *handle) {
    return lt_guarded("cublasLtDestroy", [&] { return destroy(handle, LtDescriptor::HANDLE); });
}

SIM_API int cublasLtMatmulDescCreate(void **handle, int compute, int scale) {
    return lt_guarded("cublasLtMatmulDescCreate", [&] {
        return create(handle, LtDescriptor::PRODUCT, {{0, (uint64_t)compute}, {1, (uint64_t)scale}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {7, 1}, {8, 0},
            {26, 0xffffffffu}});
    });
}

SIM_API int cublasLtMatmulDescDestroy(void *handle) {
    return lt_guarded("cublasLtMatmulDescDestroy", [&] { return destroy(handle, LtDescriptor::PRODUCT); });
}

SIM_API int cublasLtMatmulDescSetAttribute(void *handle, int attribute, const void *value, size_t size) {
    return lt_guarded("cublasLtMatmulDescSetAttribute", [&] { return set(handle, LtDescriptor::PRODUCT, attribute, value, size); });
}

SIM_API int cublasLtMatmulDescGetAttribute(void *handle, int attribute, void *value, size_t size, size_t *written) {
    return lt_guarded("cublasLtMatmulDescGetAttribute", [&] { return get(handle, LtDescriptor::PRODUCT, attribute, value, size, written); });
}

SIM_API int cublasLtMatrixLayoutCreate(void **handle, int type, uint64_t rows, uint64_t columns, int64_t leading) {
    return lt_guarded("cublasLtMatrixLayoutCreate", [&] {
        return create(handle, LtDescriptor::LAYOUT, {{0, (uint64_t)type}, {1, 0}, {2, rows}, {3, columns}, {4, (uint64_t)leading}, {5, 1}, {6, 0}});
    });
}

SIM_API int cublasLtMatrixLayoutDestroy(void *handle) {
    return lt_guarded("cublasLtMatrixLayoutDestroy", [&] { return destroy(handle, LtDescriptor::LAYOUT); });
}

SIM_API int cublasLtMatrixLayoutSetAttribute(void *handle, int attribute, const void *value, size_t size) {
    return lt_guarded("cublasLtMatrixLayoutSetAttribute", [&] { return set(handle, LtDescriptor::LAYOUT, attribute, value, size); });
}

SIM_API int cublasLtMatrixLayoutGetAttribute(void *handle, int attribute, void *value, size_t size, size_t *written) {
    return lt_guarded("cublasLtMatrixLayoutGetAttribute", [&] { return get(handle, LtDescriptor::LAYOUT, attribute, value, size, written); });
}

SIM_API int cublasLtMatmulPreferenceCreate(void **handle) {
    return lt_guarded("cublasLtMatmulPreferenceCreate", [&] {
        return create(handle, LtDescriptor::PREFERENCE, {{0, 0}, {1, 0}, {3, 7}, {5, 256}, {6, 256}, {7, 256}, {8, 256}});
    });
}

SIM_API int cublasLtMatmulPreferenceDestroy(void *handle) {
    return lt_guarded("cublasLtMatmulPreferenceDestroy", [&] { return destroy(handle, LtDescriptor::PREFERENCE); });
}

SIM_API int cublasLtMatmulPreferenceSetAttribute(void *handle, int attribute, const void *value, size_t size) {
    return lt_guarded("cublasLtMatmulPreferenceSetAttribute", [&] { return set(handle, LtDescriptor::PREFERENCE, attribute, value, size); });
}

SIM_API int cublasLtMatmulPreferenceGetAttribute(void *handle, int attribute, void *value, size_t size, size_t *written) {
    return lt_guarded("cublasLtMatmulPreferenceGetAttribute", [&] { return get(handle, LtDescriptor::PREFERENCE, attribute, value, size, written); });
}
