package dev.upscale.compile;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A producer channel whose weights are all zero still carries its bias (and with it the shift of a folded batch
 * normalisation): it has the same value everywhere. Where its consumers can take that value into their own bias, they no
 * longer need the channel.
 *
 * <p>Before: scales are folded. After: consumers have zero weights for all channels that are constant, as far as that is
 * exact: for a value of zero always; for another value only where every output sees every tap, so not where a padded
 * border would read zeros instead of the value. Such a channel is kept.
 */
public final class FoldConstantChannels {
    private final Graph graph;
    private final ChannelFlow flow;
    /** By tensor, the value of each channel that is constant; NaN for the others. */
    private final Map<String, double[]> values = new HashMap<>();
    private final Map<String, Tensor> weights = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Graph.Builder builder;

    private FoldConstantChannels(Graph graph) {
        this.graph = graph;
        this.flow = ChannelFlow.of(graph);
        this.builder = graph.rebuild();
    }

    public static Graph apply(Graph graph) {
        return new FoldConstantChannels(graph).run();
    }

    private Graph run() {
        for (Node node : graph.nodes()) {
            boolean consumer = flow.consumer(node).isPresent();
            Node folded = consumer ? consume(node) : node;
            nodes.add(folded);
            double[] constants = consumer ? producer(folded) : constants(node);
            if (constants != null && Arrays.stream(constants).anyMatch(value -> !Double.isNaN(value))) {
                values.put(node.output(), constants);
            }
        }
        if (weights.isEmpty()) {
            return graph;
        }
        weights.forEach(builder::weight);
        nodes.forEach(builder::node);
        return builder.build();
    }

    /** The consumer with the constant channels of its source taken into its bias. */
    private Node consume(Node node) {
        double[] source = values.get(node.input(0));
        if (source == null || graph.consumers(node.input(1)).size() > 1) {
            return node;
        }
        WeightAxes axes = WeightAxes.of(graph, node).orElseThrow();
        Tensor weight = graph.weight(node.input(1));
        float[] cut = weight.floats().clone();
        double[] bias = new double[axes.outputs()];
        boolean anyBias = false;
        boolean any = false;
        for (int input = 0; input < axes.inputs(); input++) {
            boolean exact = source[input] == 0 || !Double.isNaN(source[input]) && seesEveryTap(node.op());
            for (int output = 0; exact && output < axes.outputs(); output++) {
                int start = axes.at(output, input);
                for (int tap = start; tap < start + axes.taps(); tap++) {
                    any |= cut[tap] != 0;
                    bias[output] += cut[tap] * source[input];
                    cut[tap] = 0;
                }
                anyBias |= bias[output] != 0;
            }
        }
        if (!any) {
            return node;
        }
        weights.put(node.input(1), Tensor.of(weight.type(), cut));
        return anyBias ? withBias(node, bias) : node;
    }

    private Node withBias(Node node, double[] bias) {
        float[] old = node.inputs().size() > 2 ? graph.weight(node.input(2)).floats() : new float[bias.length];
        float[] sum = new float[bias.length];
        for (int output = 0; output < sum.length; output++) {
            sum[output] = (float) (old[output] + bias[output]);
        }
        String name = builder.fresh(node.output() + ".bias");
        builder.weight(name, Tensor.f32(sum, sum.length));
        weights.put(name, Tensor.f32(sum, sum.length));
        return node.withInputs(List.of(node.input(0), node.input(1), name));
    }

    /** Whether each output is computed from all taps of its window: no padding, and no stride between outputs of a transposed one. */
    private static boolean seesEveryTap(Op op) {
        return op instanceof Op.Linear || op instanceof Op.Conv conv && !conv.window().hasPadding();
    }

    /** The constant channels that a node makes, or null. */
    private double[] constants(Node node) {
        if (node.inputs().isEmpty() || flow.channels(node.output()).axis() < 0) {
            return null;
        }
        double[] source = values.get(node.input(0));
        return switch (node.op()) {
            case Op.Conv conv when source != null && !flow.fixed().contains(node.output()) -> depthwise(node, conv, source);
            case Op.Apply apply when source != null -> apply(apply, source);
            case Op.ScaleShift scale when source != null -> scaled(node, source);
            case Op.Binary binary -> binary(node);
            case Op.Pool pool when source != null
                    && (pool.kind() == Op.Pool.Kind.MAX || !pool.window().hasPadding() || !pool.countPadding()) -> source;
            case Op.Resize resize -> source;
            case Op.Reduce reduce when source != null && reduce.kind() != Op.Reduce.Kind.SUM
                    && !flow.fixed().contains(node.output()) -> source;
            case Op.Reshape reshape when !flow.fixed().contains(node.output()) -> source;
            case Op.Transpose transpose when !flow.fixed().contains(node.output()) -> source;
            case Op.Concat concat when concat.axis() == flow.channels(node.output()).axis() -> concat(node);
            case Op.Slice slice when source != null && slice.axis() == flow.channels(node.input(0)).axis() ->
                Arrays.stream(ChannelFlow.positions(slice)).mapToDouble(position -> source[position]).toArray();
            case Op.Take take when source != null && take.axis() == flow.channels(node.input(0)).axis() ->
                take.indices().stream().mapToDouble(position -> source[position]).toArray();
            default -> null;
        };
    }

    /** Outputs without any weight have their bias everywhere. */
    private double[] producer(Node node) {
        WeightAxes axes = WeightAxes.of(graph, node).orElseThrow();
        Tensor weight = weights.getOrDefault(node.input(1), graph.weights().get(node.input(1)));
        double[] constants = new double[axes.outputs()];
        for (int output = 0; output < constants.length; output++) {
            constants[output] = axes.readsAnything(weight, output) ? Double.NaN : bias(node, output);
        }
        return constants;
    }

    private double bias(Node node, int output) {
        if (node.inputs().size() < 3) {
            return 0;
        }
        String name = node.input(2);
        return (weights.containsKey(name) ? weights.get(name) : graph.weight(name)).floats()[output];
    }

    private double[] depthwise(Node node, Op.Conv conv, double[] source) {
        float[] weight = graph.weight(node.input(1)).floats();
        int taps = weight.length / source.length;
        double[] constants = new double[source.length];
        for (int channel = 0; channel < constants.length; channel++) {
            double sum = bias(node, channel);
            for (int tap = 0; tap < taps; tap++) {
                sum += source[channel] * weight[channel * taps + tap];
            }
            constants[channel] = source[channel] == 0 || !conv.window().hasPadding() ? sum : Double.NaN;
        }
        return constants;
    }

    private static double[] apply(Op.Apply apply, double[] source) {
        return Arrays.stream(source).map(value -> evaluate(apply, value)).toArray();
    }

    private static double evaluate(Op op, double... operands) {
        for (double operand : operands) {
            if (Double.isNaN(operand)) {
                return Double.NaN;
            }
        }
        List<DoubleTensor> inputs = Arrays.stream(operands)
                .mapToObj(operand -> new DoubleTensor(TensorType.f32(), new double[] {operand}))
                .toList();
        return Interpreter.evaluate(op, inputs).values()[0];
    }

    private double[] scaled(Node node, double[] source) {
        float[] factor = graph.weight(node.input(1)).floats();
        float[] shift = graph.weight(node.input(2)).floats();
        double[] constants = new double[source.length];
        Arrays.setAll(constants, channel -> factor[channel] * source[channel] + shift[channel]);
        return constants;
    }

    /** Both operands constant; or a product with zero. */
    private double[] binary(Node node) {
        Op.Binary.Kind kind = ((Op.Binary) node.op()).kind();
        Optional<double[]> left = operand(node, 0);
        Optional<double[]> right = operand(node, 1);
        if (left.isEmpty() || right.isEmpty()) {
            return null;
        }
        double[] constants = new double[flow.channels(node.output()).count()];
        for (int channel = 0; channel < constants.length; channel++) {
            double a = left.get()[channel];
            double b = right.get()[channel];
            constants[channel] = kind == Op.Binary.Kind.MUL && (a == 0 || b == 0) ? 0 : evaluate(node.op(), a, b);
        }
        return constants;
    }

    /** The constant channels of an operand that has as many channels as the result; NaN for all if none is. */
    private Optional<double[]> operand(Node node, int input) {
        String tensor = node.input(input);
        int count = flow.channels(node.output()).count();
        if (graph.isWeight(tensor) || flow.channels(tensor).count() != count) {
            return Optional.empty();
        }
        double[] unknown = new double[count];
        Arrays.fill(unknown, Double.NaN);
        return Optional.of(values.getOrDefault(tensor, unknown));
    }

    private double[] concat(Node node) {
        return node.inputs().stream()
                .flatMapToDouble(part -> {
                    double[] unknown = new double[flow.channels(part).count()];
                    Arrays.fill(unknown, Double.NaN);
                    return Arrays.stream(values.getOrDefault(part, unknown));
                })
                .toArray();
    }
}
