package dev.upscale.runtime.kernel;

/** Where an operand's first element lies. Fixed in the arena and in constants; in the caller's memory it may move between runs. */
public final class Location {
    private final long offset;
    private long address;

    Location(long offset, long base) {
        this.offset = offset;
        moveTo(base);
    }

    /** The address of the first element, in bytes. */
    public long address() {
        return address;
    }

    /** Says where the memory that it lies in starts now. */
    public void moveTo(long base) {
        address = base + offset;
    }
}
