package dev.upscale.prune;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.Segment;
import dev.upscale.graph.Graph;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The constrained counterpart of an unconstrained pattern: for each segment as many channels as its consumers retain on
 * average, those that most of them retain first, ties by weight norm. All consumers of a segment then retain the same
 * channels, and no order leaves a copy. It is another network, with a masked model of its own.
 */
public final class ConstrainPattern {
    private final Graph graph;
    private final ChannelFlow flow;
    private final Map<String, int[]> retained;

    private ConstrainPattern(Graph graph, Pattern pattern) {
        this.graph = graph;
        this.flow = ChannelFlow.of(graph);
        this.retained = pattern.consumers();
    }

    /**
     * The constrained pattern for a network.
     *
     * @param graph the unpruned network
     * @param pattern an unconstrained pattern of it; what it says of producers stays as it is
     */
    public static Pattern apply(Graph graph, Pattern pattern) {
        Masking.apply(graph, pattern);
        return new Pattern(pattern.model(), new ConstrainPattern(graph, pattern).consumers(), pattern.producers());
    }

    private Map<String, int[]> consumers() {
        Map<String, int[]> constrained = new TreeMap<>(retained);
        for (Segment segment : Segment.of(flow)) {
            BitSet kept = choose(segment);
            for (Consumer consumer : segment.consumers()) {
                int[] labels = flow.channels(consumer.source()).labels();
                constrained.put(consumer.weight(), IntStream.range(0, labels.length).filter(channel -> kept.get(labels[channel])).toArray());
            }
        }
        return constrained;
    }

    private BitSet choose(Segment segment) {
        int[] readers = new int[flow.labelCount()];
        int[] votes = new int[flow.labelCount()];
        double[] norms = new double[flow.labelCount()];
        long read = 0;
        long kept = 0;
        for (Consumer consumer : segment.consumers()) {
            int[] labels = flow.channels(consumer.source()).labels();
            double[] sums = WeightRatings.squares(graph, consumer);
            BitSet own = retained(consumer, labels.length);
            for (int channel = 0; channel < labels.length; channel++) {
                readers[labels[channel]]++;
                votes[labels[channel]] += own.get(channel) ? 1 : 0;
                norms[labels[channel]] += sums[channel];
            }
            read += labels.length;
            kept += own.cardinality();
        }
        List<Integer> ranked = IntStream.of(segment.labels()).boxed()
                .sorted(Comparator.<Integer>comparingDouble(label -> -(double) votes[label] / readers[label])
                        .thenComparingDouble(label -> -norms[label])
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
        BitSet chosen = new BitSet();
        ranked.stream().limit(Math.round((double) ranked.size() * kept / read)).forEach(chosen::set);
        return chosen;
    }

    private BitSet retained(Consumer consumer, int channels) {
        BitSet own = new BitSet();
        int[] listed = retained.get(consumer.weight());
        if (listed == null) {
            own.set(0, channels);
        } else {
            IntStream.of(listed).forEach(own::set);
        }
        return own;
    }
}
