package dev.upscale.compile;

import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Merges two 1×1 convolutions of one tensor into one, with the function behind both: it reads the channels that either reads, with zero weights
 * where one of them does not, and the outputs of both lie side by side in its own. More than two are merged one after the other.
 *
 * <p>Before: two {@link Sibling}s with one {@link Family}. After: the same outputs, up to zeros that are added to sums; what the two made are slices
 * of what the one makes, in the place of the first.
 */
final class MergeSiblings {
    private static final int OUTPUTS = 0;
    private static final int CHANNELS = 1;

    /** What siblings have in common: the tensor whose channels they read, how they step over it, and the function behind them. */
    record Family(String tensor, Window window, Function function) {}

    /**
     * A 1×1 convolution of one group whose result lies wherever it likes: convolutions alone read it, or channels of it. Not one that a concat, an
     * output of the network or an addition takes, which want it elsewhere, nor an operation that libraries carry out on dense tensors alone.
     *
     * @param activation behind it, if any
     * @param channels of the family's tensor that it reads, in the order of its weights
     */
    record Sibling(Node conv, Optional<Node> activation, List<Integer> channels) {
        String name() {
            return conv.name();
        }

        private String output() {
            return activation.orElse(conv).output();
        }

        private Stream<Node> nodes() {
            return Stream.concat(Stream.of(conv), activation.stream());
        }
    }

    private final Graph graph;
    private final Family family;
    private final List<Sibling> merged;
    private final Graph.Builder builder;

    private MergeSiblings(Graph graph, Family family, List<Sibling> merged) {
        this.graph = graph;
        this.family = family;
        this.merged = merged;
        this.builder = graph.rebuild();
    }

    /** The siblings of each family, in the graph's order. */
    static Map<Family, List<Sibling>> in(Graph graph) {
        Map<Family, List<Sibling>> families = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv conv && conv.groups() == 1 && conv.window().kernelH() * conv.window().kernelW() == 1
                    && graph.isWeight(node.input(1)) && !graph.isWeight(node.input(0))) {
                Optional<Node> activation = activation(graph, node.output());
                Function function = activation.map(last -> ((Op.Apply) last.op()).function()).orElse(Function.NONE);
                if (isReadByConvolutions(graph, activation.orElse(node).output())) {
                    Selection source = Selection.of(graph, node.input(0));
                    families.computeIfAbsent(new Family(source.tensor(), conv.window(), function), family -> new ArrayList<>())
                            .add(new Sibling(node, activation, source.channels()));
                }
            }
        }
        return families;
    }

    private static Optional<Node> activation(Graph graph, String tensor) {
        List<Node> readers = graph.consumers(tensor);
        return readers.size() == 1 && readers.getFirst().op() instanceof Op.Apply && !graph.outputs().contains(tensor)
                ? Optional.of(readers.getFirst()) : Optional.empty();
    }

    private static boolean isReadByConvolutions(Graph graph, String tensor) {
        return !graph.outputs().contains(tensor) && graph.consumers(tensor).stream().allMatch(reader ->
                reader.op() instanceof Op.Conv && reader.inputs().lastIndexOf(tensor) == 0
                        || HoistSelections.selection(reader).isPresent() && isReadByConvolutions(graph, reader.output()));
    }

    /** The channels that any of them reads, ascending. */
    static List<Integer> union(List<Sibling> siblings) {
        return siblings.stream().flatMap(sibling -> sibling.channels.stream()).distinct().sorted().toList();
    }

    /** The graph with two siblings merged, the first of which stands before the other. */
    static Graph apply(Graph graph, Family family, Sibling first, Sibling second) {
        return new MergeSiblings(graph, family, List.of(first, second)).run();
    }

    private Graph run() {
        List<Node> replaced = merged.stream().flatMap(Sibling::nodes).toList();
        for (Node node : graph.nodes()) {
            if (node == merged.getFirst().conv) {
                merge();
            } else if (!replaced.contains(node)) {
                builder.node(node);
            }
        }
        return DropDeadNodes.apply(builder.build());
    }

    private void merge() {
        List<Integer> union = union(merged);
        List<String> inputs = new ArrayList<>(List.of(source(union), weights(union)));
        bias().ifPresent(inputs::add);
        String tensor = made(new Op.Conv(family.window, 1), merged.stream().map(Sibling::conv).toList(), inputs);
        if (!family.function.isNone()) {
            tensor = made(new Op.Apply(family.function), merged.stream().map(sibling -> sibling.activation.orElseThrow()).toList(), List.of(tensor));
        }
        int first = 0;
        for (Sibling sibling : merged) {
            int outputs = outputs(sibling);
            builder.node(sibling.output(), new Op.Slice(CHANNELS, first, outputs, 1), tensor);
            first += outputs;
        }
    }

    /** A node in place of several. */
    private String made(Op op, List<Node> instead, List<String> inputs) {
        String output = fresh(joined(instead.stream().map(Node::output).toList()));
        builder.node(new Node(joined(instead.stream().map(Node::name).toList()), op, inputs, output));
        return output;
    }

    private String source(List<Integer> union) {
        if (union.size() == graph.type(family.tensor).dim(CHANNELS)) {
            return family.tensor;
        }
        String name = fresh(family.tensor + ".channels");
        builder.node(name, PruneChannels.moving(CHANNELS, union), family.tensor);
        return name;
    }

    private String weights(List<Integer> union) {
        int[] places = new int[graph.type(family.tensor).dim(CHANNELS)];
        IntStream.range(0, union.size()).forEach(place -> places[union.get(place)] = place);
        TensorType type = TensorType.f32(merged.stream().mapToInt(this::outputs).sum(), union.size(), 1, 1);
        float[] all = new float[Math.toIntExact(type.elements())];
        int row = 0;
        for (Sibling sibling : merged) {
            float[] own = graph.weight(sibling.conv.input(1)).floats();
            int channels = sibling.channels.size();
            for (int k = 0; k < own.length; k++) {
                all[row + k / channels * union.size() + places[sibling.channels.get(k % channels)]] += own[k];
            }
            row += outputs(sibling) * union.size();
        }
        return weight(Tensor.of(type, all), 1);
    }

    private Optional<String> bias() {
        if (merged.stream().noneMatch(sibling -> hasBias(sibling.conv))) {
            return Optional.empty();
        }
        float[] all = new float[merged.stream().mapToInt(this::outputs).sum()];
        int first = 0;
        for (Sibling sibling : merged) {
            int outputs = outputs(sibling);
            if (hasBias(sibling.conv)) {
                System.arraycopy(graph.weight(sibling.conv.input(2)).floats(), 0, all, first, outputs);
            }
            first += outputs;
        }
        return Optional.of(weight(Tensor.f32(all, all.length), 2));
    }

    private static boolean hasBias(Node conv) {
        return conv.inputs().size() > 2;
    }

    private String weight(Tensor value, int input) {
        String name = fresh(joined(merged.stream().map(Sibling::conv).filter(conv -> conv.inputs().size() > input)
                .map(conv -> conv.input(input)).toList()));
        builder.weight(name, value);
        return name;
    }

    private int outputs(Sibling sibling) {
        return graph.type(sibling.conv.input(1)).dim(OUTPUTS);
    }

    private static String joined(List<String> names) {
        return String.join(" + ", names);
    }

    /** A name that no tensor has or will have. */
    private String fresh(String stem) {
        String name = builder.fresh(stem);
        return graph.types().containsKey(name) ? fresh(stem + "'") : name;
    }
}
