package dev.upscale.order;

import dev.upscale.order.PqTree.Leaf;
import dev.upscale.order.PqTree.Node;
import dev.upscale.order.PqTree.PNode;
import dev.upscale.order.PqTree.QNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Of the orders that a PQ-tree stands for, one in which the sets that cannot be contiguous fall into few runs. A set begins
 * or ends a run between two neighbours of which it holds one, so the runs of an order are the length of a path on which
 * neighbours are apart by the weight of the sets that tell them apart. The path is built from the leaves of the tree up: at
 * a P-node nearest neighbour, then 2-opt; at a Q-node the best direction of each child.
 */
final class RunOrder {

    /** Distances looked at in 2-opt, for the whole tree. */
    private static final long STEPS = 4_000_000;

    /** Parts above which they are merely sorted. */
    private static final int MANY = 4096;
    /** Parts of which each may be the first to start from. */
    private static final int FEW = 12;

    private final byte[][] membership;
    private final float[][] weightOf;
    private final byte[] outside;
    /** A gain below this is a rounding error. */
    private final float least;
    private long steps = STEPS;

    private RunOrder(int leaves, List<int[]> sets, double[] weights) {
        int bytes = (sets.size() + 7) / 8;
        membership = new byte[leaves][bytes];
        weightOf = new float[bytes][256];
        outside = new byte[bytes];
        float sum = 0;
        for (double weight : weights) {
            sum += (float) weight;
        }
        least = 1e-5f * sum;
        for (int i = 0; i < sets.size(); i++) {
            for (int leaf : sets.get(i)) {
                membership[leaf][i / 8] |= (byte) (1 << i % 8);
            }
            for (int b = 0; b < 256; b++) {
                weightOf[i / 8][b] += (b >> i % 8 & 1) != 0 ? (float) weights[i] : 0;
            }
        }
    }

    /**
     * An order of the leaves of {@code tree}.
     *
     * @param sets leaves of the sets whose runs count
     * @param weights what a run of each costs
     */
    static int[] of(PqTree tree, List<int[]> sets, double[] weights) {
        if (tree.root() == null || sets.isEmpty()) {
            return tree.frontier();
        }
        return new RunOrder(tree.leafCount(), sets, weights).arrange(tree.root(), true);
    }

    private int[] arrange(Node node, boolean root) {
        return switch (node) {
            case Leaf leaf -> new int[] {leaf.id};
            case PNode p -> {
                List<int[]> parts = new ArrayList<>();
                for (Node child : p.children) {
                    parts.add(arrange(child, false));
                }
                yield concat(shortPath(parts, root), node.size);
            }
            case QNode q -> {
                List<int[]> parts = new ArrayList<>();
                for (Node child : q.children) {
                    parts.add(arrange(child, false));
                }
                yield concat(turned(parts, root), node.size);
            }
        };
    }

    /** The parts in their order, each in the direction that makes the whole shortest. */
    private List<int[]> turned(List<int[]> parts, boolean root) {
        int count = parts.size();
        float[][] length = new float[count][2];
        int[][] from = new int[count][2];
        for (int i = 0; i < count; i++) {
            for (int turn = 0; turn < 2; turn++) {
                byte[] first = end(parts.get(i), turn);
                if (i == 0) {
                    length[i][turn] = root ? distance(outside, first) : 0;
                    continue;
                }
                float straight = length[i - 1][0] + distance(end(parts.get(i - 1), 1), first);
                float reversed = length[i - 1][1] + distance(end(parts.get(i - 1), 0), first);
                length[i][turn] = Math.min(straight, reversed);
                from[i][turn] = straight <= reversed ? 0 : 1;
            }
        }
        int last = count - 1;
        float closing = root ? distance(end(parts.get(last), 1), outside) : 0;
        float closingTurned = root ? distance(end(parts.get(last), 0), outside) : 0;
        int turn = length[last][0] + closing <= length[last][1] + closingTurned ? 0 : 1;
        List<int[]> turned = new ArrayList<>(parts);
        for (int i = last; i >= 0; i--) {
            if (turn == 1) {
                turned.set(i, reversed(parts.get(i)));
            }
            turn = from[i][turn];
        }
        return turned;
    }

    /** The parts in any order and direction: nearest neighbour, then 2-opt; where they are few, from each of them. */
    private List<int[]> shortPath(List<int[]> parts, boolean root) {
        if (parts.size() > MANY) {
            List<int[]> path = new ArrayList<>(parts);
            path.sort((a, b) -> compareGray(end(a, 0), end(b, 0)));
            return path;
        }
        List<int[]> shortest = twoOpt(nearestNeighbour(parts, -1, false), root);
        float length = length(shortest, root);
        for (int start = 0; start < parts.size() && parts.size() <= FEW && steps > 0; start++) {
            for (boolean turned : new boolean[] {false, true}) {
                List<int[]> path = twoOpt(nearestNeighbour(parts, start, turned), root);
                if (length(path, root) < length) {
                    shortest = path;
                    length = length(path, root);
                }
            }
        }
        return shortest;
    }

    /** Orders memberships so that those next to each other differ in few sets: by the rank in a reflected Gray code. */
    private static int compareGray(byte[] a, byte[] b) {
        int ones = 0;
        for (int i = 0; i < a.length; i++) {
            int differing = (a[i] ^ b[i]) & 255;
            if (differing != 0) {
                int bit = Integer.numberOfTrailingZeros(differing);
                ones += Integer.bitCount(a[i] & ((1 << bit) - 1));
                boolean aHas = (a[i] >> bit & 1) != 0;
                return aHas == (ones % 2 == 0) ? 1 : -1;
            }
            ones += Integer.bitCount(a[i] & 255);
        }
        return 0;
    }

    private float length(List<int[]> path, boolean root) {
        float length = root ? distance(outside, end(path.getFirst(), 0)) + distance(end(path.getLast(), 1), outside) : 0;
        for (int i = 1; i < path.size(); i++) {
            length += distance(end(path.get(i - 1), 1), end(path.get(i), 0));
        }
        return length;
    }

    private List<int[]> twoOpt(List<int[]> path, boolean root) {
        boolean improved = path.size() > 2 || root;
        while (improved && steps > 0) {
            improved = false;
            for (int i = 0; i < path.size() && steps > 0; i++) {
                for (int j = i; j < path.size(); j++) {
                    improved |= reverseIfShorter(path, i, j, root);
                }
                steps -= 2L * (path.size() - i);
            }
        }
        return path;
    }

    private boolean reverseIfShorter(List<int[]> path, int i, int j, boolean root) {
        byte[] first = end(path.get(i), 0);
        byte[] last = end(path.get(j), 1);
        float gain = 0;
        if (i > 0 || root) {
            byte[] before = i > 0 ? end(path.get(i - 1), 1) : outside;
            gain += distance(before, first) - distance(before, last);
        }
        if (j < path.size() - 1 || root) {
            byte[] after = j < path.size() - 1 ? end(path.get(j + 1), 0) : outside;
            gain += distance(last, after) - distance(first, after);
        }
        if (!(gain > least)) {
            return false;
        }
        for (int a = i, b = j; a <= b; a++, b--) {
            int[] left = path.get(a);
            path.set(a, reversed(path.get(b)));
            if (a != b) {
                path.set(b, reversed(left));
            }
        }
        return true;
    }

    /** From part {@code start} on, turned or not, or where that is negative from the part nearest to nothing. */
    private List<int[]> nearestNeighbour(List<int[]> parts, int start, boolean startTurned) {
        List<int[]> path = new ArrayList<>(parts.size());
        boolean[] used = new boolean[parts.size()];
        byte[] at = outside;
        if (start >= 0) {
            used[start] = true;
            path.add(startTurned ? reversed(parts.get(start)) : parts.get(start));
            at = end(path.getLast(), 1);
        }
        for (int step = path.size(); step < parts.size(); step++) {
            int nearest = -1;
            boolean turn = false;
            float shortest = Float.POSITIVE_INFINITY;
            for (int i = 0; i < used.length; i++) {
                if (used[i]) {
                    continue;
                }
                int[] part = parts.get(i);
                float ahead = distance(at, end(part, 0));
                if (ahead < shortest) {
                    shortest = ahead;
                    nearest = i;
                    turn = false;
                }
                if (part.length > 1) {
                    float back = distance(at, end(part, 1));
                    if (back < shortest) {
                        shortest = back;
                        nearest = i;
                        turn = true;
                    }
                }
            }
            used[nearest] = true;
            path.add(turn ? reversed(parts.get(nearest)) : parts.get(nearest));
            at = end(path.getLast(), 1);
        }
        return path;
    }

    private byte[] end(int[] part, int side) {
        return membership[part[side == 0 ? 0 : part.length - 1]];
    }

    private float distance(byte[] a, byte[] b) {
        float sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += weightOf[i][(a[i] ^ b[i]) & 255];
        }
        return sum;
    }

    private static int[] reversed(int[] part) {
        int[] reversed = new int[part.length];
        for (int i = 0; i < part.length; i++) {
            reversed[i] = part[part.length - 1 - i];
        }
        return reversed;
    }

    private static int[] concat(List<int[]> parts, int size) {
        int[] all = new int[size];
        int at = 0;
        for (int[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
