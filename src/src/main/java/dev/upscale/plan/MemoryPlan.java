package dev.upscale.plan;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Where each buffer lies in the arena, and how good that is.
 *
 * @param offsets for each buffer by name its first byte in the arena, a multiple of {@link MemoryPlanner#ALIGNMENT}
 * @param arenaBytes the size of the arena
 * @param lowerBoundBytes what no arena can be smaller than: the most bytes that are live during one step
 * @param unsharedBytes the size of an arena in which no two buffers share memory
 */
public record MemoryPlan(Map<String, Long> offsets, long arenaBytes, long lowerBoundBytes, long unsharedBytes) {

    public MemoryPlan {
        offsets = Collections.unmodifiableMap(new LinkedHashMap<>(offsets));
    }

    /** The first byte of a buffer; an {@link IllegalArgumentException} if there is no such buffer. */
    public long offset(String name) {
        Long offset = offsets.get(name);
        if (offset == null) {
            throw new IllegalArgumentException("no buffer " + name);
        }
        return offset;
    }

    /** The arena's size over its lower bound; 1 is perfect. */
    public double overBound() {
        return lowerBoundBytes == 0 ? 1 : (double) arenaBytes / lowerBoundBytes;
    }

    /** Before and after, for example {@code 3 buffers: 1920 bytes without reuse, 1280 planned, lower bound 1280 (x1.000)}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%d buffers: %d bytes without reuse, %d planned, lower bound %d (x%.3f)",
                offsets.size(), unsharedBytes, arenaBytes, lowerBoundBytes, overBound());
    }
}
