package dev.upscale;

import dev.upscale.plan.Plan;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.Session;
import dev.upscale.runtime.SessionOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

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

    private BoundSession(Executable executable, SessionOptions options) {
        plan = executable.plan();
        session = executable.open(options);
        inputs = allocate(plan.inputs());
        outputs = allocate(plan.outputs());
    }

    /** Opens a session with that many threads. */
    public static BoundSession open(Executable executable, int threads) {
        return open(executable, SessionOptions.threads(threads));
    }

    public static BoundSession open(Executable executable, SessionOptions options) {
        return new BoundSession(executable, options);
    }

    private MemorySegment[] allocate(List<Plan.Port> ports) {
        return ports.stream().map(port -> owner.allocate(port.bytes(), ALIGNMENT)).toArray(MemorySegment[]::new);
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
