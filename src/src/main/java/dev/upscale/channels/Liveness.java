package dev.upscale.channels;

import dev.upscale.channels.ChannelFlow.Channels;
import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Tensor;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which channels are needed, and by whom: a label is alive if a barrier reads it, or a consumer with a weight for it that
 * is not zero and an output that is alive. Found backwards until nothing changes, so that channels die transitively.
 *
 * <p>Exact for the weights given: apply {@link Masking} before.
 */
public final class Liveness {
    private final BitSet alive = new BitSet();
    private final Map<Node, BitSet> retained = new HashMap<>();

    private Liveness() {}

    /** The liveness of a graph's channels. */
    public static Liveness of(ChannelFlow flow) {
        Liveness liveness = new Liveness();
        Graph graph = flow.graph();
        for (ChannelFlow.Barrier barrier : flow.barriers()) {
            liveness.keepAll(flow.channels(barrier.tensor()));
        }
        flow.fixed().forEach(tensor -> liveness.keepAll(flow.channels(tensor)));
        List<Consumer> backwards = flow.consumers().reversed();
        Map<Node, BitSet> seen = new HashMap<>();
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Consumer consumer : backwards) {
                changed |= liveness.read(flow, consumer, seen.computeIfAbsent(consumer.node(), node -> new BitSet()));
            }
        }
        return liveness;
    }

    /** Whether the label is needed anywhere. */
    public boolean isAlive(int label) {
        return alive.get(label);
    }

    /** The positions of a consumer's source that it needs. */
    public BitSet retained(Node consumer) {
        return retained.getOrDefault(consumer, new BitSet());
    }

    /** The channels of a tensor that are alive, ascending. */
    public int[] alive(Channels channels) {
        return java.util.stream.IntStream.range(0, channels.count())
                .filter(channel -> alive.get(channels.labels()[channel]))
                .toArray();
    }

    private void keepAll(Channels channels) {
        for (int label : channels.labels()) {
            alive.set(label);
        }
    }

    /** Takes what a consumer needs for outputs that came to life since they were last {@code seen}. */
    private boolean read(ChannelFlow flow, Consumer consumer, BitSet seen) {
        int[] inputs = flow.channels(consumer.source()).labels();
        int[] outputs = flow.channels(consumer.node().output()).labels();
        Tensor weight = flow.graph().weight(consumer.weight());
        WeightAxes axes = WeightAxes.of(flow.graph(), consumer.node()).orElseThrow();
        BitSet reads = retained.computeIfAbsent(consumer.node(), node -> new BitSet());
        int before = reads.cardinality();
        for (int output = 0; output < outputs.length; output++) {
            if (alive.get(outputs[output]) && !seen.get(output)) {
                seen.set(output);
                axes.addInputs(weight, output, reads);
            }
        }
        reads.stream().forEach(input -> alive.set(inputs[input]));
        return reads.cardinality() != before;
    }
}
