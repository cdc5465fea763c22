package dev.upscale.order;

import java.util.BitSet;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * An answer to an {@link OrderingProblem}. The arrays must not be changed.
 *
 * @param order {@code order[position] = channel}; all blocks are contiguous in it
 * @param cost weight times size over the sets that are not contiguous
 * @param contiguous which sets are contiguous
 * @param lowerBound no order that respects the blocks costs less; equal to {@code cost} where the order is optimal
 * @param optimal whether the order is proven to be optimal
 * @param certificate why not all sets are contiguous
 * @param obstacles for each set that is not contiguous although others had to be preferred: a minimal conflict of it with
 *        sets that are contiguous, and blocks; a set that merely was not placed well has none
 * @param nanos time taken, nanoseconds
 */
public record Ordering(
        int[] order,
        double cost,
        boolean[] contiguous,
        double lowerBound,
        boolean optimal,
        Certificate certificate,
        Map<Integer, Certificate.Conflict> obstacles,
        long nanos) {

    public Ordering {
        obstacles = Collections.unmodifiableMap(new TreeMap<>(obstacles));
    }

    /** What {@code order} is worth, with certificates; {@code start} is the {@link System#nanoTime} at the beginning. */
    static Ordering of(OrderingProblem problem, int[] order, double lowerBound, long start) {
        boolean[] contiguous = problem.contiguous(order);
        BitSet kept = new BitSet();
        double cost = 0;
        for (int i = 0; i < contiguous.length; i++) {
            kept.set(i, contiguous[i]);
            cost += contiguous[i] ? 0 : problem.value(i);
        }
        boolean optimal = cost <= lowerBound + Family.tolerance(problem.totalValue());
        ConflictFinder conflicts = new ConflictFinder(problem);
        Map<Integer, Certificate.Conflict> obstacles = conflicts.obstacles(kept);
        Certificate certificate = conflicts.smallest(obstacles.values());
        return new Ordering(order, cost, contiguous, optimal ? cost : Math.max(0, lowerBound), optimal, certificate,
                obstacles, System.nanoTime() - start);
    }

    /** Another order of the same problem, judged by this one's lower bound: an order preferred for reasons of its own. */
    public Ordering with(OrderingProblem problem, int[] other) {
        return of(problem, other, lowerBound, System.nanoTime() - nanos);
    }

    /** How many sets are contiguous. */
    public int contiguousCount() {
        int count = 0;
        for (boolean is : contiguous) {
            count += is ? 1 : 0;
        }
        return count;
    }
}
