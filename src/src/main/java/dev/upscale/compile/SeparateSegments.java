package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Takes a concat of channels apart: each of its parts is a tensor of its own. A convolution that reads channels of one part reads that; one
 * that reads channels of several is the sum of the convolutions of each, in the order of the parts. A pool is made of each part, and the concat
 * moves behind it.
 *
 * <p>Before: all that reads the concat, or slices and takes of it, are convolutions of one group and pools. After: the same outputs, up to
 * the order of sums; no such concat.
 */
final class SeparateSegments {
    private static final int CHANNELS = 1;

    private final Graph graph;
    private final Node concat;
    private final Graph.Builder builder;
    private final Map<List<Object>, String> selected = new HashMap<>();

    /** Some of the concat's channels, which lie in one part. */
    private record Share(String part, List<Integer> inPart, List<Integer> inWeights) {}

    private SeparateSegments(Graph graph, Node concat) {
        this.graph = graph;
        this.concat = concat;
        this.builder = graph.rebuild();
    }

    /** The concats that can be taken apart, by their outputs, in the graph's order. */
    static List<String> candidates(Graph graph) {
        return graph.nodes().stream().filter(node -> isSeparable(graph, node)).map(Node::output).toList();
    }

    private static boolean isSeparable(Graph graph, Node node) {
        return node.op() instanceof Op.Concat concat && concat.axis() == CHANNELS && graph.type(node.output()).rank() == 4
                && isRead(graph, node.output()) && node.inputs().stream().noneMatch(graph::isWeight)
                && graph.consumers(node.output()).stream().allMatch(reader -> reader.op() instanceof Op.Pool || isConvolution(reader, node.output())
                        || HoistSelections.selection(reader).isPresent() && isRead(graph, reader.output())
                                && graph.consumers(reader.output()).stream().allMatch(last -> isConvolution(last, reader.output())));
    }

    private static boolean isRead(Graph graph, String tensor) {
        return !graph.outputs().contains(tensor) && !graph.consumers(tensor).isEmpty();
    }

    private static boolean isConvolution(Node node, String source) {
        return node.op() instanceof Op.Conv conv && conv.groups() == 1 && node.input(0).equals(source);
    }

    /** The graph with one of its {@link #candidates} taken apart. */
    static Graph apply(Graph graph, String concat) {
        return new SeparateSegments(graph, graph.producer(concat).orElseThrow()).run();
    }

    private Graph run() {
        for (Node node : graph.nodes()) {
            Optional<List<Integer>> channels = node.op() instanceof Op.Conv ? channels(node.input(0)) : Optional.empty();
            boolean readsWhole = !node.inputs().isEmpty() && node.input(0).equals(concat.output());
            if (channels.isPresent()) {
                sum(node, shares(channels.get()));
            } else if (node.op() instanceof Op.Pool && readsWhole) {
                pool(node);
            } else if (node != concat && !readsWhole) {
                builder.node(node);
            }
        }
        return DropDeadNodes.apply(builder.build());
    }

    /** The concat's channels that a tensor consists of, if it is the concat or a selection of it. */
    private Optional<List<Integer>> channels(String tensor) {
        if (tensor.equals(concat.output())) {
            return Optional.of(IntStream.range(0, graph.type(tensor).dim(CHANNELS)).boxed().toList());
        }
        return graph.producer(tensor).filter(node -> node.input(0).equals(concat.output())).flatMap(HoistSelections::selection);
    }

    /** Which of the channels lie in which part; parts of which there is none are left out. */
    private List<Share> shares(List<Integer> channels) {
        List<Share> shares = new ArrayList<>();
        int first = 0;
        for (String part : concat.inputs()) {
            int begin = first;
            int end = begin + graph.type(part).dim(CHANNELS);
            List<Integer> inWeights = IntStream.range(0, channels.size()).filter(k -> begin <= channels.get(k) && channels.get(k) < end).boxed().toList();
            if (!inWeights.isEmpty()) {
                shares.add(new Share(part, inWeights.stream().map(k -> channels.get(k) - begin).toList(), inWeights));
            }
            first = end;
        }
        return shares;
    }

    private void sum(Node conv, List<Share> shares) {
        String sum = "";
        for (Share share : shares) {
            boolean isLast = share == shares.getLast();
            List<String> inputs = new ArrayList<>(List.of(source(share), weights(conv.input(1), share)));
            if (sum.isEmpty()) {
                inputs.addAll(conv.inputs().subList(2, conv.inputs().size()));
            }
            String made = isLast && sum.isEmpty() ? conv.output() : fresh(conv.output() + ".part");
            builder.node(new Node(conv.name(), conv.op(), inputs, made));
            if (!sum.isEmpty()) {
                String added = isLast ? conv.output() : fresh(conv.output() + ".sum");
                builder.node(new Node(conv.name(), new Op.Binary(Op.Binary.Kind.ADD), List.of(made, sum), added));
                made = added;
            }
            sum = made;
        }
    }

    private String source(Share share) {
        TensorType type = graph.type(share.part());
        if (share.inPart().equals(IntStream.range(0, type.dim(CHANNELS)).boxed().toList())) {
            return share.part();
        }
        return selected.computeIfAbsent(List.of(share.part(), share.inPart()), key -> {
            String name = fresh(share.part() + ".channels");
            builder.node(new Node(name, PruneChannels.moving(CHANNELS, share.inPart()), List.of(share.part()), name));
            return name;
        });
    }

    private String weights(String whole, Share share) {
        String name = fresh(whole + ".part");
        builder.weight(name, graph.weight(whole).take(CHANNELS, share.inWeights()));
        return name;
    }

    private void pool(Node pool) {
        Map<String, String> pooled = new LinkedHashMap<>();
        for (String part : concat.inputs()) {
            pooled.computeIfAbsent(part, key -> {
                String name = fresh(pool.output() + ".part");
                builder.node(new Node(pool.name(), pool.op(), List.of(part), name));
                return name;
            });
        }
        builder.node(new Node(concat.name(), concat.op(), concat.inputs().stream().map(pooled::get).toList(), pool.output()));
    }

    /** A name that no tensor has or will have. */
    private String fresh(String stem) {
        String name = builder.fresh(stem);
        return graph.types().containsKey(name) ? fresh(stem + "'") : name;
    }
}
