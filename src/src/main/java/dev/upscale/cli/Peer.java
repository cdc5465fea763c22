package dev.upscale.cli;

import java.time.Duration;
import java.util.List;

/**
 * Another runtime that benchmarks compare with, run in this process. Implementations are found with
 * {@link java.util.ServiceLoader} on the class path.
 */
public interface Peer {
    /** How {@code --peers} calls it. */
    String name();

    /** Its version, or why it cannot be used. */
    String version();

    /**
     * Opens a model.
     *
     * @param model an ONNX file's content
     * @param threads threads for one run
     * @param inputs shapes and values (f32, row-major) of the network's inputs, which all runs use
     */
    Session open(byte[] model, int threads, List<Input> inputs);

    /** How long its threads may stay awake after a run and take the cores of others, with more than one thread. */
    default Duration spinning() {
        return Duration.ZERO;
    }

    /** A value for one of the network's inputs. */
    record Input(String name, long[] dims, float[] values) {}

    /** An open model. Not safe for use by several threads at once. */
    interface Session extends AutoCloseable {
        /** Runs the model once. */
        void run();

        /** The outputs of the latest run, in the model's order, row-major. */
        List<float[]> outputs();

        @Override
        void close();
    }
}
