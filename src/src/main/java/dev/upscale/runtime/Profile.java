package dev.upscale.runtime;

import dev.upscale.plan.Step;
import java.util.Arrays;
import java.util.List;

/**
 * The times of a plan's steps in the latest runs of a session.
 *
 * @param steps    the plan's steps
 * @param runs     how many runs were measured
 * @param ns       [steps][runs], in nanoseconds
 * @param startsNs [steps][runs], when each began, by {@link System#nanoTime}
 */
public record Profile(List<Step> steps, int runs, long[][] ns, long[][] startsNs) {
    public Profile {
        steps = List.copyOf(steps);
    }

    /** The median time of a step; 0 if nothing was measured. */
    public long medianNs(int step) {
        long[] sorted = ns[step].clone();
        Arrays.sort(sorted);
        return sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    }

    /** The sum of all steps' medians. */
    public long totalNs() {
        long total = 0;
        for (int step = 0; step < ns.length; step++) {
            total += medianNs(step);
        }
        return total;
    }
}
