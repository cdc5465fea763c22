package dev.upscale.runtime;

import dev.upscale.plan.Step;
import java.util.Arrays;
import java.util.List;

/** Keeps the steps' times of the latest runs; allocates nothing while it records. */
final class Recorder {
    private final List<Step> steps;
    private final long[][] starts;
    private final long[][] ns;
    private final int capacity;
    private long runs;

    Recorder(List<Step> steps, int capacity) {
        this.steps = steps;
        this.capacity = capacity;
        starts = new long[steps.size()][capacity];
        ns = new long[steps.size()][capacity];
    }

    /** A step has ended: when it began, by {@link System#nanoTime}, and what it took. */
    void ended(int step, long startNs, long time) {
        int place = (int) (runs % capacity);
        starts[step][place] = startNs;
        ns[step][place] = time;
    }

    void runEnded() {
        runs++;
    }

    Profile profile() {
        int kept = (int) Math.min(runs, capacity);
        return new Profile(steps, kept, first(ns, kept), first(starts, kept));
    }

    private static long[][] first(long[][] times, int kept) {
        return Arrays.stream(times).map(one -> Arrays.copyOf(one, kept)).toArray(long[][]::new);
    }
}
