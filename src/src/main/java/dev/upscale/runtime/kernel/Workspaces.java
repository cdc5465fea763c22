package dev.upscale.runtime.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Memory that kernels write and read again within one call, where their plan has none, or too little. Calls that never run at once get the
 * same; what one leaves there is nothing to another. Safe for use by any number of threads.
 */
public final class Workspaces {
    private static final long ALIGNMENT = 64;

    private final Arena owner;
    private final List<MemorySegment> blocks = new ArrayList<>();

    /** @param owner whatever is lent lives as long as this */
    public Workspaces(Arena owner) {
        this.owner = owner;
    }

    /**
     * A block of at least so many bytes, aligned to 64: the smallest that there is, or a new one.
     *
     * @throws IllegalStateException if the owner is closed
     */
    synchronized MemorySegment atLeast(long bytes) {
        return blocks.stream().filter(block -> block.byteSize() >= bytes).min(Comparator.comparingLong(MemorySegment::byteSize))
                .orElseGet(() -> add(bytes));
    }

    private MemorySegment add(long bytes) {
        MemorySegment block = owner.allocate(bytes, ALIGNMENT);
        blocks.add(block);
        return block;
    }

    /** Fills all that was lent; not while a kernel runs. */
    public synchronized void fill(byte value) {
        for (MemorySegment block : blocks) {
            block.fill(value);
        }
    }
}
