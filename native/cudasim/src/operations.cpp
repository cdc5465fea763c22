#include "operations.h"

#include <cmath>
#include <sstream>

namespace sim {

static bool repeats(const Tensor &small, const Tensor &large) {
    if (small.dims.size() != large.dims.size()) {
        return false;
    }
    for (size_t axis = 0; axis < large.dims.size(); axis++) {
        if (small.dims[axis] != 1 && small.dims[axis] != large.dims[axis]) {
            return false;
        }
    }
    return true;
}

std::string Computation::mistake() const {
    if (kind == CONVOLUTION) {
        const Tensor &x = tensors[0], &w = tensors[1], &y = tensors[2];
        if (x.dims.size() != 4 || w.dims.size() != 4 || y.dims.size() != 4) {
            return "a convolution that is not two-dimensional";
        }
        if (x.dims[1] % w.dims[1] != 0 || w.dims[0] != y.dims[1] || x.dims[0] != y.dims[0] || w.dims[0] % (x.dims[1] / w.dims[1]) != 0) {
            return "a convolution whose channels or images do not fit";
        }
        for (const std::vector<int64_t> &each : sizes) {
            if (each.size() != 2) {
                return "a convolution without two strides, dilations and paddings";
            }
        }
        for (size_t axis = 0; axis < 2; axis++) {
            int64_t span = (w.dims[2 + axis] - 1) * sizes[1][axis] + 1;
            if ((x.dims[2 + axis] + sizes[2][axis] + sizes[3][axis] - span) / sizes[0][axis] + 1 != y.dims[2 + axis]) {
                return "a convolution whose result has another size";
            }
        }
    } else {
        bool binary = mode < 4;
        if (binary != (tensors.size() == 3) || tensors[0].dims != tensors[1].dims || (binary && !repeats(tensors[2], tensors[1]))) {
            return "a pointwise operation whose tensors do not fit";
        }
    }
    return "";
}

typedef std::vector<float> Values;

static Values convolve(const Computation &op, const Values &x, const Values &w) {
    const std::vector<int64_t> &xd = op.tensors[0].dims, &wd = op.tensors[1].dims, &yd = op.tensors[2].dims;
    int64_t channels = xd[1], inputs = wd[1], outputs = wd[0], groups = channels / inputs, per = outputs / groups;
    int64_t height = xd[2], width = xd[3], area = wd[2] * wd[3];
    Values packed(w.size());                                       // [group][tap][input][output of the group]
    for (int64_t o = 0; o < outputs; o++) {
        for (int64_t c = 0; c < inputs; c++) {
            for (int64_t tap = 0; tap < area; tap++) {
                packed[(size_t)((((o / per) * area + tap) * inputs + c) * per + o % per)] = w[(size_t)((o * inputs + c) * area + tap)];
            }
        }
    }
    Values pixels(x.size());                                       // channels last
    for (int64_t n = 0; n < xd[0]; n++) {
        for (int64_t c = 0; c < channels; c++) {
            for (int64_t p = 0; p < height * width; p++) {
                pixels[(size_t)((n * height * width + p) * channels + c)] = x[(size_t)((n * channels + c) * height * width + p)];
            }
        }
    }
    Values y((size_t)(yd[0] * yd[1] * yd[2] * yd[3]));
    Values sums((size_t)per);
    for (int64_t n = 0; n < yd[0]; n++) {
        for (int64_t oy = 0; oy < yd[2]; oy++) {
            for (int64_t ox = 0; ox < yd[3]; ox++) {
                for (int64_t group = 0; group < groups; group++) {
                    std::fill(sums.begin(), sums.end(), 0.0f);
                    for (int64_t ky = 0; ky < wd[2]; ky++) {
                        int64_t iy = oy * op.sizes[0][0] - op.sizes[2][0] + ky * op.sizes[1][0];
                        for (int64_t kx = 0; iy >= 0 && iy < height && kx < wd[3]; kx++) {
                            int64_t ix = ox * op.sizes[0][1] - op.sizes[2][1] + kx * op.sizes[1][1];
                            if (ix < 0 || ix >= width) {
                                continue;
                            }
                            const float *from = &pixels[(size_t)(((n * height + iy) * width + ix) * channels + group * inputs)];
                            const float *by = &packed[(size_t)((group * area + ky * wd[3] + kx) * inputs * per)];
                            float *sum = sums.data();
                            for (int64_t c = 0; c < inputs; c++, by += per) {
                                float factor = from[c];
                                for (int64_t o = 0; o < per; o++) {
                                    sum[o] += factor * by[o];
                                }
                            }
                        }
                    }
                    for (int64_t o = 0; o < per; o++) {
                        y[(size_t)(((n * outputs + group * per + o) * yd[2] + oy) * yd[3] + ox)] = sums[(size_t)o];
                    }
                }
            }
        }
    }
    return y;
}

static float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

static float pointwise(const Computation &op, float x, float b) {
    const std::vector<double> &p = op.parameters;
    switch (op.mode) {
        case 0: return x + b;
        case 1: return x * b;
        case 2: return std::fmin(x, b);
        case 3: return std::fmax(x, b);
        case 21: return x;
        case 100: return x < (float)p[0] ? (float)(p[0] + p[2] * (x - p[0])) : x > (float)p[1] ? (float)p[1] : x;
        case 101: return std::tanh(x);
        case 102: return sigmoid(x);
        case 103: return x < 0 ? (float)p[3] * std::expm1(x) : x;
        case 104: return x * std::erfc(-x * 0.70710678f) / 2;
        case 105: return (float)(std::log1p(std::exp(-std::fabs(p[4] * x))) / p[4]) + std::fmax(x, 0.0f);
        case 106: return x * sigmoid((float)p[5] * x);
        case 107: return x * (1 + std::tanh(0.79788456f * (x + 0.044715f * x * x * x))) / 2;
        default: throw Failure(INVALID_VALUE, "pointwise mode " + std::to_string(op.mode) + " is not simulated");
    }
}

static Values pointwise(const Computation &op, const Values &x, const Values &b) {
    const std::vector<int64_t> &dims = op.tensors[1].dims;
    Values y(x.size());
    for (size_t i = 0; i < x.size(); i++) {
        size_t at = 0;
        if (!b.empty()) {
            size_t rest = i, stride = 1;
            for (size_t axis = dims.size(); axis-- > 0;) {
                size_t position = rest % (size_t)dims[axis];
                rest /= (size_t)dims[axis];
                at += op.tensors[2].dims[axis] == 1 ? 0 : position * stride;
                stride *= (size_t)op.tensors[2].dims[axis];
            }
        }
        y[i] = pointwise(op, x[i], b.empty() ? 0 : b[at]);
    }
    return y;
}

void run_operations(const Operations &operations, const std::map<int64_t, uint64_t> &memory) {
    std::map<int64_t, Values> intermediate;
    auto value = [&](const Tensor &tensor) {
        if (!tensor.is_virtual) {
            return read_tensor(tensor, memory.at(tensor.id));
        }
        auto found = intermediate.find(tensor.id);
        if (found == intermediate.end()) {
            throw Failure(INVALID_VALUE, "intermediate tensor " + std::to_string(tensor.id) + " is read before it is made");
        }
        return found->second;
    };
    for (const Computation &op : operations) {
        const Tensor &result = op.tensors[op.kind == Computation::POINTWISE ? 1 : 2];
        Values made;
        if (op.kind == Computation::CONVOLUTION) {
            made = convolve(op, value(op.tensors[0]), value(op.tensors[1]));
        } else {
            made = pointwise(op, value(op.tensors[0]), op.tensors.size() > 2 ? value(op.tensors[2]) : Values());
        }
        if (result.is_virtual) {
            intermediate[result.id] = std::move(made);
        } else {
            write_tensor(result, memory.at(result.id), made);
        }
    }
}

static const char START[] = "{\"simulated\":[";

std::string write_operations(const Operations &operations) {
    std::ostringstream out;
    out.precision(17);
    out << START << operations.size();
    auto put = [&out](double number) { out << "," << number; };
    auto put_all = [&](const auto &values) {
        put((double)values.size());
        for (auto value : values) {
            put((double)value);
        }
    };
    for (const Computation &op : operations) {
        put(op.kind);
        put(op.mode);
        put((double)op.tensors.size());
        for (const Tensor &tensor : op.tensors) {
            put((double)tensor.id);
            put(tensor.type);
            put((double)tensor.alignment);
            put(tensor.is_virtual);
            put_all(tensor.dims);
            put_all(tensor.strides);
        }
        put((double)op.sizes.size());
        for (const std::vector<int64_t> &sizes : op.sizes) {
            put_all(sizes);
        }
        put_all(op.parameters);
    }
    out << "]}";
    return out.str();
}

bool read_operations(const std::string &text, Operations &operations) {
    if (text.compare(0, sizeof START - 1, START) != 0) {
        return false;
    }
    std::vector<double> numbers;
    std::istringstream in(text.substr(sizeof START - 1));
    for (std::string part; std::getline(in, part, ',');) {
        numbers.push_back(std::stod(part));
    }
    size_t at = 0;
    auto next = [&] {
        if (at >= numbers.size()) {
            throw Failure(INVALID_VALUE, "a plan that is cut off");
        }
        return numbers[at++];
    };
    auto next_all = [&] {
        std::vector<double> values((size_t)next());
        for (double &value : values) {
            value = next();
        }
        return values;
    };
    auto next_integers = [&] {
        std::vector<double> values = next_all();
        return std::vector<int64_t>(values.begin(), values.end());
    };
    for (size_t count = (size_t)next(); count > 0; count--) {
        Computation op;
        op.kind = (Computation::Kind)(int)next();
        op.mode = (int)next();
        for (size_t tensors = (size_t)next(); tensors > 0; tensors--) {
            Tensor tensor;
            tensor.id = (int64_t)next();
            tensor.type = (int)next();
            tensor.alignment = (int64_t)next();
            tensor.is_virtual = next() != 0;
            tensor.dims = next_integers();
            tensor.strides = next_integers();
            op.tensors.push_back(tensor);
        }
        for (size_t sizes = (size_t)next(); sizes > 0; sizes--) {
            op.sizes.push_back(next_integers());
        }
        op.parameters = next_all();
        operations.push_back(op);
    }
    return true;
}

}      // namespace sim
