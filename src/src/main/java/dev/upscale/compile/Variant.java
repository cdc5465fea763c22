package dev.upscale.compile;

import java.util.Locale;

/** The variants that every comparison shows. */
public enum Variant {
    /** The network as it was before pruning. */
    UNPRUNED,
    /** One mask for each segment, so that no copy is needed: another network, with its own masked model. */
    CONSTRAINED,
    /** The original order; a gather wherever a consumer does not retain all channels. */
    BASELINE,
    /** The paper's order; a gather where it fails. */
    PAPER,
    /** Everything we can do. */
    UPSCALE;

    /** The name on the command line and in reports: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
