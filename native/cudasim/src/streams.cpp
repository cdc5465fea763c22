// Streams, events, capture and graphs.
#include "sim.h"

#include <algorithm>
#include <chrono>

namespace sim {

void reset_caches();

Stream *stream_of(void *handle) {
    Stream *stream = (Stream *)handle;
    if (!state().streams.count(stream)) {
        violation(handle ? "a stream that does not exist" : "the default stream, which waits for all others");
        throw Failure(INVALID_HANDLE, "no such stream");
    }
    return stream;
}

static Event *event_of(void *handle) {
    Event *event = (Event *)handle;
    if (!state().events.count(event)) {
        violation("an event that does not exist");
        throw Failure(INVALID_HANDLE, "no such event");
    }
    return event;
}

static void append(Graph &graph, Node node) {
    if (!graph.nodes.empty()) {
        node.after.push_back((int)graph.nodes.size() - 1);
    }
    graph.nodes.push_back(std::move(node));
}

static void push(Stream *stream, Queued queued) {
    stream->queue.push_back(std::move(queued));
    stream->queued++;
}

int enqueue(Stream *stream, Operation operation) {
    Node node;
    node.operation = std::move(operation);
    if (stream->capture) {
        append(*stream->capture, std::move(node));
    } else {
        poison(node.operation.fills);
        Queued queued;
        queued.nodes.push_back(std::move(node));
        push(stream, std::move(queued));
    }
    return SUCCESS;
}

bool comes_after(uint32_t writer) {
    State &s = state();
    const Ran &one = s.ran[writer];
    const Ran &now = s.ran[s.now];
    if (one.stream == now.stream && one.position == now.position) {
        return one.node == now.node || !now.graph || now.graph->before[(size_t)now.node][(size_t)one.node];
    }
    if (one.stream == now.stream) {
        return true;
    }
    for (Stream *stream : s.streams) {
        if (stream->number == now.stream) {
            auto seen = stream->seen.find(one.stream);
            return seen != stream->seen.end() && one.position < seen->second;
        }
    }
    return false;
}

/* The device has failed: what was queued is lost, and every later call says so. */
static void lose(int status, const std::string &what) {
    State &s = state();
    s.lost = status;
    s.first_failure = what;
    for (Stream *stream : s.streams) {
        stream->queue.clear();
        stream->done = stream->queued;
    }
}

static void record(Event *event, Stream *stream) {
    if (state().events.count(event)) {
        event->done = true;
        event->micros = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
        event->seen = stream->seen;
    }
}

static void run(Stream *stream, Queued &queued) {
    State &s = state();
    if (queued.waited) {
        if (s.streams.count(queued.waited)) {
            drain(queued.waited, queued.waited_position);
            for (auto &[other, position] : queued.waited->seen) {
                stream->seen[other] = std::max(stream->seen[other], position);
            }
            stream->seen[queued.waited->number] = std::max(stream->seen[queued.waited->number], queued.waited_position);
        }
        return;
    }
    if (queued.recorded) {
        record(queued.recorded, stream);
        return;
    }
    const std::vector<Node> &nodes = queued.graph ? queued.graph->nodes : queued.nodes;
    for (size_t i = 0; i < nodes.size(); i++) {
        if (nodes[i].event) {
            record(nodes[i].event, stream);
            continue;
        }
        reset_caches();
        s.ran.push_back({stream->number, stream->done, queued.graph.get(), (int)i});
        s.now = (uint32_t)s.ran.size() - 1;
        try {
            if (due("lost")) {
                throw Failure(DEVICE_UNAVAILABLE, "injected: the device was lost");
            }
            if (nodes[i].operation.kernel && due("launch")) {
                throw Failure(LAUNCH_FAILED, "injected: a kernel failed");
            }
            nodes[i].operation.run();
        } catch (const Failure &failure) {
            throw Failure(failure.status, nodes[i].operation.what + ": " + failure.what());
        }
    }
}

void drain(Stream *stream, size_t position) {
    while (stream->done < position && !stream->queue.empty()) {
        Queued queued = std::move(stream->queue.front());
        stream->queue.pop_front();
        try {
            run(stream, queued);
        } catch (const Failure &failure) {
            lose(failure.status, failure.what());
            throw;
        }
        stream->done++;
    }
}

void drain_all() {
    std::vector<Stream *> all(state().streams.begin(), state().streams.end());
    for (Stream *stream : all) {
        drain(stream, stream->queued);
    }
    state().known_to_all = (uint32_t)state().ran.size() - 1;
}

bool has_pending() {
    return std::any_of(state().streams.begin(), state().streams.end(), [](Stream *stream) { return !stream->queue.empty(); });
}

static void wait_for(Stream *stream, size_t position) {
    drain(stream, position);
    if (!has_pending()) {
        state().known_to_all = (uint32_t)state().ran.size() - 1;
    }
}

/* Appends a graph's nodes, children in place, and tells the nodes that end it. */
static std::vector<int> flatten(const Graph &graph, const std::vector<int> &starts, std::vector<Node> &all) {
    std::vector<std::vector<int>> ends(graph.nodes.size());
    std::vector<bool> has_follower(graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); i++) {
        const Node &node = graph.nodes[i];
        std::vector<int> after = node.after.empty() ? starts : std::vector<int>();
        for (int before : node.after) {
            has_follower[(size_t)before] = true;
            after.insert(after.end(), ends[(size_t)before].begin(), ends[(size_t)before].end());
        }
        if (node.child) {
            ends[i] = node.child->nodes.empty() ? after : flatten(*node.child, after, all);
        } else {
            Node flat = node;
            flat.after = after;
            all.push_back(flat);
            ends[i] = {(int)all.size() - 1};
        }
    }
    std::vector<int> last;
    for (size_t i = 0; i < graph.nodes.size(); i++) {
        if (!has_follower[i]) {
            last.insert(last.end(), ends[i].begin(), ends[i].end());
        }
    }
    return last;
}

static std::shared_ptr<Executable> instantiate(const Graph &graph) {
    auto executable = std::make_shared<Executable>();
    flatten(graph, {}, executable->nodes);
    for (size_t i = 0; i < executable->nodes.size(); i++) {
        std::vector<bool> before(executable->nodes.size());
        for (int one : executable->nodes[i].after) {
            before[(size_t)one] = true;
            for (size_t k = 0; k < (size_t)one; k++) {
                before[k] = before[k] || executable->before[(size_t)one][k];
            }
        }
        executable->before.push_back(before);
    }
    return executable;
}

template <typename Map> static auto require(Map &map, void *handle, const char *what) {
    auto found = map.find((typename Map::key_type)handle);
    if (found == map.end()) {
        violation(std::string(what) + " that does not exist");
        throw Failure(INVALID_HANDLE, std::string("no such ") + what);
    }
    return found->second;
}

}      // namespace sim

using namespace sim;

SIM_API int cuStreamCreate(void **handle, unsigned) {
    return enter("cuStreamCreate", false, [&] {
        Stream *stream = new Stream;
        stream->number = state().next_stream++;
        state().streams.insert(stream);
        *handle = stream;
        return (int)SUCCESS;
    });
}

SIM_API int cuStreamDestroy_v2(void *handle) {
    return cleanup("cuStreamDestroy", [&] {
        Stream *stream = stream_of(handle);
        if (!state().lost) {
            drain(stream, stream->queued);
        }
        state().streams.erase(stream);
        delete stream;
        return (int)SUCCESS;
    });
}

SIM_API int cuStreamSynchronize(void *handle) {
    return enter("cuStreamSynchronize", false, [&] {
        Stream *stream = stream_of(handle);
        if (stream->capture) {
            return (int)STREAM_CAPTURE_UNSUPPORTED;
        }
        wait_for(stream, stream->queued);
        return (int)SUCCESS;
    });
}

SIM_API int cuStreamQuery(void *handle) {
    return enter("cuStreamQuery", false, [&] { return (int)(stream_of(handle)->queue.empty() ? SUCCESS : NOT_READY); });
}

SIM_API int cuCtxSynchronize() {
    return enter("cuCtxSynchronize", false, [&] {
        drain_all();
        return (int)SUCCESS;
    });
}

SIM_API int cuStreamWaitEvent(void *handle, void *event_handle, unsigned) {
    return enter("cuStreamWaitEvent", true, [&] {
        Stream *stream = stream_of(handle);
        Event *event = event_of(event_handle);
        if (event->recorded && event->stream != stream) {
            Queued queued;
            queued.waited = event->stream;
            queued.waited_position = event->position;
            push(stream, std::move(queued));
        }
        return (int)SUCCESS;
    });
}

SIM_API int cuStreamBeginCapture_v2(void *handle, int) {
    return enter("cuStreamBeginCapture", true, [&] {
        Stream *stream = stream_of(handle);
        if (stream->capture) {
            return (int)STREAM_CAPTURE_UNSUPPORTED;
        }
        stream->capture = std::make_shared<Graph>();
        return (int)SUCCESS;
    });
}

SIM_API int cuStreamEndCapture(void *handle, void **graph) {
    return enter("cuStreamEndCapture", false, [&] {
        Stream *stream = stream_of(handle);
        if (!stream->capture) {
            return (int)STREAM_CAPTURE_INVALIDATED;
        }
        *graph = stream->capture.get();
        state().graphs[stream->capture.get()] = stream->capture;
        stream->capture.reset();
        return (int)SUCCESS;
    });
}

SIM_API int cuStreamIsCapturing(void *handle, int *status) {
    return enter("cuStreamIsCapturing", false, [&] {
        *status = stream_of(handle)->capture ? 1 : 0;
        return (int)SUCCESS;
    });
}

SIM_API int cuEventCreate(void **handle, unsigned) {
    return enter("cuEventCreate", false, [&] {
        Event *event = new Event;
        state().events.insert(event);
        *handle = event;
        return (int)SUCCESS;
    });
}

SIM_API int cuEventDestroy_v2(void *handle) {
    return cleanup("cuEventDestroy", [&] {
        Event *event = event_of(handle);
        state().events.erase(event);
        delete event;
        return (int)SUCCESS;
    });
}

static int record_event(const char *name, void *event_handle, void *handle, unsigned flags) {
    return enter(name, true, [&] {
        Stream *stream = stream_of(handle);
        Event *event = event_of(event_handle);
        event->recorded = true;
        event->done = false;
        if (stream->capture) {
            if (flags != 1) {
                violation("an event recorded in a capture without CU_EVENT_RECORD_EXTERNAL cannot be read afterwards");
            }
            Node node;
            node.event = event;
            append(*stream->capture, node);
            return (int)SUCCESS;
        }
        Queued queued;
        queued.recorded = event;
        push(stream, std::move(queued));
        event->stream = stream;
        event->position = stream->queued;
        return (int)SUCCESS;
    });
}

SIM_API int cuEventRecord(void *event, void *stream) { return record_event("cuEventRecord", event, stream, 0); }
SIM_API int cuEventRecordWithFlags(void *event, void *stream, unsigned flags) {
    return record_event("cuEventRecordWithFlags", event, stream, flags);
}

SIM_API int cuEventQuery(void *handle) {
    return enter("cuEventQuery", false, [&] { return (int)(event_of(handle)->done ? SUCCESS : NOT_READY); });
}

SIM_API int cuEventSynchronize(void *handle) {
    return enter("cuEventSynchronize", false, [&] {
        Event *event = event_of(handle);
        if (event->stream && !event->done) {
            wait_for(event->stream, event->position);
        }
        return (int)SUCCESS;
    });
}

SIM_API int cuEventElapsedTime_v2(float *millis, void *from, void *to) {
    return enter("cuEventElapsedTime", false, [&] {
        Event *first = event_of(from);
        Event *second = event_of(to);
        if (!first->recorded || !second->recorded) {
            return (int)INVALID_HANDLE;
        }
        if (!first->done || !second->done) {
            return (int)NOT_READY;
        }
        *millis = (float)((second->micros - first->micros) / 1000);
        return (int)SUCCESS;
    });
}

SIM_API int cuEventElapsedTime(float *millis, void *from, void *to) { return cuEventElapsedTime_v2(millis, from, to); }

SIM_API int cuGraphCreate(void **handle, unsigned) {
    return enter("cuGraphCreate", false, [&] {
        auto graph = std::make_shared<Graph>();
        state().graphs[graph.get()] = graph;
        *handle = graph.get();
        return (int)SUCCESS;
    });
}

SIM_API int cuGraphDestroy(void *handle) {
    return cleanup("cuGraphDestroy", [&] {
        if (state().graphs.erase((Graph *)handle) == 0) {
            violation("cuGraphDestroy of what is no graph");
            return (int)INVALID_VALUE;
        }
        return (int)SUCCESS;
    });
}

static int add_node(void **node, void *graph_handle, void *const *after, size_t count, const std::function<void(Node &)> &fill) {
    auto graph = require(state().graphs, graph_handle, "graph");
    Node added;
    for (size_t i = 0; i < count; i++) {
        size_t number = (size_t)after[i];
        if (number == 0 || number > graph->nodes.size()) {
            violation("a dependency on a node of another graph");
            return INVALID_VALUE;
        }
        added.after.push_back((int)number - 1);
    }
    fill(added);
    graph->nodes.push_back(std::move(added));
    *node = (void *)graph->nodes.size();
    return SUCCESS;
}

SIM_API int cuGraphAddChildGraphNode(void **node, void *graph, void *const *after, size_t count, void *child) {
    return enter("cuGraphAddChildGraphNode", false, [&] {
        auto copied = std::make_shared<Graph>(*require(state().graphs, child, "graph"));
        return add_node(node, graph, after, count, [&](Node &added) { added.child = copied; });
    });
}

SIM_API int cuGraphAddEventRecordNode(void **node, void *graph, void *const *after, size_t count, void *event) {
    return enter("cuGraphAddEventRecordNode", false, [&] {
        Event *recorded = event_of(event);
        return add_node(node, graph, after, count, [&](Node &added) { added.event = recorded; });
    });
}

SIM_API int cuGraphGetNodes(void *graph_handle, void **nodes, size_t *count) {
    return enter("cuGraphGetNodes", false, [&] {
        auto graph = require(state().graphs, graph_handle, "graph");
        if (nodes) {
            for (size_t i = 0; i < *count; i++) {
                nodes[i] = (void *)(i < graph->nodes.size() ? i + 1 : 0);
            }
        }
        *count = graph->nodes.size();
        return (int)SUCCESS;
    });
}

SIM_API int cuGraphInstantiateWithFlags(void **handle, void *graph, unsigned long long) {
    return enter("cuGraphInstantiate", false, [&] {
        auto executable = instantiate(*require(state().graphs, graph, "graph"));
        state().executables[executable.get()] = executable;
        *handle = executable.get();
        return (int)SUCCESS;
    });
}

SIM_API int cuGraphExecDestroy(void *handle) {
    return cleanup("cuGraphExecDestroy", [&] {
        if (has_pending() && !state().lost) {
            drain_all();
        }
        if (state().executables.erase((Executable *)handle) == 0) {
            violation("cuGraphExecDestroy of what is no executable graph");
            return (int)INVALID_VALUE;
        }
        return (int)SUCCESS;
    });
}

SIM_API int cuGraphUpload(void *handle, void *stream) {
    return enter("cuGraphUpload", true, [&] {
        require(state().executables, handle, "executable graph");
        stream_of(stream);
        return (int)SUCCESS;
    });
}

SIM_API int cuGraphLaunch(void *handle, void *stream) {
    return enter("cuGraphLaunch", true, [&] {
        Queued queued;
        queued.graph = require(state().executables, handle, "executable graph");
        state().graph_launches++;
        for (const Node &node : queued.graph->nodes) {
            poison(node.operation.fills);
            if (node.event) {
                node.event->recorded = true;
                node.event->done = false;
                node.event->stream = (Stream *)stream;
                node.event->position = ((Stream *)stream)->queued + 1;
            }
        }
        push(stream_of(stream), std::move(queued));
        return (int)SUCCESS;
    });
}
