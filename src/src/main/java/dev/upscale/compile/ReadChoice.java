package dev.upscale.compile;

import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.Locale;

/**
 * What there is to choose from for a library's convolution whose channels do not lie side by side, and what it is estimated to take beyond
 * the convolution of a dense tensor, in nanoseconds: a gather, or a sum over a {@link Cover}.
 *
 * @param gatherNanos of a gather
 * @param cover the cheapest cover
 * @param coverNanos of the sum over it
 */
record ReadChoice(double gatherNanos, Cover cover, double coverNanos) {

    /** Whether there is a cover: where sums or zero weights are left out, there need not be. */
    boolean isCovered() {
        return coverNanos < Double.POSITIVE_INFINITY;
    }

    /**
     * The choices.
     *
     * @param exact the convolution by index, of one group
     * @param positions its index
     */
    static ReadChoice of(Step.Convolve exact, int[] positions, CompileOptions options) {
        return options.target().isGpu() ? onGpu(exact, positions, options.target().rates()) : onCpu(exact, positions, options);
    }

    /** By the target's rates; a sum over several slices takes a further step for each, and one that adds. */
    private static ReadChoice onGpu(Step.Convolve exact, int[] positions, Target.Rates rates) {
        View source = exact.source().view();
        double pixels = (double) source.elements() / source.dim(1);
        double perChannel = (double) exact.multiplyAdds() / positions.length * rates.multiplyAdd();
        double perRun = 2 * rates.step() + 2 * exact.destination().elements() * rates.gatheredElement();
        Cover cover = Cover.cheapest(positions, perChannel, perRun);
        return new ReadChoice(rates.step() + pixels * positions.length * rates.gatheredElement(), cover,
                cover.added() * perChannel + (cover.runs().size() - 1) * perRun);
    }

    private static ReadChoice onCpu(Step.Convolve exact, int[] positions, CompileOptions options) {
        View source = exact.source().view();
        int channels = source.dim(1);
        double perChannel = LibraryCosts.channel(exact, positions.length);
        boolean sums = options.engines().contains("onednn") && exact.conv().window().isPointwise();
        double perRun = sums ? LibraryCosts.sum(exact) : LibraryCosts.sumApart(exact);
        boolean supersets = options.uses(Technique.SUPERSETS);
        Cover cover = Cover.cheapest(positions, supersets ? perChannel : Double.POSITIVE_INFINITY,
                options.uses(Technique.SUMS) ? perRun : Double.MAX_VALUE);
        if (cover.runs().size() > 1 && !options.uses(Technique.SUMS)) {
            return new ReadChoice(LibraryCosts.gather(source, positions.length), cover, Double.POSITIVE_INFINITY);
        }
        double nanos = cover.added() * perChannel + (cover.runs().size() - 1) * perRun + (sums ? 0 : apart(exact));
        Cover whole = Cover.whole(positions, channels);
        if (supersets && source.isDenseChannelsLast() && whole.added() * perChannel < nanos) {
            cover = whole;
            nanos = whole.added() * perChannel;
        }
        return new ReadChoice(LibraryCosts.gather(source, positions.length), cover, nanos);
    }

    /** What kernels that read slices cannot do themselves. */
    private static double apart(Step.Convolve exact) {
        double elements = exact.destination().elements();
        return (exact.addend().isPresent() ? LibraryCosts.add(elements) : 0) + LibraryCosts.activation(exact.activation(), elements);
    }

    /** In words, for explanations. */
    String describe() {
        String gather = String.format(Locale.ROOT, "the gather takes about %.0f µs", gatherNanos / 1e3);
        return !isCovered() ? gather : gather + String.format(Locale.ROOT,
                ", a sum over %d slices with %d channels of zero weights %.0f µs", cover.runs().size(), cover.added(), coverNanos / 1e3);
    }
}
