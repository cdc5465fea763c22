// Device memory, pinned memory, copies.
#include "sim.h"

#include <cstdlib>
#include <cstring>

namespace sim {

static const size_t RED_ZONE = 4096, ALIGNMENT = 256, QUARANTINE = (size_t)256 << 20;

bool is_pinned(uint64_t address, size_t bytes) {
    auto next = state().pinned.upper_bound(address);
    return next != state().pinned.begin() && address + bytes <= std::prev(next)->first + std::prev(next)->second;
}

void poison(const std::vector<std::pair<uint64_t, size_t>> &fills) {
    for (auto &[address, bytes] : fills) {
        std::memset((void *)address, 0xff, bytes);
    }
}

static Operation copy(const char *what, uint64_t to, uint64_t from, size_t bytes, bool reads_device, bool writes_device) {
    Operation operation;
    operation.what = std::string(what) + " of " + std::to_string(bytes) + " bytes";
    operation.run = [=] {
        state().copies++;
        if (due("copy")) {
            throw Failure(LAUNCH_FAILED, "injected: a copy failed");
        }
        if (reads_device) {
            check_read(from, bytes);
        }
        if (writes_device) {
            check_write(to, bytes);
        }
        std::memmove((void *)to, (const void *)from, bytes);
    };
    if (!writes_device) {
        operation.fills.push_back({to, bytes});
    }
    return operation;
}

static int copy_async(const char *name, void *stream, uint64_t to, uint64_t from, size_t bytes, bool reads_device, bool writes_device) {
    return enter(name, true, [&] {
        uint64_t host = reads_device ? to : from;
        if ((!reads_device || !writes_device) && !is_pinned(host, bytes)) {
            violation(std::string(name) + " with host memory that is not pinned");
        }
        return enqueue(stream_of(stream), copy(name, to, from, bytes, reads_device, writes_device));
    });
}

static void refuse_pending(const char *name) {
    if (has_pending()) {
        violation(std::string(name) + " while work is pending on a stream");
    }
}

static int copy_now(const char *name, uint64_t to, uint64_t from, size_t bytes, bool reads_device) {
    return enter(name, true, [&] {
        refuse_pending(name);
        begin_host_operation();
        copy(name, to, from, bytes, reads_device, !reads_device).run();
        state().known_to_all = (uint32_t)state().ran.size() - 1;
        return (int)SUCCESS;
    });
}

static void fill(uint64_t address, unsigned char value, size_t bytes) {
    check_write(address, bytes);
    std::memset((void *)address, value, bytes);
}

}      // namespace sim

using namespace sim;

SIM_API int cuMemGetInfo_v2(size_t *unused, size_t *total) {
    return enter("cuMemGetInfo", false, [&] {
        *unused = state().total - state().used;
        *total = state().total;
        return (int)SUCCESS;
    });
}

static std::unique_ptr<uint32_t[]> shadow(size_t bytes) {
    return std::unique_ptr<uint32_t[]>(new uint32_t[bytes / 2 + 1]());
}

SIM_API int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    return enter("cuMemAlloc", false, [&] {
        State &s = state();
        if (bytes == 0) {
            return (int)INVALID_VALUE;
        }
        if (due("alloc") || s.used + bytes > s.total) {
            return (int)OUT_OF_MEMORY;
        }
        void *memory = nullptr;
        if (posix_memalign(&memory, ALIGNMENT, bytes + RED_ZONE) != 0) {
            return (int)OUT_OF_MEMORY;
        }
        Allocation allocation{(uint64_t)memory, bytes, "", shadow(bytes), shadow(bytes)};
        s.used += bytes;
        s.live[allocation.base] = std::move(allocation);
        *address = (uint64_t)memory;
        return (int)SUCCESS;
    });
}

SIM_API int cuMemFree_v2(uint64_t address) {
    return cleanup("cuMemFree", [&] {
        State &s = state();
        auto found = s.live.find(address);
        if (found == s.live.end()) {
            violation(s.freed.count(address) ? "cuMemFree of memory that was freed" : "cuMemFree of what is no allocation");
            return (int)INVALID_VALUE;
        }
        if (has_pending() && !s.lost) {
            violation("cuMemFree while work is pending on a stream");
            drain_all();
        }
        begin_accesses();
        s.used -= found->second.bytes;
        found->second.writers.reset();
        found->second.readers.reset();
        s.freed[address] = std::move(found->second);
        s.live.erase(found);
        size_t kept = 0;
        for (auto &[base, allocation] : s.freed) {
            kept += allocation.bytes;
        }
        while (kept > QUARANTINE && !s.freed.empty()) {
            kept -= s.freed.begin()->second.bytes;
            std::free((void *)s.freed.begin()->first);
            s.freed.erase(s.freed.begin());
        }
        return (int)SUCCESS;
    });
}

SIM_API int cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
    return enter("cuMemHostAlloc", false, [&] {
        void *memory = nullptr;
        if (bytes == 0) {
            return (int)INVALID_VALUE;
        }
        if (due("hostalloc") || posix_memalign(&memory, 4096, bytes) != 0) {
            return (int)OUT_OF_MEMORY;
        }
        state().pinned[(uint64_t)memory] = bytes;
        *pointer = memory;
        return (int)SUCCESS;
    });
}

SIM_API int cuMemFreeHost(void *pointer) {
    return cleanup("cuMemFreeHost", [&] {
        if (has_pending() && !state().lost) {
            violation("cuMemFreeHost while work is pending on a stream");
            drain_all();
        }
        if (state().pinned.erase((uint64_t)pointer) == 0) {
            violation("cuMemFreeHost of what is not pinned");
            return (int)INVALID_VALUE;
        }
        std::free(pointer);
        return (int)SUCCESS;
    });
}

SIM_API int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) { return copy_now("cuMemcpyHtoD", to, (uint64_t)from, bytes, false); }
SIM_API int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) { return copy_now("cuMemcpyDtoH", (uint64_t)to, from, bytes, true); }

SIM_API int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
    return copy_async("cuMemcpyHtoDAsync", stream, to, (uint64_t)from, bytes, false, true);
}

SIM_API int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
    return copy_async("cuMemcpyDtoHAsync", stream, (uint64_t)to, from, bytes, true, false);
}

SIM_API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
    return copy_async("cuMemcpyDtoDAsync", stream, to, from, bytes, true, true);
}

SIM_API int cuMemsetD8_v2(uint64_t address, unsigned char value, size_t bytes) {
    return enter("cuMemsetD8", true, [&] {
        refuse_pending("cuMemsetD8");
        begin_host_operation();
        fill(address, value, bytes);
        state().known_to_all = (uint32_t)state().ran.size() - 1;
        return (int)SUCCESS;
    });
}

SIM_API int cuMemsetD8Async(uint64_t address, unsigned char value, size_t bytes, void *stream) {
    return enter("cuMemsetD8Async", true, [&] {
        Operation operation;
        operation.what = "cuMemsetD8Async";
        operation.run = [=] { fill(address, value, bytes); };
        return enqueue(stream_of(stream), operation);
    });
}
