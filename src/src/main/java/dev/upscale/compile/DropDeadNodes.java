package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import java.util.HashSet;
import java.util.Set;

/** Drops nodes whose outputs nothing needs. After: every node leads to an output of the graph. */
public final class DropDeadNodes {
    private DropDeadNodes() {}

    public static Graph apply(Graph graph) {
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
