package dev.upscale.graph;

import java.util.List;

/** The type of a node's output from those of its inputs. */
public final class ShapeInference {
    private ShapeInference() {}

    /**
     * The type of the node's output.
     *
     * @throws InvalidInput if the inputs do not fit the operation; the message names node, tensors and shapes
     */
    public static TensorType infer(Node node, List<TensorType> inputs) {
        throw new UnsupportedOperationException(node.op().toString());
    }
}
