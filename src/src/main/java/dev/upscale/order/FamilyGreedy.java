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

    private final Family family;
    private final Budget budget;
    private BitSet best = new BitSet();
    private double bestValue = -1;

    FamilyGreedy(Family family, Budget budget) {
        this.family = family;
        this.budget = budget;
    }

    /** The best family found; at least one pass is made, whatever the budget. */
    BitSet search(int restarts) {
        improve(add(List.of(), byValue(family.values())));
        Random random = new Random(family.size());
        for (int r = 0; r < restarts && !budget.spent() && best.cardinality() < family.size(); r++) {
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
        boolean gained = true;
        while (gained && kept.cardinality() < family.size()) {
            gained = false;
            for (int forced : byValue(family.values())) {
                if (kept.get(forced) || budget.spent()) {
                    continue;
                }
                BitSet others = kept;
                List<Integer> order = new ArrayList<>();
                byValue(family.values()).stream().filter(others::get).forEach(order::add);
                byValue(family.values()).stream().filter(i -> !others.get(i)).forEach(order::add);
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
