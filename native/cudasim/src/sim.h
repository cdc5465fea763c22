// The simulated device's state. One per process; every entry point takes its lock.
//
// Device memory is host memory that only the simulation touches: each allocation has a shadow that says which operation wrote each two
// bytes, and which have read them since. Streams are queues that are run when somebody waits for them, and not before, so that whoever reads without waiting sees
// what was there before (NaN, in buffers that a copy is to fill).
#ifndef CUDASIM_H
#define CUDASIM_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#define SIM_API extern "C" __attribute__((visibility("default")))

namespace sim {

// CUresult values that the simulation gives.
enum Status {
    SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, DEVICE_UNAVAILABLE = 46, INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201, NO_BINARY_FOR_GPU = 209, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700, LAUNCH_OUT_OF_RESOURCES = 701,
    LAUNCH_FAILED = 719, STREAM_CAPTURE_INVALIDATED = 901, STREAM_CAPTURE_UNSUPPORTED = 900
};

// Ends an operation of the device.
struct Failure : std::runtime_error {
    int status;
    Failure(int status, const std::string &what) : std::runtime_error(what), status(status) {}
};

struct Allocation {
    uint64_t base;
    size_t bytes;
    std::string name;
    std::unique_ptr<uint32_t[]> writers;      // for each two bytes, the operation that wrote them; 0: none
    std::unique_ptr<uint32_t[]> readers;      // for each two bytes, the set of operations that have read them since; 0: none
};

struct Operation {
    std::string what;
    std::function<void()> run;
    bool kernel = false;
    std::vector<std::pair<uint64_t, size_t>> fills;      // host memory that it will write: made NaN when it is queued
};

struct Event;

struct Node {
    Operation operation;
    std::vector<int> after;
    std::shared_ptr<struct Graph> child;
    Event *event = nullptr;
};

struct Graph {
    std::vector<Node> nodes;
};

// A graph without children, each node with all the nodes that come before it, and the order in which they run.
struct Executable {
    std::vector<Node> nodes;
    std::vector<std::vector<bool>> before;
    std::vector<size_t> order;
};

struct Queued {
    std::vector<Node> nodes;                                   // one, or those of a graph
    std::shared_ptr<const Executable> graph;
    Event *recorded = nullptr;
    struct Stream *waited = nullptr;
    size_t waited_position = 0;
};

struct Stream {
    int number;
    std::deque<Queued> queue;
    size_t done = 0, queued = 0;                               // positions
    std::shared_ptr<Graph> capture;
    std::map<int, size_t> seen;                                // by stream, the position up to which its work is known to be done
};

struct Event {
    Stream *stream = nullptr;
    size_t position = 0;
    double micros = 0;
    bool recorded = false, done = false;
    std::map<int, size_t> seen;
};

// An operation that has run: where, so that later ones can tell whether they come after it.
struct Ran {
    int stream;
    size_t position;
    const Executable *graph;
    int node;
};

struct State {
    std::recursive_mutex lock;
    bool initialised = false;
    int retained = 0;
    bool current = false;
    std::map<uint64_t, Allocation> live;
    std::map<uint64_t, Allocation> freed;                      // kept, so that a use after the free is known for what it is
    std::map<uint64_t, size_t> pinned;
    size_t used = 0, total = (size_t)4 << 30;
    std::set<Stream *> streams;
    std::set<Event *> events;
    std::map<Graph *, std::shared_ptr<Graph>> graphs;
    std::map<Executable *, std::shared_ptr<Executable>> executables;
    std::map<void *, std::set<std::string>> modules;            // with the kernels that each holds
    std::set<void *> others;                                   // handles and descriptors of the libraries
    std::vector<Ran> ran{{-1, 0, nullptr, 0}};                 // operation 0: none
    uint32_t known_to_all = 0;                                 // operations that the host has waited for
    uint32_t now = 0;                                          // the operation that runs
    std::vector<std::vector<uint32_t>> read_by{{}};            // sets of operations; set 0: none
    int next_stream = 1;
    double micros = 0;
    int lost = 0;                                              // the status that every call gives once the device has failed
    std::string first_failure;
    std::vector<std::string> violations;
    std::string unhandled;                                     // the call whose error nobody seems to have handled yet
    std::map<std::string, long> counts;
    std::map<std::string, long> faults;
    long rounds = 0;                                           // nodes on the longest way through the graph that was instantiated last
    long launches = 0, copies = 0, graph_launches = 0, convolutions = 0, products = 0;
};

const int MAJOR = 9, MINOR = 0;                                // the compute capability

// A kernel of ours, compiled for the host, or null.
void *code_of(const std::string &name);

State &state();

void violation(const std::string &what);

// Whether the fault of that kind is due now: counts calls.
bool due(const char *kind);

// Whether this thread has made the context current.
bool &has_context();

// Wraps an entry point: lock, context, device lost, error remembered. The first: for what needs no context.
int enter_without_context(const char *name, const std::function<int()> &body);
int enter(const char *name, bool is_work, const std::function<int()> &body);
int cleanup(const char *name, const std::function<int()> &body);      // frees and destroys: always allowed, an error counts as handled

// Memory. They throw Failure where an access is not allowed.
Allocation *find(uint64_t address);
void check_read(uint64_t address, size_t bytes);
void check_write(uint64_t address, size_t bytes);
void begin_accesses();                                         // another operation runs from now on
void begin_host_operation();
bool is_pinned(uint64_t address, size_t bytes);
void poison(const std::vector<std::pair<uint64_t, size_t>> &fills);

// Streams.
Stream *stream_of(void *handle);
Event *event_of(void *handle);
void push(Stream *stream, Queued queued);
int enqueue(Stream *stream, Operation operation);
void drain(Stream *stream, size_t position);
void drain_all();
bool has_pending();
bool comes_after(uint32_t earlier);                            // whether the operation that runs comes after that one

// Handles and descriptors of the libraries.
void *track(void *handle);
bool untrack(void *handle);

// Kernels by name.
struct KernelCode {
    void (*run)(const void *arguments, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y);
    size_t arguments;
};

}      // namespace sim
#endif
