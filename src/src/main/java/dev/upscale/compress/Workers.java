package dev.upscale.compress;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Threads that share the blocks of a data set. To be closed. */
final class Workers implements AutoCloseable {

    /** What one thread does: opened in it, used by it alone, closed in it. */
    interface Worker extends AutoCloseable {
        void work(int block);

        @Override
        void close();
    }

    /** Opens a worker. */
    interface Opening {
        Worker open();
    }

    private final int threads;
    private final ExecutorService executor;

    Workers(int threads) {
        this.threads = threads;
        this.executor = Executors.newFixedThreadPool(threads, Thread.ofPlatform().daemon().name("upscale-worker-", 0).factory());
    }

    /** Does all blocks, each once, in any order. What a worker throws is thrown here. */
    void all(int blocks, Opening opening) {
        AtomicInteger next = new AtomicInteger();
        List<Future<?>> running = new ArrayList<>();
        for (int thread = 0; thread < Math.min(threads, blocks); thread++) {
            running.add(executor.submit(() -> {
                try (Worker worker = opening.open()) {
                    for (int block = next.getAndIncrement(); block < blocks; block = next.getAndIncrement()) {
                        worker.work(block);
                    }
                } catch (RuntimeException | Error e) {
                    next.set(blocks);
                    throw e;
                }
            }));
        }
        Throwable failure = null;
        for (Future<?> future : running) {
            try {
                future.get();
            } catch (ExecutionException e) {
                failure = failure == null ? e.getCause() : failure;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
        switch (failure) {
            case null -> { }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
