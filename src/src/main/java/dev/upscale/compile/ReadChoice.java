package dev.upscale.compile;

import dev.upscale.graph.Function;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;

/**
 * What there is to choose from for a library's convolution whose channels do not lie side by side, and what it is estimated to take beyond
 * the convolution of a dense tensor, in nanoseconds: a gather, or a sum over a {@link Cover}.
 *
 * @param gatherNanos of a gather
 * @param cover the cheapest cover
 * @param coverNanos of the sum over it; infinite where techniques that it needs are left out
 */
record ReadChoice(double gatherNanos, Cover cover, double coverNanos) {

    /**
     * What a convolution of one group retains of a tensor.
     *
     * @param channels of the tensor
     * @param isDense whether the tensor has its memory to itself
     * @param positions where the retained channels lie in the tensor
     * @param pixels of the tensor, of all images
     * @param elements that the convolution makes
     * @param multiplyAdds that the convolution has
     * @param isPixelwise whether it is a matrix product
     * @param isAddedTo whether a residual is added to it
     * @param activation behind it
     */
    record Read(int channels, boolean isDense, int[] positions, double pixels, double elements, double multiplyAdds, boolean isPixelwise,
            boolean isAddedTo, Function activation) {

        /** Of a convolution by index. */
        static Read of(Step.Convolve exact, int[] positions) {
            View source = exact.source().view();
            int channels = source.dim(1);
            return new Read(channels, source.isDenseChannelsLast(), positions, (double) source.elements() / channels,
                    exact.destination().elements(), exact.multiplyAdds(), exact.conv().window().isPointwise(), exact.addend().isPresent(),
                    exact.activation());
        }

        /** What a channel with zero weights takes. */
        double channelNanos() {
            return LibraryCosts.multiplyAdds(multiplyAdds / positions.length);
        }

        /** What kernels that read slices cannot do themselves, if they are no matrix products. */
        double apartNanos() {
            return (isAddedTo ? LibraryCosts.add(elements) : 0) + LibraryCosts.activation(activation, elements);
        }
    }

    /** The choices for a convolution that engines other than ours carry out. */
    static ReadChoice of(Read read, CompileOptions options) {
        return options.target().isGpu() ? onGpu(read, options.target().rates()) : onCpu(read, options);
    }

    /** By the target's rates; a sum over several slices takes a further step for each, and one that adds. */
    private static ReadChoice onGpu(Read read, Target.Rates rates) {
        double perChannel = read.multiplyAdds() / read.positions().length * rates.multiplyAdd();
        double perRun = 2 * rates.step() + 2 * read.elements() * rates.gatheredElement();
        Cover cover = Cover.cheapest(read.positions(), perChannel, perRun);
        return new ReadChoice(rates.step() + read.pixels() * read.positions().length * rates.gatheredElement(), cover,
                cover.added() * perChannel + (cover.runs().size() - 1) * perRun);
    }

    private static ReadChoice onCpu(Read read, CompileOptions options) {
        boolean sums = options.engines().contains("onednn") && read.isPixelwise();
        boolean supersets = options.uses(Technique.SUPERSETS);
        double gather = LibraryCosts.gather(read.pixels() * read.positions().length);
        double perChannel = supersets ? read.channelNanos() : Double.POSITIVE_INFINITY;
        double perRun = sums ? LibraryCosts.sum(read.elements()) : LibraryCosts.sumApart(read.elements());
        Cover cover = Cover.cheapest(read.positions(), perChannel, options.uses(Technique.SUMS) ? perRun : Double.MAX_VALUE);
        if (cover.runs().size() > 1 && !options.uses(Technique.SUMS)) {
            return new ReadChoice(gather, cover, Double.POSITIVE_INFINITY);
        }
        double nanos = cover.added() * read.channelNanos() + (cover.runs().size() - 1) * perRun + (sums ? 0 : read.apartNanos());
        Cover whole = Cover.whole(read.positions(), read.channels());
        if (supersets && read.isDense() && whole.added() * perChannel < nanos) {
            return new ReadChoice(gather, whole, whole.added() * perChannel);
        }
        return new ReadChoice(gather, cover, nanos);
    }

    /** Whether there is a cover: where sums or zero weights are left out, there need not be. */
    boolean isCovered() {
        return coverNanos < Double.POSITIVE_INFINITY;
    }

    /** For explanations: the gather, then the others. */
    List<Step.Copy.Choice> described(Read read, CompileOptions options) {
        List<Step.Copy.Choice> choices = new ArrayList<>(List.of(new Step.Copy.Choice("a gather", Math.round(gatherNanos))));
        if (isCovered()) {
            choices.add(new Step.Copy.Choice(cover.describe(), Math.round(coverNanos)));
        }
        Cover superset = Cover.cheapest(read.positions(), 0, 1);
        if (!isCovered() || !superset.runs().equals(cover.runs())) {
            choices.add(new Step.Copy.Choice(superset.describe(), Math.round(superset.added() * read.channelNanos() + read.apartNanos())));
        }
        Cover exact = Cover.cheapest(read.positions(), 1, 0);
        if (exact.runs().size() > 1 && (!isCovered() || !exact.runs().equals(cover.runs()))) {
            double perRun = options.engines().contains("onednn") && read.isPixelwise()
                    ? LibraryCosts.sum(read.elements()) : LibraryCosts.sumApart(read.elements());
            choices.add(new Step.Copy.Choice(exact.describe(), Math.round((exact.runs().size() - 1) * perRun)));
        }
        return choices;
    }
}
