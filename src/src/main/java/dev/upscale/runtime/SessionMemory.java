package dev.upscale.runtime;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.kernel.Workspaces;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What sessions that never run at once work in, of one plan or of several: one block of memory, as large as the largest of them needs, in
 * place of an arena for each. A session takes it for the time of a run, without a lock; a run during another's is refused with an
 * {@link IllegalStateException}. Nothing is kept in it from one run to the next. Whoever made it closes it, before the sessions or after
 * them. Thread-safe.
 */
public final class SessionMemory implements AutoCloseable {
    /** What kernels may read past the end of an arena, in bytes. */
    private static final long PADDING = 128;
    /** A page, so that arenas start alike wherever they lie, and none shares a cache line with another. */
    private static final long ALIGNMENT = 4096;

    private final Arena owner;
    private final MemorySegment block;
    private final List<Workspaces> workspaces = new ArrayList<>();
    private final Occupation occupation = new Occupation();

    private SessionMemory(Arena owner, MemorySegment block) {
        this.owner = owner;
        this.block = block;
    }

    /**
     * Takes memory for sessions of these plans.
     *
     * @param threads the most that one of the sessions has
     * @throws InvalidInput if this machine does not give as much
     */
    public static SessionMemory of(int threads, Collection<Plan> plans) {
        long bytes = ALIGNMENT;
        for (Plan plan : plans) {
            bytes = Math.max(bytes, bytes(plan, threads));
        }
        Arena owner = Arena.ofShared();
        try {
            return new SessionMemory(owner, owner.allocate(bytes, ALIGNMENT));
        } catch (IllegalArgumentException | OutOfMemoryError e) {
            owner.close();
            Plan largest = plans.stream().max((one, other) -> Long.compare(bytes(one, threads), bytes(other, threads))).orElseThrow();
            throw refusal(largest, e);
        }
    }

    /** What a session needs: an arena for each worker. */
    private static long bytes(Plan plan, int threads) {
        try {
            return Math.multiplyExact(plan.workers(threads), stride(plan));
        } catch (ArithmeticException e) {
            throw refusal(plan, e);
        }
    }

    /** From one worker's arena to the next. */
    private static long stride(Plan plan) {
        return Math.addExact(plan.arenaBytes(), PADDING + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static InvalidInput refusal(Plan plan, Throwable cause) {
        return new InvalidInput("plan " + plan.model() + " needs an arena of " + plan.arenaBytes()
                + " bytes, which this machine does not give; compile it for a smaller batch", cause);
    }

    /** Its size in bytes, without the workspaces of kernels that need more than their plan has for them. */
    public long byteSize() {
        return block.byteSize();
    }

    /**
     * Checks that a session has room.
     *
     * @throws IllegalArgumentException if it needs more
     * @throws IllegalStateException    if this is closed
     */
    void require(Plan plan, int threads) {
        if (occupation.isClosed()) {
            throw new IllegalStateException("the memory for a session of " + plan.model() + " is closed");
        }
        long needed = bytes(plan, threads);
        if (needed > block.byteSize()) {
            throw new IllegalArgumentException("a session of " + plan.model() + " on " + threads + " threads needs " + needed
                    + " bytes, and its memory has " + block.byteSize() + "; make it for this plan and as many threads too");
        }
    }

    /** The arena of one of a session's workers, with what kernels may read past its end. */
    MemorySegment arena(Plan plan, int worker) {
        return block.asSlice(worker * stride(plan), plan.arenaBytes() + PADDING);
    }

    /** The workspaces of one of a session's workers. */
    synchronized Workspaces workspaces(int worker) {
        while (workspaces.size() <= worker) {
            workspaces.add(new Workspaces(owner));
        }
        return workspaces.get(worker);
    }

    /** Takes it for a run. */
    void begin(Plan plan) {
        if (!occupation.begin()) {
            throw new IllegalStateException("cannot run a session of " + plan.model() + (occupation.isClosed() ? ", whose memory is closed"
                    : " while another runs in its memory; give sessions that run at once memories of their own"));
        }
    }

    void end() {
        occupation.end();
    }

    /**
     * Frees it. Sessions that work in it cannot run any more.
     *
     * @throws IllegalStateException if one is running
     */
    @Override
    public void close() {
        if (occupation.close()) {
            owner.close();
        } else if (occupation.isInUse()) {
            throw new IllegalStateException("cannot close a memory that a session is running in");
        }
    }
}
