package dev.upscale.plan;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Which steps have to end before a step may begin: those that write what it reads, read what it writes, or write what it writes, workspaces
 * among it. Found from the views alone; a step that comes after another through a third is not named. Immutable.
 *
 * @param before for each step the earlier steps that it directly comes after, latest first
 */
public record StepDependencies(List<List<Integer>> before) {

    public StepDependencies {
        before = before.stream().map(List::copyOf).toList();
        for (int step = 0; step < before.size(); step++) {
            int position = step;
            if (before.get(step).stream().anyMatch(earlier -> earlier < 0 || earlier >= position)) {
                throw new IllegalArgumentException("step " + step + " comes after " + before.get(step));
            }
        }
    }

    /** The dependencies between steps that are in an order in which they may run one after the other. */
    public static StepDependencies of(List<Step> steps) {
        List<BitSet> all = new ArrayList<>();
        List<List<Integer>> before = new ArrayList<>();
        for (int step = 0; step < steps.size(); step++) {
            BitSet known = new BitSet();
            List<Integer> direct = new ArrayList<>();
            for (int earlier = step - 1; earlier >= 0; earlier--) {
                if (!known.get(earlier) && conflict(steps.get(earlier), steps.get(step))) {
                    direct.add(earlier);
                    known.set(earlier);
                    known.or(all.get(earlier));
                }
            }
            all.add(known);
            before.add(direct);
        }
        return new StepDependencies(before);
    }

    /** Each step after the one before it. */
    public static StepDependencies chain(int steps) {
        return new StepDependencies(IntStream.range(0, steps).mapToObj(step -> step == 0 ? List.<Integer>of() : List.of(step - 1)).toList());
    }

    private static boolean conflict(Step earlier, Step later) {
        return meet(written(earlier), read(later)) || meet(read(earlier), written(later)) || meet(written(earlier), written(later));
    }

    private static boolean meet(List<View> some, List<View> others) {
        return some.stream().anyMatch(one -> others.stream().anyMatch(other -> !ViewOverlap.areDisjoint(one, other)));
    }

    private static List<View> read(Step step) {
        return step.sources().stream().map(Operand::view).filter(view -> view.place().kind() != View.Place.Kind.CONSTANT).toList();
    }

    private static List<View> written(Step step) {
        Optional<View> workspace = step.workspace();
        return workspace.map(view -> List.of(step.destination(), view)).orElseGet(() -> List.of(step.destination()));
    }

    /** The number of direct dependencies. */
    public int edges() {
        return before.stream().mapToInt(List::size).sum();
    }

    /** The number of steps on the longest way: as many rounds it takes if all steps that may run at once do. */
    public int levels() {
        int[] level = new int[before.size()];
        int most = 0;
        for (int step = 0; step < level.length; step++) {
            level[step] = 1 + before.get(step).stream().mapToInt(earlier -> level[earlier]).max().orElse(0);
            most = Math.max(most, level[step]);
        }
        return most;
    }

    /**
     * Puts the steps into lanes such that those of one lane never run at once: for what may be used by one step at a time.
     *
     * @return for each step the number of its lane, from 0
     */
    public int[] lanes() {
        int[] lanes = new int[before.size()];
        List<BitSet> all = new ArrayList<>();
        List<Integer> last = new ArrayList<>();
        for (int step = 0; step < lanes.length; step++) {
            BitSet known = new BitSet();
            before.get(step).forEach(earlier -> {
                known.set(earlier);
                known.or(all.get(earlier));
            });
            all.add(known);
            lanes[step] = IntStream.range(0, last.size()).filter(lane -> known.get(last.get(lane))).findFirst().orElse(last.size());
            if (lanes[step] == last.size()) {
                last.add(step);
            } else {
                last.set(lanes[step], step);
            }
        }
        return lanes;
    }
}
