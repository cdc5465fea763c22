// cuDNN's descriptors as they are made, filled and asked; its heuristics know one engine.
#include "descriptors.h"

#include <cstring>

using namespace sim;

namespace {

// cudnnBackendAttributeType_t
enum { T_HANDLE = 0, T_DATA = 1, T_BOOLEAN = 2, T_INT64 = 3, T_FLOAT = 4, T_DOUBLE = 5, T_POINTER = 6, T_CONVMODE = 7, T_DESCRIPTOR = 15, T_INT32 = 23,
    T_CHAR = 24 };

template <typename T> int give(const std::vector<T> &values, int64_t room, int64_t *count, void *out) {
    if (count) {
        *count = (int64_t)values.size();
    }
    for (int64_t i = 0; out && i < room && i < (int64_t)values.size(); i++) {
        ((T *)out)[i] = values[(size_t)i];
    }
    return OK;
}

std::shared_ptr<Descriptor> engine_of(const Operations &operations) {
    auto engine = std::make_shared<Descriptor>();
    engine->kind = ENGINE;
    engine->finalized = true;
    engine->operations = operations;
    return engine;
}

}      // namespace

SIM_API int cudnnBackendCreateDescriptor(int kind, void **handle) {
    return guarded([&] {
        auto descriptor = std::make_shared<Descriptor>();
        descriptor->kind = kind;
        descriptors()[descriptor.get()] = descriptor;
        *handle = track(descriptor.get());
        return (int)OK;
    });
}

SIM_API int cudnnBackendDestroyDescriptor(void *handle) {
    return guarded([&] {
        require_descriptor(handle);
        untrack(handle);
        descriptors().erase(handle);
        return (int)OK;
    });
}

SIM_API int cudnnBackendSetAttribute(void *handle, int attribute, int type, int64_t count, const void *values) {
    return guarded([&] {
        auto descriptor = require_descriptor(handle);
        if (descriptor->finalized) {
            return refuse(BAD_PARAM, "an attribute set after the descriptor was finalized");
        }
        size_t n = (size_t)count;
        auto numeric = [&](auto *typed) { descriptor->numbers[attribute].assign(typed, typed + n); };
        switch (type) {
            case T_BOOLEAN: numeric((const int8_t *)values); break;
            case T_INT64: numeric((const int64_t *)values); break;
            case T_FLOAT: numeric((const float *)values); break;
            case T_DOUBLE: numeric((const double *)values); break;
            case T_HANDLE: case T_POINTER: descriptor->pointers[attribute].assign((const uint64_t *)values, (const uint64_t *)values + n); break;
            case T_CHAR: descriptor->texts[attribute].assign((const char *)values, n); break;
            case T_DESCRIPTOR: {
                auto &parts = descriptor->parts[attribute];
                parts.clear();
                for (size_t i = 0; i < n; i++) {
                    parts.push_back(require_descriptor(((void *const *)values)[i]));
                    if (!parts.back()->finalized) {
                        return refuse(BAD_PARAM, "a part that is not finalized");
                    }
                }
                break;
            }
            default: numeric((const int32_t *)values);
        }
        return (int)OK;
    });
}

SIM_API int cudnnBackendFinalize(void *handle) {
    return guarded([&] {
        finalize(*require_descriptor(handle));
        return (int)OK;
    });
}

SIM_API int cudnnBackendGetAttribute(void *handle, int attribute, int type, int64_t room, int64_t *count, void *out) {
    return guarded([&] {
        auto descriptor = require_descriptor(handle);
        if (attribute == 202 || attribute == 300) {      // engine configurations of heuristics; a configuration's engine
            *count = 1;
            if (room > 0) {
                auto into = require_descriptor(((void **)out)[0]);
                into->operations = descriptor->operations;
                into->finalized = true;
                into->parts[300] = {engine_of(descriptor->operations)};
            }
            return (int)OK;
        }
        switch (attribute) {
            case 402: case 303: return give<int64_t>({(int64_t)workspace_of(descriptor->operations)}, room, count, out);
            case 405: {
                std::string text = write_operations(descriptor->operations);
                return give<char>(std::vector<char>(text.begin(), text.end()), room, count, out);
            }
            case 1301: return give<int64_t>({0}, room, count, out);
            case 1303: return give<int32_t>({}, room, count, out);
            case 1305: return give<int32_t>(is_native(descriptor->operations) ? std::vector<int32_t>{3} : std::vector<int32_t>{}, room, count, out);
            default: return refuse(NOT_SUPPORTED, "attribute " + std::to_string(attribute) + " of type " + std::to_string(type) + " cannot be asked for");
        }
    });
}
