package dev.upscale.compile;

import java.util.Locale;

/** In what convolutions and linear layers multiply; on a GPU also what tensors hold. Sums are f32 in any case. */
public enum Precision {
    /** Factors as they are. */
    F32,
    /** Factors rounded to TF32 (11 significant bits), tensors f32; on a GPU. */
    TF32,
    /** Factors and tensors in half precision; on a GPU. */
    F16,
    /** Factors rounded to bf16 (8 significant bits): on a CPU where that is faster and it can, tensors f32; on a GPU tensors too. */
    BF16;

    /** The name on the command line and in reports. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
