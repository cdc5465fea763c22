package dev.upscale.bench;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Liveness;
import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The 1×1 convolutions that read one tensor of a pruned network and have one function behind them, so that they could be one convolution
 * over the union of their channels.
 *
 * @param tensor   what they read, [batch, channels, height, width]
 * @param channels of it that any node needs, which alone are stored
 * @param parts    two or more
 */
record Siblings(String tensor, int batch, int channels, int height, int width, Function function, List<Part> parts) {

    /**
     * One of them.
     *
     * @param reads         places of its input channels among those stored, ascending
     * @param outputs       channels that it makes
     * @param joinsConcat   whether a concat takes these and nothing else does: they are written to the concat's memory
     */
    record Part(String node, int[] reads, int outputs, boolean joinsConcat) {}

    private record Place(String tensor, Function function) {}

    /** All in a masked graph whose scales are folded, in its order. */
    static List<Siblings> in(Graph graph) {
        ChannelFlow flow = ChannelFlow.of(graph);
        Liveness liveness = Liveness.of(flow);
        Map<Place, List<Part>> parts = new LinkedHashMap<>();
        for (ChannelFlow.Consumer consumer : flow.consumers()) {
            Node node = consumer.node();
            int outputs = liveness.alive(flow.channels(node.output())).length;
            int[] reads = places(liveness.alive(flow.channels(consumer.source())), liveness.retained(node).stream().toArray());
            if (node.op() instanceof Op.Conv conv && conv.window().isPointwise() && outputs > 0 && reads.length > 0) {
                Function function = function(graph, node.output());
                parts.computeIfAbsent(new Place(consumer.source(), function), place -> new ArrayList<>())
                        .add(new Part(node.name(), reads, outputs, joinsConcat(graph, node.output())));
            }
        }
        List<Siblings> found = new ArrayList<>();
        parts.forEach((place, group) -> {
            TensorType type = graph.type(place.tensor);
            if (group.size() > 1) {
                found.add(new Siblings(place.tensor, type.dim(0), liveness.alive(flow.channels(place.tensor)).length, type.dim(2), type.dim(3),
                        place.function, List.copyOf(group)));
            }
        });
        return found;
    }

    private static int[] places(int[] stored, int[] channels) {
        Map<Integer, Integer> places = new HashMap<>();
        IntStream.range(0, stored.length).forEach(place -> places.put(stored[place], place));
        return Arrays.stream(channels).map(places::get).toArray();
    }

    private static Function function(Graph graph, String tensor) {
        List<Node> readers = graph.consumers(tensor);
        return readers.size() == 1 && readers.getFirst().op() instanceof Op.Apply apply ? apply.function() : Function.NONE;
    }

    private static boolean joinsConcat(Graph graph, String tensor) {
        List<Node> readers = graph.consumers(tensor);
        return readers.size() == 1 && switch (readers.getFirst().op()) {
            case Op.Apply apply -> joinsConcat(graph, readers.getFirst().output());
            case Op.Concat concat -> true;
            default -> false;
        };
    }

    /** Some of them as one: it reads what any reads, and makes what all make. */
    static Part merged(List<Part> parts) {
        return new Part(String.join(" + ", parts.stream().map(Part::node).toList()),
                parts.stream().flatMapToInt(part -> Arrays.stream(part.reads)).distinct().sorted().toArray(),
                parts.stream().mapToInt(Part::outputs).sum(), false);
    }

    /** The parts with those merged that no concat takes; as they are if these are fewer than two. */
    List<Part> mergedBesideConcats() {
        List<Part> free = parts.stream().filter(part -> !part.joinsConcat).toList();
        if (free.size() < 2) {
            return parts;
        }
        List<Part> result = new ArrayList<>(parts.stream().filter(Part::joinsConcat).toList());
        result.add(merged(free));
        return result;
    }

    /** Multiply-adds of convolutions of the tensor. */
    long multiplyAdds(List<Part> of) {
        return of.stream().mapToLong(part -> (long) batch * height * width * part.reads.length * part.outputs).sum();
    }
}
