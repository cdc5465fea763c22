package dev.upscale;

import dev.upscale.plan.Plan;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.Session;
import dev.upscale.runtime.SessionOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A session with memory of its own for the network's inputs and outputs: fill the inputs, run, read the outputs. A run
 * allocates nothing. Not safe for use by several threads at once; open one for each.
 */
public final class BoundSession implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    private final Arena owner = Arena.ofShared();
    private final Plan plan;
    private final Session session;
    private final MemorySegment[] inputs;
    private final MemorySegment[] outputs;

    private BoundSession(Executable executable, SessionOptions options, Map<Plan.Port, MemorySegment> lentInputs,
            Map<Plan.Port, MemorySegment> lentOutputs) {
        plan = executable.plan();
        session = executable.open(options);
        inputs = place(plan.inputs(), lentInputs);
        outputs = place(plan.outputs(), lentOutputs);
    }

    /** Opens a session with that many threads. */
    public static BoundSession open(Executable executable, int threads) {
        return open(executable, SessionOptions.threads(threads));
    }

    public static BoundSession open(Executable executable, SessionOptions options) {
        return new BoundSession(executable, options, Map.of(), Map.of());
    }

    /**
     * Opens a session that reads this one's inputs and writes its outputs, for plans that run in turns on the same values: those of the same name,
     * shape and layout; for others it has memory of its own. It cannot run once this is closed.
     */
    public BoundSession beside(Executable executable, SessionOptions options) {
        return new BoundSession(executable, options, byPort(plan.inputs(), inputs), byPort(plan.outputs(), outputs));
    }

    private static Map<Plan.Port, MemorySegment> byPort(List<Plan.Port> ports, MemorySegment[] memories) {
        Map<Plan.Port, MemorySegment> lent = new HashMap<>();
        for (int i = 0; i < memories.length; i++) {
            lent.put(ports.get(i), memories[i]);
        }
        return lent;
    }

    private MemorySegment[] place(List<Plan.Port> ports, Map<Plan.Port, MemorySegment> lent) {
        return ports.stream().map(port -> lent.containsKey(port) ? lent.get(port) : owner.allocate(port.bytes(), ALIGNMENT))
                .toArray(MemorySegment[]::new);
    }

    /**
     * The elements of an input, in the layout of its {@link Plan.Port} (row-major, or channels-last), by its position in the model;
     * writing to them sets the next run's values.
     */
    public FloatBuffer input(int position) {
        return floats(inputs[position]);
    }

    /** The elements of an output of the latest run, row-major, by its position in the model. */
    public FloatBuffer output(int position) {
        return floats(outputs[position]);
    }

    private static FloatBuffer floats(MemorySegment memory) {
        return memory.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** Runs the network once. */
    public void run() {
        session.run(inputs, outputs);
    }

    /** The session that runs. */
    public Session session() {
        return session;
    }

    /** What it runs. */
    public Plan plan() {
        return plan;
    }

    @Override
    public void close() {
        session.close();
        owner.close();
    }
}
