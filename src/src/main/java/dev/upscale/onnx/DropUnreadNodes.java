package dev.upscale.onnx;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import java.util.HashSet;
import java.util.Set;

/** Leaves out the nodes that no output needs. Afterwards every node's output is read, or is an output of the graph. */
final class DropUnreadNodes {
    private DropUnreadNodes() {}

    static Graph run(Graph graph) {
        Set<String> needed = new HashSet<>(graph.outputs());
        for (Node node : graph.nodes().reversed()) {
            if (needed.contains(node.output())) {
                needed.addAll(node.inputs());
            }
        }
        Graph.Builder builder = graph.rebuild();
        graph.nodes().stream().filter(node -> needed.contains(node.output())).forEach(builder::node);
        return builder.build();
    }
}
