package dev.upscale.runtime.upscale;

import static dev.upscale.bindings.upscale.upscale_cpu_h.*;

import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A fixed set of worker threads that kernels run on ({@code up_pool}); the caller of a run is one of them. It serves one run at a
 * time: a second caller gets a {@link NativeError}, so each session has its own. Closing it joins the workers; a run of a closed
 * pool is an {@link IllegalStateException}, and so is closing it during a run.
 */
public final class CpuPool implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment handle;
    private final int threads;

    /**
     * Starts {@code threads - 1} workers; one thread needs none and makes no native pool.
     *
     * @param threads 1 to 256, the caller included
     * @throws NativeError if the number is out of range or a thread cannot be started
     */
    public CpuPool(int threads) {
        CpuKernels.load();
        this.threads = threads;
        try {
            handle = threads == 1 ? arena.allocate(1) : create(threads, arena);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
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

    /** What kernels take. A single thread is told by the null pointer. */
    MemorySegment handle() {
        if (threads > 1) {
            return handle;
        }
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException("pool is closed");
        }
        return MemorySegment.NULL;
    }

    private static MemorySegment create(int threads, Arena owner) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            CpuKernels.check(up_pool_create(threads, created), "up_pool_create", "pool of " + threads + " threads");
            return created.get(ValueLayout.ADDRESS, 0).reinterpret(owner, pool -> up_pool_destroy(pool));
        }
    }
}
