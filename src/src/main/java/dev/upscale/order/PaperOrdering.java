package dev.upscale.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The ordering algorithm of UPSCALE (Wan et al., ICML 2023), which the variant {@code paper} uses: sets that lie in another
 * are set aside and ordered within it by the same algorithm; the others are the nodes of a graph with an edge where two
 * overlap; the graph is covered by heaviest induced paths, and the channels are laid out along the paths: first what a set
 * shares with the one before it, then its own, then what it shares with the next.
 *
 * <p>It knows no weights and is a heuristic: of three sets that overlap each other at most two become contiguous. Where
 * the channels come from several producers (blocks), an edge also asks that what is shared lies at the end of the first
 * set, producers taken in their original order, and the producers keep that order in the result. Tied producers are one
 * problem and need nothing more.
 *
 * <p>The path search is exponential in the worst case. It stops at a budget of steps ({@link #DEFAULT_STEPS}) and then
 * goes on greedily, so that 200 consumers take no longer than a second or two; within the budget the result is that of
 * the search without one.
 */
public final class PaperOrdering {

    /** Steps of the path search for each problem and each subproblem within a set. */
    public static final long DEFAULT_STEPS = 2_000_000;

    private final OrderingProblem problem;
    private final long steps;
    private final Producers producers;
    private final BitSet[] members;

    private PaperOrdering(OrderingProblem problem, long steps) {
        this.problem = problem;
        this.steps = steps;
        this.producers = Producers.of(problem);
        this.members = new BitSet[problem.sets().size()];
        for (int i = 0; i < members.length; i++) {
            members[i] = new BitSet(problem.n());
            for (int c : problem.sets().get(i)) {
                members[i].set(producers.rank(c));
            }
        }
    }

    /**
     * Orders by the paper's algorithm. The lower bound of the result is the trivial one, and {@code optimal} says only that
     * the cost is zero.
     *
     * @throws IllegalArgumentException where the blocks cannot all be contiguous
     */
    public static Ordering solve(OrderingProblem problem) {
        return solve(problem, DEFAULT_STEPS);
    }

    /** As {@link #solve(OrderingProblem)}, with another budget of steps. */
    public static Ordering solve(OrderingProblem problem, long steps) {
        long start = System.nanoTime();
        int[] order = new PaperOrdering(problem, steps).order();
        return Ordering.of(problem, order, 0, start);
    }

    /** The order alone, without a certificate. */
    public static int[] order(OrderingProblem problem) {
        return new PaperOrdering(problem, DEFAULT_STEPS).order();
    }

    private int[] order() {
        List<Integer> nodes = new ArrayList<>();
        for (int i = 0; i < members.length; i++) {
            if (!members[i].isEmpty()) {
                nodes.add(i);
            }
        }
        Set<Integer> ranks = lay(nodes);
        for (int r = 0; r < problem.n(); r++) {
            ranks.add(r);
        }
        return producers.arrange(ranks);
    }

    /** The channels of {@code nodes}, by rank, in the order that the algorithm gives them. */
    private Set<Integer> lay(List<Integer> nodes) {
        List<Integer> parents = parents(nodes);
        List<Set<Integer>> laidOut = new ArrayList<>();
        for (int parent : parents) {
            List<Integer> children = new ArrayList<>();
            for (int node : nodes) {
                if (node != parent && within(node, parent)) {
                    children.add(node);
                }
            }
            Set<Integer> channels = children.isEmpty() ? new LinkedHashSet<>() : lay(children);
            members[parent].stream().forEach(channels::add);
            laidOut.add(channels);
        }
        Set<Integer> channels = new LinkedHashSet<>();
        for (int[] path : paths(parents)) {
            for (int at = 0; at < path.length; at++) {
                BitSet before = at == 0 ? new BitSet() : members[parents.get(path[at - 1])];
                BitSet after = at == path.length - 1 ? new BitSet() : members[parents.get(path[at + 1])];
                Set<Integer> own = laidOut.get(path[at]);
                own.stream().filter(before::get).forEach(channels::add);
                own.stream().filter(c -> !before.get(c) && !after.get(c)).forEach(channels::add);
                own.stream().filter(after::get).forEach(channels::add);
            }
        }
        return channels;
    }

    /** The nodes that lie in no other; of equal ones, the first. */
    private List<Integer> parents(List<Integer> nodes) {
        List<Integer> parents = new ArrayList<>();
        for (int node : nodes) {
            boolean inAnother = false;
            for (int other : nodes) {
                inAnother |= other != node && within(node, other) && (other < node || !within(other, node));
            }
            if (!inAnother) {
                parents.add(node);
            }
        }
        return parents;
    }

    private boolean within(int inner, int outer) {
        BitSet outside = (BitSet) members[inner].clone();
        outside.andNot(members[outer]);
        return outside.isEmpty();
    }

    private List<int[]> paths(List<Integer> nodes) {
        int count = nodes.size();
        BitSet[] successors = new BitSet[count];
        int[][] shared = new int[count][count];
        int[] size = new int[count];
        for (int i = 0; i < count; i++) {
            successors[i] = new BitSet(count);
            size[i] = members[nodes.get(i)].cardinality();
            for (int k = 0; k < count; k++) {
                BitSet both = (BitSet) members[nodes.get(i)].clone();
                both.and(members[nodes.get(k)]);
                if (i != k && !both.isEmpty() && producers.endsWith(members[nodes.get(i)], both)) {
                    successors[i].set(k);
                    shared[i][k] = both.cardinality();
                }
            }
        }
        return new InducedPaths(successors, shared, size, steps).cover();
    }

    /**
     * The producers of the channels, as far as blocks tell: channels in the same blocks are one producer's. Within an
     * order that respects the blocks, the channels of one producer may be permuted freely among their places.
     */
    private static final class Producers {
        private final int[] template;
        private final int[] rank;
        private final int[] producerAtRank;

        private Producers(int[] template, int[] producerOf) {
            this.template = template;
            rank = new int[template.length];
            producerAtRank = new int[template.length];
            for (int r = 0; r < template.length; r++) {
                rank[template[r]] = r;
                producerAtRank[r] = producerOf[template[r]];
            }
        }

        static Producers of(OrderingProblem problem) {
            int[] template = new int[problem.n()];
            Arrays.setAll(template, c -> c);
            if (!problem.respectsBlocks(template)) {
                template = new ConflictFinder(problem).anyOrder();
            }
            ChannelClasses classes = ChannelClasses.of(problem.n(), problem.blocks());
            int[] producerOf = new int[problem.n()];
            for (int k = 0; k < classes.count(); k++) {
                for (int c : classes.channels(k)) {
                    producerOf[c] = k;
                }
            }
            return new Producers(template, producerOf);
        }

        /** The place of a channel before ordering. */
        int rank(int channel) {
            return rank[channel];
        }

        /**
         * Whether what {@code set} shares with its successor reaches to its end: going back from its last producer, one of
         * which it shares only a part must be the last that it shares anything of.
         */
        boolean endsWith(BitSet set, BitSet shared) {
            BitSet left = (BitSet) shared.clone();
            int r = set.length() - 1;
            while (r >= 0) {
                int producer = producerAtRank[r];
                boolean whole = true;
                for (; r >= 0 && producerAtRank[r] == producer; r = set.previousSetBit(r - 1)) {
                    whole &= shared.get(r);
                    left.clear(r);
                }
                if (!whole && !left.isEmpty()) {
                    return false;
                }
            }
            return true;
        }

        /** Each producer's channels, in the order of {@code ranks}, into the places that the producer has. */
        int[] arrange(Set<Integer> ranks) {
            int[] next = new int[template.length];
            int[][] places = new int[template.length][];
            for (int p = 0; p < template.length; p++) {
                next[producerAtRank[p]]++;
            }
            for (int k = 0; k < places.length; k++) {
                places[k] = new int[next[k]];
            }
            Arrays.fill(next, 0);
            for (int p = 0; p < template.length; p++) {
                int k = producerAtRank[p];
                places[k][next[k]++] = p;
            }
            Arrays.fill(next, 0);
            int[] order = new int[template.length];
            for (int r : ranks) {
                int k = producerAtRank[r];
                order[places[k][next[k]++]] = template[r];
            }
            return order;
        }
    }
}
