package dev.upscale.graph;

import java.util.List;
import java.util.Objects;

/**
 * One operation of a graph: reads the tensors named by {@code inputs} and makes the tensor named {@code output}.
 *
 * @param name what errors and reports call it: the node's name in the model, or its output's
 */
public record Node(String name, Op op, List<String> inputs, String output) {

    public Node {
        Objects.requireNonNull(name);
        Objects.requireNonNull(op);
        Objects.requireNonNull(output);
        inputs = List.copyOf(inputs);
    }

    /** The input at {@code position}. */
    public String input(int position) {
        return inputs.get(position);
    }

    public Node withOp(Op op) {
        return new Node(name, op, inputs, output);
    }

    public Node withInputs(List<String> inputs) {
        return new Node(name, op, inputs, output);
    }

    public Node withOutput(String output) {
        return new Node(name, op, inputs, output);
    }
}
