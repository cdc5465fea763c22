package dev.upscale.order;

import dev.upscale.order.PqTree.Inner;
import dev.upscale.order.PqTree.Leaf;
import dev.upscale.order.PqTree.Node;
import dev.upscale.order.PqTree.PNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * Improves an order by any {@link Objective}: swaps, insertions and reversals among the children of a P-node of the blocks'
 * tree, reversals of Q-nodes; whatever is not worse is kept. Blocks hold throughout. The seed is fixed.
 */
public final class LocalSearch {

    /** Orders evaluated by default. */
    public static final int DEFAULT_EVALUATIONS = 4000;

    private final OrderingProblem problem;
    private final Objective objective;
    private final ChannelClasses classes;
    private final Branch root;
    private final List<Branch> branches = new ArrayList<>();

    private LocalSearch(OrderingProblem problem, int[] start, Objective objective) {
        this.problem = problem;
        this.objective = objective;
        ConflictFinder blocks = new ConflictFinder(problem);
        this.classes = blocks.classes();
        int[] position = problem.positions(start);
        Node tree = blocks.blockTree().root();
        this.root = tree == null ? new Branch(new int[0], 0) : branch(tree, position);
    }

    /**
     * An order that costs no more than {@code start}.
     *
     * @param start an order that respects the blocks
     * @param evaluations how many orders to look at
     */
    public static int[] improve(OrderingProblem problem, int[] start, Objective objective, int evaluations) {
        if (!problem.respectsBlocks(start)) {
            throw new IllegalArgumentException("the order to start from does not keep all blocks contiguous");
        }
        return new LocalSearch(problem, start, objective).run(start, evaluations);
    }

    private int[] run(int[] start, int evaluations) {
        Random random = new Random(problem.n());
        int[] best = start;
        double bestCost = objective.cost(problem, start);
        for (int e = 0; e < evaluations && bestCost > 0 && !branches.isEmpty(); e++) {
            Branch branch = branches.get(random.nextInt(branches.size()));
            List<Branch> before = new ArrayList<>(branch.children);
            branch.move(random);
            int[] order = order();
            double cost = objective.cost(problem, order);
            if (cost <= bestCost) {
                best = order;
                bestCost = cost;
            } else {
                branch.children.clear();
                branch.children.addAll(before);
            }
        }
        return best;
    }

    private int[] order() {
        int[] order = new int[problem.n()];
        root.write(order, 0);
        return order;
    }

    /** The tree in the arrangement that the order to start from gives it: children by their first position. */
    private Branch branch(Node node, int[] position) {
        if (node instanceof Leaf leaf) {
            int[] channels = classes.channels(leaf.id).clone();
            return new Branch(sorted(channels, position), position[channels[0]]);
        }
        Inner inner = (Inner) node;
        List<Branch> children = new ArrayList<>();
        for (Node child : inner.children) {
            children.add(branch(child, position));
        }
        children.sort(Comparator.comparingInt(child -> child.at));
        Branch branch = new Branch(inner instanceof PNode, children);
        // As often as it has children, so that each child is moved as often as any other.
        for (int i = 0; i < children.size(); i++) {
            branches.add(branch);
        }
        return branch;
    }

    private static int[] sorted(int[] channels, int[] position) {
        return Arrays.stream(channels).boxed().sorted(Comparator.comparingInt(c -> position[c]))
                .mapToInt(Integer::intValue).toArray();
    }

    /** A node with its children where they stand now, or a leaf with the channels of its class. */
    private static final class Branch {
        final boolean free;
        final List<Branch> children;
        final int[] channels;
        final int at;

        Branch(boolean free, List<Branch> children) {
            this.free = free;
            this.children = children;
            this.channels = null;
            this.at = children.getFirst().at;
        }

        Branch(int[] channels, int at) {
            this.free = false;
            this.children = List.of();
            this.channels = channels;
            this.at = at;
        }

        void move(Random random) {
            int count = children.size();
            int a = random.nextInt(count);
            int b = random.nextInt(count);
            switch (free ? random.nextInt(3) : 3) {
                case 0 -> Collections.swap(children, a, b);
                case 1 -> children.add(b, children.remove(a));
                case 2 -> Collections.reverse(children.subList(Math.min(a, b), Math.max(a, b) + 1));
                default -> Collections.reverse(children);
            }
        }

        int write(int[] order, int from) {
            if (channels != null) {
                System.arraycopy(channels, 0, order, from, channels.length);
                return from + channels.length;
            }
            int next = from;
            for (Branch child : children) {
                next = child.write(order, next);
            }
            return next;
        }
    }
}
