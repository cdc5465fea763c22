package dev.upscale.runtime.kernel;

import dev.upscale.plan.Step;

/** Along which axis an operand's index list counts. */
public final class ChannelAxis {
    private ChannelAxis() {}

    /** For an operand of that rank: axis 1, but the last of a linear layer's rows. */
    public static int of(Step step, int rank) {
        return step instanceof Step.Convolve && rank != 4 ? rank - 1 : 1;
    }
}
