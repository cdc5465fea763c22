package dev.upscale.order;

import java.math.BigInteger;
import java.util.ArrayDeque;

/**
 * All orders of {@code leafCount} leaves in which some sets are contiguous (Booth and Lueker, "Testing for the consecutive
 * ones property, interval graphs, and graph planarity using PQ-tree algorithms", 1976). The children of a P-node may stand
 * in any order, those of a Q-node in theirs or the reverse.
 *
 * <p>Immutable: {@link #reduce} makes a new tree that shares what did not change, so a search keeps the tree it had and
 * undoing costs nothing; trees may be shared between threads. A reduction takes time linear in the number of leaves.
 */
public final class PqTree {

    private final Node root;
    private final int[] frontier;

    private PqTree(Node root, int leafCount) {
        this.root = root;
        this.frontier = new int[leafCount];
        if (root != null) {
            write(root, frontier);
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
        Node reduced = new PqReduction(fullBefore, size).reduce(root);
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

    private static void write(Node root, int[] frontier) {
        ArrayDeque<Node> open = new ArrayDeque<>();
        open.push(root);
        int at = 0;
        while (!open.isEmpty()) {
            Node node = open.pop();
            if (node instanceof Leaf leaf) {
                frontier[at++] = leaf.id;
                continue;
            }
            Node[] children = ((Inner) node).children;
            for (int i = children.length - 1; i >= 0; i--) {
                open.push(children[i]);
            }
        }
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
}
