package dev.upscale.compile;

import dev.upscale.graph.Function;

/**
 * About what steps take where a convolution of a library does not read its channels where they lie, in nanoseconds on one thread: what
 * the ways around a gather are chosen by. Fits to measured times of oneDNN, XNNPACK and the pure-Java kernels.
 */
final class LibraryCosts {
    private static final double MULTIPLY_ADD = 0.014;
    private static final double CALL = 2000;

    /** An element gathered in pure Java. */
    private static final double GATHERED = 1.0;

    /** An element added in pure Java, to one that lies beside it in both, or by index. */
    private static final double ADDED = 0.25;
    private static final double ADDED_BY_INDEX = 2.0;

    /** One more convolution that adds by itself, and each element that it adds: tiny matrix products reach no library's peak. */
    private static final double SUM_CALL = 8000;
    private static final double SUMMED = 0.3;

    /** An element's activation in pure Java: a clamp, or a function with an exponential. */
    private static final double CLAMPED = 0.25;
    private static final double ACTIVATED = 5.0;

    private LibraryCosts() {}

    static double multiplyAdds(double count) {
        return count * MULTIPLY_ADD;
    }

    /** A gather of so many elements. */
    static double gather(double elements) {
        return CALL + elements * GATHERED;
    }

    /** So many elements of a sum, made a second time from operands read by index or, of a slice, side by side. */
    static double addAgain(double elements, boolean byIndex) {
        return CALL + elements * (byIndex ? ADDED_BY_INDEX : GATHERED);
    }

    /** A sum that is a step of its own. */
    static double add(double elements) {
        return CALL + elements * ADDED;
    }

    /** One more convolution of so many outputs that adds by itself. */
    static double sum(double elements) {
        return SUM_CALL + elements * SUMMED;
    }

    /** One more convolution whose result is added by a step of its own. */
    static double sumApart(double elements) {
        return 2 * CALL + elements * (SUMMED + ADDED);
    }

    /** An activation that is a step of its own. */
    static double activation(Function function, double elements) {
        return switch (function.kind()) {
            case NONE -> 0;
            case RELU, CLIP -> CALL + elements * CLAMPED;
            default -> CALL + elements * ACTIVATED;
        };
    }
}
