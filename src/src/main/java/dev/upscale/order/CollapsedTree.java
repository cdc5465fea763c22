package dev.upscale.order;

import dev.upscale.order.PqTree.Leaf;
import dev.upscale.order.PqTree.Node;
import dev.upscale.order.PqTree.PNode;
import dev.upscale.order.PqTree.QNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A PQ-tree reduced to what later sets can still see. Leaves become labels: two leaves have one label where no later set
 * tells them apart, and {@link #DEAD} is the label of leaves in no later set. Equal labels side by side are one leaf, and
 * dead leaves at the ends of the whole are none. Whatever family of later sets the tree admits, the collapsed tree admits,
 * and the other way round; so two partial decisions with equal collapsed trees have the same future.
 */
final class CollapsedTree {

    static final int DEAD = 0;

    /** A 128-bit hash that does not depend on the order of P-children nor on the direction of Q-children. */
    record Key(long high, long low) {
    }

    private CollapsedTree() {
    }

    /** Relabels the leaves by {@code label} and collapses. */
    static PqTree of(PqTree tree, int[] label) {
        Node root = tree.root() == null ? null : stripDeadEnds(collapse(tree.root(), label));
        return PqTree.of(root, root == null ? 0 : root.size);
    }

    static Key key(PqTree tree) {
        return tree.root() == null ? new Key(0, 0)
                : new Key(hash(tree.root(), 0x9E3779B97F4A7C15L), hash(tree.root(), 0xD1B54A32D192ED03L));
    }

    private static Node collapse(Node node, int[] label) {
        return switch (node) {
            case Leaf leaf -> new Leaf(label[leaf.id]);
            case PNode p -> {
                List<Node> children = new ArrayList<>(p.children.length);
                BitSet seen = new BitSet();
                for (Node child : p.children) {
                    Node collapsed = collapse(child, label);
                    if (!(collapsed instanceof Leaf leaf)) {
                        children.add(collapsed);
                    } else if (!seen.get(leaf.id)) {
                        seen.set(leaf.id);
                        children.add(leaf);
                    }
                }
                yield PqTree.pNode(children.toArray(Node[]::new));
            }
            case QNode q -> {
                List<Node> children = new ArrayList<>(q.children.length);
                int before = -1;
                for (Node child : q.children) {
                    Node collapsed = collapse(child, label);
                    int id = collapsed instanceof Leaf leaf ? leaf.id : -1;
                    if (id < 0 || id != before) {
                        children.add(collapsed);
                    }
                    before = id;
                }
                yield PqTree.qNode(children.toArray(Node[]::new));
            }
        };
    }

    /** Dead leaves that can stand outside of everything else are of no consequence. */
    private static Node stripDeadEnds(Node root) {
        Node node = root;
        while (true) {
            Node stripped = switch (node) {
                case Leaf leaf -> leaf.id == DEAD ? null : leaf;
                case PNode p -> without(p);
                case QNode q -> withoutEnds(q);
            };
            if (stripped == node || stripped == null) {
                return stripped;
            }
            node = stripped;
        }
    }

    private static Node without(PNode node) {
        List<Node> children = new ArrayList<>();
        for (Node child : node.children) {
            if (!isDead(child)) {
                children.add(child);
            }
        }
        return children.size() == node.children.length ? node : PqTree.pNode(children.toArray(Node[]::new));
    }

    private static Node withoutEnds(QNode node) {
        int from = isDead(node.children[0]) ? 1 : 0;
        int to = node.children.length - (isDead(node.children[node.children.length - 1]) ? 1 : 0);
        if (from == 0 && to == node.children.length) {
            return node;
        }
        return PqTree.qNode(Arrays.copyOfRange(node.children, from, to));
    }

    private static boolean isDead(Node node) {
        return node instanceof Leaf leaf && leaf.id == DEAD;
    }

    private static long hash(Node node, long seed) {
        return switch (node) {
            case Leaf leaf -> mix(seed + 31L * leaf.id + 1);
            case PNode p -> {
                long sum = seed;
                for (Node child : p.children) {
                    sum += mix(hash(child, seed) ^ seed);
                }
                yield mix(sum + 3);
            }
            case QNode q -> {
                long forward = seed;
                long backward = seed;
                int last = q.children.length - 1;
                long[] hashes = new long[last + 1];
                for (int i = 0; i <= last; i++) {
                    hashes[i] = hash(q.children[i], seed);
                }
                for (int i = 0; i <= last; i++) {
                    forward = mix(forward * 3 + hashes[i]);
                    backward = mix(backward * 3 + hashes[last - i]);
                }
                yield mix((forward + backward) ^ mix(forward ^ backward) + 5);
            }
        };
    }

    private static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        return b ^ (b >>> 31);
    }
}
