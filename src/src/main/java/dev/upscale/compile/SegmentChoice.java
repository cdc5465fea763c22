package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.plan.PlanSummary;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Which concats are taken apart ({@link SeparateSegments}): one after the other is tried, and stays apart if the whole plan is better: fewer
 * bytes copied, visibly or in workspaces; of equals fewer steps whose engine is compiled for them; of equals fewer steps.
 */
final class SegmentChoice {
    private SegmentChoice() {}

    /** What decides between plans. */
    private record Weight(long bytes, int compiledForSteps, int steps) {
        private static final Comparator<Weight> ORDER =
                Comparator.comparingLong(Weight::bytes).thenComparingInt(Weight::compiledForSteps).thenComparingInt(Weight::steps);

        static Weight of(Lowering.Lowered lowered, Segments segments) {
            PlanSummary summary = PlanSummary.of(lowered.plan());
            long sums = segments == Segments.WEIGHED ? summary.foldedBytes() : 0;
            return new Weight(summary.copyBytes() + summary.hiddenCopyBytes() + sums, lowered.compiledForSteps(), lowered.plan().steps().size());
        }

        boolean isBetterThan(Weight other) {
            return ORDER.compare(this, other) < 0;
        }
    }

    /** @param lower makes a plan of a graph */
    static Lowering.Lowered of(Graph graph, CompileOptions options, Function<Graph, Lowering.Lowered> lower) {
        Lowering.Lowered best = lower.apply(graph);
        if (options.segments() == Segments.TOGETHER || !options.target().isGpu() || options.gathers()) {
            return best;
        }
        Graph chosen = graph;
        Weight weight = Weight.of(best, options.segments());
        Set<String> tried = new HashSet<>();
        for (Optional<String> concat = next(chosen, tried); concat.isPresent(); concat = next(chosen, tried)) {
            Graph apart = SeparateSegments.apply(chosen, concat.get());
            Lowering.Lowered candidate = lower.apply(apart);
            Weight other = Weight.of(candidate, options.segments());
            if (other.isBetterThan(weight)) {
                chosen = apart;
                best = candidate;
                weight = other;
            }
        }
        return best;
    }

    private static Optional<String> next(Graph graph, Set<String> tried) {
        return SeparateSegments.candidates(graph).stream().filter(tried::add).findFirst();
    }
}
