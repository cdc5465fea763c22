package dev.upscale.onnx;

import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The graph as far as it is imported, and what the model's tensor names stand for. An operation on constants alone is
 * computed at once. Not safe for use by several threads.
 */
final class GraphAssembly {
    private final Graph.Builder builder;
    private final Map<String, Value> values = new HashMap<>();
    private final Map<String, Tensor> published = new HashMap<>();
    private final Set<String> reserved = new HashSet<>();

    /** @param reserved the model's tensor names, which no intermediate tensor may take */
    GraphAssembly(String name, Set<String> reserved) {
        this.builder = Graph.builder(name);
        this.reserved.addAll(reserved);
    }

    /** What the model's tensor {@code name} stands for. */
    Optional<Value> find(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /** States what a tensor name of the model stands for. */
    void define(String name, Value value) {
        if (values.putIfAbsent(name, value) != null) {
            throw new InvalidInput("tensor " + name + " is made twice: the model is damaged, get it again");
        }
    }

    Value input(String name, TensorType type) {
        builder.input(name, type);
        return new Value.Activation(name, type);
    }

    void output(String name) {
        builder.output(name);
    }

    /** A name for an intermediate tensor. */
    String fresh(String stem) {
        String name = stem;
        for (int number = 1; !reserved.add(name); number++) {
            name = stem + "." + number;
        }
        return name;
    }

    /**
     * Adds an operation, or computes it if all operands are constants.
     *
     * @param node what errors call it
     * @param output the name of what it makes
     */
    Value emit(String node, Op op, List<Value> operands, String output) {
        if (operands.stream().allMatch(Value::isConstant)) {
            List<Tensor> tensors = operands.stream().map(operand -> ((Value.Constant) operand).tensor()).toList();
            Optional<Tensor> folded = ConstantFolding.fold(new Node(node, op, names(operands), output), tensors);
            if (folded.isPresent()) {
                return new Value.Constant(output, folded.get());
            }
        }
        List<String> inputs = new ArrayList<>();
        for (Value operand : operands) {
            inputs.add(operand instanceof Value.Constant constant ? publish(constant) : operand.name());
        }
        builder.node(new Node(node, op, inputs, output));
        return new Value.Activation(output, builder.type(output));
    }

    private static List<String> names(List<Value> operands) {
        return operands.stream().map(Value::name).toList();
    }

    /**
     * Adds a constant to the graph under its name, or, where another constant of that name is there already (the same
     * initializer, stored otherwise), under a new one.
     */
    private String publish(Value.Constant constant) {
        String name = constant.name();
        for (int number = 1; ; number++) {
            Tensor present = published.get(name);
            if (present == null && !builder.has(name)) {
                published.put(name, constant.tensor());
                reserved.add(name);
                builder.weight(name, constant.tensor());
                return name;
            }
            if (present != null && (present == constant.tensor() || present.equals(constant.tensor()))) {
                return name;
            }
            name = constant.name() + "." + number;
        }
    }

    /** A constant as an output of the graph: it must have that very name. */
    void constantOutput(String name, Value.Constant constant) {
        if (!publish(new Value.Constant(name, constant.tensor())).equals(name)) {
            throw new InvalidInput("output " + name + " is an initializer that is also used in another form:"
                    + " give the output a name of its own");
        }
        builder.output(name);
    }

    Graph build() {
        return builder.build();
    }
}
