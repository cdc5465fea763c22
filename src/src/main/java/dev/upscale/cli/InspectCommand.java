package dev.upscale.cli;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.Segment;
import dev.upscale.channels.WeightAxes;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "inspect",
        description = "Operations, producers, consumers, segments, parameters, multiply-adds of a network; what stays a barrier and why.")
final class InspectCommand extends Console {
    @Mixin
    private ModelArguments model;

    /** What is said of a network. */
    record Report(
            String model, Map<String, String> inputs, Map<String, String> outputs, Map<String, Integer> operations, int nodes,
            long parameters, long multiplyAdds, int producers, int consumers, List<ConsumerFields> consumerList,
            List<SegmentFields> segments, List<Barrier> barriers) {}

    /** One consumer and what the pattern leaves of its input channels. */
    record ConsumerFields(String node, String weight, String source, int channels, int retained) {}

    /** One segment. */
    record SegmentFields(int channels, List<String> producers, List<String> consumers) {}

    /** A tensor that keeps all of its channels in their order. */
    record Barrier(String tensor, String node, String reason) {}

    @Override
    public Integer call() {
        Graph graph = model.read();
        Report report = inspect(model.name(), graph, model.pattern(graph));
        print(report, describe(report));
        return 0;
    }

    static Report inspect(String name, Graph graph, Pattern pattern) {
        ChannelFlow flow = ChannelFlow.of(RecogniseShuffles.apply(graph));
        Map<String, Integer> operations = new TreeMap<>();
        graph.nodes().forEach(node -> operations.merge(node.op().getClass().getSimpleName(), 1, Integer::sum));
        List<ConsumerFields> consumers = flow.consumers().stream().map(consumer -> {
            int channels = flow.channels(consumer.source()).count();
            int[] retained = pattern.consumers().get(consumer.weight());
            return new ConsumerFields(consumer.node().name(), consumer.weight(), consumer.source(), channels,
                    retained == null ? channels : retained.length);
        }).toList();
        List<SegmentFields> segments = Segment.of(flow).stream().map(segment -> new SegmentFields(segment.labels().length,
                segment.producers(), segment.consumers().stream().map(ChannelFlow.Consumer::weight).toList())).toList();
        List<Barrier> barriers = flow.barriers().stream()
                .map(barrier -> new Barrier(barrier.tensor(), barrier.node(), barrier.reason())).distinct().toList();
        long parameters = graph.weights().values().stream().mapToLong(weight -> weight.type().elements()).sum();
        return new Report(name, types(graph, graph.inputs()), types(graph, graph.outputs()), operations, graph.nodes().size(),
                parameters, multiplyAdds(graph), flow.producers().size(), consumers.size(), consumers, segments, barriers);
    }

    private static Map<String, String> types(Graph graph, List<String> tensors) {
        Map<String, String> types = new LinkedHashMap<>();
        tensors.forEach(tensor -> types.put(tensor, graph.type(tensor).toString()));
        return types;
    }

    /** Of convolutions and matrix products with weights, for the graph's batch. */
    static long multiplyAdds(Graph graph) {
        return graph.nodes().stream().mapToLong(node -> multiplyAdds(graph, node)).sum();
    }

    private static long multiplyAdds(Graph graph, Node node) {
        return WeightAxes.of(graph, node).map(axes -> {
            long perOutputChannel = graph.type(node.output()).elements() / axes.outputs();
            long perPixel = graph.weight(node.input(1)).type().elements();
            long sourcePixels = graph.type(node.input(0)).elements() / axes.inputs();
            return (axes.inputsFirst() ? sourcePixels : perOutputChannel) * perPixel;
        }).orElse(0L);
    }

    private static String describe(Report report) {
        StringBuilder text = new StringBuilder();
        text.append(report.model).append(": ").append(report.inputs).append(" to ").append(report.outputs).append('\n');
        text.append(String.format(Locale.ROOT, "%d operations, %.2f M parameters, %.1f M multiply-adds%n", report.nodes,
                report.parameters / 1e6, report.multiplyAdds / 1e6));
        report.operations.forEach((operation, count) -> text.append(String.format("  %4d %s%n", count, operation)));
        text.append(report.producers).append(" producers, ").append(report.consumers).append(" consumers, ").append(report.segments.size())
                .append(" segments\n");
        Table segments = new Table("segment", "channels", "producers", "consumers");
        for (int i = 0; i < report.segments.size(); i++) {
            SegmentFields segment = report.segments.get(i);
            segments.row(segment.consumers.getFirst(), segment.channels, segment.producers.size(), segment.consumers.size());
        }
        text.append(segments);
        long pruned = report.consumerList.stream().filter(consumer -> consumer.retained < consumer.channels).count();
        int[] totals = {report.consumerList.stream().mapToInt(ConsumerFields::retained).sum(),
                report.consumerList.stream().mapToInt(ConsumerFields::channels).sum()};
        text.append(pruned).append(" consumers are pruned; all consumers retain ").append(totals[0]).append(" of ").append(totals[1])
                .append(" input channels\n");
        report.barriers.forEach(barrier -> text.append("barrier at ").append(barrier.tensor)
                .append(barrier.node.isEmpty() ? "" : " (" + barrier.node + ")").append(": ").append(barrier.reason).append('\n'));
        return text.toString();
    }
}
