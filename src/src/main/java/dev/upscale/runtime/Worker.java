package dev.upscale.runtime;

import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View.Place;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.KernelFailure;
import dev.upscale.runtime.kernel.Workspaces;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The calls of a plan's kernels on an arena: computes one micro-batch after the other, on one thread at a time. */
final class Worker implements AutoCloseable {
    private static final byte NAN_BYTE = -1;

    private final Plan plan;
    private final Binding binding;
    private final MemorySegment arena;
    private final Workspaces workspaces;
    private final Runnable[] entries;
    private final Invocation[] calls;
    private final PortPointer[] inputs;
    private final PortPointer[] outputs;
    private final boolean poisoned;
    private final Recorder recorder;
    private final StepEvent.Emitter flightRecorder;

    private Worker(Plan plan, List<Kernel> kernels, Binding binding, MemorySegment arena, Workspaces workspaces,
            SessionOptions options) {
        this.plan = plan;
        this.binding = binding;
        this.arena = arena;
        this.workspaces = workspaces;
        calls = new Invocation[kernels.size()];
        for (int step = 0; step < calls.length; step++) {
            boolean leftOut = options.copyFree() && plan.steps().get(step) instanceof Step.Copy;
            calls[step] = leftOut ? Worker::doNothing : bind(plan.steps().get(step), kernels.get(step), binding);
        }
        if (options.fetchesAhead()) {
            FetchAhead.link(plan.steps(), calls, binding.threads());
        }
        entries = binding.entries().toArray(Runnable[]::new);
        inputs = plan.inputs().stream().map(port -> pointer(port, Place.Kind.INPUT)).toArray(PortPointer[]::new);
        outputs = plan.outputs().stream().map(port -> pointer(port, Place.Kind.OUTPUT)).toArray(PortPointer[]::new);
        poisoned = options.poisoned();
        recorder = options.profiledRuns() == 0 ? null : new Recorder(plan.steps(), options.profiledRuns());
        flightRecorder = new StepEvent.Emitter(plan.model(), plan.steps());
    }

    /** Binds the kernels, which may use that many threads, to memory that lives longer than this. */
    static Worker open(Plan plan, List<Kernel> kernels, Constants constants, MemorySegment arena, Workspaces workspaces, SessionOptions options,
            int threads) {
        Binding binding = new Binding(Arena.ofShared(), threads, arena, workspaces, constants);
        try {
            return new Worker(plan, kernels, binding, arena, workspaces, options);
        } catch (RuntimeException e) {
            binding.close();
            throw e;
        }
    }

    private static void doNothing() {}

    private static Invocation bind(Step step, Kernel kernel, Binding binding) {
        try {
            return kernel.bind(binding);
        } catch (RuntimeException e) {
            throw new KernelFailure(step.name(), step.kernel(), e);
        }
    }

    private PortPointer pointer(Plan.Port port, Place.Kind kind) {
        Place place = new Place(kind, port.name());
        Invocation[] touching = IntStream.range(0, calls.length)
                .filter(step -> touches(plan.steps().get(step), place))
                .mapToObj(step -> calls[step])
                .toArray(Invocation[]::new);
        return new PortPointer(port.bytes() / plan.microBatches(), binding.locations(place), touching);
    }

    private static boolean touches(Step step, Place place) {
        return Stream.concat(step.sources().stream().map(source -> source.view().place()), Stream.of(step.destination().place()))
                .anyMatch(place::equals);
    }

    /**
     * Computes one micro-batch.
     *
     * @throws KernelFailure if a kernel fails; the message names step and kernel
     */
    void run(CallersMemory[] sources, CallersMemory[] results, int microBatch) {
        for (int i = 0; i < inputs.length; i++) {
            inputs[i].point(sources[i].address(), microBatch);
        }
        for (int i = 0; i < outputs.length; i++) {
            outputs[i].point(results[i].address(), microBatch);
        }
        if (poisoned) {
            arena.fill(NAN_BYTE);
            workspaces.fill(NAN_BYTE);
        }
        for (Runnable entry : entries) {
            entry.run();
        }
        if (recorder == null && !StepEvent.isAskedFor()) {
            runSteps();
        } else {
            runStepsRecorded();
        }
    }

    private void runSteps() {
        int step = 0;
        try {
            for (; step < calls.length; step++) {
                calls[step].run();
            }
        } catch (RuntimeException e) {
            throw failure(step, e);
        }
    }

    private void runStepsRecorded() {
        boolean inFlight = StepEvent.isAskedFor();
        int step = 0;
        try {
            for (; step < calls.length; step++) {
                if (inFlight) {
                    flightRecorder.begins();
                }
                long start = System.nanoTime();
                calls[step].run();
                long ns = System.nanoTime() - start;
                if (recorder != null) {
                    recorder.ended(step, start, ns);
                }
                if (inFlight) {
                    flightRecorder.ended(step, ns);
                }
            }
            if (recorder != null) {
                recorder.runEnded();
            }
        } catch (RuntimeException e) {
            throw failure(step, e);
        }
    }

    private KernelFailure failure(int position, RuntimeException cause) {
        Step step = plan.steps().get(position);
        return new KernelFailure(step.name(), step.kernel(), cause);
    }

    /** The times of the steps, or null if the options did not ask for them. */
    Profile profile() {
        return recorder == null ? null : recorder.profile();
    }

    /** Memory that lives as long as this. */
    Arena owner() {
        return binding.owner();
    }

    @Override
    public void close() {
        binding.close();
    }
}
