package dev.upscale.runtime.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;

/** The pointer to an object that a library made for one owner, until it is destroyed, which happens once. One thread at a time. */
public final class OwnedPointer implements AutoCloseable {
    private final String subject;
    private final Consumer<MemorySegment> destroy;
    private MemorySegment pointer;

    private OwnedPointer(String subject, MemorySegment pointer, Consumer<MemorySegment> destroy) {
        this.subject = subject;
        this.pointer = pointer;
        this.destroy = destroy;
    }

    /**
     * A new object.
     *
     * @param subject what it is, for errors
     * @param create writes the pointer to the memory that it is given, or throws
     * @param destroy takes the pointer back
     */
    public static OwnedPointer create(String subject, Consumer<MemorySegment> create, Consumer<MemorySegment> destroy) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            create.accept(out);
            return new OwnedPointer(subject, out.get(ValueLayout.ADDRESS, 0), destroy);
        }
    }

    /** @throws IllegalStateException if it is closed */
    public MemorySegment get() {
        if (pointer == null) {
            throw new IllegalStateException(subject + " is closed");
        }
        return pointer;
    }

    @Override
    public void close() {
        if (pointer != null) {
            MemorySegment closed = pointer;
            pointer = null;
            destroy.accept(closed);
        }
    }
}
