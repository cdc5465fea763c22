package dev.upscale.compile;

import dev.upscale.plan.Constant;
import dev.upscale.plan.Step;
import java.util.Arrays;
import java.util.List;

/**
 * The narrowest slice of a tensor that holds all channels that a convolution retains.
 *
 * @param positions where they lie in the tensor
 * @param first the slice's first position
 * @param span how many positions it has
 */
record Superset(int[] positions, int first, int span) {

    static Superset of(int[] positions) {
        int first = Arrays.stream(positions).min().orElseThrow();
        return new Superset(positions, first, Arrays.stream(positions).max().orElseThrow() - first + 1);
    }

    /** The multiply-adds that a convolution of the slice has more than one of the channels alone. */
    long added(Step.Convolve exact) {
        return exact.multiplyAdds() / positions.length * (span - positions.length);
    }

    /** About what these take, in nanoseconds. */
    double addedNanos(Step.Convolve exact) {
        return KernelChoice.addedNanos(added(exact));
    }

    /** Weights [outputs, positions, height, width] as weights of the whole slice, zero for the channels between. */
    Constant spread(Constant weights) {
        List<Integer> dims = weights.dims();
        int taps = dims.get(2) * dims.get(3);
        float[] from = weights.floats();
        float[] to = new float[dims.get(0) * span * taps];
        for (int output = 0; output < dims.get(0); output++) {
            for (int k = 0; k < positions.length; k++) {
                int place = (output * span + positions[k] - first) * taps;
                for (int tap = 0; tap < taps; tap++) {
                    to[place + tap] += from[(output * positions.length + k) * taps + tap];
                }
            }
        }
        return Constant.f32(List.of(dims.get(0), span, dims.get(2), dims.get(3)), to);
    }
}
