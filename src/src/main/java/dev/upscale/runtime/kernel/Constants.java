package dev.upscale.runtime.kernel;

import dev.upscale.plan.Constant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * A plan's constants for the kernels that are prepared from them. One that lies in a mapped file is used where it lies; one on the
 * heap is copied to native memory when a kernel first needs it there. Safe for use by any number of threads.
 */
public final class Constants {
    /** What may be read past the end of a constant that was copied, in bytes. */
    private static final long PADDING = 64;
    private static final long ALIGNMENT = 64;

    private final Map<String, Constant> constants;
    private final Arena owner;
    private final Map<String, MemorySegment> resident = new HashMap<>();

    /** @param owner frees the copies */
    public Constants(Map<String, Constant> constants, Arena owner) {
        this.constants = constants;
        this.owner = owner;
    }

    /**
     * The constant of that name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public Constant get(String name) {
        Constant constant = constants.get(name);
        if (constant == null) {
            throw new IllegalArgumentException("constant " + name + " is missing");
        }
        return constant;
    }

    /** The constant in native memory, for as long as the owner lives. */
    public synchronized MemorySegment resident(String name) {
        return resident.computeIfAbsent(name, absent -> inNativeMemory(get(name), owner));
    }

    /** The constant in native memory while it is read once, for example to be packed: for as long as {@code reader} lives. */
    public synchronized MemorySegment during(Arena reader, String name) {
        MemorySegment known = resident.get(name);
        return known != null ? known : inNativeMemory(get(name), reader);
    }

    private static MemorySegment inNativeMemory(Constant constant, Arena arena) {
        ByteBuffer data = constant.data();
        MemorySegment segment = MemorySegment.ofBuffer(data);
        if (segment.isNative() && segment.address() % constant.type().bytes() == 0) {
            return segment;
        }
        MemorySegment copy = arena.allocate(segment.byteSize() + PADDING, ALIGNMENT).asSlice(0, segment.byteSize());
        return copy.copyFrom(segment);
    }
}
