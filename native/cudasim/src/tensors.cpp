#include "tensors.h"

#include "half.h"

namespace sim {

static size_t size_of(int type) {
    return type == 2 || type == 9 ? 2 : 4;
}

static float widened(uint64_t from, int type) {
    if (type == 0) {
        return *(const float *)from;
    }
    uint16_t bits = *(const uint16_t *)from;
    uint32_t whole = (uint32_t)bits << 16;
    float value;
    std::memcpy(&value, &whole, sizeof value);
    return type == 2 ? half_to_float(bits) : value;
}

static void narrow(uint64_t to, int type, float value) {
    if (type == 0) {
        *(float *)to = value;
    } else if (type == 2) {
        *(uint16_t *)to = float_to_half(value);
    } else {
        uint32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        *(uint16_t *)to = (uint16_t)(value != value ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

/* Calls body(offset in elements, position in the order of the dimensions) for each element. */
template <typename Body> static void each(const Tensor &tensor, Body body) {
    std::vector<int64_t> at(tensor.dims.size());
    int64_t offset = 0;
    for (size_t i = 0, count = tensor.elements(); i < count; i++) {
        body(offset, i);
        for (size_t axis = at.size(); axis-- > 0;) {
            offset += tensor.strides[axis];
            if (++at[axis] < tensor.dims[axis]) {
                break;
            }
            offset -= at[axis] * tensor.strides[axis];
            at[axis] = 0;
        }
    }
}

std::vector<float> read_tensor(const Tensor &tensor, uint64_t address) {
    std::vector<float> values(tensor.elements());
    size_t size = size_of(tensor.type);
    each(tensor, [&](int64_t offset, size_t i) {
        uint64_t from = address + (uint64_t)offset * size;
        check_read(from, size);
        values[i] = widened(from, tensor.type);
    });
    return values;
}

void write_tensor(const Tensor &tensor, uint64_t address, const std::vector<float> &values) {
    size_t size = size_of(tensor.type);
    each(tensor, [&](int64_t offset, size_t i) {
        uint64_t to = address + (uint64_t)offset * size;
        check_write(to, size);
        narrow(to, tensor.type, values[i]);
    });
}

}      // namespace sim
