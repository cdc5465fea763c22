package dev.upscale.channels;

import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The masked model: what a pattern means. The same network, with the weights of the channels that are not retained set to
 * zero: the truth that every plan is compared with, and the only thing that the compiler reads patterns from.
 */
public final class Masking {
    private Masking() {}

    /**
     * The graph with all weights zeroed that the pattern does not retain.
     *
     * @throws InvalidInput if the pattern names a weight that is missing or a channel that it does not have
     */
    public static Graph apply(Graph graph, Pattern pattern) {
        Map<String, Tensor> masked = new LinkedHashMap<>();
        masks(graph, pattern).forEach((weight, mask) -> masked.put(weight, mask.apply(graph.weight(weight))));
        return graph.withWeights(masked);
    }

    /**
     * Checks that a pattern fits the graph.
     *
     * @throws InvalidInput if the pattern names a weight that is missing or a channel that it does not have
     */
    public static void requireFit(Graph graph, Pattern pattern) {
        masks(graph, pattern);
    }

    /** What each weight that a pattern names retains. */
    private static Map<String, Mask> masks(Graph graph, Pattern pattern) {
        Map<String, WeightAxes> axes = prunableWeights(graph);
        Map<String, Mask> masks = new LinkedHashMap<>();
        Set<String> named = new HashSet<>(pattern.consumers().keySet());
        named.addAll(pattern.producers().keySet());
        for (String weight : named) {
            WeightAxes layout = axes.get(weight);
            if (layout == null) {
                throw new InvalidInput("pattern names weight " + weight + ", but model " + graph.name()
                        + (graph.isWeight(weight)
                                ? " reads it in no convolution or matrix product"
                                : " has no such tensor")
                        + "; use the pattern with the model it was made for");
            }
            boolean[] inputs = retained(weight, "input", pattern.consumers().get(weight), layout.inputs());
            boolean[] outputs = retained(weight, "output", pattern.producers().get(weight), layout.outputs());
            masks.put(weight, new Mask(layout, inputs, outputs));
        }
        return masks;
    }

    /**
     * The pattern that stands in the weights themselves: channels whose weights are all zero are not retained. Weights
     * that retain everything are not named.
     */
    public static Pattern read(Graph graph) {
        Map<String, int[]> consumers = new TreeMap<>();
        Map<String, int[]> producers = new TreeMap<>();
        prunableWeights(graph).forEach((name, layout) -> {
            Tensor weight = graph.weight(name);
            BitSet inputs = new BitSet();
            BitSet outputs = new BitSet();
            for (int output = 0; output < layout.outputs(); output++) {
                BitSet reads = new BitSet();
                layout.addInputs(weight, output, reads);
                outputs.set(output, !reads.isEmpty());
                inputs.or(reads);
            }
            nameIfPruned(consumers, name, inputs, layout.inputs());
            nameIfPruned(producers, name, outputs, layout.outputs());
        });
        return new Pattern(graph.name(), consumers, producers);
    }

    private static void nameIfPruned(Map<String, int[]> channels, String weight, BitSet retained, int size) {
        if (retained.cardinality() < size) {
            channels.put(weight, retained.stream().toArray());
        }
    }

    /** The weights of convolutions and matrix products, by name, with their layouts. */
    static Map<String, WeightAxes> prunableWeights(Graph graph) {
        Map<String, WeightAxes> axes = new HashMap<>();
        for (Node node : graph.nodes()) {
            Optional<WeightAxes> layout = WeightAxes.of(graph, node);
            layout.ifPresent(found -> axes.put(node.input(1), found));
        }
        return axes;
    }

    private static boolean[] retained(String weight, String side, int[] channels, int size) {
        boolean[] retained = new boolean[size];
        if (channels == null) {
            Arrays.fill(retained, true);
            return retained;
        }
        for (int channel : channels) {
            if (channel >= size) {
                throw new InvalidInput("pattern for weight " + weight + " retains " + side + " channel " + channel
                        + ", but the weight has " + size + "; use the pattern with the model it was made for");
            }
            retained[channel] = true;
        }
        return retained;
    }

    /** The channels of a weight that are retained. */
    private record Mask(WeightAxes layout, boolean[] inputs, boolean[] outputs) {
        Tensor apply(Tensor weight) {
            float[] values = weight.floats().clone();
            for (int output = 0; output < outputs.length; output++) {
                int first = layout.firstInput(output);
                int start = layout.at(output, first);
                for (int input = first; input < first + layout.groupInputs(); input++) {
                    if (!inputs[input] || !outputs[output]) {
                        Arrays.fill(values, start, start + layout.taps(), 0);
                    }
                    start += layout.inputStride();
                }
            }
            return Tensor.of(weight.type(), values);
        }
    }
}
