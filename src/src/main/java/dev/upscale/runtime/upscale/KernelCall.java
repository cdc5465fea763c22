package dev.upscale.runtime.upscale;

import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * One call of a kernel with its argument block in native memory, filled once. Running it allocates nothing. It lives as long as the
 * arena that it was made in, and the buffers that it points at must live as long as it runs. One thread at a time.
 */
public final class KernelCall {
    /** The native function: argument block and pool to status. */
    @FunctionalInterface
    interface Kernel {
        int run(MemorySegment args, MemorySegment pool);
    }

    private final String subject;
    private final String function;
    private final MemorySegment args;
    private final Kernel kernel;
    private final long targetOffset;
    private final long[] sourceOffsets;
    private MemorySegment weights = MemorySegment.NULL;
    private Fetching fetching;

    /** Takes what a run is to fetch on the side. */
    @FunctionalInterface
    interface Fetching {
        void take(List<MemorySegment> ranges);
    }

    KernelCall(String subject, String function, MemorySegment args, Kernel kernel, long targetOffset, long... sourceOffsets) {
        this.subject = subject;
        this.function = function;
        this.args = args;
        this.kernel = kernel;
        this.targetOffset = targetOffset;
        this.sourceOffsets = sourceOffsets;
    }

    /**
     * Says what every run reads beside its sources, and how to tell it what to fetch.
     *
     * @param fetching null: it fetches nothing
     */
    KernelCall over(MemorySegment weights, Fetching fetching) {
        this.weights = weights;
        this.fetching = fetching;
        return this;
    }

    /** The packed weights that every run reads, or {@link MemorySegment#NULL}. */
    public MemorySegment weights() {
        return weights;
    }

    /** Whether runs fetch memory on the side. */
    public boolean fetches() {
        return fetching != null;
    }

    /** Says what is read soon after each run: it is fetched into the second cache on the side. At most once; not during a run. */
    public void fetch(List<MemorySegment> ranges) {
        fetching.take(ranges);
    }

    /** Points a source at other memory; its strides and index list stay. */
    public void pointSource(int which, long address) {
        args.set(ValueLayout.JAVA_LONG, sourceOffsets[which], address);
    }

    /** Points the destination at other memory; its stride stays. */
    public void pointTarget(long address) {
        args.set(ValueLayout.JAVA_LONG, targetOffset, address);
    }

    /**
     * Runs the kernel to its end.
     *
     * @throws NativeError           if the library refuses, with what was wrong
     * @throws IllegalStateException if the kernel's owner or the pool is closed
     */
    public void run(CpuPool pool) {
        int status;
        try {
            status = kernel.run(args, pool.handle());
        } catch (IllegalStateException e) {
            throw new IllegalStateException(subject + ": the kernel or its pool is closed", e);
        }
        if (status != 0) {
            throw CpuKernels.failure(status, function, subject);
        }
    }

    /** What it computes, for messages. */
    public String subject() {
        return subject;
    }
}
