package dev.upscale.compile;

import dev.upscale.compile.Lowering.Lowered;
import dev.upscale.compile.MergeSiblings.Family;
import dev.upscale.compile.MergeSiblings.Sibling;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Which 1×1 convolutions of one tensor are merged ({@link MergeSiblings}). Of each family the two whose merging gains most are merged, one
 * pair after the other, as long as one gains: the whole plan is made with and without, and what differs is compared: the convolutions, their
 * gathers and sums, and those that other kernels carry out where they read slices instead of tensors of their own. Convolutions take what the
 * options' costs say, if there are some; all else is estimated.
 */
final class SiblingChoice {
    /**
     * What the steps may take of what they took before. Of costs measured twice 95 % differ by less; and of 76 pairs estimated to take less, on a
     * Zen 4, none took longer than before.
     */
    private static final double PAYS = 0.9;
    /** Pairs that are estimated to take more are not measured: that takes time, and of 64 such pairs two would have been merged. */
    private static final double MAY_PAY = 0.97;

    /** A call of a kernel, nanoseconds. */
    private static final double CALL = 500;
    /** Kernels compute outputs in vectors, the last of which may be filled in part. */
    private static final int VECTOR = 16;

    private final CompileOptions options;
    private final Function<Graph, Lowered> lower;
    /** What was merged, with what else there was to choose from; by the step's name. */
    private final Map<String, List<Step.Copy.Choice>> merged = new LinkedHashMap<>();
    /** What merging would add to the time of those not merged, by the tensor that one of them reads. */
    private final Map<String, Step.Copy.Choice> refused = new HashMap<>();
    private Graph graph;
    private Lowered best;

    /**
     * Two siblings as one.
     *
     * @param before what the steps take that merging changes, nanoseconds
     * @param after what those take that stand there instead
     * @param outcome the graph and its plan; none if it need not be made to see that merging is no gain
     */
    private record Trial(Sibling first, Sibling second, double before, double after, Optional<Outcome> outcome) {}

    private record Outcome(Graph graph, Lowered lowered) {}

    private SiblingChoice(Graph graph, CompileOptions options, Function<Graph, Lowered> lower) {
        this.options = options;
        this.lower = lower;
        this.graph = graph;
        this.best = lower.apply(graph);
    }

    /** @param lower makes a plan of a graph */
    static Lowered of(Graph graph, CompileOptions options, Function<Graph, Lowered> lower) {
        boolean applies = options.variant() == Variant.UPSCALE && !options.target().isGpu() && !options.gathers() && options.uses(Technique.SIBLINGS);
        return applies ? new SiblingChoice(graph, options, lower).run() : lower.apply(graph);
    }

    private Lowered run() {
        for (Family family : MergeSiblings.in(graph).keySet()) {
            for (Optional<Trial> trial = gaining(family); trial.isPresent(); trial = gaining(family)) {
                take(trial.get());
            }
        }
        return best.withPlan(explained(best.plan()));
    }

    /** The pair of a family that gains most, if one does. */
    private Optional<Trial> gaining(Family family) {
        List<Sibling> siblings = MergeSiblings.in(graph).getOrDefault(family, List.of());
        Optional<Trial> most = Optional.empty();
        for (Sibling second : siblings) {
            for (Sibling first : siblings.subList(0, siblings.indexOf(second))) {
                Trial trial = trial(family, first, second);
                if (pays(trial)) {
                    most = most.filter(other -> other.before - other.after >= trial.before - trial.after).or(() -> Optional.of(trial));
                } else {
                    refuse(trial, first, second);
                    refuse(trial, second, first);
                }
            }
        }
        return most;
    }

    private boolean pays(Trial trial) {
        return trial.outcome.isPresent() && trial.after < PAYS * trial.before;
    }

    /** A plan is made, and measured, where by an estimate of the arithmetic alone merging might pay. */
    private Trial trial(Family family, Sibling first, Sibling second) {
        List<String> names = Stream.of(first, second).flatMap(sibling -> Stream.of(sibling.name(), sibling.conv().input(0))).toList();
        double before = best.plan().steps().stream().filter(step -> names.contains(step.name())).mapToDouble(SiblingChoice::estimate).sum();
        double after = convolution(outputs(first) + outputs(second), (elements(first) + elements(second))
                * (double) MergeSiblings.union(List.of(first, second)).size());
        if (after >= (options.costs().isPresent() ? MAY_PAY : PAYS) * before) {
            return new Trial(first, second, before, after, Optional.empty());
        }
        Graph together = MergeSiblings.apply(graph, family, first, second);
        Lowered lowered = lower.apply(together);
        return new Trial(first, second, nanos(rest(best.plan(), lowered.plan())), nanos(rest(lowered.plan(), best.plan())),
                Optional.of(new Outcome(together, lowered)));
    }

    private long elements(Sibling sibling) {
        return graph.type(sibling.conv().output()).elements();
    }

    private int outputs(Sibling sibling) {
        return graph.type(sibling.conv().output()).dim(1);
    }

    private void take(Trial trial) {
        Outcome outcome = trial.outcome.orElseThrow();
        graph = outcome.graph;
        best = outcome.lowered;
        List<String> names = List.of(trial.first.name(), trial.second.name());
        merged.put(String.join(" + ", names), List.of(
                new Step.Copy.Choice("one convolution over the union of " + MergeSiblings.union(List.of(trial.first, trial.second)).size() + " channels",
                        Math.round(trial.after)),
                new Step.Copy.Choice(String.join(" and ", names) + ", each by itself", Math.round(trial.before))));
    }

    private void refuse(Trial trial, Sibling reader, Sibling other) {
        Step.Copy.Choice choice = new Step.Copy.Choice("one convolution with " + other.name() + " over the union of "
                + MergeSiblings.union(List.of(reader, other)).size() + " channels", Math.round(trial.after - trial.before));
        refused.merge(reader.conv().input(0), choice, (one, two) -> one.nanos() <= two.nanos() ? one : two);
    }

    /** The steps of a plan that another one lacks, wherever they lie. */
    private static List<Step> rest(Plan plan, Plan other) {
        List<Step> shared = new ArrayList<>(other.steps().stream().map(SiblingChoice::anywhere).toList());
        List<Step> rest = new ArrayList<>();
        for (Step step : plan.steps()) {
            if (!shared.remove(anywhere(step))) {
                rest.add(step);
            }
        }
        return rest;
    }

    private double nanos(List<Step> steps) {
        return steps.stream().mapToDouble(step -> step instanceof Step.Convolve convolve && options.costs().isPresent()
                ? nanos(convolve, options.costs().get()) : estimate(step)).sum();
    }

    private static double nanos(Step.Convolve step, KernelCosts costs) {
        OptionalDouble known = costs.known(step.kernel(), step);
        return known.isPresent() ? known.getAsDouble() : costs.estimate(step.kernel(), step)
                .map(range -> (range.least() + range.most()) / 2).orElseGet(() -> costs.nanos(step.kernel(), step));
    }

    private static double estimate(Step step) {
        double elements = step.destination().elements();
        return switch (step) {
            case Step.Convolve convolve -> convolution(convolve.destination().dim(1), convolve.multiplyAdds());
            case Step.Copy copy -> LibraryCosts.gather(elements);
            case Step.Compute compute when compute.op() instanceof Op.Binary -> LibraryCosts.add(elements);
            case Step.Compute compute when compute.op() instanceof Op.Apply apply -> LibraryCosts.activation(apply.function(), elements);
            case Step.Compute compute -> 0;
        };
    }

    private static double convolution(int outputs, double multiplyAdds) {
        return CALL + LibraryCosts.multiplyAdds(multiplyAdds * Math.ceilDiv(outputs, VECTOR) * VECTOR / outputs);
    }

    /** What two steps have in common that do the same in other places. */
    private static Step anywhere(Step step) {
        View destination = anywhere(step.destination());
        return switch (step) {
            case Step.Convolve s -> new Step.Convolve("", s.kernel(), s.conv(), anywhere(s.source()), "", s.bias().isEmpty() ? "" : "bias",
                    s.addend().map(SiblingChoice::anywhere), s.activation(), destination, Optional.empty(), s.multiplyAdds());
            case Step.Compute s -> new Step.Compute("", s.kernel(), s.op(), s.sources().stream().map(SiblingChoice::anywhere).toList(), s.activation(),
                    destination, Optional.empty());
            case Step.Copy s -> new Step.Copy("", s.kernel(), s.kind(), anywhere(s.source()), destination, "");
        };
    }

    private static Operand anywhere(Operand operand) {
        return new Operand(anywhere(operand.view()), operand.isIndexed() ? "index" : "");
    }

    private static View anywhere(View view) {
        return View.rowMajor(View.Place.ARENA, 0, view.dims());
    }

    private Plan explained(Plan plan) {
        return plan.withSteps(plan.steps().stream().map(this::explained).toList());
    }

    /** What was merged says so; where a sibling's channels are still gathered, what merging it would have cost stands beside the other choices. */
    private Step explained(Step step) {
        return switch (step) {
            case Step.Convolve convolve when merged.containsKey(convolve.name()) -> convolve.withChoices(merged.get(convolve.name()));
            case Step.Copy copy when copy.choices().isPresent() && refused.containsKey(copy.name()) -> {
                List<Step.Copy.Choice> choices = new ArrayList<>(copy.choices().get());
                Step.Copy.Choice refusal = refused.get(copy.name());
                choices.add(new Step.Copy.Choice(refusal.what(), choices.getFirst().nanos() + refusal.nanos()));
                yield copy.withChoices(choices);
            }
            default -> step;
        };
    }
}
