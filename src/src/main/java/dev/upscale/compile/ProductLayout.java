package dev.upscale.compile;

import dev.upscale.compile.Fusion.Fused;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import dev.upscale.plan.Element;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How products of two activations, what is computed from them element by element, and their softmax lie in memory on a GPU: not channels-last,
 * as images do, but in the order of their dimensions, so that rows of matrices have their elements side by side. A product that is read
 * through a transposition alone lies in the order of the transposed dimensions, so that a reshape behind it is a view.
 */
final class ProductLayout {
    private final Map<String, List<Integer>> orders = new HashMap<>();

    private ProductLayout() {}

    static ProductLayout of(Graph graph, List<Fused> steps, CompileOptions options) {
        ProductLayout layout = new ProductLayout();
        if (options.target().isGpu()) {
            steps.forEach(step -> layout.add(graph, step));
        }
        return layout;
    }

    private void add(Graph graph, Fused step) {
        Op op = step.node().op();
        boolean follows = op instanceof Op.Softmax || op instanceof Op.Apply || op instanceof Op.Binary;
        boolean isProduct = op instanceof Op.MatMul || follows && step.inputs().stream().anyMatch(orders::containsKey);
        if (isProduct) {
            int rank = graph.type(step.output()).rank();
            orders.put(step.output(), transposition(graph, step.output()).orElseGet(() -> IntStream.range(0, rank).boxed().toList()));
        }
    }

    /** The order of the dimensions in the only reader, if that is a transposition which leaves the last dimension where it is. */
    private static Optional<List<Integer>> transposition(Graph graph, String tensor) {
        List<Node> readers = graph.nodes().stream().filter(node -> node.inputs().contains(tensor)).toList();
        return readers.size() == 1 && !graph.outputs().contains(tensor) && readers.getFirst().op() instanceof Op.Transpose transpose
                && transpose.permutation().getLast() == transpose.permutation().size() - 1 ? Optional.of(transpose.permutation()) : Optional.empty();
    }

    /** Where a tensor lies in its memory, if that is not channels-last. */
    Optional<View> view(String tensor, View.Place place, TensorType type, Element element) {
        return Optional.ofNullable(orders.get(tensor)).map(order -> {
            List<Long> strides = new ArrayList<>(type.dims().stream().map(dim -> 0L).toList());
            long stride = 1;
            for (int axis : order.reversed()) {
                strides.set(axis, stride);
                stride *= type.dim(axis);
            }
            return new View(place, 0, type.dims(), strides).of(element);
        });
    }
}
