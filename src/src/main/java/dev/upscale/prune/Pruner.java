package dev.upscale.prune;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.Segment;
import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Op;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Makes patterns of a network's weights, on the side of the consumers. Convolutions that read an input of the network keep
 * all of it. Of {@code c} channels, {@code c − floor(amount · c)} are retained, the most important ones, ties by position;
 * at least one.
 *
 * <p>Deterministic; safe for use by any number of threads.
 */
public final class Pruner {

    /** Who chooses. */
    public enum Method {
        /** Each convolution for itself: the paper's unconstrained pruning. Matrix products keep all. */
        UNCONSTRAINED,
        /** All consumers that share channels together: one mask per segment, so that no order leaves a copy. */
        CONSTRAINED
    }

    private final Graph graph;
    private final ChannelFlow flow;
    private final Heuristic heuristic;
    private final double amount;
    private final BitSet inputLabels = new BitSet();

    private Pruner(Graph graph, Heuristic heuristic, double amount) {
        if (!(amount >= 0 && amount < 1)) {
            throw new InvalidInput("amount " + amount + " is not in [0, 1): it is the share of channels to prune");
        }
        this.graph = graph;
        this.flow = ChannelFlow.of(graph);
        this.heuristic = heuristic;
        this.amount = amount;
        graph.inputs().forEach(input -> Arrays.stream(flow.channels(input).labels()).forEach(inputLabels::set));
    }

    /**
     * The pattern that prunes the least important input channels.
     *
     * @param amount share of channels to prune, in [0, 1)
     */
    public static Pattern prune(Graph graph, Heuristic heuristic, double amount, Method method) {
        Pruner pruner = new Pruner(graph, heuristic, amount);
        Map<String, int[]> consumers = switch (method) {
            case UNCONSTRAINED -> pruner.eachForItself();
            case CONSTRAINED -> pruner.segmentsTogether();
        };
        return new Pattern(graph.name(), consumers, Map.of());
    }

    private Map<String, int[]> eachForItself() {
        Map<String, double[]> sums = new LinkedHashMap<>();
        for (Consumer consumer : flow.consumers()) {
            if (isPrunable(consumer) && !(consumer.node().op() instanceof Op.Linear)) {
                sums.merge(consumer.weight(), sums(consumer), Pruner::added);
            }
        }
        Map<String, int[]> retained = new LinkedHashMap<>();
        sums.forEach((weight, sum) -> retained.put(weight, mostImportant(sum)));
        return retained;
    }

    /** The labels of a segment are ranked by what all of its consumers have of them. */
    private Map<String, int[]> segmentsTogether() {
        double[] sums = new double[flow.labelCount()];
        for (Consumer consumer : flow.consumers()) {
            int[] labels = labels(consumer);
            double[] own = isPrunable(consumer) ? sums(consumer) : new double[0];
            for (int channel = 0; channel < own.length; channel++) {
                sums[labels[channel]] += own[channel];
            }
        }
        BitSet kept = new BitSet();
        Map<String, int[]> retained = new LinkedHashMap<>();
        for (Segment segment : Segment.of(flow)) {
            int[] labels = segment.labels();
            for (int index : mostImportant(Arrays.stream(labels).mapToDouble(label -> sums[label]).toArray())) {
                kept.set(labels[index]);
            }
            segment.consumers().stream().filter(this::isPrunable).forEach(consumer -> retained.put(consumer.weight(),
                    IntStream.range(0, labels(consumer).length).filter(channel -> kept.get(labels(consumer)[channel])).toArray()));
        }
        return retained;
    }

    private boolean isPrunable(Consumer consumer) {
        int[] labels = labels(consumer);
        return labels.length == axes(consumer).inputs() && Arrays.stream(labels).noneMatch(inputLabels::get);
    }

    private int[] labels(Consumer consumer) {
        return flow.channels(consumer.source()).labels();
    }

    private WeightAxes axes(Consumer consumer) {
        return WeightAxes.of(graph, consumer.node()).orElseThrow();
    }

    private double[] sums(Consumer consumer) {
        return heuristic.inputSums(graph.weight(consumer.weight()), axes(consumer));
    }

    private int[] mostImportant(double[] sums) {
        double[] importance = Arrays.stream(sums).map(heuristic::importance).toArray();
        int retained = Math.max(1, sums.length - (int) Math.floor(amount * sums.length));
        return IntStream.range(0, sums.length).boxed()
                .sorted(Comparator.<Integer>comparingDouble(channel -> -importance[channel]).thenComparing(Comparator.naturalOrder()))
                .limit(retained)
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }

    private static double[] added(double[] one, double[] other) {
        return IntStream.range(0, one.length).mapToDouble(i -> one[i] + other[i]).toArray();
    }
}
