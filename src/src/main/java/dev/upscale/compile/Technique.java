package dev.upscale.compile;

import java.util.Locale;

/** What {@link Variant#UPSCALE} does beyond pruning, each of which can be left out to see what it is worth. */
public enum Technique {
    /** Channels ordered for their consumers; without, they keep the model's order. */
    ORDER,
    /** Orders that are exact; without, the paper's algorithm orders. */
    EXACT_ORDER,
    /** Kernels that read channels by index where they lie; without, what is not contiguous is gathered. */
    INDEX,
    /** Parts of concats written in place; without, every concat is a copy. */
    CONCATS_IN_PLACE,
    /** Concats that pass channels on share memory ({@link JointStorage}). */
    JOINT_STORAGE,
    /** Selections of channels before channel-wise passes ({@link HoistSelections}). */
    HOISTING,
    /** Gathers folded into additions, for libraries ({@link FoldIntoAdditions}). */
    FOLDING,
    /** Zero weights for channels that lie between those that a library's convolution retains ({@link Cover}). */
    SUPERSETS,
    /** A library's convolution as a sum over several slices ({@link Accumulation}). */
    SUMS,
    /** 1×1 convolutions of one tensor merged over the union of their channels ({@link SiblingChoice}). */
    SIBLINGS,
    /** Large batches computed a few images at a time ({@link MicroBatches}), of all variants. */
    MICRO_BATCHES,
    /** Residual additions and activations within the step before them ({@link Fusion}). */
    FUSION,
    /**
     * 3×3 convolutions by Winograd's algorithm where it is faster ({@link Winograd}), of all variants; its rounding errors are up to about
     * three times those of direct sums.
     */
    WINOGRAD,
    /** Weights of small steps fetched by the convolution before them; no matter of plans, but of the sessions that run them. */
    FETCH_AHEAD;

    /** The name on the command line and in reports: lower case, with dashes. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
