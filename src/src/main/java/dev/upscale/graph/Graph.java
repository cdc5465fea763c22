package dev.upscale.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A network: nodes in topological order over named tensors. Immutable; passes build new graphs with {@link #builder} or
 * {@link #rebuild}.
 *
 * <p>Every tensor is an input, a weight, or the output of exactly one node, and has a static type. Safe for use by any
 * number of threads.
 */
public final class Graph {
    private final String name;
    private final List<String> inputs;
    private final List<String> outputs;
    private final List<Node> nodes;
    private final Map<String, Tensor> weights;
    private final Map<String, TensorType> types;
    private final Map<String, Node> producers = new HashMap<>();
    private final Map<String, List<Node>> consumers = new HashMap<>();

    private Graph(Builder builder) {
        name = builder.name;
        inputs = List.copyOf(builder.inputs);
        outputs = List.copyOf(builder.outputs);
        nodes = List.copyOf(builder.nodes);
        weights = Collections.unmodifiableMap(new LinkedHashMap<>(builder.weights));
        types = Collections.unmodifiableMap(new LinkedHashMap<>(builder.types));
        for (Node node : nodes) {
            producers.put(node.output(), node);
            for (String input : node.inputs()) {
                List<Node> readers = consumers.computeIfAbsent(input, tensor -> new ArrayList<>());
                if (readers.isEmpty() || readers.getLast() != node) {
                    readers.add(node);
                }
            }
        }
    }

    public String name() {
        return name;
    }

    /** The names of the tensors that a run is given. */
    public List<String> inputs() {
        return inputs;
    }

    /** The names of the tensors that a run gives. */
    public List<String> outputs() {
        return outputs;
    }

    /** All nodes, each after the producers of its inputs. */
    public List<Node> nodes() {
        return nodes;
    }

    /** The constants, by name. */
    public Map<String, Tensor> weights() {
        return weights;
    }

    /** The types of all tensors, by name. */
    public Map<String, TensorType> types() {
        return types;
    }

    /** The type of a tensor that is known to be in the graph. */
    public TensorType type(String tensor) {
        TensorType type = types.get(tensor);
        if (type == null) {
            throw new IllegalArgumentException("no tensor " + tensor + " in graph " + name);
        }
        return type;
    }

    public boolean isWeight(String tensor) {
        return weights.containsKey(tensor);
    }

    /** The constant of that name, which is known to be in the graph. */
    public Tensor weight(String tensor) {
        Tensor weight = weights.get(tensor);
        if (weight == null) {
            throw new IllegalArgumentException("no weight " + tensor + " in graph " + name);
        }
        return weight;
    }

    /** The node that makes a tensor; none for inputs and weights. */
    public Optional<Node> producer(String tensor) {
        return Optional.ofNullable(producers.get(tensor));
    }

    /** The nodes that read a tensor, each once, in topological order. */
    public List<Node> consumers(String tensor) {
        return Collections.unmodifiableList(consumers.getOrDefault(tensor, List.of()));
    }

    /** An empty graph of that name to be filled. */
    public static Builder builder(String name) {
        return new Builder(name);
    }

    /** A builder with this graph's name, inputs and outputs, and all of its weights, but no node. */
    public Builder rebuild() {
        Builder builder = new Builder(name);
        inputs.forEach(input -> builder.input(input, type(input)));
        weights.forEach(builder::weight);
        builder.outputs.addAll(outputs);
        return builder;
    }

    /** The same graph with some weights replaced; a weight's shape may change only if its readers' outputs keep theirs. */
    public Graph withWeights(Map<String, Tensor> replaced) {
        Builder builder = rebuild();
        replaced.forEach(builder::weight);
        nodes.forEach(builder::node);
        return builder.build();
    }

    /** Whether both have the same name, inputs, outputs, nodes in the same order, and weights with the same contents. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Graph that
                && name.equals(that.name)
                && inputs.equals(that.inputs)
                && outputs.equals(that.outputs)
                && nodes.equals(that.nodes)
                && types.equals(that.types)
                && weights.equals(that.weights);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + nodes.hashCode();
    }

    /** The graph as text: see {@link GraphText}. */
    @Override
    public String toString() {
        return GraphText.print(this);
    }

    /**
     * Collects a graph in topological order. The type of each node's output is inferred as it is added. Not safe for use
     * by several threads.
     */
    public static final class Builder {
        private final String name;
        private final List<String> inputs = new ArrayList<>();
        private final List<String> outputs = new ArrayList<>();
        private final List<Node> nodes = new ArrayList<>();
        private final Map<String, Tensor> weights = new LinkedHashMap<>();
        private final Map<String, TensorType> types = new LinkedHashMap<>();

        private Builder(String name) {
            this.name = name;
        }

        public Builder input(String tensor, TensorType type) {
            inputs.add(tensor);
            types.put(tensor, type);
            return this;
        }

        /** Adds or replaces a constant. */
        public Builder weight(String tensor, Tensor value) {
            weights.put(tensor, value);
            types.put(tensor, value.type());
            return this;
        }

        /**
         * Adds a node and infers its output's type.
         *
         * @throws InvalidInput if an input is missing or does not fit the operation; the message names the node
         */
        public Builder node(Node node) {
            List<TensorType> inputTypes = new ArrayList<>();
            for (String input : node.inputs()) {
                TensorType type = types.get(input);
                if (type == null) {
                    throw new InvalidInput("node " + node.name() + " reads tensor " + input
                            + ", which nothing before it makes");
                }
                inputTypes.add(type);
            }
            if (types.containsKey(node.output())) {
                throw new InvalidInput("node " + node.name() + " makes tensor " + node.output()
                        + ", which exists already");
            }
            types.put(node.output(), ShapeInference.infer(node, inputTypes));
            nodes.add(node);
            return this;
        }

        /** Adds a node named after its output. */
        public Builder node(String output, Op op, String... inputs) {
            return node(new Node(output, op, List.of(inputs), output));
        }

        public Builder output(String tensor) {
            outputs.add(tensor);
            return this;
        }

        public boolean has(String tensor) {
            return types.containsKey(tensor);
        }

        /** The type of a tensor added before. */
        public TensorType type(String tensor) {
            TensorType type = types.get(tensor);
            if (type == null) {
                throw new IllegalArgumentException("no tensor " + tensor + " in graph " + name + " so far");
            }
            return type;
        }

        /** A tensor name that is not taken: {@code stem}, or {@code stem} with a number. */
        public String fresh(String stem) {
            String candidate = stem;
            for (int number = 1; types.containsKey(candidate); number++) {
                candidate = stem + "." + number;
            }
            return candidate;
        }

        /** The finished graph, without the weights that nothing reads. */
        public Graph build() {
            for (String output : outputs) {
                if (!types.containsKey(output)) {
                    throw new InvalidInput("graph " + name + " promises output " + output + ", which nothing makes");
                }
            }
            Set<String> used = new HashSet<>(outputs);
            nodes.forEach(node -> used.addAll(node.inputs()));
            weights.keySet().retainAll(used);
            used.addAll(inputs);
            nodes.forEach(node -> used.add(node.output()));
            types.keySet().retainAll(used);
            return new Graph(this);
        }
    }
}
