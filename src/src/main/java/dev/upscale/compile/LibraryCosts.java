package dev.upscale.compile;

import dev.upscale.graph.Function;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;

/**
 * About what steps take where a convolution of a library does not read its channels where they lie, in nanoseconds on one thread: what
 * the ways around a gather are chosen by. Fits to measured times of oneDNN, XNNPACK and the pure-Java kernels.
 */
final class LibraryCosts {
    private static final double MULTIPLY_ADD = 0.02;
    private static final double CALL = 2000;

    /** An element gathered in pure Java. */
    private static final double GATHERED = 1.0;

    /** An element added in pure Java, to one that lies beside it in both, or by index. */
    private static final double ADDED = 0.25;
    private static final double ADDED_BY_INDEX = 2.0;

    /** An element added by the convolution that makes it: read and written once more. */
    private static final double SUMMED = 0.12;

    /** An element's activation in pure Java: a clamp, or a function with an exponential. */
    private static final double CLAMPED = 0.25;
    private static final double ACTIVATED = 5.0;

    private LibraryCosts() {}

    /** A gather of so many channels of a source. */
    static double gather(View source, int channels) {
        return CALL + pixels(source) * channels * GATHERED;
    }

    /** So many channels of a sum, made a second time from operands read by index. */
    static double addAgain(View source, int channels) {
        return CALL + pixels(source) * channels * ADDED_BY_INDEX;
    }

    /** A sum that is a step of its own. */
    static double add(double elements) {
        return CALL + elements * ADDED;
    }

    /** A channel of a convolution's source. */
    static double channel(Step.Convolve step, int channels) {
        return (double) step.multiplyAdds() / channels * MULTIPLY_ADD;
    }

    /** One more convolution whose result is added by the library itself. */
    static double sum(Step.Convolve step) {
        return CALL + step.destination().elements() * SUMMED;
    }

    /** One more convolution whose result is added by a step of its own. */
    static double sumApart(Step.Convolve step) {
        return 2 * CALL + step.destination().elements() * (SUMMED + ADDED);
    }

    /** An activation that is a step of its own. */
    static double activation(Function function, double elements) {
        return switch (function.kind()) {
            case NONE -> 0;
            case RELU, CLIP -> CALL + elements * CLAMPED;
            default -> CALL + elements * ACTIVATED;
        };
    }

    private static double pixels(View source) {
        return (double) source.elements() / source.dim(source.rank() == 4 ? 1 : source.rank() - 1);
    }
}
