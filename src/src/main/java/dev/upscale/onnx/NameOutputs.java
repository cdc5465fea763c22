package dev.upscale.onnx;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Gives a node's result the name of the output that only repeats it, and leaves the repetition out. An output that repeats
 * an input, a weight or another output stays a node of its own.
 */
final class NameOutputs {
    private NameOutputs() {}

    static Graph run(Graph graph) {
        Map<String, String> renamed = new HashMap<>();
        Set<Node> repetitions = new HashSet<>();
        for (String output : graph.outputs()) {
            graph.producer(output).filter(node -> node.op() instanceof Op.Apply(var function) && function.isNone())
                    .filter(node -> graph.producer(node.input(0)).isPresent())
                    .filter(node -> !graph.outputs().contains(node.input(0)))
                    .filter(node -> !renamed.containsKey(node.input(0)))
                    .ifPresent(node -> {
                        renamed.put(node.input(0), output);
                        repetitions.add(node);
                    });
        }
        Graph.Builder builder = graph.rebuild();
        for (Node node : graph.nodes()) {
            if (!repetitions.contains(node)) {
                builder.node(node
                        .withInputs(node.inputs().stream().map(input -> renamed.getOrDefault(input, input)).toList())
                        .withOutput(renamed.getOrDefault(node.output(), node.output())));
            }
        }
        return builder.build();
    }
}
