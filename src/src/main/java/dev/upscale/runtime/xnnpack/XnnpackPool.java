package dev.upscale.runtime.xnnpack;

import static dev.upscale.bindings.xnnpack.xnnpack_h.*;

import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A pthreadpool, whose worker threads spin for a while and then sleep; the caller of a run is one of its threads. Each session has
 * its own. Closing it joins the workers; closing it during a run is an {@link IllegalStateException}.
 */
public final class XnnpackPool implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment handle;
    private final int threads;

    /**
     * @param threads the caller included; 1 makes no pool
     * @throws NativeError if the workers cannot be started
     */
    public XnnpackPool(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: " + threads);
        }
        Xnnpack.load();
        this.threads = threads;
        MemorySegment created = threads == 1 ? MemorySegment.NULL : pthreadpool_create(threads);
        if (threads > 1 && created.address() == 0) {
            arena.close();
            throw new NativeError("pthreadpool_create", "no pool", "pool of " + threads + " threads");
        }
        handle = threads == 1 ? created : created.reinterpret(arena, pool -> pthreadpool_destroy(pool));
    }

    /** Number of threads, the caller included. */
    public int threads() {
        return threads;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** What operators take; a single thread is told by the null pointer. */
    MemorySegment handle() {
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException("pool is closed");
        }
        return handle;
    }
}
