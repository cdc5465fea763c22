package dev.upscale.order;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * A good family by adding sets greedily, most valuable first, and by forcing in one set after another that was left out,
 * at the expense of those it conflicts with; then again from perturbed values. The seed is fixed.
 */
final class FamilyGreedy {

    /** Of the budget left, what restarts may spend. */
    private static final double SHARE = 0.1;

    private final Family family;
    private final Budget budget;
    private BitSet best = new BitSet();
    private double bestValue = -1;

    FamilyGreedy(Family family, Budget budget) {
        this.family = family;
        this.budget = budget;
    }

    /** One pass by value, made whatever the budget. */
    BitSet start() {
        best = add(List.of(), byValue(family.values()));
        bestValue = family.value(best);
        return best;
    }

    /** The best family after improving what the first pass gave. */
    BitSet improve() {
        improve(best);
        return best;
    }

    /** The best family after {@code restarts} more starts. */
    BitSet restart(int restarts) {
        Random random = new Random(family.size());
        long until = (long) ((1 - SHARE) * budget.left());
        for (int r = 0; r < restarts && budget.left() > until; r++) {
            double[] perturbed = family.values().clone();
            double spread = r % 2 == 0 ? 0.4 : 2;
            for (int i = 0; i < perturbed.length; i++) {
                perturbed[i] *= Math.exp(spread * random.nextGaussian());
            }
            improve(add(List.of(), byValue(perturbed)));
        }
        return best;
    }

    /** Forces in sets that were left out, as long as that gains. */
    private void improve(BitSet start) {
        BitSet kept = start;
        double value = family.value(kept);
        List<Integer> byValue = byValue(family.values());
        boolean gained = true;
        while (gained && kept.cardinality() < family.size()) {
            gained = false;
            for (int forced : byValue) {
                if (kept.get(forced) || budget.spent()) {
                    continue;
                }
                List<Integer> order = new ArrayList<>(byValue);
                BitSet before = kept;
                order.sort(Comparator.comparing(i -> !before.get(i)));
                BitSet next = add(List.of(forced), order);
                double nextValue = family.value(next);
                if (nextValue > value + Family.tolerance(value)) {
                    kept = next;
                    value = nextValue;
                    gained = true;
                }
            }
        }
        if (value > bestValue) {
            best = kept;
            bestValue = value;
        }
    }

    private BitSet add(List<Integer> first, List<Integer> then) {
        BitSet kept = new BitSet();
        PqTree tree = family.base();
        for (List<Integer> part : List.of(first, then)) {
            for (int i : part) {
                if (!kept.get(i)) {
                    PqTree next = tree.reduce(family.sets().get(i));
                    budget.spend(tree.leafCount());
                    if (next != null) {
                        tree = next;
                        kept.set(i);
                    }
                }
            }
        }
        return kept;
    }

    private static List<Integer> byValue(double[] values) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingDouble((Integer i) -> -values[i]));
        return order;
    }
}
