package dev.upscale.runtime.portable;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Floats by address. Nothing is checked here: views are checked against their memories before a kernel is prepared, and memories
 * for their size before a run.
 */
final class Floats {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Floats() {}

    static float get(long address) {
        return ALL.get(ValueLayout.JAVA_FLOAT, address);
    }

    static void set(long address, float value) {
        ALL.set(ValueLayout.JAVA_FLOAT, address, value);
    }

    static void read(long address, float[] into, int at, int count) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_FLOAT, address, into, at, count);
    }

    static void write(float[] from, int at, long address, int count) {
        MemorySegment.copy(from, at, ALL, ValueLayout.JAVA_FLOAT, address, count);
    }
}
