// State, faults, violations, and the report.
#include "sim.h"

#include <cstdlib>
#include <cstring>
#include <sstream>

namespace sim {

State &state() {
    static State *the = new State;      // never destroyed: a library's handles may outlive static destruction
    return *the;
}

void violation(const std::string &what) {
    State &s = state();
    if (s.violations.size() < 100) {
        s.violations.push_back(what);
    }
}

static void read_faults(const char *text) {
    State &s = state();
    s.faults.clear();
    s.counts.clear();
    std::stringstream parts(text ? text : "");
    std::string part;
    while (std::getline(parts, part, ',')) {
        size_t colon = part.find(':');
        if (colon != std::string::npos) {
            s.faults[part.substr(0, colon)] = std::atol(part.c_str() + colon + 1);
        }
    }
}

bool due(const char *kind) {
    State &s = state();
    long count = ++s.counts[kind];
    auto fault = s.faults.find(kind);
    return fault != s.faults.end() && fault->second == count;
}

bool &has_context() {
    static thread_local bool current = false;
    return current;
}

int enter_without_context(const char *name, const std::function<int()> &body) {
    State &s = state();
    std::lock_guard<std::recursive_mutex> guard(s.lock);
    if (!s.initialised && std::strcmp(name, "cuInit") != 0) {
        return NOT_INITIALIZED;
    }
    return body();
}

int enter(const char *name, bool is_work, const std::function<int()> &body) {
    State &s = state();
    std::lock_guard<std::recursive_mutex> guard(s.lock);
    if (s.lost) {
        return s.lost;
    }
    if (is_work && !s.unhandled.empty()) {
        violation(std::string(name) + " after " + s.unhandled + " failed, and nothing was given up: the error was not handled");
        s.unhandled.clear();
    }
    if (!has_context() || s.retained == 0) {
        violation(std::string(name) + " on a thread without a current context");
        return INVALID_CONTEXT;
    }
    int status;
    try {
        status = body();
    } catch (const Failure &failure) {
        status = failure.status;
        if (s.first_failure.empty()) {
            s.first_failure = failure.what();
        }
    }
    if (status != SUCCESS && status != NOT_READY) {
        s.unhandled = name;
    }
    return status;
}

int cleanup(const char *, const std::function<int()> &body) {
    State &s = state();
    std::lock_guard<std::recursive_mutex> guard(s.lock);
    s.unhandled.clear();
    try {
        int status = body();
        return s.lost ? s.lost : status;
    } catch (const Failure &failure) {
        return failure.status;
    }
}

void *track(void *handle) {
    state().others.insert(handle);
    return handle;
}

bool untrack(void *handle) {
    return state().others.erase(handle) > 0;
}

}      // namespace sim

using namespace sim;

/* Which faults to inject from now on, for example "alloc:3,launch:10": the third allocation finds no memory, the tenth kernel fails.
 * Kinds: alloc, hostalloc (no memory), launch (a kernel fails while it runs), refuse (a launch is refused at once), copy (an asynchronous copy fails),
 * lost (the device is lost at that operation), cudnn (an execution is refused), module (an image is refused), cublasltcreate (no handle),
 * algorithms (cuBLASLt has none for a product), cublaslt (a product is refused).
 * What was counted, the device's failure and violations are forgotten; memory and handles stay. */
SIM_API void cudasim_begin(const char *faults) {
    State &s = state();
    std::lock_guard<std::recursive_mutex> guard(s.lock);
    read_faults(faults);
    s.lost = 0;
    s.first_failure.clear();
    s.violations.clear();
    s.unhandled.clear();
    s.launches = s.copies = s.graph_launches = s.convolutions = s.products = 0;
    for (Stream *stream : s.streams) {
        stream->queue.clear();
        stream->done = stream->queued;
    }
}

/* Writes a report, one fact a line: "violation TEXT", "leak TEXT", "count NAME N". Returns its length. */
SIM_API size_t cudasim_report(char *text, size_t room) {
    State &s = state();
    std::lock_guard<std::recursive_mutex> guard(s.lock);
    std::ostringstream out;
    for (const std::string &what : s.violations) {
        out << "violation " << what << "\n";
    }
    if (!s.first_failure.empty()) {
        out << "failure " << s.first_failure << "\n";
    }
    for (auto &[base, allocation] : s.live) {
        out << "leak device memory of " << allocation.bytes << " bytes\n";
    }
    for (auto &[base, bytes] : s.pinned) {
        out << "leak pinned memory of " << bytes << " bytes\n";
    }
    auto leaks = [&out](const char *what, size_t count) {
        if (count > 0) {
            out << "leak " << count << " " << what << "\n";
        }
    };
    leaks("streams", s.streams.size());
    leaks("events", s.events.size());
    leaks("graphs", s.graphs.size());
    leaks("executable graphs", s.executables.size());
    leaks("modules", s.modules.size());
    leaks("handles and descriptors", s.others.size());
    leaks("references to the primary context", (size_t)s.retained);
    out << "count launches " << s.launches << "\ncount copies " << s.copies << "\ncount graphlaunches " << s.graph_launches
        << "\ncount convolutions " << s.convolutions << "\ncount products " << s.products << "\ncount rounds " << s.rounds << "\n";
    std::string all = out.str();
    if (text && room > 0) {
        size_t length = all.size() < room - 1 ? all.size() : room - 1;
        std::memcpy(text, all.data(), length);
        text[length] = 0;
    }
    return all.size();
}

namespace {
struct Start {
    Start() { read_faults(std::getenv("CUDASIM_FAULTS")); }
} start;
}
