package dev.upscale.compile;

import java.util.Locale;

/** In what convolutions and linear layers multiply. Tensors and sums are f32 in any case. */
public enum Precision {
    /** Factors as they are. */
    F32,
    /** Factors rounded to bf16 (8 significant bits) where that is faster and the CPU can. */
    BF16;

    /** The name on the command line and in reports. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
