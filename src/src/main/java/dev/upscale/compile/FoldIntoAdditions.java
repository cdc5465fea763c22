package dev.upscale.compile;

import dev.upscale.compile.Fusion.Fused;
import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Folds gathers into the additions (with their activation) whose sums they choose channels of, for libraries: the addition is made a second
 * time for these channels alone, from operands read by index, and writes them dense. That costs the addition a step of its own, where it
 * would have been part of a convolution; so it is done where it is estimated to take less than what the convolutions that read these
 * channels can do else ({@link ReadChoice}).
 *
 * <p>After: the same outputs; where a selection was folded, it stands before both operands of an addition of its own, and convolutions
 * read a tensor that has just their channels.
 */
final class FoldIntoAdditions {
    private final Graph graph;
    private final CompileOptions options;
    private final Map<Node, Fused> steps = new HashMap<>();
    private final Map<Node, List<Node>> folded = new LinkedHashMap<>();
    private final Set<Node> selections = new HashSet<>();
    private final Graph.Builder builder;

    private FoldIntoAdditions(Graph graph, CompileOptions options) {
        this.graph = graph;
        this.options = options;
        this.builder = graph.rebuild();
        Fusion.of(graph).forEach(step -> steps.put(step.node(), step));
    }

    static Graph apply(Graph graph, CompileOptions options) {
        return new FoldIntoAdditions(graph, options).run();
    }

    private Graph run() {
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Binary) {
                choose(node);
            }
        }
        for (Node node : graph.nodes()) {
            folded.getOrDefault(node, List.of()).forEach(selection -> makeAgain(node, selection));
            if (!selections.contains(node)) {
                builder.node(node);
            }
        }
        return DropDeadNodes.apply(builder.build());
    }

    /** Folds the selections of a sum that gain from it, if together they gain more than it costs that the sum is a step of its own. */
    private void choose(Node sum) {
        TensorType type = graph.type(sum.output());
        if (type.rank() != 4 || !sum.inputs().stream().allMatch(operand -> isSelectable(operand, type))) {
            return;
        }
        boolean isFused = graph.producer(sum.input(0)).filter(this::isProduct).isPresent()
                || graph.producer(sum.input(1)).filter(this::isProduct).isPresent();
        double gain = isFused ? -LibraryCosts.add(type.elements()) : 0;
        List<Node> gaining = new ArrayList<>();
        for (Node selection : graph.consumers(result(sum).output())) {
            double gained = gain(selection, type);
            if (gained > 0) {
                gaining.add(selection);
                gain += gained;
            }
        }
        if (!gaining.isEmpty() && gain > 0) {
            folded.put(sum, gaining);
            selections.addAll(gaining);
        }
    }

    /** An image of the sum's shape, or a pixel of its channels. */
    private boolean isSelectable(String operand, TensorType type) {
        TensorType own = graph.type(operand);
        return !graph.isWeight(operand)
                && (own.equals(type) || own.rank() == 4 && own.dim(0) == type.dim(0) && own.dim(1) == type.dim(1) && own.dim(2) * own.dim(3) == 1);
    }

    private boolean isProduct(Node node) {
        return (node.op() instanceof Op.Conv || node.op() instanceof Op.Linear) && graph.consumers(node.output()).size() == 1;
    }

    /** The sum's activation if it is read by nothing else, or the sum. */
    private Node result(Node sum) {
        List<Node> readers = graph.consumers(sum.output());
        return readers.size() == 1 && readers.getFirst().op() instanceof Op.Apply && !graph.outputs().contains(sum.output())
                ? readers.getFirst() : sum;
    }

    /** What folding a selection saves its readers, less what it costs; the sum as a step of its own apart. */
    private double gain(Node selection, TensorType type) {
        Optional<List<Integer>> channels = HoistSelections.selection(selection);
        if (channels.isEmpty() || graph.outputs().contains(selection.output())) {
            return 0;
        }
        double pixels = (double) type.elements() / type.dim(1);
        double nanos = 0;
        for (Node reader : graph.consumers(selection.output())) {
            if (!(reader.op() instanceof Op.Conv conv) || conv.groups() != 1 || !reader.input(0).equals(selection.output())) {
                return 0;
            }
            nanos += readNanos(reader, conv, channels.get(), type.dim(1), pixels);
        }
        return nanos - LibraryCosts.addAgain(pixels * channels.get().size(), selection.op() instanceof Op.Take);
    }

    private double readNanos(Node reader, Op.Conv conv, List<Integer> channels, int all, double pixels) {
        double elements = graph.type(reader.output()).elements();
        double taps = (double) conv.window().kernelH() * conv.window().kernelW();
        Fused step = steps.get(reader);
        ReadChoice choice = ReadChoice.of(new ReadChoice.Read(all, true, channels.stream().mapToInt(Integer::intValue).toArray(), pixels, elements,
                elements * taps * channels.size(), conv.window().isPointwise(), step != null && step.addend().isPresent(),
                step == null ? Function.NONE : step.activation()), options);
        return options.weighsGathers() || !choice.isCovered() ? Math.min(choice.coverNanos(), choice.gatherNanos()) : choice.coverNanos();
    }

    /** The sum, and its activation, of the selected channels alone. */
    private void makeAgain(Node sum, Node selection) {
        Op select = selection.op();
        List<String> operands = new ArrayList<>();
        for (String operand : sum.inputs()) {
            String chosen = builder.fresh(operand + ".channels");
            builder.node(chosen, select, operand);
            operands.add(chosen);
        }
        Node result = result(sum);
        String again = result == sum ? selection.output() : builder.fresh(selection.output() + ".sum");
        builder.node(new Node(sum.name() + " for " + selection.name(), sum.op(), operands, again));
        if (result != sum) {
            builder.node(new Node(result.name() + " for " + selection.name(), result.op(), List.of(again), selection.output()));
        }
    }
}
