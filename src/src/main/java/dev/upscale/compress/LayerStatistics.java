package dev.upscale.compress;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.prune.LeastSquares;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/** The least-squares problem of every prunable consumer of an unpruned network, on its own inputs. Stateless. */
final class LayerStatistics {
    private LayerStatistics() {}

    /** The consumers whose channels can be chosen: those that read no input of the network, and whose weights can be solved for. */
    static List<Consumer> consumers(Graph graph, ChannelFlow flow) {
        BitSet inputs = new BitSet();
        graph.inputs().forEach(input -> Arrays.stream(flow.channels(input).labels()).forEach(inputs::set));
        return flow.consumers().stream()
                .filter(consumer -> Unfolding.fits(graph, consumer.node()) && graph.consumers(consumer.weight()).size() == 1)
                .filter(consumer -> flow.channels(consumer.source()).count() == inputs(graph, consumer.node()))
                .filter(consumer -> Arrays.stream(flow.channels(consumer.source()).labels()).noneMatch(inputs::get))
                .toList();
    }

    private static int inputs(Graph graph, Node node) {
        return WeightAxes.of(graph, node).orElseThrow().inputs();
    }

    /**
     * Gathers them in topological order, one at a time.
     *
     * @param graph the unpruned network, with a batch
     * @param taker gets each problem as it is there
     */
    static void gather(Graph graph, List<Consumer> consumers, Images images, Compensation.Options options, Progress progress,
            BiConsumer<Consumer, LeastSquares> taker) {
        try (Workers workers = new Workers(options.threads()); StagedRun run = new StagedRun(graph, images, workers, options.heapBytes())) {
            int done = 0;
            for (int place = 0; place < graph.nodes().size(); place++) {
                Node node = graph.nodes().get(place);
                Consumer consumer = consumers.stream().filter(candidate -> candidate.node().equals(node)).findFirst().orElse(null);
                if (consumer != null) {
                    run.advance(graph, place);
                    run.advance(graph, place + 1, Set.of(consumer.source()));
                    Unfolding unfolding = new Unfolding(graph, node, IntStream.range(0, inputs(graph, node)).toArray());
                    taker.accept(consumer, LayerProblem.gather(unfolding, node, run, run, graph, options.ridge(), workers));
                    progress.at(++done, consumers.size(), node.name());
                }
            }
        }
    }
}
