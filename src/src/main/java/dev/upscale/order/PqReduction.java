package dev.upscale.order;

import dev.upscale.order.PqTree.Inner;
import dev.upscale.order.PqTree.Node;
import dev.upscale.order.PqTree.PNode;
import dev.upscale.order.PqTree.QNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One reduction of a {@link PqTree}. A node is told by the position {@code at} of its first leaf in the frontier, so that
 * its number of full leaves (those in the set) is one difference. Whether the set fits is found first, without building
 * anything. Booth and Lueker's templates, by what they make: the root of the pertinent subtree is handled by
 * {@link #rootP} (P2, P4, P6) and {@link #rootQ} (Q2, Q3), a partial node below it by {@link #linearise} (P3, P5, Q2).
 * Full and empty nodes (L1, P1, Q1) are taken as they are.
 *
 * @param fullBefore how many leaves before each position of the frontier are in the set
 * @param full how many are in the set
 */
record PqReduction(int[] fullBefore, int full) {

    private static final Node[] NONE = {};

    /** {@code root}, which holds all full leaves, reduced; {@code null} where that cannot be. */
    Node reduce(Node root) {
        List<Inner> path = new ArrayList<>();
        List<Integer> steps = new ArrayList<>();
        Node node = root;
        int at = 0;
        while (full < node.size && node instanceof Inner inner) {
            int step = childWithAll(inner, at);
            if (step < 0) {
                Node reduced = switch (inner) {
                    case PNode p -> fitsPartials(p, at, 2) ? rootP(p, at) : null;
                    case QNode q -> fitsRootQ(q, at) ? rootQ(q, at) : null;
                };
                if (reduced == null) {
                    return null;
                }
                return reduced == inner ? root : replaced(path, steps, reduced);
            }
            path.add(inner);
            steps.add(step);
            for (int i = 0; i < step; i++) {
                at += inner.children[i].size;
            }
            node = inner.children[step];
        }
        return root;
    }

    private int childWithAll(Inner node, int at) {
        int childAt = at;
        for (int i = 0; i < node.children.length; i++) {
            int inside = fullIn(node.children[i], childAt);
            if (inside > 0) {
                return inside == full ? i : -1;
            }
            childAt += node.children[i].size;
        }
        throw new AssertionError("no child holds a full leaf");
    }

    private static Node replaced(List<Inner> path, List<Integer> steps, Node node) {
        Node above = node;
        for (int i = path.size() - 1; i >= 0; i--) {
            Node[] children = path.get(i).children.clone();
            children[steps.get(i)] = above;
            above = path.get(i).with(children);
        }
        return above;
    }

    // ---- does it fit? ------------------------------------------------------------------------------------------------

    /** Whether at most {@code most} children are partial, each of which can have its full leaves at one end. */
    private boolean fitsPartials(PNode node, int at, int most) {
        int partial = 0;
        int childAt = at;
        for (Node child : node.children) {
            if (isPartial(child, childAt) && ++partial > most) {
                return false;
            }
            childAt += child.size;
        }
        childAt = at;
        for (Node child : node.children) {
            if (isPartial(child, childAt) && !fitsLine(child, childAt)) {
                return false;
            }
            childAt += child.size;
        }
        return true;
    }

    /** Whether the children are empty ones, a partial one, full ones, a partial one, empty ones, each kind or none. */
    private boolean fitsRootQ(QNode node, int at) {
        boolean begun = false;
        boolean ended = false;
        int childAt = at;
        for (Node child : node.children) {
            int inside = fullIn(child, childAt);
            if (inside == 0) {
                ended = begun;
            } else if (ended) {
                return false;
            } else if (inside < child.size) {
                if (!fitsLine(child, childAt)) {
                    return false;
                }
                ended = begun;
            }
            begun |= inside > 0;
            childAt += child.size;
        }
        return true;
    }

    /** Whether a partial node can have its full leaves at one end: each node has one partial child, if any, so go down. */
    private boolean fitsLine(Node node, int at) {
        Node down = node;
        int downAt = at;
        while (down != null) {
            Inner inner = (Inner) down;
            boolean flip = inner instanceof QNode q && fullAtLeft(q, downAt);
            int count = inner.children.length;
            int childAt = flip ? downAt + inner.size : downAt;
            boolean begun = false;
            Node partial = null;
            int partialAt = 0;
            for (int i = 0; i < count; i++) {
                Node child = inner.children[flip ? count - 1 - i : i];
                childAt -= flip ? child.size : 0;
                int inside = fullIn(child, childAt);
                if (inside > 0 && inside < child.size) {
                    if (partial != null) {
                        return false;
                    }
                    partial = child;
                    partialAt = childAt;
                }
                if (inner instanceof QNode && begun && inside < child.size) {
                    return false;
                }
                begun |= inside > 0;
                childAt += flip ? 0 : child.size;
            }
            down = partial;
            downAt = partialAt;
        }
        return true;
    }

    /** Whether a partial Q-node has its full end at the left; otherwise it is at the right, or the set does not fit. */
    private boolean fullAtLeft(QNode node, int at) {
        Node first = node.children[0];
        Node last = node.children[node.children.length - 1];
        return fullIn(first, at) == first.size || fullIn(last, at + node.size - last.size) == 0;
    }

    // ---- build what fits ---------------------------------------------------------------------------------------------

    private Node rootP(PNode node, int at) {
        Node[] empty = children(node, at, Label.EMPTY);
        Node[] full = children(node, at, Label.FULL);
        Node[] partial = children(node, at, Label.PARTIAL);
        Node together;
        if (partial.length == 0) {
            together = PqTree.pNode(full);
        } else {
            List<Node> line = linearise(partial[0], position(node, at, partial[0]));
            if (full.length > 0) {
                line.add(PqTree.pNode(full));
            }
            if (partial.length == 2) {
                line.addAll(linearise(partial[1], position(node, at, partial[1])).reversed());
            }
            together = PqTree.qNode(line.toArray(NONE));
        }
        if (empty.length == 0) {
            return together;
        }
        Node[] children = Arrays.copyOf(empty, empty.length + 1);
        children[empty.length] = together;
        return new PNode(children);
    }

    private Node rootQ(QNode node, int at) {
        List<Node> line = new ArrayList<>(node.children.length + 2);
        boolean begun = false;
        int childAt = at;
        for (Node child : node.children) {
            if (isPartial(child, childAt)) {
                List<Node> part = linearise(child, childAt);
                line.addAll(begun ? part.reversed() : part);
            } else {
                line.add(child);
            }
            begun |= fullIn(child, childAt) > 0;
            childAt += child.size;
        }
        return line.size() == node.children.length ? node : new QNode(line.toArray(NONE));
    }

    /** The children of the Q-node that a partial node becomes, the empty ones first. */
    private List<Node> linearise(Node node, int at) {
        List<Node> left = new ArrayList<>();
        List<Node> rightmostFirst = new ArrayList<>();
        Node down = node;
        int downAt = at;
        while (down != null) {
            Node partial = null;
            int partialAt = 0;
            switch ((Inner) down) {
                case PNode p -> {
                    Node[] empty = children(p, downAt, Label.EMPTY);
                    Node[] full = children(p, downAt, Label.FULL);
                    if (empty.length > 0) {
                        left.add(PqTree.pNode(empty));
                    }
                    if (full.length > 0) {
                        rightmostFirst.add(PqTree.pNode(full));
                    }
                    for (Node child : children(p, downAt, Label.PARTIAL)) {
                        partial = child;
                        partialAt = position(p, downAt, child);
                    }
                }
                case QNode q -> {
                    boolean flip = fullAtLeft(q, downAt);
                    int count = q.children.length;
                    int childAt = flip ? downAt + q.size : downAt;
                    List<Node> right = new ArrayList<>();
                    for (int i = 0; i < count; i++) {
                        Node child = q.children[flip ? count - 1 - i : i];
                        childAt -= flip ? child.size : 0;
                        int inside = fullIn(child, childAt);
                        if (inside == 0) {
                            left.add(child);
                        } else if (inside == child.size) {
                            right.add(child);
                        } else {
                            partial = child;
                            partialAt = childAt;
                        }
                        childAt += flip ? 0 : child.size;
                    }
                    rightmostFirst.addAll(right.reversed());
                }
            }
            down = partial;
            downAt = partialAt;
        }
        left.addAll(rightmostFirst.reversed());
        return left;
    }

    private Node[] children(PNode node, int at, Label label) {
        int count = 0;
        int childAt = at;
        for (Node child : node.children) {
            count += is(child, childAt, label) ? 1 : 0;
            childAt += child.size;
        }
        Node[] children = new Node[count];
        count = 0;
        childAt = at;
        for (Node child : node.children) {
            if (is(child, childAt, label)) {
                children[count++] = child;
            }
            childAt += child.size;
        }
        return children;
    }

    private static int position(PNode node, int at, Node wanted) {
        int childAt = at;
        for (Node child : node.children) {
            if (child == wanted) {
                return childAt;
            }
            childAt += child.size;
        }
        throw new AssertionError("not a child");
    }

    private boolean is(Node node, int at, Label label) {
        int inside = fullIn(node, at);
        return label == (inside == 0 ? Label.EMPTY : inside == node.size ? Label.FULL : Label.PARTIAL);
    }

    private boolean isPartial(Node node, int at) {
        int inside = fullIn(node, at);
        return inside > 0 && inside < node.size;
    }

    private int fullIn(Node node, int at) {
        return fullBefore[at + node.size] - fullBefore[at];
    }

    private enum Label {
        EMPTY, FULL, PARTIAL
    }
}
