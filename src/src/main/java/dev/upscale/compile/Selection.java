package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Channels of a tensor that no selection makes: what slices and takes of channels make of it, one after the other.
 *
 * @param isSelection whether there are any
 */
record Selection(String tensor, List<Integer> channels, boolean isSelection) {

    /** Of which tensor's channels another one consists. */
    static Selection of(Graph graph, String part) {
        String tensor = part;
        List<Integer> channels = IntStream.range(0, graph.type(part).dim(1)).boxed().toList();
        boolean selected = false;
        while (graph.producer(tensor).flatMap(HoistSelections::selection).isPresent()) {
            Node node = graph.producer(tensor).get();
            List<Integer> before = HoistSelections.selection(node).orElseThrow();
            channels = channels.stream().map(before::get).toList();
            tensor = node.input(0);
            selected = true;
        }
        return new Selection(tensor, channels, selected);
    }
}
