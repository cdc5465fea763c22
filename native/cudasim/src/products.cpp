// cuBLASLt's products: the one algorithm that its simulated heuristics know, and what it computes.
#include "cublaslt.h"

#include <cstring>

using namespace sim;

namespace {

enum { F32 = 0, F16 = 2, BF16 = 14 };                                  // cudaDataType
enum { COMPUTE_F32 = 68, COMPUTE_TF32 = 77 };                          // cublasComputeType_t
enum { EPILOGUE_NONE = 1, EPILOGUE_RELU = 2, EPILOGUE_BIAS = 4, EPILOGUE_RELU_BIAS = 6 };
const uint64_t SCRATCH = 512, WORKSPACE_ALIGNMENT = 256;

struct Matrix {
    int type = F32;
    int64_t rows = 0, columns = 0, leading = 0, batches = 1, batch_stride = 0;

    size_t size() const { return type == F32 ? 4 : 2; }
};

struct Product {
    Matrix a, b, c, d;
    bool transpose_a = false, transpose_b = false;
    int epilogue = EPILOGUE_NONE, bias_type = -1;
    uint64_t bias = 0;

    int64_t inner() const { return transpose_a ? a.rows : a.columns; }
};

// cublasLtMatmulAlgo_t
struct Algorithm {
    uint64_t mark, product, workspace, aligned_a, aligned_b, aligned_c, aligned_d, aligned_bias;
};
static_assert(sizeof(Algorithm) == 64, "as large as the library's");

// cublasLtMatmulHeuristicResult_t
struct Result {
    Algorithm algorithm;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};
static_assert(sizeof(Result) == 96, "as large as the library's");

const uint64_t MARK = 0x75707363616c65;

void require(bool holds, const std::string &complaint) {
    if (!holds) {
        throw LtMistake(complaint);
    }
}

Matrix matrix(void *handle, const char *name) {
    auto layout = require_lt(handle, LtDescriptor::LAYOUT);
    Matrix made;
    made.type = (int)layout->get(0);
    made.rows = (int64_t)layout->get(2);
    made.columns = (int64_t)layout->get(3);
    made.leading = (int64_t)layout->get(4);
    made.batches = (int64_t)layout->get(5);
    made.batch_stride = (int64_t)layout->get(6);
    std::string who = std::string("matrix ") + name;
    require(made.type == F32 || made.type == F16 || made.type == BF16, who + " is of type " + std::to_string(made.type));
    require(layout->get(1) == 0, who + " is not in column-major order");
    require(made.rows > 0 && made.columns > 0 && made.batches > 0 && made.batch_stride >= 0, who + " has a size that is not positive");
    require(made.leading >= made.rows, who + " has a leading dimension of " + std::to_string(made.leading) + " for " + std::to_string(made.rows) + " rows");
    return made;
}

Product product(void *operation_handle, void *a, void *b, void *c, void *d) {
    auto operation = require_lt(operation_handle, LtDescriptor::PRODUCT);
    Product made;
    made.a = matrix(a, "A");
    made.b = matrix(b, "B");
    made.c = matrix(c, "C");
    made.d = matrix(d, "D");
    made.transpose_a = operation->get(3) == 1;
    made.transpose_b = operation->get(4) == 1;
    made.epilogue = (int)operation->get(7);
    made.bias = operation->get(8);
    made.bias_type = (int)operation->get(26);
    int compute = (int)operation->get(0);
    require(compute == COMPUTE_F32 || compute == COMPUTE_TF32, "compute type " + std::to_string(compute) + " is not simulated");
    require(compute == COMPUTE_F32 || made.a.type == F32, "TF32 of factors that are no f32");
    require(operation->get(1) == F32 && operation->get(2) == 0 && operation->get(5) == 0, "scales, pointers or C of another kind");
    require(operation->get(3) <= 1 && operation->get(4) <= 1, "factors are transposed or not");
    int64_t rows = made.transpose_a ? made.a.columns : made.a.rows, columns = made.transpose_b ? made.b.rows : made.b.columns;
    int64_t inner = made.transpose_b ? made.b.columns : made.b.rows;
    require(rows == made.d.rows && columns == made.d.columns && inner == made.inner(), "factors that do not fit each other or the result");
    require(made.c.rows == made.d.rows && made.c.columns == made.d.columns && made.c.type == made.d.type, "C and D of different shapes or types");
    require(made.a.type == made.b.type && (made.d.type == made.a.type || made.d.type == F32), "types that do not go together");
    require(made.a.batches == made.d.batches && made.b.batches == made.d.batches && made.c.batches == made.d.batches, "different numbers of batches");
    bool biased = made.epilogue == EPILOGUE_BIAS || made.epilogue == EPILOGUE_RELU_BIAS;
    require(biased || made.epilogue == EPILOGUE_NONE || made.epilogue == EPILOGUE_RELU, "epilogue " + std::to_string(made.epilogue) + " is not simulated");
    require(biased == (made.bias != 0), "a bias without its epilogue, or the other way round");
    require(!biased || made.bias_type == -1 || made.bias_type == made.d.type, "a bias of another type than D");
    return made;
}

// By which an algorithm is known to have been asked for this product.
uint64_t digest(const Product &p) {
    uint64_t hash = 1469598103934665603u;
    auto mix = [&hash](int64_t value) { hash = (hash ^ (uint64_t)value) * 1099511628211u; };
    for (const Matrix *m : {&p.a, &p.b, &p.c, &p.d}) {
        for (int64_t value : {(int64_t)m->type, m->rows, m->columns, m->leading, m->batches, m->batch_stride}) {
            mix(value);
        }
    }
    mix(p.transpose_a);
    mix(p.transpose_b);
    mix(p.epilogue);
    return hash;
}

// Of a matrix, or of its transpose: [batch][column][row].
Tensor columns_of(const Matrix &m, bool transposed) {
    Tensor tensor;
    tensor.type = m.type == BF16 ? 9 : m.type;
    tensor.dims = {m.batches, transposed ? m.rows : m.columns, transposed ? m.columns : m.rows};
    tensor.strides = {m.batch_stride, transposed ? 1 : m.leading, transposed ? m.leading : 1};
    return tensor;
}

struct Addresses {
    uint64_t a, b, c, d, workspace;
};

void compute(const Product &p, const Addresses &at, bool adds, uint64_t scratch) {
    if (scratch > 0) {
        check_write(at.workspace, scratch);
        std::memset((void *)at.workspace, 0xff, scratch);
    }
    size_t rows = (size_t)p.d.rows, columns = (size_t)p.d.columns, inner = (size_t)p.inner();
    std::vector<float> a = read_tensor(columns_of(p.a, p.transpose_a), at.a);          // [batch][inner][row]
    std::vector<float> b = read_tensor(columns_of(p.b, p.transpose_b), at.b);          // [batch][column][inner]
    std::vector<float> sums(rows * columns * (size_t)p.d.batches);
    if (adds) {
        sums = read_tensor(columns_of(p.c, false), at.c);
    }
    std::vector<float> bias(rows);
    if (p.bias != 0) {
        Matrix vector = p.d;
        vector.columns = vector.batches = 1;
        bias = read_tensor(columns_of(vector, false), p.bias);
    }
    for (size_t column = 0; column < columns * (size_t)p.d.batches; column++) {
        float *sum = &sums[column * rows];
        const float *left = &a[column / columns * inner * rows], *right = &b[column * inner];
        for (size_t k = 0; k < inner; k++, left += rows) {
            for (size_t row = 0; row < rows; row++) {
                sum[row] += left[row] * right[k];
            }
        }
        for (size_t row = 0; row < rows; row++) {
            sum[row] += bias[row];
            bool rectifies = p.epilogue == EPILOGUE_RELU || p.epilogue == EPILOGUE_RELU_BIAS;
            sum[row] = rectifies && sum[row] < 0 ? 0 : sum[row];
        }
    }
    write_tensor(columns_of(p.d, false), at.d, sums);
    state().products++;
}

}      // namespace

SIM_API int cublasLtMatmulAlgoGetHeuristic(void *handle, void *operation, void *a, void *b, void *c, void *d, void *preference_handle, int asked,
        void *results, int *count) {
    return lt_guarded("cublasLtMatmulAlgoGetHeuristic", [&] {
        require_lt(handle, LtDescriptor::HANDLE);
        auto preference = require_lt(preference_handle, LtDescriptor::PREFERENCE);
        Product asked_for = product(operation, a, b, c, d);
        require(asked > 0, "no algorithm is asked for");
        require((preference->get(3) & 4) == 0 && (asked_for.d.type == F32 || (preference->get(3) & 1) == 0), "sums in another type than f32 are allowed");
        *count = 0;
        if (state().lost) {
            return (int)LT_NOT_INITIALISED;
        }
        if (due("algorithms")) {
            return (int)LT_NOT_SUPPORTED;
        }
        Result made = {};
        uint64_t scratch = preference->get(1) >= SCRATCH ? SCRATCH : 0;
        uint64_t bias_alignment = asked_for.bias == 0 ? 1 : asked_for.bias & -asked_for.bias;
        made.algorithm = {MARK, digest(asked_for), scratch, preference->get(5), preference->get(6), preference->get(7), preference->get(8),
            bias_alignment};
        made.workspace = scratch;
        ((Result *)results)[(*count)++] = made;
        return (int)LT_SUCCESS;
    });
}

SIM_API int cublasLtMatmul(void *handle, void *operation, const float *alpha, uint64_t a, void *layout_a, uint64_t b, void *layout_b, const float *beta,
        uint64_t c, void *layout_c, uint64_t d, void *layout_d, const Algorithm *algorithm, uint64_t workspace, size_t workspace_bytes, void *stream) {
    return lt_guarded("cublasLtMatmul", [&] {
        require_lt(handle, LtDescriptor::HANDLE);
        require(has_context(), "a thread without a current context");
        Product multiplied = product(operation, layout_a, layout_b, layout_c, layout_d);
        require(algorithm && algorithm->mark == MARK && algorithm->product == digest(multiplied), "an algorithm that was asked for another product, or none");
        require(*alpha == 1 && (*beta == 0 || *beta == 1), "scales other than 0 and 1 are not simulated");
        bool adds = *beta == 1;
        auto aligned = [](uint64_t address, uint64_t to, const char *name) {
            require(address != 0 && address % to == 0, std::string("matrix ") + name + " is not aligned to the " + std::to_string(to)
                    + " bytes that its algorithm was asked for");
        };
        aligned(a, algorithm->aligned_a, "A");
        aligned(b, algorithm->aligned_b, "B");
        aligned(adds ? c : d, algorithm->aligned_c, "C");
        aligned(d, algorithm->aligned_d, "D");
        require(multiplied.bias % algorithm->aligned_bias == 0, "a bias that is less aligned than the algorithm was asked for");
        require(workspace % WORKSPACE_ALIGNMENT == 0, "a workspace that is not at a multiple of 256 bytes");
        require(algorithm->workspace == 0 || (workspace != 0 && workspace_bytes >= algorithm->workspace), "a workspace that is too small");
        if (state().lost || due("cublaslt")) {
            return (int)LT_EXECUTION_FAILED;
        }
        Addresses at = {a, b, c, d, workspace};
        uint64_t scratch = algorithm->workspace;
        Operation queued;
        queued.what = "a cuBLASLt product of " + std::to_string(multiplied.d.rows) + " rows and " + std::to_string(multiplied.d.columns) + " columns";
        queued.run = [=] { compute(multiplied, at, adds, scratch); };
        enqueue(stream_of(stream), std::move(queued));
        return (int)LT_SUCCESS;
    });
}
