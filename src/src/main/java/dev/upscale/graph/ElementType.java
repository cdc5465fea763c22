package dev.upscale.graph;

/** What the elements of a tensor are. Activations and weights are {@link #F32}; {@link #I64} is for constants alone. */
public enum ElementType {
    F32(4),
    I64(8);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /** The size of one element, in bytes. */
    public int bytes() {
        return bytes;
    }
}
