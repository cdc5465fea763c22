package dev.upscale.compress;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.channels.Segment;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.TensorType;
import dev.upscale.prune.BackwardElimination;
import dev.upscale.prune.FeatureRanks;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Ratings;
import dev.upscale.runtime.Executable;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Ratings of channels by what a network computes from given inputs. Stateless. */
public final class Criteria {
    private Criteria() {}

    /** {@link Heuristic#HRANK}: the feature maps that consumers read and producers make. */
    public static Ratings ranks(Graph graph, Images images, Progress progress) {
        int batch = Inference.requireBatch(graph);
        ChannelFlow flow = ChannelFlow.of(graph);
        Set<String> tensors = new LinkedHashSet<>();
        Stream.concat(flow.consumers().stream().map(Consumer::source), flow.producers().stream())
                .filter(tensor -> !graph.inputs().contains(tensor)).forEach(tensors::add);
        Graph.Builder watched = graph.rebuild();
        graph.nodes().forEach(watched::node);
        tensors.stream().filter(tensor -> !graph.outputs().contains(tensor)).forEach(watched::output);
        FeatureRanks ranks = new FeatureRanks();
        try (Executable executable = Upscale.prepare(Upscale.compile(watched.build(), CompileOptions.of(Variant.UNPRUNED)));
                BoundSession session = BoundSession.open(executable, 1)) {
            float[] values = new float[session.input(0).remaining()];
            for (int block = 0; block < images.count() / batch; block++) {
                images.fill(block * batch, batch, values);
                session.input(0).put(values);
                session.run();
                for (int output = 0; output < session.plan().outputs().size(); output++) {
                    String tensor = session.plan().outputs().get(output).name();
                    if (tensors.contains(tensor)) {
                        add(ranks, tensor, graph.type(tensor), session.output(output));
                    }
                }
                progress.at(block + 1, images.count() / batch, "feature maps");
            }
        }
        return ranks;
    }

    private static void add(FeatureRanks ranks, String tensor, TensorType type, FloatBuffer output) {
        float[] map = new float[output.remaining()];
        output.get(map);
        boolean image = type.rank() == 4;
        ranks.add(tensor, map, type.dim(0), type.dim(1), image ? type.dim(2) : 1, image ? type.dim(3) : map.length / type.dim(0) / type.dim(1));
    }

    /**
     * {@link Heuristic#RESIDUAL}, on the input side: channels are taken from each consumer, or from all consumers of a segment, until one
     * is left; a channel's rating is the error when it was taken, relative to the variance of the layer's outputs.
     */
    public static Ratings residuals(Graph graph, Images images, PruneOptions.Method method, Compensation.Options options, Progress progress) {
        ChannelFlow flow = ChannelFlow.of(graph);
        List<Consumer> consumers = LayerStatistics.consumers(graph, flow);
        Map<String, double[]> ratings = new HashMap<>();
        Map<Consumer, JointElimination.Member> waiting = new HashMap<>();
        List<Segment> segments = new ArrayList<>(Segment.of(flow));
        LayerStatistics.gather(graph, consumers, images, options, progress, (consumer, problem) -> {
            int[] labels = flow.channels(consumer.source()).labels();
            BackwardElimination elimination = new BackwardElimination(problem, labels.length);
            double scale = 1 / Math.max(problem.variance(), Double.MIN_NORMAL);
            if (method == PruneOptions.Method.UNCONSTRAINED) {
                double[] risen = elimination.takeAll();
                ratings.put(consumer.weight(), Arrays.stream(risen).map(value -> value * scale).toArray());
                return;
            }
            waiting.put(consumer, new JointElimination.Member(consumer, labels, elimination, 1 / scale, 1));
            segments.removeIf(segment -> {
                List<Consumer> own = segment.consumers().stream().filter(consumers::contains).toList();
                boolean ready = !own.isEmpty() && waiting.keySet().containsAll(own);
                if (ready) {
                    double[] risen = new JointElimination(own.stream().map(waiting::remove).toList(), flow.labelCount()).takeAll(segment.labels());
                    own.forEach(member -> ratings.put(member.weight(),
                            Arrays.stream(flow.channels(member.source()).labels()).mapToDouble(label -> risen[label]).toArray()));
                }
                return ready;
            });
        });
        return new Ratings() {
            @Override
            public double[] inputs(Consumer consumer) {
                return ratings.getOrDefault(consumer.weight(), new double[flow.channels(consumer.source()).count()]);
            }

            @Override
            public double[] outputs(Node producer) {
                throw new InvalidInput("heuristic residual chooses what consumers read; use --side input");
            }
        };
    }
}
