package dev.upscale.onnx;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An ONNX model as its file states it, nothing interpreted. Field names are those of ONNX's schema.
 *
 * @param file where it was read from; external data lie in its folder
 * @param opsets the version of each operator set, by domain; ONNX's own domain is the empty string
 */
record OnnxModel(Path file, long irVersion, Map<String, Long> opsets, Graph graph) {

    OnnxModel {
        opsets = Map.copyOf(opsets);
    }

    /** The opset of ONNX's own operators, or 0 where the model names none. */
    long opset() {
        return opsets.getOrDefault("", 0L);
    }

    record Graph(String name, List<Node> nodes, List<OnnxTensor> initializers, List<ValueInfo> inputs,
                 List<ValueInfo> outputs, boolean sparseInitializers) {
        Graph {
            nodes = List.copyOf(nodes);
            initializers = List.copyOf(initializers);
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
        }
    }

    /**
     * One operator call. An optional input or output that is left out is an empty string.
     *
     * @param position its place in the file, from 0
     */
    record Node(int position, String name, String opType, String domain, List<String> inputs, List<String> outputs,
                Map<String, Attribute> attributes) {
        Node {
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
            attributes = Map.copyOf(attributes);
        }

        /** What errors call it: its name, or else that of what it makes. */
        String label() {
            if (!name.isBlank()) {
                return name;
            }
            return outputs.stream().filter(output -> !output.isEmpty()).findFirst()
                    .map(output -> "that makes " + output).orElse("#" + position);
        }
    }

    /** An attribute's value. */
    sealed interface Attribute {
        record Real(float value) implements Attribute {}

        record Whole(long value) implements Attribute {}

        record Text(String value) implements Attribute {}

        record Constant(OnnxTensor value) implements Attribute {}

        record Reals(List<Float> values) implements Attribute {
            public Reals {
                values = List.copyOf(values);
            }
        }

        record Wholes(List<Long> values) implements Attribute {
            public Wholes {
                values = List.copyOf(values);
            }
        }

        record Texts(List<String> values) implements Attribute {
            public Texts {
                values = List.copyOf(values);
            }
        }

        /** A subgraph, type or sparse tensor: what no supported operator has. */
        record Other(String kind) implements Attribute {}
    }

    /**
     * An input or output of the graph.
     *
     * @param elementType ONNX's number of the element type; 0 if it is not a tensor or not stated
     * @param dims the shape, or empty where the model states none
     */
    record ValueInfo(String name, int elementType, Optional<List<Dim>> dims) {}

    /** A dimension: a size, a symbol, or neither. */
    record Dim(OptionalLong size, String symbol) {
        @Override
        public String toString() {
            return size.isPresent() ? String.valueOf(size.getAsLong()) : symbol.isEmpty() ? "?" : symbol;
        }
    }
}
