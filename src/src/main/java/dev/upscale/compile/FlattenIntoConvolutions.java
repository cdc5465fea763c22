package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A matrix product over a flattened image is a convolution whose kernel is the whole image; written as one, channels stay
 * channels and no layout conversion is needed.
 *
 * <p>Before: Reshape [N, C, H, W] → [N, C·H·W], Linear. After: Conv of H×W without padding, Reshape [N, O, 1, 1] → [N, O].
 * Images of one pixel are left alone: their reshape moves nothing.
 */
public final class FlattenIntoConvolutions {
    private FlattenIntoConvolutions() {}

    public static Graph apply(Graph graph) {
        Graph.Builder builder = graph.rebuild();
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Optional<String> image = node.op() instanceof Op.Linear ? flattened(graph, node.input(0)) : Optional.empty();
            if (image.isEmpty() || graph.consumers(node.input(1)).size() != 1) {
                nodes.add(node);
                continue;
            }
            TensorType type = graph.type(image.get());
            Tensor weight = graph.weight(node.input(1));
            int outputs = weight.type().dim(0);
            int height = type.dim(2);
            int width = type.dim(3);
            builder.weight(node.input(1), weight.reshaped(outputs, type.dim(1), height, width));
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(0, image.get());
            String pixel = builder.fresh(node.output() + ".pixel");
            Window window = new Window(height, width, 1, 1, 1, 1, 0, 0, 0, 0);
            nodes.add(new Node(node.name(), new Op.Conv(window, 1), inputs, pixel));
            nodes.add(new Node(node.name(), new Op.Reshape(List.of(type.dim(0), outputs)), List.of(pixel), node.output()));
        }
        nodes.forEach(builder::node);
        return DropDeadNodes.apply(builder.build());
    }

    /** The image that a tensor is the flat form of, if it has more than one pixel. */
    private static Optional<String> flattened(Graph graph, String tensor) {
        return graph.producer(tensor)
                .filter(node -> node.op() instanceof Op.Reshape)
                .map(node -> node.input(0))
                .filter(source -> {
                    TensorType from = graph.type(source);
                    TensorType to = graph.type(tensor);
                    return from.rank() == 4 && to.rank() == 2 && to.dim(0) == from.dim(0) && from.dim(2) * from.dim(3) > 1;
                });
    }
}
