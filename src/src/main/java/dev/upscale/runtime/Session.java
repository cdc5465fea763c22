package dev.upscale.runtime;

import dev.upscale.plan.Plan;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.KernelFailure;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a plan, one run at a time; sessions of one executable are independent. A run allocates nothing on the heap and takes no lock:
 * a second run or a close during one is refused with an {@link IllegalStateException}, and so is a run during that of another session in the
 * same {@link SessionMemory}. Any thread may use a session.
 *
 * <p>A plan with micro-batches is run by as many workers as there are threads, at most one for each micro-batch, each on an arena of
 * its own; what threads are left over are divided among the workers' kernels.
 */
public final class Session implements AutoCloseable {
    private static final byte NAN_BYTE = -1;

    private final Executable executable;
    private final SessionMemory memory;
    private final boolean ownsMemory;
    private final Worker[] workers;
    private final Crew crew;
    private final CallersMemory[] inputs;
    private final CallersMemory[] outputs;
    private final boolean poisoned;
    private final Occupation occupation = new Occupation();

    private Session(Executable executable, SessionMemory memory, List<Worker> workers, SessionOptions options) {
        this.executable = executable;
        this.memory = memory;
        ownsMemory = options.memory().isEmpty();
        this.workers = workers.toArray(Worker[]::new);
        Plan plan = executable.plan();
        crew = new Crew(workers.stream().<Crew.Work>map(worker -> worker::run).toList(), plan.microBatches(), plan.model());
        inputs = plan.inputs().stream().map(port -> new CallersMemory(port, false)).toArray(CallersMemory[]::new);
        outputs = plan.outputs().stream().map(port -> new CallersMemory(port, true)).toArray(CallersMemory[]::new);
        poisoned = options.poisoned();
    }

    /** Divides the threads among as many workers as there are micro-batches for. */
    static Session open(Executable executable, List<Kernel> kernels, Constants constants, SessionOptions options) {
        Plan plan = executable.plan();
        int count = plan.workers(options.threads());
        SessionMemory memory = options.memory().orElseGet(() -> SessionMemory.of(options.threads(), List.of(plan)));
        List<Worker> workers = new ArrayList<>();
        try {
            memory.require(plan, options.threads());
            for (int i = 0; i < count; i++) {
                workers.add(Worker.open(plan, kernels, constants, memory.arena(plan, i), memory.workspaces(i), options, options.threads() / count));
            }
            return new Session(executable, memory, workers, options);
        } catch (RuntimeException e) {
            workers.forEach(Worker::close);
            if (options.memory().isEmpty()) {
                memory.close();
            }
            throw e;
        }
    }

    /**
     * Runs the plan once. Memories hold f32 in the layout of their {@link Plan.Port}, which is row-major where it names none, and must
     * stay alive until this returns; they may be others in each run. Native memory aligned to 4 bytes is read and written where it lies; any other is copied.
     *
     * @param sources one per input of the plan, in its order
     * @param results one per output of the plan; none may overlap another or a source
     * @throws IllegalArgumentException if a memory is missing, too small, read-only or overlaps another
     * @throws IllegalStateException    if this session is closed or running, its {@link SessionMemory} is closed or another session runs in it,
     *                                  or a memory is no longer alive
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
            crew.run(inputs, outputs);
            for (CallersMemory output : outputs) {
                output.copyOut();
            }
        } finally {
            release(inputs);
            release(outputs);
            memory.end();
            occupation.end();
        }
    }

    private void enter() {
        if (!occupation.begin()) {
            throw refusal("run");
        }
        try {
            memory.begin(executable.plan());
        } catch (IllegalStateException e) {
            occupation.end();
            throw e;
        }
    }

    private IllegalStateException refusal(String what) {
        return new IllegalStateException("cannot " + what + " a session of " + executable.plan().model()
                + (occupation.isClosed() ? " that is closed" : " that is running in another thread; open one session per thread"));
    }

    private void take(CallersMemory[] memories, MemorySegment[] given, String role) {
        if (given.length != memories.length) {
            throw new IllegalArgumentException(given.length + " " + role + " memories for " + memories.length + " " + role + "s of "
                    + executable.plan().model());
        }
        for (int i = 0; i < memories.length; i++) {
            memories[i].take(given[i], workers[0].owner());
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
        for (CallersMemory output : outputs) {
            output.fill(NAN_BYTE);
        }
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
     * The times of the steps in the latest runs, as many as the options asked for; of a plan with micro-batches, in the latest that the
     * session's first worker computed.
     *
     * @throws IllegalStateException if the options did not ask for a profile
     */
    public Profile profile() {
        Profile profile = workers[0].profile();
        if (profile == null) {
            throw new IllegalStateException("the session was opened without a profile");
        }
        return profile;
    }

    public Executable executable() {
        return executable;
    }

    /**
     * Frees the calls, and the memory if it is its own, and ends the session's threads.
     *
     * @throws IllegalStateException if it is running
     */
    @Override
    public void close() {
        synchronized (executable) {
            if (occupation.close()) {
                crew.close();
                for (Worker worker : workers) {
                    worker.close();
                }
                if (ownsMemory) {
                    memory.close();
                }
                executable.forget(this);
            } else if (occupation.isInUse()) {
                throw refusal("close");
            }
        }
    }
}
