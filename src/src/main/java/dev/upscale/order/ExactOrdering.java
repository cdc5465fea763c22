package dev.upscale.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The order of least cost. Channels collapse to classes and equal sets to one; sets that neither overlap nor are linked by
 * overlaps decide nothing for each other, so each connected component is solved by itself ({@link FamilySearch}): nested
 * sets find their place inside their parent through the tree. Of the orders in which the chosen sets are contiguous, one
 * is returned in which the others fall into few runs.
 *
 * <p>Deterministic. Exact within a budget of tree leaves visited; beyond it the best order found, with a proven lower
 * bound beside it.
 */
public final class ExactOrdering {

    /** The default budget: some seconds at worst. */
    public static final long DEFAULT_BUDGET = 300_000_000;

    private final OrderingProblem problem;
    private final ChannelClasses classes;
    private final List<int[]> sets;
    private final PqTree blockTree;
    private final List<int[]> blocks;
    private final BitSet kept = new BitSet();
    private double lowerBound;

    private ExactOrdering(OrderingProblem problem) {
        this.problem = problem;
        List<int[]> all = new ArrayList<>(problem.sets());
        all.addAll(problem.blocks());
        classes = ChannelClasses.of(problem.n(), all);
        sets = classes.classesOf(problem.sets());
        blocks = classes.classesOf(problem.blocks());
        blockTree = new ConflictFinder(problem).blockTree();
    }

    /**
     * Solves within the {@linkplain #DEFAULT_BUDGET default budget}.
     *
     * @throws IllegalArgumentException where the blocks cannot all be contiguous
     */
    public static Ordering solve(OrderingProblem problem) {
        return solve(problem, DEFAULT_BUDGET);
    }

    /**
     * Solves within {@code budget}, counted in leaves of PQ-trees visited (some 100 million are a second); at least a
     * greedy pass is made.
     */
    public static Ordering solve(OrderingProblem problem, long budget) {
        long start = System.nanoTime();
        ExactOrdering exact = new ExactOrdering(problem);
        exact.choose(new Budget(budget));
        return Ordering.of(problem, exact.order(), exact.lowerBound, start);
    }

    private void choose(Budget budget) {
        List<Family> families = new ArrayList<>();
        List<List<int[]>> duplicates = new ArrayList<>();
        Components components = new Components(candidates());
        for (Components.Component component : components.all()) {
            families.add(component.family());
            duplicates.add(component.originals());
        }
        int setsLeft = families.stream().mapToInt(Family::size).sum();
        for (int c = 0; c < families.size(); c++) {
            Family family = families.get(c);
            Budget share = budget.share((double) family.size() / setsLeft);
            long granted = share.left();
            Family.Choice choice = FamilySearch.search(family, share);
            budget.settle(granted, share);
            setsLeft -= family.size();
            lowerBound += family.totalValue() - choice.upperBound();
            List<int[]> originals = duplicates.get(c);
            choice.kept().stream().forEach(i -> Arrays.stream(originals.get(i)).forEach(kept::set));
        }
    }

    /** Sets that are contiguous in every order are kept at once; those that the blocks forbid are paid for at once. */
    private List<Integer> candidates() {
        List<Integer> candidates = new ArrayList<>();
        for (int i = 0; i < sets.size(); i++) {
            PqTree with = blockTree.reduce(sets.get(i));
            if (with == blockTree) {
                kept.set(i);
            } else if (with == null) {
                lowerBound += problem.value(i);
            } else {
                candidates.add(i);
            }
        }
        return candidates;
    }

    private int[] order() {
        PqTree tree = blockTree;
        List<Integer> order = new ArrayList<>(kept.stream().boxed().toList());
        List<Integer> others = new ArrayList<>();
        for (int i = 0; i < sets.size(); i++) {
            if (!kept.get(i)) {
                others.add(i);
            }
        }
        others.sort(Comparator.comparingDouble(i -> -problem.value(i)));
        order.addAll(others);
        List<Integer> failed = new ArrayList<>();
        for (int i : order) {
            PqTree next = tree.reduce(sets.get(i));
            if (next == null) {
                failed.add(i);
            } else {
                tree = next;
            }
        }
        double[] weights = problem.weights();
        int[] classOrder = RunOrder.of(tree, failed.stream().map(sets::get).toList(),
                failed.stream().mapToDouble(i -> weights[i]).toArray());
        return classes.expand(classOrder);
    }

    /** Candidates and blocks, equal ones merged, split where no overlap links them. */
    private final class Components {
        private final List<int[]> items = new ArrayList<>();
        private final List<List<Integer>> originals = new ArrayList<>();
        private final int distinctSets;

        Components(List<Integer> candidates) {
            Map<List<Integer>, Integer> index = new HashMap<>();
            for (int i : candidates) {
                int at = index.computeIfAbsent(Arrays.stream(sets.get(i)).boxed().toList(), key -> {
                    items.add(sets.get(i));
                    originals.add(new ArrayList<>());
                    return items.size() - 1;
                });
                originals.get(at).add(i);
            }
            distinctSets = items.size();
            for (int[] block : blocks) {
                index.computeIfAbsent(Arrays.stream(block).boxed().toList(), key -> {
                    items.add(block);
                    return items.size() - 1;
                });
            }
        }

        record Component(Family family, List<int[]> originals) {
        }

        List<Component> all() {
            long[][] members = new long[items.size()][];
            for (int i = 0; i < members.length; i++) {
                BitSet set = new BitSet();
                for (int k : items.get(i)) {
                    set.set(k);
                }
                members[i] = Arrays.copyOf(set.toLongArray(), (classes.count() + 63) / 64);
            }
            BitSet[] overlapping = TripleConflicts.overlaps(members);
            List<Component> components = new ArrayList<>();
            BitSet seen = new BitSet();
            for (int i = 0; i < distinctSets; i++) {
                if (!seen.get(i)) {
                    BitSet linked = linked(i, overlapping);
                    seen.or(linked);
                    components.add(component(linked));
                }
            }
            return components;
        }

        private BitSet linked(int start, BitSet[] overlapping) {
            BitSet linked = new BitSet();
            List<Integer> open = new ArrayList<>(List.of(start));
            linked.set(start);
            while (!open.isEmpty()) {
                BitSet next = (BitSet) overlapping[open.removeLast()].clone();
                next.andNot(linked);
                linked.or(next);
                next.stream().forEach(open::add);
            }
            return linked;
        }

        private Component component(BitSet linked) {
            List<int[]> inside = linked.stream().mapToObj(items::get).toList();
            ChannelClasses leaves = ChannelClasses.of(classes.count(), inside);
            List<int[]> setLeaves = new ArrayList<>();
            List<int[]> blockLeaves = new ArrayList<>();
            List<int[]> from = new ArrayList<>();
            PqTree base = PqTree.of(leaves.count());
            List<Double> values = new ArrayList<>();
            for (int i = linked.nextSetBit(0); i >= 0; i = linked.nextSetBit(i + 1)) {
                int[] in = leaves.classesOf(items.get(i));
                if (i < distinctSets) {
                    setLeaves.add(in);
                    from.add(originals.get(i).stream().mapToInt(Integer::intValue).toArray());
                    values.add(originals.get(i).stream().mapToDouble(problem::value).sum());
                } else {
                    blockLeaves.add(in);
                    base = base.reduce(in);
                }
            }
            double[] worth = values.stream().mapToDouble(Double::doubleValue).toArray();
            return new Component(new Family(setLeaves, worth, blockLeaves, base), from);
        }
    }
}
