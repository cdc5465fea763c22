package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Builds one CUDA graph, each part after the one before it: parts are graphs of their own, captured from a stream or filled by a library,
 * and events between them. To be closed; what was instantiated lives on.
 */
final class GraphBuilder implements AutoCloseable {
    private static final String SUBJECT = "the plan's CUDA graph";

    private final MemorySegment stream;
    private final MemorySegment graph;
    private MemorySegment last = MemorySegment.NULL;
    private int populated;
    private int captured;

    GraphBuilder(MemorySegment stream) {
        this.stream = stream;
        graph = CudaDriver.handle("cuGraphCreate", SUBJECT, out -> cuGraphCreate(out, 0));
    }

    /** Adds what a library puts into a graph itself, or else what is queued on the stream. */
    void add(Predicate<MemorySegment> populate, Consumer<MemorySegment> enqueue) {
        MemorySegment part = CudaDriver.handle("cuGraphCreate", SUBJECT, out -> cuGraphCreate(out, 0));
        boolean isFilled = false;
        try {
            isFilled = populate.test(part);
            if (isFilled) {
                addChild(part);
                populated++;
            }
        } finally {
            cuGraphDestroy(part);
        }
        if (!isFilled) {
            capture(enqueue);
        }
    }

    /** Adds what is queued on the stream. */
    void capture(Consumer<MemorySegment> enqueue) {
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
            addChild(part);
            captured++;
        } finally {
            if (part.address() != 0) {
                cuGraphDestroy(part);
            }
        }
    }

    private void addChild(MemorySegment part) {
        last = node("cuGraphAddChildGraphNode", (out, before, count) -> cuGraphAddChildGraphNode(out, graph, before, count, part));
    }

    /** Records an event after what was added so far. */
    void record(MemorySegment event) {
        last = node("cuGraphAddEventRecordNode", (out, before, count) -> cuGraphAddEventRecordNode(out, graph, before, count, event));
    }

    @FunctionalInterface
    private interface NodeMaker {
        int make(MemorySegment out, MemorySegment before, long count);
    }

    private MemorySegment node(String function, NodeMaker maker) {
        try (Arena call = Arena.ofConfined()) {
            boolean isFirst = last.address() == 0;
            MemorySegment before = isFirst ? MemorySegment.NULL : call.allocateFrom(ValueLayout.ADDRESS, last);
            return CudaDriver.handle(function, SUBJECT, out -> maker.make(out, before, isFirst ? 0 : 1));
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
