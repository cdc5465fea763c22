package dev.upscale.compile;

import dev.upscale.plan.View;

/**
 * Memory in the arena that one tensor, or the parts of one concat, lie in: its size and the steps during which it holds
 * something. Views of it name it as their place until the arena is laid out.
 */
final class Storage {
    private final String name;
    private final long bytes;
    private int first = Integer.MAX_VALUE;
    private int last = -1;

    Storage(String name, long bytes) {
        this.name = name;
        this.bytes = bytes;
    }

    String name() {
        return name;
    }

    long bytes() {
        return bytes;
    }

    View.Place place() {
        return new View.Place(View.Place.Kind.ARENA, name);
    }

    /** It is read or written in this step. */
    void touch(int step) {
        first = Math.min(first, step);
        last = Math.max(last, step);
    }

    int first() {
        return first;
    }

    int last() {
        return last;
    }
}
