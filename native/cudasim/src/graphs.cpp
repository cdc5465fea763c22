// Graphs: nodes, edges, instances, launches.
#include "sim.h"

#include <algorithm>
#include <queue>

namespace sim {

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

/* An order that the edges allow, and as unlike the one in which nodes were added as can be: of those that may run the latest is next. */
static std::vector<size_t> contrary_order(const std::vector<Node> &nodes) {
    std::vector<size_t> waits_for(nodes.size());
    std::vector<std::vector<size_t>> followers(nodes.size());
    std::priority_queue<size_t> ready;
    for (size_t i = 0; i < nodes.size(); i++) {
        waits_for[i] = nodes[i].after.size();
        for (int before : nodes[i].after) {
            followers[(size_t)before].push_back(i);
        }
        if (waits_for[i] == 0) {
            ready.push(i);
        }
    }
    std::vector<size_t> order;
    while (!ready.empty()) {
        size_t next = ready.top();
        ready.pop();
        order.push_back(next);
        for (size_t follower : followers[next]) {
            if (--waits_for[follower] == 0) {
                ready.push(follower);
            }
        }
    }
    return order;
}

static std::shared_ptr<Executable> instantiate(const Graph &graph) {
    auto executable = std::make_shared<Executable>();
    flatten(graph, {}, executable->nodes);
    std::vector<long> rounds(executable->nodes.size(), 1);
    state().rounds = 0;
    for (size_t i = 0; i < executable->nodes.size(); i++) {
        std::vector<bool> before(executable->nodes.size());
        for (int one : executable->nodes[i].after) {
            before[(size_t)one] = true;
            for (size_t k = 0; k < (size_t)one; k++) {
                before[k] = before[k] || executable->before[(size_t)one][k];
            }
            rounds[i] = std::max(rounds[i], rounds[(size_t)one] + 1);
        }
        state().rounds = std::max(state().rounds, rounds[i]);
        executable->before.push_back(before);
    }
    executable->order = contrary_order(executable->nodes);
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
