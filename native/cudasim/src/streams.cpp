// Streams, events, capture.
#include "sim.h"

#include <algorithm>
#include <chrono>

namespace sim {

Stream *stream_of(void *handle) {
    Stream *stream = (Stream *)handle;
    if (!state().streams.count(stream)) {
        violation(handle ? "a stream that does not exist" : "the default stream, which waits for all others");
        throw Failure(INVALID_HANDLE, "no such stream");
    }
    return stream;
}

Event *event_of(void *handle) {
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

void push(Stream *stream, Queued queued) {
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

bool comes_after(uint32_t earlier) {
    State &s = state();
    if (earlier <= s.known_to_all || earlier == s.now) {
        return true;
    }
    const Ran &one = s.ran[earlier];
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
    for (size_t k = 0; k < nodes.size(); k++) {
        size_t i = queued.graph ? queued.graph->order[k] : k;
        if (nodes[i].event) {
            record(nodes[i].event, stream);
            continue;
        }
        begin_accesses();
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
