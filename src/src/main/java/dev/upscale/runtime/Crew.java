package dev.upscale.runtime;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * The threads of a session, which compute the micro-batches of a run at once: the caller's, and those that it has of its own. They meet twice in a run, at its start and at its end; between, each takes the next micro-batch that none has taken. A
 * thread without work looks for some for a while before it sleeps. A run allocates nothing and takes no lock. Runs one run at a time.
 */
final class Crew implements AutoCloseable {
    /** Longer than between two runs of a caller that does little in between; to wake a thread takes 50 to 100 microseconds. */
    private static final long PATIENCE_NANOS = 300_000;
    private static final int LOOKS_PER_CLOCK = 64;
    private static final VarHandle NEXT;
    private static final VarHandle AT_WORK;
    private static final VarHandle FAILURE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            NEXT = lookup.findVarHandle(Crew.class, "next", int.class);
            AT_WORK = lookup.findVarHandle(Crew.class, "atWork", int.class);
            FAILURE = lookup.findVarHandle(Crew.class, "failure", Throwable.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Computes one micro-batch of a run. */
    interface Work {
        void run(CallersMemory[] sources, CallersMemory[] results, int microBatch);
    }

    private final Work[] works;
    private final Thread[] threads;
    private final int microBatches;
    private CallersMemory[] sources;
    private CallersMemory[] results;
    private Thread caller;
    private volatile int run;
    private volatile boolean closed;
    private volatile int next;
    private volatile int atWork;
    private volatile Throwable failure;

    /** @param works one for each thread, the caller's first */
    Crew(List<Work> works, int microBatches, String name) {
        this.works = works.toArray(Work[]::new);
        this.microBatches = microBatches;
        threads = new Thread[works.size() - 1];
        for (int i = 0; i < threads.length; i++) {
            Work work = this.works[i + 1];
            threads[i] = Thread.ofPlatform().daemon().name("upscale " + name + " " + (i + 1)).unstarted(() -> work(work));
        }
        try {
            for (Thread thread : threads) {
                thread.start();
            }
        } catch (OutOfMemoryError e) {
            close();
            throw new IllegalStateException("this system does not give " + threads.length + " more threads; open the session with fewer", e);
        }
    }

    /**
     * Computes all micro-batches.
     *
     * @throws dev.upscale.runtime.kernel.KernelFailure the first that a thread met; no further micro-batch is begun then
     */
    void run(CallersMemory[] given, CallersMemory[] taken) {
        sources = given;
        results = taken;
        caller = Thread.currentThread();
        next = 0;
        atWork = threads.length;
        run++;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
        takeMicroBatches(works[0]);
        awaitEnd();
        caller = null;
        rethrow();
    }

    private void rethrow() {
        Throwable met = failure;
        failure = null;
        if (met instanceof Error error) {
            throw error;
        }
        if (met instanceof RuntimeException exception) {
            throw exception;
        }
    }

    private void awaitEnd() {
        long begun = System.nanoTime();
        for (int looks = 1; atWork > 0; looks++) {
            rest(looks, begun);
        }
    }

    /** Waits a moment: at first without giving the core away. */
    private static void rest(int looks, long begun) {
        if (looks % LOOKS_PER_CLOCK != 0 || System.nanoTime() - begun < PATIENCE_NANOS) {
            Thread.onSpinWait();
        } else {
            LockSupport.park();
        }
    }

    private void work(Work work) {
        int done = 0;
        while (awaitRun(done)) {
            done++;
            takeMicroBatches(work);
            Thread waiting = caller;
            if ((int) AT_WORK.getAndAdd(this, -1) == 1) {
                LockSupport.unpark(waiting);
            }
        }
    }

    /** Whether there is a run after those that are done; not if this is closed. */
    private boolean awaitRun(int done) {
        long begun = System.nanoTime();
        for (int looks = 1; run == done; looks++) {
            if (closed) {
                return false;
            }
            rest(looks, begun);
        }
        return true;
    }

    private void takeMicroBatches(Work work) {
        try {
            for (int taken = (int) NEXT.getAndAdd(this, 1); taken < microBatches && failure == null; taken = (int) NEXT.getAndAdd(this, 1)) {
                work.run(sources, results, taken);
            }
        } catch (RuntimeException | Error e) {
            FAILURE.compareAndSet(this, null, e);
        }
    }

    /** Ends the threads; no run may be going on. */
    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
            interrupted |= join(thread);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for a thread's end; whether the caller was interrupted meanwhile. */
    private static boolean join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                return interrupted;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
    }
}
