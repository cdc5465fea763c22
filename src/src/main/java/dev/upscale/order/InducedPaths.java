package dev.upscale.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Covers a graph of overlapping sets with heavy paths, the heaviest first (UPSCALE, section on the ordering algorithm). A
 * path steps from a set to a neighbour and from then on may use no neighbour of the set it left, so that a channel is
 * never claimed by three sets in a row; its weight is the number of channels on it: the sizes of its sets less what each
 * shares with the next.
 *
 * <p>There are exponentially many such paths (some layered graphs of 40 sets take the published code most of a minute).
 * Partial paths that cannot become heavier than the best are cut off, which does not change the result; and the number of
 * steps is bounded: when the budget is spent, each further start takes its first path alone.
 */
final class InducedPaths {

    private final BitSet[] successors;
    private final int[][] shared;
    private final int[] size;
    private long budget;

    private int[] best;
    private int bestWeight;
    private int[] path;

    /**
     * @param successors for each set, those a path may step to
     * @param shared number of channels that two sets share
     * @param size number of channels of each set
     * @param budget steps allowed
     */
    InducedPaths(BitSet[] successors, int[][] shared, int[] size, long budget) {
        this.successors = successors;
        this.shared = shared;
        this.size = size;
        this.budget = budget;
        this.path = new int[size.length];
    }

    /** Whether the budget sufficed. */
    boolean exhaustive() {
        return budget > 0;
    }

    /** Paths that hold every set once; of equally heavy ones, that of the lowest sets. */
    List<int[]> cover() {
        BitSet open = new BitSet();
        open.set(0, size.length);
        List<int[]> paths = new ArrayList<>();
        while (!open.isEmpty()) {
            best = null;
            bestWeight = -1;
            for (int start = open.nextSetBit(0); start >= 0; start = open.nextSetBit(start + 1)) {
                extend(start, 0, 0, open);
            }
            paths.add(best);
            for (int node : best) {
                open.clear(node);
            }
        }
        return paths;
    }

    /** Puts {@code node} on the path after {@code length} others; {@code open} are the sets that the path may still use. */
    private void extend(int node, int length, int weightBefore, BitSet open) {
        budget--;
        path[length] = node;
        int weight = weightBefore + size[node] - (length == 0 ? 0 : shared[path[length - 1]][node]);
        BitSet next = (BitSet) successors[node].clone();
        next.and(open);
        next.clear(node);
        if (next.isEmpty()) {
            if (weight > bestWeight) {
                bestWeight = weight;
                best = Arrays.copyOf(path, length + 1);
            }
            return;
        }
        BitSet rest = (BitSet) open.clone();
        rest.clear(node);
        if (weight + sizeOf(rest) <= bestWeight) {
            return;
        }
        rest.andNot(successors[node]);
        boolean hadBudget = budget > 0;
        int restSize = sizeOf(rest);
        for (int child = next.nextSetBit(0); child >= 0; child = next.nextSetBit(child + 1)) {
            if (weight + size[child] - shared[node][child] + restSize > bestWeight) {
                extend(child, length + 1, weight, rest);
            }
            if (!hadBudget || budget <= 0) {
                return;
            }
        }
    }

    private int sizeOf(BitSet sets) {
        int sum = 0;
        for (int i = sets.nextSetBit(0); i >= 0; i = sets.nextSetBit(i + 1)) {
            sum += size[i];
        }
        return sum;
    }
}
