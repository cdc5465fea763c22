package dev.upscale.prune;

/**
 * How much a channel matters. All but {@link #HRANK} and {@link #RESIDUAL} are read off the weights ({@link WeightRatings}); these
 * two look at what the network computes from given inputs.
 *
 * <p>On the input side a channel's elements are those that a consumer multiplies with it, on the output side those of the filter
 * that makes it. Where several weights share a channel, their ratings are added.
 */
public enum Heuristic {
    /** The sum of absolute values: Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, section 3.1. */
    L1,

    /** The sum of squares, which ranks as the Euclidean norm does: He et al., "Soft Filter Pruning", IJCAI 2018, equation 2 with p = 2. */
    L2,

    /**
     * The sum of squares over that of all channels of the weight that are not smaller: Lee et al., "Layer-Adaptive Sparsity for the
     * Magnitude-based Pruning", ICLR 2021, equation 3, of channels instead of elements. Within one weight it ranks as {@link #L2}.
     */
    LAMP,

    /**
     * The sum of Euclidean distances to all channels of the weight; what lies near the geometric median can be replaced by the
     * others: He et al., "Filter Pruning via Geometric Median", CVPR 2019, equations 4 to 7.
     */
    FPGM,

    /** The mean rank of a channel's feature maps: Lin et al., "HRank", CVPR 2020, equation 5. See {@link FeatureRanks}. */
    HRANK,

    /** The error that is left when the weights that remain are solved for. See {@link BackwardElimination}. */
    RESIDUAL,

    /** Uniformly distributed by a seed: what every other heuristic must beat. */
    RANDOM;

    /** Whether it needs nothing but weights. */
    public boolean isOfWeights() {
        return this != HRANK && this != RESIDUAL;
    }
}
