package dev.upscale.order;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Put {@code n} channels in one order. Each set (the channels that one consumer retains) that is not contiguous in the
 * order costs its weight times its size; each block is a hard constraint and must be contiguous.
 *
 * <p>Blocks state the structure of a network: in a concat each producer's channels stay together, so each producer is a
 * block; where concats grow out of each other, each inner concat is a block too. Channels tied by additions are one
 * channel of the problem. Channels that nobody retains should be dropped before: they are kept here, and may separate.
 *
 * <p>Sets and blocks are held sorted. The arrays must not be changed; the problem is otherwise immutable and may be shared
 * between threads.
 *
 * @param n number of channels
 * @param sets retained channels per consumer, each channel in {@code [0, n)} at most once; may be empty
 * @param weights cost per channel of each set (bytes, say), finite and not negative; {@code null} for 1 each
 * @param blocks sets that must be contiguous; {@code null} for none
 */
public record OrderingProblem(int n, List<int[]> sets, double[] weights, List<int[]> blocks) {

    /** No network has more channels side by side; a larger number is a mistake. */
    public static final int MOST_CHANNELS = 1 << 24;

    /** Copies, sorts and checks; that the blocks can all be contiguous together is for the solvers to find. */
    public OrderingProblem {
        if (n < 0) {
            throw new IllegalArgumentException("n is " + n + "; the number of channels must not be negative");
        }
        if (n > MOST_CHANNELS) {
            throw new IllegalArgumentException("n is " + n + "; at most " + MOST_CHANNELS + " channels are ordered");
        }
        if (sets == null) {
            throw new IllegalArgumentException("sets are missing; give the retained channels of each consumer");
        }
        sets = sorted("sets", sets, n);
        blocks = sorted("blocks", blocks == null ? List.of() : blocks, n);
        weights = weights == null ? ones(sets.size()) : weights.clone();
        if (weights.length != sets.size()) {
            throw new IllegalArgumentException("there are " + weights.length + " weights for " + sets.size()
                    + " sets; give one for each set");
        }
        for (int i = 0; i < weights.length; i++) {
            if (!(weights[i] >= 0) || Double.isInfinite(weights[i])) {
                throw new IllegalArgumentException("weights[" + i + "] is " + weights[i]
                        + "; a weight must be finite and not negative");
            }
        }
    }

    /** A problem without blocks in which every set has weight 1 per channel. */
    public static OrderingProblem of(int n, List<int[]> sets) {
        return new OrderingProblem(n, sets, null, null);
    }

    /** A problem without blocks. */
    public static OrderingProblem of(int n, List<int[]> sets, double[] weights) {
        return new OrderingProblem(n, sets, weights, null);
    }

    @Override
    public double[] weights() {
        return weights.clone();
    }

    /** What set {@code i} costs where it is not contiguous: its weight times its size. */
    public double value(int i) {
        return weights[i] * sets.get(i).length;
    }

    /** What all sets cost together. */
    public double totalValue() {
        return IntStream.range(0, sets.size()).mapToDouble(this::value).sum();
    }

    /** The cost of {@code order}, a permutation of the channels: {@code order[position] = channel}. */
    public double cost(int[] order) {
        boolean[] contiguous = contiguous(order);
        double cost = 0;
        for (int i = 0; i < contiguous.length; i++) {
            cost += contiguous[i] ? 0 : value(i);
        }
        return cost;
    }

    /** Which sets are contiguous in {@code order}. */
    public boolean[] contiguous(int[] order) {
        int[] position = positions(order);
        boolean[] contiguous = new boolean[sets.size()];
        for (int i = 0; i < contiguous.length; i++) {
            contiguous[i] = contiguous(sets.get(i), position);
        }
        return contiguous;
    }

    /** Whether all blocks are contiguous in {@code order}. */
    public boolean respectsBlocks(int[] order) {
        int[] position = positions(order);
        return blocks.stream().allMatch(block -> contiguous(block, position));
    }

    /** The position of each channel in {@code order}, which is checked to be a permutation. */
    int[] positions(int[] order) {
        int[] position = new int[n];
        Arrays.fill(position, -1);
        for (int p = 0; p < order.length; p++) {
            int channel = order[p];
            if (channel < 0 || channel >= n || position[channel] >= 0) {
                throw new IllegalArgumentException("order[" + p + "] is " + channel + "; an order is a permutation of 0.."
                        + (n - 1));
            }
            position[channel] = p;
        }
        if (order.length != n) {
            throw new IllegalArgumentException("the order holds " + order.length + " channels of " + n);
        }
        return position;
    }

    private static boolean contiguous(int[] set, int[] position) {
        int low = Integer.MAX_VALUE;
        int high = -1;
        for (int channel : set) {
            low = Math.min(low, position[channel]);
            high = Math.max(high, position[channel]);
        }
        return set.length == 0 || high - low == set.length - 1;
    }

    private static List<int[]> sorted(String what, List<int[]> sets, int n) {
        int[][] copies = new int[sets.size()][];
        for (int i = 0; i < copies.length; i++) {
            if (sets.get(i) == null) {
                throw new IllegalArgumentException(what + "[" + i + "] is missing");
            }
            int[] set = sets.get(i).clone();
            Arrays.sort(set);
            for (int k = 0; k < set.length; k++) {
                if (set[k] < 0 || set[k] >= n) {
                    throw new IllegalArgumentException(what + "[" + i + "] names channel " + set[k] + "; there are " + n
                            + " channels, counted from 0");
                }
                if (k > 0 && set[k] == set[k - 1]) {
                    throw new IllegalArgumentException(what + "[" + i + "] names channel " + set[k] + " twice");
                }
            }
            copies[i] = set;
        }
        return List.of(copies);
    }

    private static double[] ones(int length) {
        double[] ones = new double[length];
        Arrays.fill(ones, 1);
        return ones;
    }
}
