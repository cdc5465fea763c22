package dev.upscale.compress;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What was solved for one layer.
 *
 * @param weight the name of its weight
 * @param values the weight's elements in its own order; zero for channels that are not retained
 * @param bias one for each output channel
 * @param errorBefore ‖WᵀX − Y‖² / ‖Y − mean(Y)‖² with the weights that the layer had, on the inputs it now gets
 * @param errorAfter the same with these weights
 */
public record Solution(String weight, float[] values, float[] bias, double errorBefore, double errorAfter) {

    /** A network with solved weights and biases; layers without a bias get one. Sizes of the batch do not matter. */
    public static Graph apply(Graph graph, Map<String, Solution> solutions) {
        Graph.Builder builder = graph.rebuild();
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Solution solution = node.inputs().size() > 1 && Unfolding.fits(graph, node) ? solutions.get(node.input(1)) : null;
            if (solution == null) {
                nodes.add(node);
                continue;
            }
            String bias = biasName(graph, node);
            builder.weight(node.input(1), Tensor.of(graph.type(node.input(1)), solution.values));
            builder.weight(bias, Tensor.of(TensorType.f32(solution.bias.length), solution.bias));
            nodes.add(node.withInputs(List.of(node.input(0), node.input(1), bias)));
        }
        nodes.forEach(builder::node);
        return builder.build();
    }

    /** Its own bias if nothing else reads that; otherwise a name beside its weight's. */
    private static String biasName(Graph graph, Node node) {
        if (node.inputs().size() > 2 && graph.consumers(node.input(2)).size() == 1) {
            return node.input(2);
        }
        String name = node.input(1).replaceFirst("\\.weight$", "") + ".bias";
        while (graph.types().containsKey(name)) {
            name += ".compensated";
        }
        return name;
    }
}
