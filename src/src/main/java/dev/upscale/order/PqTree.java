package dev.upscale.order;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All orders of {@code leafCount} leaves in which some sets are contiguous (Booth and Lueker, "Testing for the consecutive
 * ones property, interval graphs, and graph planarity using PQ-tree algorithms", 1976). The children of a P-node may stand
 * in any order, those of a Q-node in theirs or the reverse.
 *
 * <p>Immutable: {@link #reduce} makes a new tree that shares what did not change, so a search keeps the tree it had and
 * undoing costs nothing; trees may be shared between threads. A reduction takes time linear in the number of leaves.
 */
public final class PqTree {

    private static final Node[] NONE = {};

    private final Node root;
    private final int[] frontier;

    private PqTree(Node root, int leafCount) {
        this.root = root;
        this.frontier = new int[leafCount];
        if (root != null) {
            write(root, frontier, 0);
        }
    }

    /** The tree of all orders of the leaves {@code 0 .. leafCount - 1}: one P-node. */
    public static PqTree of(int leafCount) {
        Node[] leaves = new Node[leafCount];
        for (int i = 0; i < leafCount; i++) {
            leaves[i] = new Leaf(i);
        }
        return of(leafCount == 0 ? null : pNode(leaves), leafCount);
    }

    static PqTree of(Node root, int leafCount) {
        return new PqTree(root, leafCount);
    }

    /** Number of leaves. */
    public int leafCount() {
        return frontier.length;
    }

    /** One of the orders: the leaves from left to right. */
    public int[] frontier() {
        return frontier.clone();
    }

    Node root() {
        return root;
    }

    /**
     * The tree of those orders in which {@code set} is contiguous too, or {@code null} where there is none.
     *
     * @param set distinct leaves, in any order
     */
    public PqTree reduce(int[] set) {
        if (set.length <= 1 || set.length == frontier.length) {
            return this;
        }
        boolean[] in = new boolean[frontier.length];
        for (int leaf : set) {
            in[leaf] = true;
        }
        return reduce(in, set.length);
    }

    /** As {@link #reduce(int[])}, for the set of the {@code size} leaves whose flag is set. */
    PqTree reduce(boolean[] in, int size) {
        if (size <= 1 || size == frontier.length) {
            return this;
        }
        int[] fullBefore = new int[frontier.length + 1];
        for (int p = 0; p < frontier.length; p++) {
            fullBefore[p + 1] = fullBefore[p] + (in[frontier[p]] ? 1 : 0);
        }
        Node reduced = new Reduction(fullBefore, size).reduce(root, 0);
        if (reduced == null) {
            return null;
        }
        return reduced == root ? this : new PqTree(reduced, frontier.length);
    }

    /** How many leaves have their flag set. */
    int count(boolean[] in) {
        int count = 0;
        for (int leaf : frontier) {
            count += in[leaf] ? 1 : 0;
        }
        return count;
    }

    /** How many orders the tree stands for. */
    public BigInteger orderCount() {
        return root == null ? BigInteger.ONE : orderCount(root);
    }

    /** P-nodes in round brackets, Q-nodes in square ones: {@code (0 [1 2 3] (4 5))}. */
    @Override
    public String toString() {
        return root == null ? "()" : root.toString();
    }

    // ---- nodes ------------------------------------------------------------------------------------------------------

    abstract static sealed class Node {
        /** Number of leaves below. */
        final int size;

        Node(int size) {
            this.size = size;
        }
    }

    static final class Leaf extends Node {
        final int id;

        Leaf(int id) {
            super(1);
            this.id = id;
        }

        @Override
        public String toString() {
            return Integer.toString(id);
        }
    }

    abstract static sealed class Inner extends Node {
        final Node[] children;

        Inner(Node[] children) {
            super(sizeOf(children));
            this.children = children;
        }

        abstract Inner with(Node[] children);

        String joined() {
            StringBuilder text = new StringBuilder();
            for (Node child : children) {
                text.append(text.isEmpty() ? "" : " ").append(child);
            }
            return text.toString();
        }
    }

    static final class PNode extends Inner {
        PNode(Node[] children) {
            super(children);
        }

        @Override
        PNode with(Node[] children) {
            return new PNode(children);
        }

        @Override
        public String toString() {
            return "(" + joined() + ")";
        }
    }

    static final class QNode extends Inner {
        QNode(Node[] children) {
            super(children);
        }

        @Override
        QNode with(Node[] children) {
            return new QNode(children);
        }

        @Override
        public String toString() {
            return "[" + joined() + "]";
        }
    }

    /** The only child, or a P-node of them. */
    static Node pNode(Node[] children) {
        return children.length == 1 ? children[0] : new PNode(children);
    }

    /** A Q-node; with two children it means what a P-node means, and is one. */
    static Node qNode(Node[] children) {
        return children.length < 3 ? pNode(children) : new QNode(children);
    }

    private static int sizeOf(Node[] children) {
        int size = 0;
        for (Node child : children) {
            size += child.size;
        }
        return size;
    }

    private static int write(Node node, int[] frontier, int at) {
        return switch (node) {
            case Leaf leaf -> {
                frontier[at] = leaf.id;
                yield at + 1;
            }
            case Inner inner -> {
                int next = at;
                for (Node child : inner.children) {
                    next = write(child, frontier, next);
                }
                yield next;
            }
        };
    }

    private static BigInteger orderCount(Node node) {
        if (!(node instanceof Inner inner)) {
            return BigInteger.ONE;
        }
        BigInteger count = inner instanceof QNode ? BigInteger.TWO : BigInteger.ONE;
        for (int i = 0; i < inner.children.length; i++) {
            count = count.multiply(orderCount(inner.children[i]));
            if (inner instanceof PNode) {
                count = count.multiply(BigInteger.valueOf(i + 1));
            }
        }
        return count;
    }

    // ---- reduction --------------------------------------------------------------------------------------------------

    /**
     * One reduction. A node is told by the position {@code at} of its first leaf in the frontier, so that its number of
     * full leaves (those in the set) is one difference. Booth and Lueker's templates, by what they make: the root of the
     * pertinent subtree is handled by {@link #rootP} (P2, P4, P6) and {@link #rootQ} (Q2, Q3), a partial node below it by
     * {@link #linearise} (P3, P5, Q2). Full and empty nodes (L1, P1, Q1) are taken as they are.
     */
    private record Reduction(int[] fullBefore, int full) {

        /** {@code node}, which holds all full leaves, reduced; {@code null} where that cannot be. */
        Node reduce(Node node, int at) {
            if (full == node.size || !(node instanceof Inner inner)) {
                return node;
            }
            int childAt = at;
            for (int i = 0; i < inner.children.length; i++) {
                Node child = inner.children[i];
                if (fullIn(child, childAt) == full) {
                    Node reduced = reduce(child, childAt);
                    if (reduced == null) {
                        return null;
                    }
                    return reduced == child ? node : replace(inner, i, reduced);
                }
                childAt += child.size;
            }
            return switch (inner) {
                case PNode p -> rootP(p, at);
                case QNode q -> rootQ(q, at);
            };
        }

        private Node rootP(PNode node, int at) {
            Parts parts = parts(node, at);
            if (parts.partial.size() > 2) {
                return null;
            }
            Node together;
            if (parts.partial.isEmpty()) {
                if (parts.empty.isEmpty()) {
                    return node;
                }
                together = group(parts.full);
            } else {
                List<Node> line = new ArrayList<>();
                if (!linearise(parts.partial.get(0), parts.partialAt[0], line)) {
                    return null;
                }
                if (!parts.full.isEmpty()) {
                    line.add(group(parts.full));
                }
                if (parts.partial.size() == 2) {
                    List<Node> right = new ArrayList<>();
                    if (!linearise(parts.partial.get(1), parts.partialAt[1], right)) {
                        return null;
                    }
                    line.addAll(right.reversed());
                }
                together = qNode(line.toArray(NONE));
            }
            if (parts.empty.isEmpty()) {
                return together;
            }
            parts.empty.add(together);
            return new PNode(parts.empty.toArray(NONE));
        }

        private Node rootQ(QNode node, int at) {
            List<Node> line = new ArrayList<>();
            int state = 0; // 0: empty so far; 1: full leaves have begun; 2: they have ended
            int childAt = at;
            boolean changed = false;
            for (Node child : node.children) {
                int inside = fullIn(child, childAt);
                if (inside == 0) {
                    state = state == 0 ? 0 : 2;
                    line.add(child);
                } else if (state == 2) {
                    return null;
                } else if (inside == child.size) {
                    state = 1;
                    line.add(child);
                } else {
                    changed = true;
                    List<Node> part = new ArrayList<>();
                    if (!linearise(child, childAt, part)) {
                        return null;
                    }
                    line.addAll(state == 0 ? part : part.reversed());
                    state = state == 0 ? 1 : 2;
                }
                childAt += child.size;
            }
            return changed ? new QNode(line.toArray(NONE)) : node;
        }

        /** Appends the children of a Q-node that a partial node becomes, the empty ones first; false where it cannot. */
        private boolean linearise(Node node, int at, List<Node> line) {
            return switch (node) {
                case Leaf leaf -> throw new AssertionError("a leaf is never partial: " + leaf);
                case PNode p -> {
                    Parts parts = parts(p, at);
                    if (parts.partial.size() > 1) {
                        yield false;
                    }
                    if (!parts.empty.isEmpty()) {
                        line.add(group(parts.empty));
                    }
                    if (!parts.partial.isEmpty() && !linearise(parts.partial.get(0), parts.partialAt[0], line)) {
                        yield false;
                    }
                    if (!parts.full.isEmpty()) {
                        line.add(group(parts.full));
                    }
                    yield true;
                }
                case QNode q -> linearise(q, at, line);
            };
        }

        private boolean linearise(QNode node, int at, List<Node> line) {
            int count = node.children.length;
            int last = count - 1;
            int lastAt = at + node.size - node.children[last].size;
            // The full end belongs at the right: read from the other side where the left end is fuller.
            boolean flip = fullIn(node.children[0], at) == node.children[0].size || fullIn(node.children[last], lastAt) == 0;
            boolean begun = false;
            int childAt = flip ? at + node.size : at;
            for (int i = 0; i < count; i++) {
                Node child = node.children[flip ? last - i : i];
                childAt -= flip ? child.size : 0;
                int inside = fullIn(child, childAt);
                if (inside == child.size) {
                    begun = true;
                    line.add(child);
                } else if (begun) {
                    return false;
                } else if (inside == 0) {
                    line.add(child);
                } else {
                    begun = true;
                    if (!linearise(child, childAt, line)) {
                        return false;
                    }
                }
                childAt += flip ? 0 : child.size;
            }
            return true;
        }

        private static Node replace(Inner node, int index, Node child) {
            Node[] children = node.children.clone();
            children[index] = child;
            return node.with(children);
        }

        private Parts parts(PNode node, int at) {
            Parts parts = new Parts();
            int childAt = at;
            for (Node child : node.children) {
                int inside = fullIn(child, childAt);
                if (inside == 0) {
                    parts.empty.add(child);
                } else if (inside == child.size) {
                    parts.full.add(child);
                } else {
                    if (parts.partial.size() < 2) {
                        parts.partialAt[parts.partial.size()] = childAt;
                    }
                    parts.partial.add(child);
                }
                childAt += child.size;
            }
            return parts;
        }

        private int fullIn(Node node, int at) {
            return fullBefore[at + node.size] - fullBefore[at];
        }

        private static Node group(List<Node> nodes) {
            return pNode(nodes.toArray(NONE));
        }
    }

    /** The children of a P-node by label. */
    private static final class Parts {
        final List<Node> empty = new ArrayList<>();
        final List<Node> full = new ArrayList<>();
        final List<Node> partial = new ArrayList<>();
        final int[] partialAt = new int[2];
    }
}
