package dev.upscale.compile;

import dev.upscale.plan.Constant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs of a tensor's channels that hold all channels that a convolution retains: the convolution is the sum of those of its runs,
 * with zero weights for the channels between. One run is a superset slice.
 *
 * @param positions where the retained channels lie in the tensor, in the order of the weights; a position may occur twice
 * @param runs in ascending order, apart from each other
 */
record Cover(int[] positions, List<Run> runs) {

    /** Neighbouring channels: {@code first}, ..., {@code first + span - 1}. */
    record Run(int first, int span) {
        boolean holds(int position) {
            return first <= position && position < first + span;
        }
    }

    /**
     * The cheapest cover.
     *
     * @param nanosPerChannel what a channel with zero weights costs
     * @param nanosPerRun what a further run costs
     */
    static Cover cheapest(int[] positions, double nanosPerChannel, double nanosPerRun) {
        int[] ascending = Arrays.stream(positions).sorted().distinct().toArray();
        List<Run> runs = new ArrayList<>();
        int first = ascending[0];
        for (int k = 1; k <= ascending.length; k++) {
            int last = ascending[k - 1];
            if (k == ascending.length || (ascending[k] - last - 1) * nanosPerChannel > nanosPerRun) {
                runs.add(new Run(first, last - first + 1));
                first = k < ascending.length ? ascending[k] : first;
            }
        }
        return new Cover(positions, List.copyOf(runs));
    }

    /** All channels of a tensor. */
    static Cover whole(int[] positions, int channels) {
        return new Cover(positions, List.of(new Run(0, channels)));
    }

    /** How many channels have zero weights. */
    int added() {
        return runs.stream().mapToInt(Run::span).sum() - (int) Arrays.stream(positions).distinct().count();
    }

    /** In words, for explanations. */
    String describe() {
        return (runs.size() == 1 ? "one slice" : "a sum over " + runs.size() + " slices") + ", zero weights for " + added() + " channels";
    }

    /** Of weights [outputs, retained channels, height, width], those of one run's channels. */
    Constant weights(Constant weights, Run run) {
        List<Integer> dims = weights.dims();
        int taps = dims.get(2) * dims.get(3);
        float[] from = weights.floats();
        float[] to = new float[dims.get(0) * run.span() * taps];
        for (int output = 0; output < dims.get(0); output++) {
            for (int k = 0; k < positions.length; k++) {
                if (run.holds(positions[k])) {
                    int place = (output * run.span() + positions[k] - run.first()) * taps;
                    for (int tap = 0; tap < taps; tap++) {
                        to[place + tap] += from[(output * positions.length + k) * taps + tap];
                    }
                }
            }
        }
        return Constant.f32(List.of(dims.get(0), run.span(), dims.get(2), dims.get(3)), to);
    }
}
