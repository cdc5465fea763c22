package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.StepDependencies;
import dev.upscale.plan.View;
import dev.upscale.plan.View.Place;
import dev.upscale.runtime.Profile;
import dev.upscale.runtime.SessionOptions;
import dev.upscale.runtime.cublaslt.BoundProduct;
import dev.upscale.runtime.cudnn.Handle;
import dev.upscale.runtime.cudnn.LoadedPlan;
import dev.upscale.runtime.kernel.KernelFailure;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A plan on a GPU with memory of its own. The first run executes the steps one by one and waits for each, so that whatever is wrong is known
 * with the name of its step; then all steps are put into one CUDA graph, which every later run replays: steps may run at once there that
 * touch no common memory, unless the session is profiled. Safe for use by any number of threads, which wait for each other. Once it or its executable is closed it throws {@link IllegalStateException}.
 */
public final class CudaSession implements AutoCloseable {
    private static final byte NAN_BYTE = (byte) 0xff;
    private static final double NANOS_PER_MILLI = 1e6;

    private final CudaExecutable executable;
    private final Plan plan;
    private final SessionOptions options;
    private final List<Step> steps;
    private final StepDependencies dependencies;
    private final DeviceResources resources;
    private final Arena host = Arena.ofShared();
    private final PlanMemory memory;
    private dev.upscale.runtime.cublaslt.Handle products;
    private final MemorySegment stream;
    private final List<GpuCall> calls = new ArrayList<>();
    private final List<Staged> inputs;
    private final List<Staged> outputs;
    private final List<MemorySegment> events = new ArrayList<>();
    private final MemorySegment start;
    private final MemorySegment end;
    private final List<long[]> recorded = new ArrayList<>();
    private final List<Long> launched = new ArrayList<>();
    private MemorySegment graph;
    private int[] graphParts = {0, 0};
    private RuntimeException failure;
    private boolean closed;

    /** An input or output: where it lies on the device, and the pinned host memory that it is copied from or to. */
    private record Staged(Plan.Port port, long address, MemorySegment pinned) {}

    private CudaSession(CudaExecutable executable, SessionOptions options, StepDependencies dependencies, DeviceResources resources) {
        this.executable = executable;
        this.options = options;
        this.resources = resources;
        this.dependencies = dependencies;
        plan = executable.plan();
        steps = executed(plan, options);
        stream = resources.stream("stream of " + plan.model());
        memory = new PlanMemory(plan, executable.constants());
        memory.lieAt(resources.memory("plan " + plan.model() + " (" + plan.variant() + ")", memory.bytes()));
        inputs = plan.inputs().stream().map(port -> staged(port, Place.Kind.INPUT)).toList();
        outputs = plan.outputs().stream().map(port -> staged(port, Place.Kind.OUTPUT)).toList();
        start = resources.event("start of a run");
        end = resources.event("end of a run");
        if (options.profiledRuns() > 0) {
            for (int i = 0; i <= plan.steps().size(); i++) {
                events.add(resources.event("between steps"));
            }
        }
        bind();
    }

    static CudaSession open(CudaExecutable executable, SessionOptions options) {
        List<Step> steps = executed(executable.plan(), options);
        return open(executable, options, options.profiledRuns() > 0 ? StepDependencies.chain(steps.size()) : StepDependencies.of(steps));
    }

    /** @param dependencies of the steps that are executed; a chain if the session is profiled */
    static CudaSession open(CudaExecutable executable, SessionOptions options, StepDependencies dependencies) {
        executable.gpu().enter();
        DeviceResources resources = new DeviceResources(executable.gpu());
        try {
            return new CudaSession(executable, options, dependencies, resources);
        } catch (RuntimeException e) {
            resources.closeAfter(e);
            throw e;
        }
    }

    private Staged staged(Plan.Port port, Place.Kind kind) {
        return new Staged(port, memory.of(new Place(kind, port.name())), resources.pinned("staging of " + port.name(), port.bytes()));
    }

    private void bind() {
        int[] lanes = dependencies.lanes();
        Map<Integer, Handle> handles = new LinkedHashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            int lane = lanes[i];
            try {
                calls.add(bind(step, () -> handles.computeIfAbsent(lane, made -> handle())));
            } catch (RuntimeException e) {
                throw new KernelFailure(step.name(), step.kernel(), e);
            }
        }
    }

    /** A handle's own memory serves one execution at a time, so steps that may run at once have handles of their own. */
    private Handle handle() {
        Handle made = Handle.create();
        release("cudnnDestroy", "cuDNN", made::close);
        made.onStream(stream);
        return made;
    }

    private dev.upscale.runtime.cublaslt.Handle products() {
        if (products == null) {
            products = dev.upscale.runtime.cublaslt.Handle.create();
            release("cublasLtDestroy", "cuBLASLt", products::close);
        }
        return products;
    }

    private void release(String function, String subject, Runnable closing) {
        resources.add(function, subject, () -> {
            closing.run();
            return CUDA_SUCCESS();
        });
    }

    private GpuCall bind(Step step, Supplier<Handle> handle) {
        if (step instanceof Step.Convolve convolve && convolve.libraryPlan().isPresent()) {
            LoadedPlan loaded = ConvolutionCall.load(convolve, executable.libraryPlan(convolve.libraryPlan().get()), handle.get(), memory);
            release("cudnnBackendDestroyDescriptor", step.name(), loaded::close);
            return new GpuCall.Library(loaded);
        }
        if (step.kernel().equals(MatrixCall.KERNEL)) {
            BoundProduct bound = MatrixCall.of(step, executable.compute(), memory).bind(step.name(), products());
            release("cublasLtMatmulDescDestroy", step.name(), bound::close);
            return new GpuCall.Multiplication(bound);
        }
        return GpuCall.Kernel.of(step.name(), CudaKernels.launch(step.kernel(), step, memory), executable.module(), host);
    }

    /**
     * Runs the plan once. Memories hold f32 in the order of the plan's ports and must stay alive until this returns.
     *
     * @param sources one per input of the plan, in its order
     * @param results one per output of the plan
     * @throws IllegalArgumentException if a memory is missing or too small
     * @throws IllegalStateException if this is closed, or the device has failed before
     * @throws KernelFailure if a step fails; the message names it. In a replayed graph the device does not tell which step it was
     */
    public synchronized void run(MemorySegment[] sources, MemorySegment[] results) {
        require(sources, inputs, "input");
        require(results, outputs, "output");
        enter();
        for (int i = 0; i < sources.length; i++) {
            inputs.get(i).pinned.copyFrom(sources[i].asSlice(0, inputs.get(i).port.bytes()));
        }
        try {
            upload();
            if (graph == null) {
                runStepByStep();
                buildGraph();
            } else {
                replay();
            }
            download();
        } catch (RuntimeException e) {
            fail(e);
            throw e;
        }
        for (int i = 0; i < results.length; i++) {
            MemorySegment.copy(outputs.get(i).pinned, 0, results[i], 0, outputs.get(i).port.bytes());
        }
    }

    private static void require(MemorySegment[] given, List<Staged> ports, String role) {
        if (given.length != ports.size()) {
            throw new IllegalArgumentException(given.length + " " + role + " memories for " + ports.size() + " " + role + "s");
        }
        for (int i = 0; i < given.length; i++) {
            Plan.Port port = ports.get(i).port;
            if (given[i] == null || given[i].byteSize() < port.bytes()) {
                throw new IllegalArgumentException(role + " " + port.name() + " needs " + port.bytes() + " bytes");
            }
        }
    }

    private void enter() {
        if (closed) {
            throw new IllegalStateException("cannot run a session of " + plan.model() + " that is closed");
        }
        if (failure != null) {
            throw new IllegalStateException("the device has failed in an earlier run of " + plan.model() + ": " + failure.getMessage(), failure);
        }
        executable.gpu().enter();
    }

    private void fail(RuntimeException cause) {
        failure = cause;
        executable.gpu().fail();
    }

    private void upload() {
        for (Staged input : inputs) {
            CudaDriver.check(cuMemcpyHtoDAsync_v2(input.address, input.pinned, input.port.bytes(), stream), "cuMemcpyHtoDAsync",
                    "input " + input.port.name());
        }
        if (options.poisoned()) {
            CudaDriver.check(cuMemsetD8Async(memory.of(Place.ARENA), NAN_BYTE, Math.max(1, plan.arenaBytes()), stream), "cuMemsetD8Async", "arena");
        }
    }

    private void download() {
        for (Staged output : outputs) {
            CudaDriver.check(cuMemcpyDtoHAsync_v2(output.pinned, output.address, output.port.bytes(), stream), "cuMemcpyDtoHAsync",
                    "output " + output.port.name());
        }
        synchronise("the outputs");
    }

    private void synchronise(String subject) {
        CudaDriver.check(cuStreamSynchronize(stream), "cuStreamSynchronize", subject);
    }

    /** Each step is waited for, so that an error of the device is known to be its own. */
    private void runStepByStep() {
        synchronise("the inputs");
        for (int i = 0; i < calls.size(); i++) {
            Step step = steps.get(i);
            try {
                calls.get(i).enqueue(stream);
                synchronise(step.name());
            } catch (RuntimeException e) {
                throw new KernelFailure(step.name(), step.kernel(), e);
            }
        }
    }

    private static List<Step> executed(Plan plan, SessionOptions options) {
        return plan.steps().stream().filter(step -> !options.copyFree() || !(step instanceof Step.Copy)).toList();
    }

    private void buildGraph() {
        List<MemorySegment> nodes = new ArrayList<>();
        try (GraphBuilder builder = new GraphBuilder(stream)) {
            MemorySegment begun = events.isEmpty() ? null : builder.record(events.getFirst(), List.of());
            for (int i = 0; i < calls.size(); i++) {
                GpuCall call = calls.get(i);
                List<Integer> before = dependencies.before().get(i);
                List<MemorySegment> after = before.isEmpty() && begun != null ? List.of(begun) : before.stream().map(nodes::get).toList();
                try {
                    nodes.add(builder.add(call::populate, call::enqueue, after));
                } catch (RuntimeException e) {
                    throw new KernelFailure(steps.get(i).name(), steps.get(i).kernel(), e);
                }
                if (begun != null) {
                    nodes.set(i, builder.record(events.get(i + 1), List.of(nodes.get(i))));
                }
            }
            graph = builder.instantiate(resources);
            graphParts = builder.parts();
        }
        CudaDriver.check(cuGraphUpload(graph, stream), "cuGraphUpload", plan.model());
    }

    private void replay() {
        long begun = System.nanoTime();
        CudaDriver.check(cuGraphLaunch(graph, stream), "cuGraphLaunch", plan.model());
        try {
            synchronise("the graph of " + plan.model());
        } catch (RuntimeException e) {
            Step first = plan.steps().getFirst();
            Step last = plan.steps().getLast();
            throw new KernelFailure("one of " + plan.steps().size() + ", from " + first.name() + " to " + last.name(), "CUDA graph", e);
        }
        if (!events.isEmpty()) {
            readEvents(begun);
        }
    }

    private void readEvents(long begun) {
        long[] nanos = new long[calls.size()];
        for (int i = 0; i < calls.size(); i++) {
            nanos[i] = nanos(events.get(i), events.get(i + 1));
        }
        recorded.add(nanos);
        launched.add(begun);
        if (recorded.size() > options.profiledRuns()) {
            recorded.removeFirst();
            launched.removeFirst();
        }
    }

    private static long nanos(MemorySegment from, MemorySegment to) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment millis = call.allocate(ValueLayout.JAVA_FLOAT);
            CudaDriver.check(cuEventElapsedTime_v2(millis, from, to), "cuEventElapsedTime", "time of a step");
            return Math.round(millis.get(ValueLayout.JAVA_FLOAT, 0) * NANOS_PER_MILLI);
        }
    }

    /**
     * The times of the steps in the latest replays, by the device's events; steps that were left out take none. Each is said to begin
     * when the one before it ended, the first when the graph was launched.
     *
     * @throws IllegalStateException if the options did not ask for a profile
     */
    public synchronized Profile profile() {
        if (events.isEmpty()) {
            throw new IllegalStateException("the session was opened without a profile");
        }
        long[][] ns = new long[calls.size()][recorded.size()];
        long[][] starts = new long[calls.size()][recorded.size()];
        for (int run = 0; run < recorded.size(); run++) {
            long start = launched.get(run);
            for (int step = 0; step < calls.size(); step++) {
                ns[step][run] = recorded.get(run)[step];
                starts[step][run] = start;
                start += ns[step][run];
            }
        }
        return new Profile(steps, recorded.size(), ns, starts);
    }

    /**
     * Replays the graph on the inputs of the latest run and times each replay by events, copies to and from the host left out.
     *
     * @return nanoseconds, in the order of the replays
     * @throws IllegalStateException if nothing was run before
     */
    public synchronized long[] timeReplays(int replays) {
        enter();
        if (graph == null) {
            throw new IllegalStateException("a session is run before it is timed");
        }
        long[] nanos = new long[replays];
        try {
            for (int i = 0; i < replays; i++) {
                CudaDriver.check(cuEventRecord(start, stream), "cuEventRecord", plan.model());
                CudaDriver.check(cuGraphLaunch(graph, stream), "cuGraphLaunch", plan.model());
                CudaDriver.check(cuEventRecord(end, stream), "cuEventRecord", plan.model());
                synchronise("a replay of " + plan.model());
                nanos[i] = nanos(start, end);
            }
        } catch (RuntimeException e) {
            fail(e);
            throw e;
        }
        return nanos;
    }

    /**
     * Runs the plan once on arrays: a convenience that copies and allocates.
     *
     * @param sources the elements of every input by its name, in the order of its port
     * @return the elements of every output by its name, in the plan's order
     */
    public Map<String, float[]> run(Map<String, float[]> sources) {
        MemorySegment[] given = plan.inputs().stream().map(port -> {
            float[] elements = sources.get(port.name());
            if (elements == null) {
                throw new IllegalArgumentException("input " + port.name() + " is missing");
            }
            return MemorySegment.ofArray(elements);
        }).toArray(MemorySegment[]::new);
        Map<String, float[]> results = new LinkedHashMap<>();
        plan.outputs().forEach(port -> results.put(port.name(), new float[Math.toIntExact(port.bytes() / View.ELEMENT_BYTES)]));
        run(given, results.values().stream().map(MemorySegment::ofArray).toArray(MemorySegment[]::new));
        return results;
    }

    /** Parts of the graph that cuDNN put there itself, and parts that were captured; none before the first run. */
    public synchronized int[] graphParts() {
        return Arrays.copyOf(graphParts, graphParts.length);
    }

    /** The device memory of this session, in bytes: arena, inputs and outputs. */
    public long deviceBytes() {
        return memory.bytes();
    }

    /** Frees its memory and calls. After a failure of the device what it held is gone with the context. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            executable.forget(this);
            try {
                resources.close();
            } finally {
                host.close();
            }
        }
    }
}
