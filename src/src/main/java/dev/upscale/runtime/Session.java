package dev.upscale.runtime;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View.Place;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.KernelFailure;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Runs a plan, one run at a time; sessions of one executable are independent. A run allocates nothing on the heap and takes no lock:
 * a second run or a close during one is refused with an {@link IllegalStateException}. Any thread may use a session.
 */
public final class Session implements AutoCloseable {
    /** What kernels may read past the end of the arena, in bytes. */
    private static final long PADDING = 128;
    private static final long ALIGNMENT = 64;
    private static final byte NAN_BYTE = -1;

    private static final int IDLE = 0;
    private static final int RUNNING = 1;
    private static final int CLOSED = 2;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Session.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Executable executable;
    private final Binding binding;
    private final MemorySegment arena;
    private final Runnable[] entries;
    private final Invocation[] calls;
    private final CallersMemory[] inputs;
    private final CallersMemory[] outputs;
    private final boolean poisoned;
    private final Recorder recorder;
    private final StepEvent.Emitter flightRecorder;
    private int state = IDLE;

    private Session(Executable executable, List<Kernel> kernels, Binding binding, MemorySegment arena, SessionOptions options) {
        this.executable = executable;
        this.binding = binding;
        this.arena = arena;
        Plan plan = executable.plan();
        calls = new Invocation[kernels.size()];
        for (int step = 0; step < calls.length; step++) {
            boolean leftOut = options.copyFree() && plan.steps().get(step) instanceof Step.Copy;
            calls[step] = leftOut ? Session::doNothing : bind(plan.steps().get(step), kernels.get(step), binding);
        }
        entries = binding.entries().toArray(Runnable[]::new);
        inputs = plan.inputs().stream().map(port -> memory(plan, port, Place.Kind.INPUT)).toArray(CallersMemory[]::new);
        outputs = plan.outputs().stream().map(port -> memory(plan, port, Place.Kind.OUTPUT)).toArray(CallersMemory[]::new);
        poisoned = options.poisoned();
        recorder = options.profiledRuns() == 0 ? null : new Recorder(plan.steps(), options.profiledRuns());
        flightRecorder = new StepEvent.Emitter(plan.model(), plan.steps());
    }

    static Session open(Executable executable, List<Kernel> kernels, Constants constants, SessionOptions options) {
        Arena owner = Arena.ofShared();
        Binding binding = null;
        try {
            MemorySegment arena = allocate(executable.plan(), owner);
            binding = new Binding(owner, options.threads(), arena, constants);
            return new Session(executable, kernels, binding, arena, options);
        } catch (RuntimeException e) {
            if (binding == null) {
                owner.close();
            } else {
                binding.close();
            }
            throw e;
        }
    }

    private static MemorySegment allocate(Plan plan, Arena owner) {
        try {
            return owner.allocate(Math.addExact(plan.arenaBytes(), PADDING), ALIGNMENT);
        } catch (ArithmeticException | IllegalArgumentException | OutOfMemoryError e) {
            throw new InvalidInput("plan " + plan.model() + " needs an arena of " + plan.arenaBytes()
                    + " bytes, which this machine does not give; compile it for a smaller batch", e);
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

    private CallersMemory memory(Plan plan, Plan.Port port, Place.Kind kind) {
        Place place = new Place(kind, port.name());
        Invocation[] touching = IntStream.range(0, calls.length)
                .filter(step -> touches(plan.steps().get(step), place))
                .mapToObj(step -> calls[step])
                .toArray(Invocation[]::new);
        return new CallersMemory(port, kind == Place.Kind.OUTPUT, binding.locations(place), touching);
    }

    private static boolean touches(Step step, Place place) {
        return Stream.concat(step.sources().stream().map(source -> source.view().place()), Stream.of(step.destination().place()))
                .anyMatch(place::equals);
    }

    /**
     * Runs the plan once. Memories hold f32 in the layout of their {@link Plan.Port}, which is row-major where it names none, and must
     * stay alive until this returns; they may be others in each run. Native memory aligned to 4 bytes is read and written where it lies; any other is copied.
     *
     * @param sources one per input of the plan, in its order
     * @param results one per output of the plan; none may overlap another or a source
     * @throws IllegalArgumentException if a memory is missing, too small, read-only or overlaps another
     * @throws IllegalStateException    if this session is closed or running, or a memory is no longer alive
     * @throws KernelFailure            if a kernel fails; the message names step and kernel. The results are undefined then
     */
    public void run(MemorySegment[] sources, MemorySegment[] results) {
        enter();
        try {
            take(inputs, sources, "input");
            take(outputs, results, "output");
            refuseOverlaps();
            for (CallersMemory input : inputs) {
                input.copyIn();
            }
            if (poisoned) {
                poison();
            }
            for (Runnable entry : entries) {
                entry.run();
            }
            if (recorder == null && !StepEvent.isAskedFor()) {
                runSteps();
            } else {
                runStepsRecorded();
            }
            for (CallersMemory output : outputs) {
                output.copyOut();
            }
        } finally {
            release(inputs);
            release(outputs);
            STATE.setRelease(this, IDLE);
        }
    }

    private void enter() {
        if (!STATE.compareAndSet(this, IDLE, RUNNING)) {
            throw refusal("run");
        }
    }

    private IllegalStateException refusal(String what) {
        boolean isClosed = (int) STATE.getAcquire(this) == CLOSED;
        return new IllegalStateException("cannot " + what + " a session of " + executable.plan().model()
                + (isClosed ? " that is closed" : " that is running in another thread; open one session per thread"));
    }

    private void take(CallersMemory[] memories, MemorySegment[] given, String role) {
        if (given.length != memories.length) {
            throw new IllegalArgumentException(given.length + " " + role + " memories for " + memories.length + " " + role + "s of "
                    + executable.plan().model());
        }
        for (int i = 0; i < memories.length; i++) {
            memories[i].take(given[i], binding.owner());
        }
    }

    private void refuseOverlaps() {
        for (int i = 0; i < outputs.length; i++) {
            for (CallersMemory input : inputs) {
                outputs[i].refuseOverlap(input);
            }
            for (int other = 0; other < i; other++) {
                outputs[i].refuseOverlap(outputs[other]);
            }
        }
    }

    private static void release(CallersMemory[] memories) {
        for (CallersMemory memory : memories) {
            memory.release();
        }
    }

    private void poison() {
        arena.fill(NAN_BYTE);
        for (CallersMemory output : outputs) {
            output.fill(NAN_BYTE);
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
        Step step = executable.plan().steps().get(position);
        return new KernelFailure(step.name(), step.kernel(), cause);
    }

    /**
     * Runs the plan once on arrays: a convenience that copies and allocates.
     *
     * @param sources the elements of every input by its name, row-major whatever the port's layout is
     * @return the elements of every output by its name, row-major, in the plan's order
     */
    public Map<String, float[]> run(Map<String, float[]> sources) {
        Plan plan = executable.plan();
        MemorySegment[] given = plan.inputs().stream().map(port -> heap(port, sources.get(port.name()))).toArray(MemorySegment[]::new);
        Map<String, float[]> results = new LinkedHashMap<>();
        plan.outputs().forEach(port -> results.put(port.name(), new float[Math.toIntExact(port.bytes() / Float.BYTES)]));
        run(given, results.values().stream().map(MemorySegment::ofArray).toArray(MemorySegment[]::new));
        return results;
    }

    private static MemorySegment heap(Plan.Port port, float[] elements) {
        if (elements == null) {
            throw new IllegalArgumentException("input " + port.name() + " is missing");
        }
        return MemorySegment.ofArray(port.inMemoryOrder(elements));
    }

    /**
     * The times of the steps in the latest runs, as many as the options asked for.
     *
     * @throws IllegalStateException if the options did not ask for a profile
     */
    public Profile profile() {
        if (recorder == null) {
            throw new IllegalStateException("the session was opened without a profile");
        }
        return recorder.profile();
    }

    public Executable executable() {
        return executable;
    }

    /**
     * Frees the arena and the calls.
     *
     * @throws IllegalStateException if it is running
     */
    @Override
    public void close() {
        synchronized (executable) {
            if (STATE.compareAndSet(this, IDLE, CLOSED)) {
                binding.close();
                executable.forget(this);
            } else if ((int) STATE.getAcquire(this) == RUNNING) {
                throw refusal("close");
            }
        }
    }
}
