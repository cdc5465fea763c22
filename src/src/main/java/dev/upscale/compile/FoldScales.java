package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Folds batch normalisations and other channel-wise scales and shifts into the convolution or matrix product before them.
 *
 * <p>Before: any graph. After: there is no {@link Op.BatchNorm}; a scale or shift by constants per channel that stands
 * right after a convolution or matrix product whose output nothing else reads is part of its weights and bias; any other
 * is one {@link Op.ScaleShift}. Channels whose weights were zero stay zero.
 */
public final class FoldScales {
    private final Graph graph;
    private final Graph.Builder builder;
    /** By tensor of the old graph, the tensor that holds it in the new one. */
    private final Map<String, String> renamed = new HashMap<>();
    /** Nodes added so far, by output; those that can still take a scale are replaced here. */
    private final Map<String, Integer> places = new HashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> weights = new HashMap<>();

    private FoldScales(Graph graph) {
        this.graph = graph;
        this.builder = graph.rebuild();
    }

    public static Graph apply(Graph graph) {
        return new FoldScales(graph).run();
    }

    private Graph run() {
        for (Node node : graph.nodes()) {
            Optional<Scale> scale = scaleOf(node);
            if (scale.isPresent()) {
                fold(node, scale.get());
            } else {
                add(node.withInputs(node.inputs().stream().map(this::current).toList()));
            }
        }
        nodes.forEach(builder::node);
        return builder.build();
    }

    /** y = factor[c] · x + shift[c] of the tensor {@code source}. */
    private record Scale(String source, double[] factor, double[] shift) {}

    private String current(String tensor) {
        return renamed.getOrDefault(tensor, tensor);
    }

    private void add(Node node) {
        places.put(node.output(), nodes.size());
        nodes.add(node);
    }

    private void fold(Node node, Scale scale) {
        String source = current(scale.source());
        Node before = places.containsKey(source) ? nodes.get(places.get(source)) : null;
        boolean soleReader = graph.consumers(scale.source()).size() == 1 && !graph.outputs().contains(scale.source());
        if (before != null && soleReader && absorb(before, scale)) {
            // The folded node makes the scaled tensor under the scaled tensor's name, so that outputs keep theirs.
            int place = places.remove(source);
            nodes.set(place, nodes.get(place).withOutput(node.output()));
            places.put(node.output(), place);
        } else {
            String factor = keep(node.output() + ".scale", scale.factor());
            String shift = keep(node.output() + ".shift", scale.shift());
            add(new Node(node.name(), new Op.ScaleShift(), List.of(source, factor, shift), node.output()));
        }
    }

    /** Takes a scale into the node, if it is linear and its channels are those that are scaled. */
    private boolean absorb(Node before, Scale scale) {
        int place = places.get(before.output());
        switch (before.op()) {
            case Op.Conv conv -> nodes.set(place, scaled(before, scale, 0, scale.factor().length));
            case Op.Linear linear -> nodes.set(place, scaled(before, scale, 0, scale.factor().length));
            case Op.ConvTranspose conv -> {
                if (conv.groups() != 1) {
                    return false;
                }
                nodes.set(place, scaled(before, scale, 1, scale.factor().length));
            }
            case Op.ScaleShift inner -> {
                double[] factor = scale.factor().clone();
                double[] shift = scale.shift().clone();
                float[] innerFactor = weight(before.input(1)).floats();
                float[] innerShift = weight(before.input(2)).floats();
                for (int c = 0; c < factor.length; c++) {
                    shift[c] += factor[c] * innerShift[c];
                    factor[c] *= innerFactor[c];
                }
                nodes.set(place, before.withInputs(List.of(
                        before.input(0),
                        keep(before.input(1), factor),
                        keep(before.input(2), shift))));
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private Tensor weight(String name) {
        return weights.containsKey(name) ? weights.get(name) : graph.weights().get(name);
    }

    private Node scaled(Node node, Scale scale, int outputAxis, int outputs) {
        if (weight(node.input(1)) == null) {
            throw new IllegalStateException("computed weights at " + node.name());
        }
        Tensor weight = weight(node.input(1));
        float[] values = weight.floats().clone();
        int inner = 1;
        for (int axis = outputAxis + 1; axis < weight.type().rank(); axis++) {
            inner *= weight.type().dim(axis);
        }
        for (int start = 0, row = 0; start < values.length; start += inner, row++) {
            scale(values, start, inner, scale.factor()[row % outputs]);
        }
        double[] bias = scale.shift().clone();
        if (node.inputs().size() > 2) {
            float[] old = weight(node.input(2)).floats();
            for (int c = 0; c < outputs; c++) {
                bias[c] += scale.factor()[c] * old[c];
            }
        }
        String weightName = keep(node.input(1), Tensor.of(weight.type(), values), node);
        return node.withInputs(List.of(node.input(0), weightName, keep(node.output() + ".bias", bias)));
    }

    private static void scale(float[] values, int start, int count, double factor) {
        for (int k = start; k < start + count; k++) {
            values[k] = (float) (values[k] * factor);
        }
    }

    /** Keeps the weight's name, by which patterns know it, unless another node reads it too. */
    private String keep(String name, Tensor value, Node reader) {
        boolean shared = graph.consumers(name).size() > 1;
        return put(shared ? builder.fresh(name + "@" + reader.name()) : name, value);
    }

    private String keep(String stem, double[] values) {
        float[] floats = new float[values.length];
        for (int c = 0; c < floats.length; c++) {
            floats[c] = (float) values[c];
        }
        return put(builder.fresh(stem), Tensor.f32(floats, floats.length));
    }

    private String put(String name, Tensor value) {
        builder.weight(name, value);
        weights.put(name, value);
        return name;
    }

    private Optional<Scale> scaleOf(Node node) {
        return switch (node.op()) {
            case Op.BatchNorm norm -> Optional.of(batchNorm(node, norm));
            case Op.ScaleShift scale ->
                Optional.of(new Scale(node.input(0), doubles(node.input(1)), doubles(node.input(2))));
            case Op.Binary binary -> arithmetic(node, binary.kind());
            default -> Optional.empty();
        };
    }

    private Scale batchNorm(Node node, Op.BatchNorm norm) {
        double[] factor = doubles(node.input(1));
        double[] shift = doubles(node.input(2));
        double[] mean = doubles(node.input(3));
        double[] variance = doubles(node.input(4));
        for (int c = 0; c < factor.length; c++) {
            factor[c] /= Math.sqrt(variance[c] + norm.epsilon());
            shift[c] -= factor[c] * mean[c];
        }
        return new Scale(node.input(0), factor, shift);
    }

    /** x + w, x − w, w − x, x · w, x / w with one constant per channel, or one for all. */
    private Optional<Scale> arithmetic(Node node, Op.Binary.Kind kind) {
        boolean constantFirst = graph.isWeight(node.input(0));
        if (constantFirst == graph.isWeight(node.input(1))) {
            return Optional.empty();
        }
        String source = node.input(constantFirst ? 1 : 0);
        TensorType type = graph.type(source);
        Optional<double[]> found = perChannel(node.input(constantFirst ? 0 : 1), type);
        if (found.isEmpty() || !graph.type(node.output()).equals(type)) {
            return Optional.empty();
        }
        double[] constant = found.get();
        double[] ones = new double[constant.length];
        Arrays.fill(ones, 1);
        double[] zeros = new double[constant.length];
        return switch (kind) {
            case ADD -> Optional.of(new Scale(source, ones, constant));
            case MUL -> Optional.of(new Scale(source, constant, zeros));
            case SUB -> Optional.of(constantFirst
                    ? new Scale(source, negated(ones), constant)
                    : new Scale(source, ones, negated(constant)));
            case DIV -> constantFirst ? Optional.empty() : Optional.of(new Scale(source, inverse(constant), zeros));
            default -> Optional.empty();
        };
    }

    /** The constant as one value per channel of an image or matrix (dimension 1), if it is broadcast like that. */
    private Optional<double[]> perChannel(String constant, TensorType type) {
        TensorType shape = graph.type(constant);
        int rank = type.rank();
        if ((rank != 4 && rank != 2) || shape.rank() > rank) {
            return Optional.empty();
        }
        int channels = type.dim(1);
        float[] values = graph.weight(constant).floats();
        if (values.length == 1) {
            double[] all = new double[channels];
            Arrays.fill(all, values[0]);
            return Optional.of(all);
        }
        int axis = 1 - rank + shape.rank();
        return axis >= 0 && shape.dim(axis) == channels && values.length == channels
                ? Optional.of(doubles(constant))
                : Optional.empty();
    }

    private double[] doubles(String weight) {
        float[] values = graph.weight(weight).floats();
        double[] doubles = new double[values.length];
        for (int k = 0; k < values.length; k++) {
            doubles[k] = values[k];
        }
        return doubles;
    }

    private static double[] negated(double[] values) {
        return Arrays.stream(values).map(value -> -value).toArray();
    }

    private static double[] inverse(double[] values) {
        return Arrays.stream(values).map(value -> 1 / value).toArray();
    }
}
