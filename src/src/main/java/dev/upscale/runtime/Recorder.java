package dev.upscale.runtime;

import dev.upscale.plan.Step;
import java.util.Arrays;
import java.util.List;

/** Keeps the steps' times of the latest runs; allocates nothing while it records. */
final class Recorder {
    private final List<Step> steps;
    private final long[][] ns;
    private final int capacity;
    private long runs;

    Recorder(List<Step> steps, int capacity) {
        this.steps = steps;
        this.capacity = capacity;
        ns = new long[steps.size()][capacity];
    }

    void record(int step, long time) {
        ns[step][(int) (runs % capacity)] = time;
    }

    void nextRun() {
        runs++;
    }

    Profile profile() {
        int kept = (int) Math.min(runs, capacity);
        return new Profile(steps, kept, Arrays.stream(ns).map(times -> Arrays.copyOf(times, kept)).toArray(long[][]::new));
    }
}
