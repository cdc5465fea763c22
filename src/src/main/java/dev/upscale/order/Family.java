package dev.upscale.order;

import java.util.BitSet;
import java.util.List;

/**
 * Which of these sets shall be contiguous together? Sets over the leaves of a tree, what each is worth, and the tree of
 * all orders that the blocks allow.
 *
 * @param sets leaves of each set
 * @param values what each set is worth where it is contiguous
 * @param blocks leaves of each block; all are reduced into {@code base} already
 * @param base the tree of the orders in which the blocks are contiguous
 */
record Family(List<int[]> sets, double[] values, List<int[]> blocks, PqTree base) {

    int size() {
        return sets.size();
    }

    double totalValue() {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    double value(BitSet kept) {
        return kept.stream().mapToDouble(i -> values[i]).sum();
    }

    /** The sets at {@code indices}, in that order. */
    Family of(int[] indices) {
        double[] some = new double[indices.length];
        int[][] these = new int[indices.length][];
        for (int i = 0; i < indices.length; i++) {
            some[i] = values[indices[i]];
            these[i] = sets.get(indices[i]);
        }
        return new Family(List.of(these), some, blocks, base);
    }

    /** Sets that can be contiguous together, what they are worth, and what no family can exceed. */
    record Choice(BitSet kept, double value, double upperBound) {
        boolean optimal() {
            return value >= upperBound - tolerance(upperBound);
        }
    }

    /** Sums of values closer than this are equal. */
    static double tolerance(double value) {
        return 1e-9 * Math.max(1, Math.abs(value));
    }
}
