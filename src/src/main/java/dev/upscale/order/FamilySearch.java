package dev.upscale.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The heaviest family of sets that can be contiguous together: branch and bound with the PQ-tree as its oracle, one level
 * per set, breadth first. Partial decisions with the same future, told by their {@link CollapsedTree}, are one, so the
 * number of states follows the overlaps across a level rather than the number of families; those that cannot exceed the
 * best family known are cut off. Where a level outgrows the budget only its most promising states go on, and the bounds of
 * the others become part of the upper bound.
 */
final class FamilySearch {

    /** Sets in a window whose optimum bounds what a run of levels can add. */
    private static final int WINDOW = 8;
    /** States per level up to which a search is tried without windows. */
    private static final int NARROW = 400;
    /** Perturbed greedy starts where the first did not meet the bound. */
    private static final int RESTARTS = 12;

    private final Family family;
    private final Levels levels;
    private final TripleConflicts conflicts;
    private final FamilyBound bound;
    private final FamilyGreedy greedy;
    private final Budget budget;

    private BitSet best;
    private double bestValue;

    private FamilySearch(Family family, Budget budget) {
        this.family = family;
        this.budget = budget;
        this.greedy = new FamilyGreedy(family, budget);
        this.conflicts = TripleConflicts.of(family, budget);
        this.bound = new FamilyBound(family, conflicts);
        this.levels = Levels.of(family);
        known(greedy.start());
    }

    /**
     * Searches within {@code budget}.
     *
     * @param family sets of which each can be contiguous by itself
     */
    static Family.Choice search(Family family, Budget budget) {
        PqTree all = family.base();
        for (int i = 0; i < family.size() && all != null; i++) {
            all = all.reduce(family.sets().get(i));
            budget.spend(family.base().leafCount());
        }
        if (all != null) {
            BitSet every = new BitSet();
            every.set(0, family.size());
            return new Family.Choice(every, family.totalValue(), family.totalValue());
        }
        return new FamilySearch(family, budget).run();
    }

    private Family.Choice run() {
        double[] suffix = new double[family.size() + 1];
        for (int d = family.size() - 1; d >= 0; d--) {
            suffix[d] = suffix[d + 1] + family.values()[levels.order[d]];
        }
        double upperBound = root(suffix).bound;
        if (isOpen(upperBound)) {
            known(greedy.improve());
        }
        if (isOpen(upperBound)) {
            upperBound = Math.min(upperBound, expand(suffix, family.size() <= WINDOW ? Integer.MAX_VALUE : NARROW));
        }
        if (isOpen(upperBound) && family.size() > WINDOW) {
            known(greedy.restart(RESTARTS));
            tighten(suffix);
            upperBound = Math.min(upperBound, suffix[0]);
            if (isOpen(upperBound)) {
                upperBound = Math.min(upperBound, expand(suffix, Integer.MAX_VALUE));
            }
        }
        return new Family.Choice(best, bestValue, Math.max(bestValue, upperBound));
    }

    private boolean isOpen(double upperBound) {
        return upperBound > bestValue + Family.tolerance(bestValue);
    }

    private void known(BitSet kept) {
        double value = family.value(kept);
        if (best == null || value > bestValue) {
            best = kept;
            bestValue = value;
        }
    }

    /** Bounds each suffix of the levels by the optima of the windows in it. */
    private void tighten(double[] suffix) {
        int count = family.size();
        double[] window = new double[count];
        for (int d = 0; d < count && !budget.spent(); d++) {
            int[] sets = Arrays.copyOfRange(levels.order, d, Math.min(count, d + WINDOW));
            window[d] = search(family.of(sets), budget).upperBound();
        }
        for (int d = count - 1; d >= 0; d--) {
            suffix[d] = suffix[d + 1] + family.values()[levels.order[d]];
            if (window[d] > 0) {
                suffix[d] = Math.min(suffix[d], window[d] + suffix[Math.min(count, d + WINDOW)]);
            }
        }
    }

    /**
     * Goes through the levels, with at most {@code width} states in each; returns what no family exceeds. The best family
     * is updated.
     */
    private double expand(double[] suffix, int width) {
        double cutOff = Double.NEGATIVE_INFINITY;
        List<State> states = List.of(root(suffix));
        for (int d = 0; d < family.size() && !states.isEmpty(); d++) {
            Map<CollapsedTree.Key, State> next = new LinkedHashMap<>();
            for (State state : states) {
                if (budget.spent()) {
                    cutOff = Math.max(cutOff, state.bound);
                } else {
                    branch(state, d, suffix[d + 1], next);
                }
            }
            states = new ArrayList<>(next.values());
            states.removeIf(state -> !isOpen(state.bound));
            int limit = Math.min(width, affordable(d));
            if (states.size() > limit) {
                states.sort(Comparator.comparingDouble((State state) -> -state.bound)
                        .thenComparingDouble(state -> -state.value));
                cutOff = Math.max(cutOff, states.get(limit).bound);
                states = new ArrayList<>(states.subList(0, limit));
            }
        }
        return Math.max(bestValue, cutOff);
    }

    private int affordable(int d) {
        long perState = 6L * levels.labelCount[d] + 64;
        long perLevel = budget.left() / Math.max(1, family.size() - d);
        return Math.clamp(perLevel / perState, 4, 1_000_000);
    }

    private State root(double[] suffix) {
        long[] open = new long[levels.words];
        for (int i = 0; i < family.size(); i++) {
            open[i >> 6] |= 1L << i;
        }
        long[] kept = new long[levels.words];
        double most = Math.min(suffix[0], bound.of(kept, open));
        return new State(CollapsedTree.of(family.base(), levels.label), kept, open, 0, most);
    }

    private void branch(State state, int d, double suffixBound, Map<CollapsedTree.Key, State> next) {
        int s = levels.order[d];
        budget.spend(2L * state.tree.leafCount());
        long[] open = state.open.clone();
        open[s >> 6] &= ~(1L << s);
        if ((state.open[s >> 6] >> s & 1) != 0) {
            PqTree taken = state.tree.reduce(levels.in[d], levels.count(state.tree, d));
            if (taken != null) {
                take(state, s, open.clone(), taken, d, suffixBound, next);
            }
        }
        arrive(state.kept, open, state.value, state.tree, d, suffixBound, next);
    }

    private void take(State state, int s, long[] open, PqTree tree, int d, double suffixBound,
            Map<CollapsedTree.Key, State> next) {
        long[] kept = state.kept.clone();
        for (int w = 0; w < kept.length; w++) {
            for (long left = kept[w]; left != 0; left &= left - 1) {
                clear(open, conflicts.with(s, 64 * w + Long.numberOfTrailingZeros(left)));
            }
        }
        for (int block = family.size(); block < conflicts.items(); block++) {
            clear(open, conflicts.with(s, block));
        }
        kept[s >> 6] |= 1L << s;
        double value = state.value + family.values()[s];
        if (isOpen(value)) {
            best = BitSet.valueOf(kept);
            bestValue = value;
        }
        arrive(kept, open, value, tree, d, suffixBound, next);
    }

    private void arrive(long[] kept, long[] open, double value, PqTree tree, int d, double suffixBound,
            Map<CollapsedTree.Key, State> next) {
        if (!isOpen(value + suffixBound)) {
            return;
        }
        double most = value + Math.min(suffixBound, bound.of(kept, open));
        budget.spend(bound.effort(open));
        if (!isOpen(most)) {
            return;
        }
        PqTree collapsed = CollapsedTree.of(tree, levels.step[d]);
        budget.spend(3L * tree.leafCount());
        State state = new State(collapsed, kept, open, value, most);
        next.merge(CollapsedTree.key(collapsed), state, (a, b) -> a.value >= b.value ? a : b);
    }

    private static void clear(long[] bits, long[] which) {
        for (int w = 0; w < bits.length; w++) {
            bits[w] &= ~which[w];
        }
    }

    /** What was kept so far, which sets may still be, and the orders that are left, as far as later sets see them. */
    private record State(PqTree tree, long[] kept, long[] open, double value, double bound) {
    }

    /** The order in which sets are decided, and what the sets from each level on can tell apart. */
    private static final class Levels {
        final int[] order;
        final int words;
        /** Label of each leaf at level 0. */
        final int[] label;
        /** From a label at level d to that at level d + 1. */
        final int[][] step;
        /** Which labels at level d are in its set. */
        final boolean[][] in;
        final int[] labelCount;

        private Levels(int[] order, int words, int[] label, int[][] step, boolean[][] in, int[] labelCount) {
            this.order = order;
            this.words = words;
            this.label = label;
            this.step = step;
            this.in = in;
            this.labelCount = labelCount;
        }

        static Levels of(Family family) {
            int count = family.size();
            int[] order = order(family);
            int[] label = new int[family.base().leafCount()];
            int labels = 1;
            int[][] step = new int[count][];
            boolean[][] in = new boolean[count][];
            int[] labelCount = new int[count];
            for (int d = count - 1; d >= 0; d--) {
                int[] split = new int[labels];
                boolean[] whole = new boolean[label.length];
                for (int leaf : family.sets().get(order[d])) {
                    whole[leaf] = true;
                }
                int[] outside = new int[labels];
                for (int leaf = 0; leaf < label.length; leaf++) {
                    outside[label[leaf]] += whole[leaf] ? 0 : 1;
                    split[label[leaf]] += whole[leaf] ? 1 : 0;
                }
                int next = labels;
                for (int l = 0; l < labels; l++) {
                    // Dead leaves keep their label even where none is left, so that it means the same at every level.
                    split[l] = split[l] == 0 ? -1 : outside[l] == 0 && l != CollapsedTree.DEAD ? l : next++;
                }
                step[d] = new int[next];
                in[d] = new boolean[next];
                for (int l = 0; l < labels; l++) {
                    step[d][l] = l;
                    if (split[l] >= 0) {
                        step[d][split[l]] = l;
                        in[d][split[l]] = true;
                    }
                }
                for (int leaf = 0; leaf < label.length; leaf++) {
                    label[leaf] = whole[leaf] ? split[label[leaf]] : label[leaf];
                }
                labels = next;
                labelCount[d] = labels;
            }
            return new Levels(order, (count + 63) / 64, label, step, in, labelCount);
        }

        /** How many leaves of {@code tree}, labelled for level {@code d}, are in its set. */
        int count(PqTree tree, int d) {
            return tree.count(in[d]);
        }

        /**
         * Sets that overlap follow each other, so that few overlaps reach across a level: from a set at an end of the
         * overlap graph on, always the one that opens the fewest sets; of equals the most valuable.
         */
        private static int[] order(Family family) {
            int count = family.size();
            long[][] members = new long[count][];
            int leaves = family.base().leafCount();
            for (int i = 0; i < count; i++) {
                BitSet set = new BitSet();
                for (int leaf : family.sets().get(i)) {
                    set.set(leaf);
                }
                members[i] = Arrays.copyOf(set.toLongArray(), (leaves + 63) / 64);
            }
            BitSet[] overlapping = TripleConflicts.overlaps(members);
            int[] order = new int[count];
            BitSet done = new BitSet();
            BitSet reached = new BitSet();
            for (int d = 0; d < count; d++) {
                int best = -1;
                int bestOpened = 0;
                for (int i = done.nextClearBit(0); i < count; i = done.nextClearBit(i + 1)) {
                    if (!reached.isEmpty() && !reached.get(i)) {
                        continue;
                    }
                    BitSet opened = (BitSet) overlapping[i].clone();
                    opened.andNot(done);
                    opened.andNot(reached);
                    int opens = opened.cardinality();
                    if (best < 0 || opens < bestOpened
                            || opens == bestOpened && family.values()[i] > family.values()[best]) {
                        best = i;
                        bestOpened = opens;
                    }
                }
                order[d] = best;
                done.set(best);
                reached.or(overlapping[best]);
                reached.andNot(done);
            }
            return order;
        }
    }
}
