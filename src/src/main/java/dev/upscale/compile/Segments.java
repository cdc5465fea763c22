package dev.upscale.compile;

import java.util.Locale;

/**
 * Where the segments of a concat lie on a GPU: beside each other in one tensor, so that whoever makes or reads one writes or reads a slice; or
 * each in a tensor of its own, so that whoever reads several is the sum of the convolutions of each.
 */
public enum Segments {
    /** In one tensor. */
    TOGETHER,
    /** Apart where that copies fewer bytes, or as many with fewer engines that are compiled for a step; what partial sums write is free. */
    APART,
    /** Likewise, and what partial sums write counts as copied. */
    WEIGHED;

    /** The name on the command line. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
