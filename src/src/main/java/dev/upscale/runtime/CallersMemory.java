package dev.upscale.runtime;

import dev.upscale.plan.Plan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * One input or output in the memory that the caller gives for a run. What kernels cannot work on, on the heap or not aligned, goes
 * through a memory of the session's own.
 */
final class CallersMemory {
    private static final long ALIGNMENT = Float.BYTES;
    private static final long STAGING_ALIGNMENT = 64;

    private final Plan.Port port;
    private final long bytes;
    private final boolean isWritten;
    private MemorySegment given;
    private MemorySegment staging;
    private boolean isStaged;
    private long address;

    CallersMemory(Plan.Port port, boolean isWritten) {
        this.port = port;
        this.bytes = port.bytes();
        this.isWritten = isWritten;
    }

    /** Checks the memory for this run. */
    void take(MemorySegment segment, Arena owner) {
        if (segment == null || segment.byteSize() < bytes) {
            throw new IllegalArgumentException(this + " needs " + bytes + " bytes, and is given "
                    + (segment == null ? "none" : String.valueOf(segment.byteSize())));
        }
        if (!segment.scope().isAlive() || !segment.isAccessibleBy(Thread.currentThread())) {
            throw new IllegalStateException("the memory for " + this + " is closed, or belongs to another thread");
        }
        if (isWritten && segment.isReadOnly()) {
            throw new IllegalArgumentException("the memory for " + this + " is read-only");
        }
        given = segment;
        isStaged = !segment.isNative() || segment.address() % ALIGNMENT != 0;
        if (isStaged && staging == null) {
            staging = owner.allocate(Math.max(bytes, 1), STAGING_ALIGNMENT);
        }
        address = isStaged ? staging.address() : segment.address();
    }

    /** Where kernels read or write in this run. */
    long address() {
        return address;
    }

    void refuseOverlap(CallersMemory other) {
        if (address < other.address + other.bytes && other.address < address + bytes) {
            throw new IllegalArgumentException("the memories for " + this + " and " + other + " overlap");
        }
    }

    void copyIn() {
        if (isStaged) {
            MemorySegment.copy(given, 0, staging, 0, bytes);
        }
    }

    void copyOut() {
        if (isStaged) {
            MemorySegment.copy(staging, 0, given, 0, bytes);
        }
    }

    void fill(byte value) {
        (isStaged ? staging : given).asSlice(0, bytes).fill(value);
    }

    /** The run is over: the memory need no longer be reachable. */
    void release() {
        Reference.reachabilityFence(given);
        given = null;
    }

    @Override
    public String toString() {
        return (isWritten ? "output " : "input ") + port.name() + " " + port.dims();
    }
}
