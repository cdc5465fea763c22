package dev.upscale.runtime;

import dev.upscale.plan.Step;
import dev.upscale.runtime.kernel.Invocation;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights that are there before they are needed. Small layers, such as depthwise convolutions and the two linear layers of a
 * squeeze-and-excitation, read their weights from memory and do next to nothing with each: they wait. A convolution before them that computes
 * for long has room to fetch on the side. So each of these is told the weights of the small steps behind it, up to the next that is not small:
 * what it reads would come too early, and its own products hide that it waits.
 *
 * <p>On one thread the fetches cost the convolution about what they save, unless there is a depthwise convolution of ours behind it, which
 * gains most: it reads the weights of a vector of channels from as many places as it has taps.
 */
final class FetchAhead {
    /** A byte takes as long to come as so many multiply-adds take to compute, on two threads, with some time to spare. */
    private static final long MULTIPLY_ADDS_PER_BYTE = 12;
    /** Weights of a step that is small whatever it computes with them. */
    private static final long FEW_BYTES = 64 << 10;

    private FetchAhead() {}

    /**
     * @param calls of the steps, in their order
     * @param threads of each step
     */
    static void link(List<Step> steps, Invocation[] calls, int threads) {
        for (int step = 0; step < calls.length; step++) {
            if (calls[step].fetches()) {
                List<MemorySegment> behind = behind(step, steps, calls, threads);
                if (!behind.isEmpty()) {
                    calls[step].fetch(behind);
                }
            }
        }
    }

    /** Weights of the small steps behind one, as many as there is time for. */
    private static List<MemorySegment> behind(int step, List<Step> steps, Invocation[] calls, int threads) {
        List<MemorySegment> ranges = new ArrayList<>();
        boolean pays = threads > 1;
        long left = steps.get(step).multiplyAdds() / MULTIPLY_ADDS_PER_BYTE;
        for (int next = step + 1; next < calls.length; next++) {
            List<MemorySegment> weights = calls[next].weights();
            long bytes = weights.stream().mapToLong(MemorySegment::byteSize).sum();
            left -= bytes;
            if (left < 0 || !isSmall(steps.get(next), bytes)) {
                break;
            }
            ranges.addAll(weights);
            pays |= isOurDepthwise(steps.get(next));
        }
        return pays ? ranges : List.of();
    }

    private static boolean isOurDepthwise(Step step) {
        return step instanceof Step.Convolve convolve && convolve.kernel().equals("upscale.conv") && convolve.conv().groups() > 1;
    }

    /** Not where it multiplies with weights that are not known. */
    private static boolean isSmall(Step step, long bytes) {
        return step.multiplyAdds() <= bytes || bytes > 0 && bytes <= FEW_BYTES;
    }
}
