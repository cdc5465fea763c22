package dev.upscale.runtime.cuda;

/** How a plan's activations and weights lie in device memory. Sums are f32 in any case. */
public enum Storage {
    F32(4),
    F16(2);

    private final int bytes;

    Storage(int bytes) {
        this.bytes = bytes;
    }

    /** The size of one element, in bytes. */
    public int bytes() {
        return bytes;
    }

    /** As it stands in the names of kernels. */
    String suffix() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /** Elements in 16 bytes, which is what one thread of a vectorised kernel writes. */
    int vector() {
        return 16 / bytes;
    }
}
