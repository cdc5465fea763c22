package dev.upscale.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How far apart the cores of two threads are: the time in which a cache line goes from one to the other and back. Cores that share a last
 * cache are some 100 ns apart, others several times that, and read from each other's caches at a fraction of the rate. A virtual machine may
 * be moved between the two at any time, and a network on two threads then takes up to half as long again; so it is sampled while a network is timed.
 */
final class CoreDistance {
    private static final int BATCHES = 8;
    private static final int ROUND_TRIPS = 400;

    private final List<Double> samples = new ArrayList<>();

    /** Takes a sample, about a millisecond: the fastest of some batches of round trips, so that what else runs does not count. */
    void sample() {
        samples.add(roundTripNanos());
    }

    /** Of the samples that were taken, at least one. */
    Timing timing() {
        return Timing.of(samples.stream().mapToDouble(Double::doubleValue).toArray());
    }

    private static double roundTripNanos() {
        int trips = BATCHES * ROUND_TRIPS;
        AtomicInteger ball = new AtomicInteger();
        Thread other = Thread.ofPlatform().daemon().start(() -> {
            for (int trip = 0; trip < trips; trip++) {
                await(ball, 2 * trip + 1);
                ball.set(2 * trip + 2);
            }
        });
        double least = Double.POSITIVE_INFINITY;
        for (int batch = 0; batch < BATCHES; batch++) {
            long begun = System.nanoTime();
            for (int trip = batch * ROUND_TRIPS; trip < (batch + 1) * ROUND_TRIPS; trip++) {
                ball.set(2 * trip + 1);
                await(ball, 2 * trip + 2);
            }
            least = Math.min(least, (System.nanoTime() - begun) / (double) ROUND_TRIPS);
        }
        try {
            other.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return least;
    }

    /** Without a pause: it would be most of what is measured. Where there is one core alone, each turn waits for the other thread to be scheduled. */
    private static void await(AtomicInteger ball, int value) {
        for (int tries = 0; ball.get() != value; tries++) {
            if (tries > 1 << 14) {
                Thread.yield();
            }
        }
    }
}
