package dev.upscale.compress;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.channels.Segment;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.compress.LayerCurves.ConsumerCurve;
import dev.upscale.compress.LayerCurves.SegmentCurve;
import dev.upscale.graph.Graph;
import dev.upscale.prune.BackwardElimination;
import dev.upscale.prune.LeastSquares;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Measures {@link LayerCurves} on unlabelled inputs. Used once, by one thread. */
public final class CurveBuilder {
    /** Shares of a consumer's channels after whose loss the network's outputs are looked at. */
    private static final double[] PROBES = {0.3, 0.55, 0.8};

    private final Graph graph;
    private final ChannelFlow flow;
    private final Images probing;
    private final int threads;
    private final float[] whole;
    private final Map<Consumer, JointElimination.Member> members = new LinkedHashMap<>();
    private final Map<String, ConsumerCurve> curves = new LinkedHashMap<>();

    private CurveBuilder(Graph graph, Images probing, int threads) {
        this.graph = graph;
        this.flow = ChannelFlow.of(graph);
        this.probing = probing;
        this.threads = threads;
        this.whole = scores(graph);
    }

    /**
     * The curves of a network.
     *
     * @param graph the unpruned network, with a batch; its first output holds a score for each class
     * @param images inputs for the layers' statistics
     * @param probing inputs on which the network's outputs are looked at
     */
    public static LayerCurves build(Graph graph, Images images, Images probing, Compensation.Options options, Progress progress) {
        CurveBuilder builder = new CurveBuilder(graph, probing, options.threads());
        List<Consumer> consumers = LayerStatistics.consumers(graph, builder.flow);
        LayerStatistics.gather(graph, consumers, images, options, progress, builder::addConsumer);
        List<SegmentCurve> segments = new ArrayList<>();
        for (Segment segment : Segment.of(builder.flow)) {
            List<Consumer> own = segment.consumers().stream().filter(builder.members::containsKey).toList();
            if (!own.isEmpty()) {
                segments.add(builder.together(segment, own));
                progress.at(consumers.size(), consumers.size() + 1, "segment of " + own.getFirst().weight());
            }
        }
        return new LayerCurves(List.copyOf(builder.curves.values()), segments);
    }

    private void addConsumer(Consumer consumer, LeastSquares problem) {
        int[] labels = flow.channels(consumer.source()).labels();
        BackwardElimination begun = new BackwardElimination(problem, labels.length);
        double scale = 1 / Math.max(problem.variance(), Double.MIN_NORMAL);
        double base = problem.error(begun.solution()) * scale;
        BackwardElimination elimination = begun.copy();
        int[] order = new int[labels.length];
        double[] errors = new double[labels.length];
        errors[0] = base;
        List<Double> probes = new ArrayList<>();
        List<Double> damages = new ArrayList<>();
        for (int taken = 0; taken < labels.length - 1; taken++) {
            int least = least(elimination.increments(), elimination.remaining().stream().toArray());
            elimination.take(least);
            order[taken] = least;
            errors[taken + 1] = base + elimination.raised() * scale;
            for (double share : PROBES) {
                if (taken + 1 == Math.clamp(Math.round(share * labels.length), 1, labels.length - 1)) {
                    probes.add(errors[taken + 1]);
                    damages.add(damage(consumer, elimination));
                }
            }
        }
        order[labels.length - 1] = elimination.remaining().nextSetBit(0);
        if (probes.isEmpty()) {
            probes.add(1.0);
            damages.add(0.0);
        }
        ConsumerCurve curve = new ConsumerCurve(consumer.weight(), order, errors, array(probes), array(damages));
        curves.put(consumer.weight(), curve);
        members.put(consumer, new JointElimination.Member(consumer, labels, begun, 1 / scale, Math.max(curve.sensitivity(), 1e-9)));
    }

    /** What the network's outputs lose with one layer's solved weights in place. */
    private double damage(Consumer consumer, BackwardElimination elimination) {
        Unfolding unfolding = new Unfolding(graph, consumer.node(), IntStream.range(0, flow.channels(consumer.source()).count()).toArray());
        double[] solved = elimination.solution();
        Solution solution = new Solution(consumer.weight(), unfolding.weight(solved), unfolding.bias(solved), 0, 0);
        return divergence(whole, scores(Solution.apply(graph, Map.of(consumer.weight(), solution))), probing.count());
    }

    private float[] scores(Graph network) {
        return Inference.scores(network, CompileOptions.of(Variant.UPSCALE), probing, threads, Progress.NONE);
    }

    /** The mean over images of the sum over classes of p · ln(p / q), in nats. */
    public static double divergence(float[] scores, float[] others, int images) {
        int classes = scores.length / images;
        double sum = 0;
        for (int image = 0; image < images; image++) {
            double[] p = logProbabilities(scores, image * classes, classes);
            double[] q = logProbabilities(others, image * classes, classes);
            for (int k = 0; k < classes; k++) {
                sum += Math.exp(p[k]) * (p[k] - q[k]);
            }
        }
        return sum / images;
    }

    private static double[] logProbabilities(float[] scores, int from, int classes) {
        double most = IntStream.range(0, classes).mapToDouble(k -> scores[from + k]).max().orElse(0);
        double sum = IntStream.range(0, classes).mapToDouble(k -> Math.exp(scores[from + k] - most)).sum();
        return IntStream.range(0, classes).mapToDouble(k -> scores[from + k] - most - Math.log(sum)).toArray();
    }

    private SegmentCurve together(Segment segment, List<Consumer> own) {
        List<JointElimination.Member> joined = own.stream().map(members::get).toList();
        JointElimination elimination = new JointElimination(joined, flow.labelCount());
        int[] left = segment.labels().clone();
        int[] order = new int[left.length];
        double[][] errors = new double[own.size()][left.length];
        Map<JointElimination.Member, Double> bases = new HashMap<>();
        joined.forEach(member -> bases.put(member, curves.get(member.consumer().weight()).errors()[0]));
        record(joined, bases, errors, 0);
        for (int taken = 0; taken < order.length - 1; taken++) {
            int least = least(elimination.increments(), left);
            elimination.take(least);
            order[taken] = least;
            left = Arrays.stream(left).filter(label -> label != least).toArray();
            record(joined, bases, errors, taken + 1);
        }
        order[order.length - 1] = left[0];
        joined.forEach(member -> members.remove(member.consumer()));
        return new SegmentCurve(own.stream().map(Consumer::weight).toList(), order, errors);
    }

    private static void record(List<JointElimination.Member> joined, Map<JointElimination.Member, Double> bases, double[][] errors, int taken) {
        for (int k = 0; k < errors.length; k++) {
            errors[k][taken] = bases.get(joined.get(k)) + joined.get(k).error();
        }
    }

    private static int least(double[] increments, int[] candidates) {
        int least = candidates[0];
        for (int candidate : candidates) {
            least = increments[candidate] < increments[least] ? candidate : least;
        }
        return least;
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
