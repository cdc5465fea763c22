package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A reshape, a transposition and a reshape back that only move channels are written as what they are: a Take of channels
 * in another order, which channel flow can follow and which needs no memory of its own.
 *
 * <p>Before: [N, C, H, W] → Reshape [N, g, C/g, H, W] → Transpose (0, 2, 1, 3, 4) → Reshape [N, C, H, W], and any other
 * such chain whose last dimensions stay in place. After: Take of dimension 1.
 */
public final class RecogniseShuffles {
    private RecogniseShuffles() {}

    public static Graph apply(Graph graph) {
        Graph.Builder builder = graph.rebuild();
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            nodes.add(shuffle(graph, node).orElse(node));
        }
        nodes.forEach(builder::node);
        return DropDeadNodes.apply(builder.build());
    }

    private static Optional<Node> shuffle(Graph graph, Node back) {
        Optional<Node> transpose = before(graph, back, Op.Reshape.class, Op.Transpose.class);
        Optional<Node> split = transpose.flatMap(node -> before(graph, node, Op.Transpose.class, Op.Reshape.class));
        if (split.isEmpty()) {
            return Optional.empty();
        }
        String source = split.get().input(0);
        TensorType type = graph.type(source);
        if (type.rank() < 2 || !type.equals(graph.type(back.output()))) {
            return Optional.empty();
        }
        List<Integer> permutation = ((Op.Transpose) transpose.get().op()).permutation();
        TensorType middle = graph.type(split.get().output());
        int tail = type.rank() - 2;
        int split1 = middle.rank() - tail;
        for (int axis = 0; axis < middle.rank(); axis++) {
            boolean outer = axis == 0 || axis >= split1;
            if (outer && permutation.get(axis) != axis) {
                return Optional.empty();
            }
        }
        for (int k = 0; k < tail; k++) {
            if (middle.dim(split1 + k) != type.dim(2 + k)) {
                return Optional.empty();
            }
        }
        if (split1 < 2 || middle.dim(0) != type.dim(0)) {
            return Optional.empty();
        }
        List<Integer> indices = new ArrayList<>();
        walk(middle, permutation, 1, split1, 0, indices);
        return Optional.of(new Node(back.name(), new Op.Take(1, indices), List.of(source), back.output()));
    }

    /** Lists the source channel of each channel in turn: the transposed dimensions, outermost first. */
    private static void walk(
            TensorType middle, List<Integer> permutation, int axis, int end, int channel, List<Integer> indices) {
        if (axis == end) {
            indices.add(channel);
            return;
        }
        int source = permutation.get(axis);
        int stride = 1;
        for (int inner = source + 1; inner < end; inner++) {
            stride *= middle.dim(inner);
        }
        for (int k = 0; k < middle.dim(source); k++) {
            walk(middle, permutation, axis + 1, end, channel + k * stride, indices);
        }
    }

    private static Optional<Node> before(
            Graph graph, Node node, Class<? extends Op> kind, Class<? extends Op> kindBefore) {
        return kind.isInstance(node.op())
                ? graph.producer(node.input(0)).filter(found -> kindBefore.isInstance(found.op()))
                : Optional.empty();
    }
}
