package dev.upscale.compress;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Pattern;
import dev.upscale.compile.CompileOptions;
import dev.upscale.graph.Graph;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The best pattern for a budget of time: searched for by what kernels are known to cost, then timed as the plan that it becomes, and
 * searched for again with the budget put right, until the measured time meets it. Used by one thread.
 */
public final class Tuning {
    private static final int MOST_ROUNDS = 8;
    /** A plan that is so much faster than it need be is not the best one. */
    private static final double SLACK = 0.01;

    private final Graph graph;
    private final TimeModel times;
    private final BudgetSearch search;

    /**
     * One search.
     *
     * @param predictedRatio the time that the search expected, over that of the unpruned network
     * @param measuredRatio the plan's
     * @param damage the sum of the damages of all layers, in nats
     */
    public record Round(Pattern pattern, double predictedRatio, double measuredRatio, double damage) {}

    /**
     * Gets ready: times the unpruned plan's steps.
     *
     * @param graph the unpruned network at the batch that is to be fast
     * @param options with measured costs
     * @param input values of its one input
     */
    public Tuning(Graph graph, LayerCurves curves, CompileOptions options, float[] input, int threads) {
        this.graph = graph;
        ChannelFlow flow = ChannelFlow.of(graph);
        this.times = TimeModel.of(graph, flow, options, input, threads);
        this.search = new BudgetSearch(graph, flow, curves, times);
    }

    /**
     * Patterns, the last of which is the best whose measured time meets the budget, or the fastest if none does.
     *
     * @param ratio the budget: time over that of the unpruned network
     * @param measure times a pattern's plan, over the unpruned network's
     */
    public List<Round> within(double ratio, ToDoubleFunction<Pattern> measure) {
        List<Round> rounds = new ArrayList<>();
        Round best = null;
        double budget = ratio;
        double enough = 0;
        double tooMuch = Double.POSITIVE_INFINITY;
        for (int round = 0; round < MOST_ROUNDS; round++) {
            BudgetSearch.Found found = search.within(budget * times.totalNanos());
            double measured = measure.applyAsDouble(found.pattern());
            Round now = new Round(found.pattern(), found.nanos() / times.totalNanos(), measured, found.damage());
            rounds.add(now);
            boolean meets = measured <= ratio;
            boolean better = best == null || meets && (best.measuredRatio > ratio || now.damage < best.damage)
                    || !meets && best.measuredRatio > ratio && measured < best.measuredRatio;
            best = better ? now : best;
            if (meets && measured > ratio - SLACK) {
                break;
            }
            enough = meets ? Math.max(enough, budget) : enough;
            tooMuch = meets ? tooMuch : Math.min(tooMuch, budget);
            double scaled = budget * (ratio - SLACK / 3) / measured;
            budget = scaled > enough && scaled < tooMuch ? scaled : enough > 0 && tooMuch < Double.POSITIVE_INFINITY && enough < tooMuch
                    ? (enough + tooMuch) / 2 : scaled;
        }
        rounds.remove(best);
        rounds.add(best);
        return rounds;
    }

    /** The network that was asked about. */
    public Graph graph() {
        return graph;
    }
}
