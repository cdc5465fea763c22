package dev.upscale.channels;

import dev.upscale.channels.ChannelFlow.Consumer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What lies between producers and consumers that must agree on an order of channels: consumers that share a channel, also
 * through others, are in one segment.
 *
 * @param labels the channels, as labels of the {@link ChannelFlow}, ascending; tied channels are one label
 * @param consumers those that read them, in the graph's order
 * @param producers the tensors that make them, in the graph's order; inputs of the network are not among them
 */
public record Segment(int[] labels, List<Consumer> consumers, List<String> producers) {

    public Segment {
        consumers = List.copyOf(consumers);
        producers = List.copyOf(producers);
    }

    /** The segments of a network, in the order of their first consumers. */
    public static List<Segment> of(ChannelFlow flow) {
        int[] parent = IntStream.range(0, flow.labelCount()).toArray();
        BitSet read = new BitSet();
        for (Consumer consumer : flow.consumers()) {
            int[] labels = flow.channels(consumer.source()).labels();
            for (int label : labels) {
                parent[root(parent, label)] = root(parent, labels[0]);
                read.set(label);
            }
        }
        Map<Integer, List<Consumer>> consumers = new LinkedHashMap<>();
        for (Consumer consumer : flow.consumers()) {
            int[] labels = flow.channels(consumer.source()).labels();
            if (labels.length > 0) {
                consumers.computeIfAbsent(root(parent, labels[0]), root -> new ArrayList<>()).add(consumer);
            }
        }
        List<Segment> segments = new ArrayList<>();
        consumers.forEach((root, members) -> {
            int[] labels = read.stream().filter(label -> root(parent, label) == root).toArray();
            segments.add(new Segment(labels, members, producers(flow, labels)));
        });
        return segments;
    }

    private static List<String> producers(ChannelFlow flow, int[] labels) {
        return flow.producers().stream()
                .filter(tensor -> Arrays.stream(flow.channels(tensor).labels()).anyMatch(label -> Arrays.binarySearch(labels, label) >= 0))
                .toList();
    }

    private static int root(int[] parent, int label) {
        int root = label;
        while (parent[root] != root) {
            parent[root] = parent[parent[root]];
            root = parent[root];
        }
        return root;
    }
}
