package dev.upscale.cli;

import dev.upscale.BoundSession;
import dev.upscale.graph.Tensor;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.Profile;
import dev.upscale.runtime.SessionOptions;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A plan that is ready to run on given inputs. To be closed. */
final class Runner implements AutoCloseable {
    private final Executable executable;
    private final BoundSession session;

    private Runner(Executable executable, BoundSession session) {
        this.executable = executable;
        this.session = session;
    }

    static Runner open(Plan plan, SessionOptions options, Map<String, Tensor> inputs) {
        return open(plan, executable -> BoundSession.open(executable, options), inputs);
    }

    /** A runner of another plan of the same network, on the same inputs and outputs in memory. It cannot run once this is closed. */
    Runner beside(Plan plan, SessionOptions options, Map<String, Tensor> inputs) {
        return open(plan, executable -> session.beside(executable, options), inputs);
    }

    /**
     * Another session of the same executable, which reads the same packed weights, on the same inputs and outputs in memory. Whichever is closed
     * first closes both.
     */
    Runner beside(SessionOptions options) {
        return new Runner(executable, session.beside(executable, options));
    }

    private static Runner open(Plan plan, Function<Executable, BoundSession> opening, Map<String, Tensor> inputs) {
        Executable executable = Executable.prepare(plan);
        try {
            Runner runner = new Runner(executable, opening.apply(executable));
            List<Plan.Port> ports = plan.inputs();
            for (int i = 0; i < ports.size(); i++) {
                runner.fill(i, inputs.get(ports.get(i).name()).floats());
            }
            return runner;
        } catch (RuntimeException e) {
            executable.close();
            throw e;
        }
    }

    /** Is told that what runs now is measured, and that it is no longer. */
    @FunctionalInterface
    interface Watch {
        Watch NONE = measuring -> { };

        void tell(boolean measuring);
    }

    /** The times of a plan's steps in that many runs, after as many to warm up, in a session of their own. */
    static Profile profile(Plan plan, SessionOptions options, Map<String, Tensor> inputs, int runs, Watch watch) {
        try (Runner runner = open(plan, options.withProfile(runs), inputs)) {
            for (int run = 0; run < runs; run++) {
                runner.run();
            }
            watch.tell(true);
            for (int run = 0; run < runs; run++) {
                runner.run();
            }
            watch.tell(false);
            return runner.session().session().profile();
        }
    }

    /** Sets the values of an input, in the model's order, for the next runs. */
    void fill(int position, float[] values) {
        session.input(position).put(session.plan().inputs().get(position).inMemoryOrder(values));
    }

    void run() {
        session.run();
    }

    /** The outputs of the latest run, its own or of one beside it, in the model's order. */
    List<float[]> outputs() {
        List<float[]> outputs = new ArrayList<>();
        for (int i = 0; i < session.plan().outputs().size(); i++) {
            FloatBuffer values = session.output(i);
            float[] copy = new float[values.remaining()];
            values.get(copy);
            outputs.add(copy);
        }
        return outputs;
    }

    BoundSession session() {
        return session;
    }

    @Override
    public void close() {
        session.close();
        executable.close();
    }
}
