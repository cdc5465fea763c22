package dev.upscale.runtime.kernel;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** One kernel call with all of its arguments. It allocates nothing and is used by one thread at a time. */
public interface Invocation {

    /** Runs the kernel to its end. */
    void run();

    /** Takes over the changed addresses of those of its {@link Location}s that lie in the caller's memory. */
    default void repoint() {}

    /** What every run reads beside the plan's tensors: packed weights. Empty where that is not known. */
    default List<MemorySegment> weights() {
        return List.of();
    }

    /** Whether runs fetch memory on the side while they compute. */
    default boolean fetches() {
        return false;
    }

    /**
     * Says what is read soon after each run, in that order. Results do not depend on it. At most once; not during a run.
     *
     * @param ranges live as long as this runs
     */
    default void fetch(List<MemorySegment> ranges) {
        throw new UnsupportedOperationException("fetches nothing");
    }
}
