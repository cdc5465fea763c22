package dev.upscale.order;

import java.util.BitSet;
import java.util.Map;

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
        obstacles = Map.copyOf(obstacles);
    }

    /** What {@code order} is worth, with certificates. */
    static Ordering of(OrderingProblem problem, int[] order, double lowerBound, long nanos) {
        boolean[] contiguous = problem.contiguous(order);
        double cost = problem.cost(order);
        BitSet kept = new BitSet();
        for (int i = 0; i < contiguous.length; i++) {
            kept.set(i, contiguous[i]);
        }
        ConflictFinder conflicts = new ConflictFinder(problem);
        Map<Integer, Certificate.Conflict> obstacles = conflicts.obstacles(kept);
        return new Ordering(order, cost, contiguous, Math.min(lowerBound, cost), cost <= lowerBound, conflicts.smallest(),
                obstacles, nanos);
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
