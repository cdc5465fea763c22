// cuBLASLt: matrix products, column-major, with the epilogues that we use.
#include "sim.h"

#include <cmath>
#include <cstring>

#include "half.h"

using namespace sim;

namespace {

enum { OK = 0, NOT_INITIALIZED_STATUS = 1, INVALID = 7, EXECUTION_FAILED = 13, NOT_SUPPORTED = 15 };

struct Layout {
    int type;
    uint64_t rows, columns;
    int64_t leading;
    int32_t batch = 1;
    int64_t batch_stride = 0;
};

struct Product {
    int32_t transpose_a = 0, transpose_b = 0, epilogue = 1, bias_type = -1;
    uint64_t bias = 0;
};

struct Result {
    uint64_t algorithm[8];
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

float element(uint64_t base, int type, int64_t offset) {
    size_t size = type == 2 ? 2 : 4;
    uint64_t from = base + (uint64_t)offset * size;
    check_read(from, size);
    return size == 2 ? half_to_float(*(const uint16_t *)from) : *(const float *)from;
}

void put(uint64_t base, int type, int64_t offset, float value) {
    size_t size = type == 2 ? 2 : 4;
    uint64_t to = base + (uint64_t)offset * size;
    check_write(to, size);
    if (size == 2) {
        *(uint16_t *)to = float_to_half(value);
    } else {
        *(float *)to = value;
    }
}

/* op(matrix), row-major. */
std::vector<float> factor(const Layout &layout, bool transpose, uint64_t base, int64_t batch) {
    std::vector<float> values(layout.rows * layout.columns);
    for (uint64_t column = 0; column < layout.columns; column++) {
        for (uint64_t row = 0; row < layout.rows; row++) {
            float value = element(base, layout.type, batch * layout.batch_stride + (int64_t)column * layout.leading + (int64_t)row);
            values[transpose ? column * layout.rows + row : row * layout.columns + column] = value;
        }
    }
    return values;
}

void multiply(const Product &product, const Layout &a, uint64_t at_a, const Layout &b, uint64_t at_b, const Layout &c, uint64_t at_c, float alpha, float beta,
              const Layout &d, uint64_t at_d) {
    uint64_t inner = product.transpose_a ? a.rows : a.columns;
    for (int64_t batch = 0; batch < d.batch; batch++) {
        std::vector<float> left = factor(a, product.transpose_a, at_a, a.batch == 1 ? 0 : batch);
        std::vector<float> right = factor(b, product.transpose_b, at_b, b.batch == 1 ? 0 : batch);
        std::vector<float> row(d.columns);
        std::vector<float> all(d.rows * d.columns);
        for (uint64_t i = 0; i < d.rows; i++) {
            std::fill(row.begin(), row.end(), 0.0f);
            for (uint64_t k = 0; k < inner; k++) {
                float x = left[i * inner + k];
                const float *y = &right[k * d.columns];
                for (uint64_t j = 0; j < d.columns; j++) {
                    row[j] += x * y[j];
                }
            }
            for (uint64_t j = 0; j < d.columns; j++) {
                float sum = alpha * row[j];
                if (beta != 0) {
                    sum += beta * element(at_c, c.type, batch * c.batch_stride + (int64_t)j * c.leading + (int64_t)i);
                }
                if (product.epilogue & 4) {
                    sum += element(product.bias, product.bias_type < 0 ? d.type : product.bias_type, (int64_t)i);
                }
                if (product.epilogue & 2) {
                    sum = sum > 0 ? sum : 0;
                }
                if (product.epilogue & 32) {
                    sum = sum * (1 + std::tanh(0.79788456f * (sum + 0.044715f * sum * sum * sum))) / 2;
                }
                all[i * d.columns + j] = sum;
            }
        }
        for (uint64_t j = 0; j < d.columns; j++) {
            for (uint64_t i = 0; i < d.rows; i++) {
                put(at_d, d.type, batch * d.batch_stride + (int64_t)j * d.leading + (int64_t)i, all[i * d.columns + j]);
            }
        }
    }
}

bool fits(const Product &product, const Layout &a, const Layout &b, const Layout &d) {
    uint64_t rows = product.transpose_a ? a.columns : a.rows, inner = product.transpose_a ? a.rows : a.columns;
    uint64_t inner_b = product.transpose_b ? b.columns : b.rows, columns = product.transpose_b ? b.rows : b.columns;
    return rows == d.rows && columns == d.columns && inner == inner_b && a.leading >= (int64_t)a.rows && b.leading >= (int64_t)b.rows
            && d.leading >= (int64_t)d.rows && (product.epilogue & 4) * (product.bias == 0) == 0;
}

template <typename T> int destroy(void *handle, const char *what) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    if (!untrack(handle)) {
        violation(std::string(what) + " of what does not exist");
        return INVALID;
    }
    delete (T *)handle;
    return OK;
}

struct Preference {
    size_t workspace = 0;
};

}      // namespace

SIM_API size_t cublasLtGetVersion() { return 130000; }
SIM_API const char *cublasLtGetStatusString(int status) {
    return status == OK ? "success" : status == INVALID ? "an unsupported value or parameter was passed to the function (simulated)"
            : status == EXECUTION_FAILED ? "the GPU program failed to execute (simulated)" : "not supported (simulated)";
}

SIM_API int cublasLtCreate(void **handle) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    if (!has_context() || state().lost) {
        return NOT_INITIALIZED_STATUS;
    }
    *handle = track(new int(0));
    return OK;
}

SIM_API int cublasLtDestroy(void *handle) { return destroy<int>(handle, "cublasLtDestroy"); }

SIM_API int cublasLtMatmulDescCreate(void **handle, int, int) {
    *handle = track(new Product);
    return OK;
}

SIM_API int cublasLtMatmulDescDestroy(void *handle) { return destroy<Product>(handle, "cublasLtMatmulDescDestroy"); }

SIM_API int cublasLtMatmulDescSetAttribute(void *handle, int attribute, const void *value, size_t bytes) {
    Product *product = (Product *)handle;
    switch (attribute) {
        case 3: std::memcpy(&product->transpose_a, value, 4); break;
        case 4: std::memcpy(&product->transpose_b, value, 4); break;
        case 7: std::memcpy(&product->epilogue, value, 4); break;
        case 8: std::memcpy(&product->bias, value, 8); break;
        case 26: std::memcpy(&product->bias_type, value, 4); break;
        default: return NOT_SUPPORTED;
    }
    return bytes == (attribute == 8 ? 8u : 4u) ? OK : INVALID;
}

SIM_API int cublasLtMatrixLayoutCreate(void **handle, int type, uint64_t rows, uint64_t columns, int64_t leading) {
    *handle = track(new Layout{type, rows, columns, leading});
    return OK;
}

SIM_API int cublasLtMatrixLayoutDestroy(void *handle) { return destroy<Layout>(handle, "cublasLtMatrixLayoutDestroy"); }

SIM_API int cublasLtMatrixLayoutSetAttribute(void *handle, int attribute, const void *value, size_t) {
    Layout *layout = (Layout *)handle;
    switch (attribute) {
        case 5: std::memcpy(&layout->batch, value, 4); return OK;
        case 6: std::memcpy(&layout->batch_stride, value, 8); return OK;
        default: return NOT_SUPPORTED;
    }
}

SIM_API int cublasLtMatmulPreferenceCreate(void **handle) {
    *handle = track(new Preference);
    return OK;
}

SIM_API int cublasLtMatmulPreferenceDestroy(void *handle) { return destroy<Preference>(handle, "cublasLtMatmulPreferenceDestroy"); }

SIM_API int cublasLtMatmulPreferenceSetAttribute(void *, int, const void *, size_t) { return OK; }

SIM_API int cublasLtMatmulAlgoGetHeuristic(void *, void *product, void *a, void *b, void *, void *d, void *, int room, Result *results, int *count) {
    *count = 0;
    if (!fits(*(Product *)product, *(Layout *)a, *(Layout *)b, *(Layout *)d)) {
        return INVALID;
    }
    if (room > 0) {
        std::memset(results, 0, sizeof *results);
        results->algorithm[0] = 1;
        *count = 1;
    }
    return OK;
}

SIM_API int cublasLtMatmul(void *, void *product, const void *alpha, uint64_t a, void *layout_a, uint64_t b, void *layout_b, const void *beta, uint64_t c,
                           void *layout_c, uint64_t d, void *layout_d, const void *, void *, size_t, void *stream) {
    std::lock_guard<std::recursive_mutex> guard(state().lock);
    if (state().lost || due("cublaslt")) {
        return EXECUTION_FAILED;
    }
    Product p = *(Product *)product;
    Layout la = *(Layout *)layout_a, lb = *(Layout *)layout_b, lc = *(Layout *)layout_c, ld = *(Layout *)layout_d;
    if (!fits(p, la, lb, ld)) {
        return INVALID;
    }
    float by_alpha = *(const float *)alpha, by_beta = *(const float *)beta;
    Operation operation;
    operation.what = "a cuBLASLt product";
    operation.run = [=] {
        state().products++;
        multiply(p, la, a, lb, b, lc, c, by_alpha, by_beta, ld, d);
    };
    try {
        enqueue(stream_of(stream), operation);
    } catch (const Failure &) {
        return EXECUTION_FAILED;
    }
    return OK;
}
