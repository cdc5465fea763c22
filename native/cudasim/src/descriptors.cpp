// What cuDNN's descriptors say: checked where one is finalized.
#include "descriptors.h"

namespace sim {

std::map<void *, std::shared_ptr<Descriptor>> &descriptors() {
    static std::map<void *, std::shared_ptr<Descriptor>> all;
    return all;
}

std::shared_ptr<Descriptor> require_descriptor(void *handle) {
    auto found = descriptors().find(handle);
    if (found == descriptors().end()) {
        violation("a cuDNN descriptor that does not exist, or no longer");
        throw Refused("no such descriptor");
    }
    return found->second;
}

const std::vector<double> &numbers(const Descriptor &descriptor, int attribute) {
    auto found = descriptor.numbers.find(attribute);
    if (found == descriptor.numbers.end() || found->second.empty()) {
        throw Refused("attribute " + std::to_string(attribute) + " is missing in a descriptor of kind " + std::to_string(descriptor.kind));
    }
    return found->second;
}

std::vector<int64_t> integers(const std::vector<double> &values) { return std::vector<int64_t>(values.begin(), values.end()); }

namespace {

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
    } else {
        throw Refused("an operation of kind " + std::to_string(descriptor.kind) + " is not simulated");
    }
    std::string why = made.mistake();
    if (!why.empty()) {
        throw Refused(why);
    }
    return made;
}

}      // namespace

/* Bare convolutions have to be captured; what is fused can be put into a graph directly: so both ways are walked. */
bool is_native(const Operations &operations) { return operations.size() > 1; }

size_t workspace_of(const Operations &operations) {
    const Computation &first = operations.front();
    return first.kind == Computation::CONVOLUTION && first.tensors[1].dims[2] > 1 ? 256 : 0;
}

void finalize(Descriptor &descriptor) {
    switch (descriptor.kind) {
        case TENSOR: tensor(descriptor); break;
        case OP_CONVOLUTION: case OP_POINTWISE: operation(descriptor); break;
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

}      // namespace sim
