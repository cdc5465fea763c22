package dev.upscale.compile;

import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Step;

/**
 * When a convolution is worth Winograd's minimal filtering F(m×m, 3×3), and with tiles of which size: an estimate of its time in
 * multiply-adds, for each tile and each weight. Sources: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks"; the two
 * prices are fits to measured times.
 */
public final class Winograd {
    /** What fetching a weight takes that no cache holds, as that many multiply-adds. */
    private static final double WEIGHT = 16;

    /** What transforming one input or output of a product takes, as that many multiply-adds. */
    private static final double TRANSFORM = 16;

    /** What is to be won at least, for its rounding errors and its memory. */
    private static final double WORTH = 0.9;

    /** What direct sums take with factors in bf16, relative to f32. */
    private static final double BF16 = 0.5;

    private Winograd() {}

    /** Whether it can compute the convolution at all: kernel 3×3, stride 1, dilation 1, one group, on images. */
    public static boolean fits(Step.Convolve step) {
        Op.Conv conv = step.conv();
        Window window = conv.window();
        return step.source().view().rank() == 4 && conv.groups() == 1 && window.kernelH() == 3 && window.kernelW() == 3
                && window.strideH() == 1 && window.strideW() == 1 && window.dilationH() == 1 && window.dilationW() == 1;
    }

    /** Whether it is estimated to be clearly faster than direct sums, for a convolution that fits. */
    public static boolean isWorthwhile(Step.Convolve step) {
        return cost(step, tile(step)) < WORTH * direct(step);
    }

    /** Whether it is estimated to be faster than direct sums of products in bf16 too, for a convolution that fits. */
    static boolean isWorthwhileOverBf16(Step.Convolve step) {
        return cost(step, tile(step)) < BF16 * direct(step);
    }

    private static double direct(Step.Convolve step) {
        return 9 * (step.destination().elements() / outputs(step) + WEIGHT);
    }

    /** The better tile for a convolution that fits: 2 or 4, its height and width in outputs. */
    public static int tile(Step.Convolve step) {
        return cost(step, 2) < cost(step, 4) ? 2 : 4;
    }

    /** The input channels that a convolution of one group reads. */
    public static int channels(Step.Convolve step) {
        return step.source().isIndexed()
                ? Math.toIntExact(Math.max(1, step.multiplyAdds() / step.destination().elements() / 9)) : step.source().view().dim(1);
    }

    private static double outputs(Step.Convolve step) {
        return step.destination().dim(1);
    }

    private static double cost(Step.Convolve step, int tile) {
        double tiles = (double) step.destination().dim(0) * Math.ceilDiv(step.destination().dim(2), tile)
                * Math.ceilDiv(step.destination().dim(3), tile);
        double transforms = TRANSFORM / channels(step) + TRANSFORM / outputs(step);
        return (tile + 2) * (tile + 2) * (tiles * (1 + transforms) + WEIGHT);
    }
}
