// The shadow of device memory: who wrote what, who has read it since, and whether accesses are ordered.
#include "sim.h"

#include <cstdio>

namespace sim {

static thread_local Allocation *last_found = nullptr;
static thread_local uint32_t last_writer = 0;                   // the latest that the operation was found to come after
static thread_local std::map<uint32_t, uint32_t> extended;      // sets of readers, with the operation that runs
static thread_local std::pair<uint32_t, uint32_t> last_extended;
static thread_local uint32_t last_readers = 0;                  // the latest set that the operation was found to come after

static Allocation *within(std::map<uint64_t, Allocation> &all, uint64_t address) {
    auto next = all.upper_bound(address);
    if (next == all.begin()) {
        return nullptr;
    }
    Allocation &candidate = std::prev(next)->second;
    return address < candidate.base + candidate.bytes ? &candidate : nullptr;
}

Allocation *find(uint64_t address) {
    return within(state().live, address);
}

static std::string range(uint64_t address, size_t bytes) {
    char text[64];
    snprintf(text, sizeof text, "0x%llx, %zu bytes", (unsigned long long)address, bytes);
    return text;
}

static Allocation *require(uint64_t address, size_t bytes, const char *what) {
    Allocation *found = last_found;
    if (found && address >= found->base && address + bytes <= found->base + found->bytes) {
        return found;
    }
    found = find(address);
    if (!found || address + bytes > found->base + found->bytes) {
        std::string why = found ? "beyond the end of an allocation of " + std::to_string(found->bytes) + " bytes"
                : within(state().freed, address) ? "in memory that was freed"
                : address == 0 ? "misaligned" : "in no device memory";
        violation(std::string(what) + " of " + range(address, bytes) + ": " + why);
        throw Failure(ILLEGAL_ADDRESS, std::string(what) + " of " + range(address, bytes) + " " + why);
    }
    last_found = found;
    return found;
}

static void require_order(bool ordered, uint64_t address, size_t bytes, const char *what, const char *other) {
    if (!ordered) {
        violation(std::string(what) + " " + range(address, bytes) + " that another stream or branch may still be " + other);
        throw Failure(ILLEGAL_ADDRESS, std::string(what) + " " + range(address, bytes) + " without synchronisation");
    }
}

/* The set with the operation that runs; those that it comes after need not be remembered. */
static uint32_t with_now(uint32_t set) {
    if (last_extended.first == set && last_extended.second != 0) {
        return last_extended.second;
    }
    uint32_t &known = extended[set];
    if (known == 0) {
        std::vector<uint32_t> readers;
        for (uint32_t reader : state().read_by[set]) {
            if (!comes_after(reader)) {
                readers.push_back(reader);
            }
        }
        readers.push_back(state().now);
        state().read_by.push_back(readers);
        known = (uint32_t)state().read_by.size() - 1;
        extended[known] = known;
    }
    last_extended = {set, known};
    return known;
}

void check_read(uint64_t address, size_t bytes) {
    Allocation *in = require(address, bytes, "read");
    for (size_t at = (address - in->base) / 2, end = (address - in->base + bytes + 1) / 2; at < end; at++) {
        uint32_t writer = in->writers[at];
        if (writer == 0) {
            violation("read of " + range(address, bytes) + " that nothing has written");
            throw Failure(ILLEGAL_ADDRESS, "read of memory that nothing has written");
        }
        if (writer != last_writer) {
            require_order(comes_after(writer), address, bytes, "read of", "writing");
            last_writer = writer;
        }
        in->readers[at] = with_now(in->readers[at]);
    }
}

void check_write(uint64_t address, size_t bytes) {
    Allocation *in = require(address, bytes, "write");
    for (size_t at = (address - in->base) / 2, end = (address - in->base + bytes + 1) / 2; at < end; at++) {
        uint32_t writer = in->writers[at];
        if (writer != 0 && writer != last_writer) {
            require_order(comes_after(writer), address, bytes, "write to", "writing");
            last_writer = writer;
        }
        uint32_t readers = in->readers[at];
        if (readers != last_readers) {
            for (uint32_t reader : state().read_by[readers]) {
                require_order(comes_after(reader), address, bytes, "write to", "reading");
            }
            last_readers = readers;
        }
        in->writers[at] = state().now;
        in->readers[at] = 0;
    }
}

void begin_accesses() {
    last_found = nullptr;
    last_writer = last_readers = 0;
    extended.clear();
    last_extended = {0, 0};
}

/* A copy or fill that the host does itself, before everything that it queues later. */
void begin_host_operation() {
    begin_accesses();
    state().ran.push_back({0, 0, nullptr, 0});
    state().now = (uint32_t)state().ran.size() - 1;
}

}      // namespace sim

using namespace sim;

/* The hooks of the kernels' loads and stores (native/cuda/src/host.h). */
void up_host_read(const void *p, unsigned long bytes) { check_read((uint64_t)p, bytes); }
void up_host_write(void *p, unsigned long bytes) { check_write((uint64_t)p, bytes); }
