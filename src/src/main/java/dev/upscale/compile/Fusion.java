package dev.upscale.compile;

import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which nodes become one step: a convolution or matrix product with the addition of a residual and an activation behind
 * it; a scale or an operation on two tensors with an activation behind it. What is between must be read by nothing else.
 *
 * <p>Of an addition of two convolutions, one takes it that reads a whole tensor, else the later one. The step stands where the addition
 * stood, so that the other is there before it.
 */
final class Fusion {

    /**
     * Nodes that are one step.
     *
     * @param node the first of them: the operation proper
     * @param addend the tensor that is added to its result, if any
     * @param activation applied to the sum
     * @param output the tensor that the last of them makes
     */
    record Fused(Node node, Optional<String> addend, Function activation, String output) {

        String name() {
            return node.name();
        }

        /** The activations and constants that it reads. */
        List<String> inputs() {
            List<String> inputs = new ArrayList<>(node.inputs());
            addend.ifPresent(inputs::add);
            return inputs;
        }
    }

    private final Graph graph;
    private final Map<Node, Node> tail = new HashMap<>();
    private final Map<Node, String> addends = new HashMap<>();
    private final Map<Node, Node> heads = new HashMap<>();

    private Fusion(Graph graph) {
        this.graph = graph;
    }

    /** The steps of a graph, each at the place of its last node. */
    static List<Fused> of(Graph graph) {
        return new Fusion(graph).fuse();
    }

    /** Every node as a step of its own. */
    static List<Fused> none(Graph graph) {
        return new Fusion(graph).steps();
    }

    private List<Fused> fuse() {
        Map<Node, Integer> index = new HashMap<>();
        for (Node node : graph.nodes()) {
            index.put(node, index.size());
        }
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Binary(Op.Binary.Kind kind) && kind == Op.Binary.Kind.ADD) {
                fuseAddition(node, index);
            }
        }
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Apply) {
                graph.producer(node.input(0))
                        .filter(before -> isSoleReader(before.output()) && takesActivation(before))
                        .ifPresent(before -> join(before, node));
            }
        }
        return steps();
    }

    private List<Fused> steps() {
        List<Fused> fused = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (!tail.containsKey(node)) {
                Node head = heads.getOrDefault(node, node);
                boolean activated = node.op() instanceof Op.Apply && head != node;
                Function activation = activated ? ((Op.Apply) node.op()).function() : Function.NONE;
                fused.add(new Fused(head, Optional.ofNullable(addends.get(head)), activation, node.output()));
            }
        }
        return fused;
    }

    private void fuseAddition(Node add, Map<Node, Integer> index) {
        Node latest = null;
        for (String operand : add.inputs()) {
            Node before = graph.producer(operand).orElse(null);
            if (before != null
                    && isProduct(before)
                    && isSoleReader(operand)
                    && !add.input(0).equals(add.input(1))
                    && graph.type(add.input(0)).equals(graph.type(add.input(1)))
                    && (latest == null || isBetter(before, latest, index))) {
                latest = before;
            }
        }
        if (latest != null) {
            String other = add.input(add.input(0).equals(latest.output()) ? 1 : 0);
            if (!graph.isWeight(other)) {
                addends.put(latest, other);
                join(latest, add);
            }
        }
    }

    /** Libraries add where they read a whole tensor; otherwise the later one is as good as the earlier. */
    private boolean isBetter(Node one, Node other, Map<Node, Integer> index) {
        boolean whole = readsWhole(one);
        return whole == readsWhole(other) ? index.get(one) > index.get(other) : whole;
    }

    private boolean readsWhole(Node product) {
        return graph.producer(product.input(0)).flatMap(HoistSelections::selection).isEmpty();
    }

    private void join(Node before, Node after) {
        tail.put(before, after);
        heads.put(after, heads.getOrDefault(before, before));
    }

    private boolean takesActivation(Node node) {
        return isProduct(node)
                || heads.containsKey(node) && !(node.op() instanceof Op.Apply)
                || node.op() instanceof Op.ScaleShift
                || node.op() instanceof Op.Binary;
    }

    private static boolean isProduct(Node node) {
        return node.op() instanceof Op.Conv || node.op() instanceof Op.Linear;
    }

    private boolean isSoleReader(String tensor) {
        return graph.consumers(tensor).size() == 1
                && graph.consumers(tensor).getFirst().inputs().stream().filter(tensor::equals).count() == 1
                && !graph.outputs().contains(tensor);
    }
}
