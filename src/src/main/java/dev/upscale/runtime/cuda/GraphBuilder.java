package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Builds one CUDA graph: its nodes are graphs of their own, captured from a stream or filled by a library, and records of events, each
 * after the nodes that it is said to come after. To be closed; what was instantiated lives on.
 */
final class GraphBuilder implements AutoCloseable {
    private static final String SUBJECT = "the plan's CUDA graph";

    private final MemorySegment stream;
    private final MemorySegment graph;
    private int populated;
    private int captured;

    GraphBuilder(MemorySegment stream) {
        this.stream = stream;
        graph = CudaDriver.handle("cuGraphCreate", SUBJECT, out -> cuGraphCreate(out, 0));
    }

    /** Adds what a library puts into a graph itself, or else what is queued on the stream. Returns the node. */
    MemorySegment add(Predicate<MemorySegment> populate, Consumer<MemorySegment> enqueue, List<MemorySegment> after) {
        MemorySegment part = CudaDriver.handle("cuGraphCreate", SUBJECT, out -> cuGraphCreate(out, 0));
        try {
            if (populate.test(part)) {
                populated++;
                return child(part, after);
            }
        } finally {
            cuGraphDestroy(part);
        }
        return capture(enqueue, after);
    }

    private MemorySegment capture(Consumer<MemorySegment> enqueue, List<MemorySegment> after) {
        CudaDriver.check(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL()), "cuStreamBeginCapture", SUBJECT);
        RuntimeException failure = null;
        try {
            enqueue.accept(stream);
        } catch (RuntimeException e) {
            failure = e;
        }
        MemorySegment part;
        try {
            part = CudaDriver.handle("cuStreamEndCapture", SUBJECT, out -> cuStreamEndCapture(stream, out));
        } catch (RuntimeException e) {
            throw failure == null ? e : failure;
        }
        try {
            if (failure != null) {
                throw failure;
            }
            captured++;
            return child(part, after);
        } finally {
            if (part.address() != 0) {
                cuGraphDestroy(part);
            }
        }
    }

    private MemorySegment child(MemorySegment part, List<MemorySegment> after) {
        return node("cuGraphAddChildGraphNode", after, (out, before, count) -> cuGraphAddChildGraphNode(out, graph, before, count, part));
    }

    /** Adds a record of an event. Returns the node. */
    MemorySegment record(MemorySegment event, List<MemorySegment> after) {
        return node("cuGraphAddEventRecordNode", after, (out, before, count) -> cuGraphAddEventRecordNode(out, graph, before, count, event));
    }

    @FunctionalInterface
    private interface NodeMaker {
        int make(MemorySegment out, MemorySegment before, long count);
    }

    private static MemorySegment node(String function, List<MemorySegment> after, NodeMaker maker) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment before = call.allocate(ValueLayout.ADDRESS, Math.max(1, after.size()));
            for (int i = 0; i < after.size(); i++) {
                before.setAtIndex(ValueLayout.ADDRESS, i, after.get(i));
            }
            return CudaDriver.handle(function, SUBJECT, out -> maker.make(out, after.isEmpty() ? MemorySegment.NULL : before, after.size()));
        }
    }

    /** The graph, ready to be launched. */
    MemorySegment instantiate(DeviceResources resources) {
        MemorySegment executable = CudaDriver.handle("cuGraphInstantiate", SUBJECT, out -> cuGraphInstantiateWithFlags(out, graph, 0));
        resources.add("cuGraphExecDestroy", SUBJECT, () -> cuGraphExecDestroy(executable));
        return executable;
    }

    /** Parts that a library filled, and parts that were captured. */
    int[] parts() {
        return new int[] {populated, captured};
    }

    @Override
    public void close() {
        CudaDriver.check(cuGraphDestroy(graph), "cuGraphDestroy", SUBJECT);
    }
}
