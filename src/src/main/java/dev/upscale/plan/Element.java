package dev.upscale.plan;

import java.util.Locale;

/** What the elements of a view are. Inputs, outputs and constants are f32; in a plan for a GPU the arena may hold narrower ones. */
public enum Element {
    F32(4),
    /** IEEE half precision. */
    F16(2),
    /** The upper half of an f32. */
    BF16(2);

    private final int bytes;

    Element(int bytes) {
        this.bytes = bytes;
    }

    /** The size of one element. */
    public int bytes() {
        return bytes;
    }

    /** The name in reports: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
