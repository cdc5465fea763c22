package dev.upscale.onnx;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The normalisations. Batch normalisation stays what it is; a pass of the compiler folds it. */
final class NormalizationOperators {
    private NormalizationOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("BatchNormalization", NormalizationOperators::batch);
        table.put("InstanceNormalization", NormalizationOperators::instance);
        table.put("LayerNormalization", NormalizationOperators::layer);
        table.put("GroupNormalization", NormalizationOperators::group);
        table.put("MeanVarianceNormalization", NormalizationOperators::meanVariance);
        table.put("LRN", NormalizationOperators::local);
    }

    private static void batch(NodeImport node) {
        node.ignore("momentum");
        node.require(node.whole("training_mode", 0) == 0,
                "it is in training mode, which is not supported: export the model in inference mode (model.eval())");
        node.require(node.opset() >= 9 || node.whole("spatial", 1) != 0,
                "attribute spatial is 0, which is not supported: export the model with a newer opset");
        node.requireOutputs(1);
        float epsilon = node.real("epsilon", 1e-5f);
        node.result(new Op.BatchNorm(epsilon), node.real(0), node.weight(1), node.weight(2), node.weight(3), node.weight(4));
    }

    private static void instance(NodeImport node) {
        node.result(new Op.InstanceNorm(node.real("epsilon", 1e-5f)), node.real(0), node.weight(1), node.weight(2));
    }

    private static void layer(NodeImport node) {
        node.require(node.whole("stash_type", 1) == 1, "attribute stash_type is not 1, which is not supported");
        Value source = node.real(0);
        int axis = node.axis(node.whole("axis", -1), source.rank());
        float epsilon = node.real("epsilon", 1e-5f);
        writeStatistics(node, source, axis, epsilon);
        Op op = new Op.LayerNorm(axis, epsilon);
        if (node.has(2)) {
            node.result(op, source, node.weight(1), node.weight(2));
        } else {
            node.result(op, source, node.weight(1));
        }
    }

    /** Mean and 1 / √(variance + epsilon), where a model asks for them. */
    private static void writeStatistics(NodeImport node, Value source, int axis, float epsilon) {
        if (!node.isRead(1) && !node.isRead(2)) {
            return;
        }
        Op mean = new Op.Reduce(Op.Reduce.Kind.MEAN, IntStream.range(axis, source.rank()).boxed().toList(), true);
        if (node.isRead(1)) {
            node.result(1, mean, source);
        }
        if (node.isRead(2)) {
            Value centred = node.binary(Op.Binary.Kind.SUB, source, node.emit("mean", mean, source));
            Value variance = node.emit("variance", mean, node.binary(Op.Binary.Kind.MUL, centred, centred));
            Value deviation = node.apply(Function.Kind.SQRT,
                    node.binary(Op.Binary.Kind.ADD, variance, node.scalarConstant("epsilon", epsilon)));
            node.result(2, new Op.Apply(Function.of(Function.Kind.RECIPROCAL)), deviation);
        }
    }

    /**
     * Each group is an instance's only channel: [N, C, ...] as [N, groups, C/groups, ...]; then scale and shift, of channels
     * (opset 21) or of groups (opset 18).
     */
    private static void group(NodeImport node) {
        node.require(node.whole("stash_type", 1) == 1, "attribute stash_type is not 1, which is not supported");
        Value source = node.real(0);
        int groups = node.bounded("attribute num_groups", node.whole("num_groups", 0), 1);
        node.require(source.rank() >= 3 && source.dims().get(1) % groups == 0, groups + " groups of " + source.type()
                + ": the channels must divide into groups");
        int channels = source.dims().get(1);
        List<Integer> grouped = new ArrayList<>(source.dims());
        grouped.set(1, groups);
        grouped.add(2, channels / groups);
        Value normal = node.emit("normal", new Op.InstanceNorm(node.real("epsilon", 1e-5f)),
                node.reshape(source, grouped),
                node.constant("ones", filled(groups, 1)), node.constant("zeros", filled(groups, 0)));
        node.result(new Op.ScaleShift(), node.reshape(normal, source.dims()),
                perChannel(node.weight(1), channels), perChannel(node.weight(2), channels));
    }

    /** One value for each channel, of one value for each channel or group. */
    private static Value.Constant perChannel(Value.Constant values, int channels) {
        float[] given = values.tensor().floats();
        if (given.length == 0 || given.length == channels || channels % given.length != 0) {
            return values;
        }
        float[] repeated = new float[channels];
        for (int channel = 0; channel < channels; channel++) {
            repeated[channel] = given[channel / (channels / given.length)];
        }
        return new Value.Constant(values.name(), Tensor.f32(repeated, channels));
    }

    private static Tensor filled(int length, float value) {
        float[] values = new float[length];
        java.util.Arrays.fill(values, value);
        return Tensor.f32(values, length);
    }

    /** (x − mean) / (√(mean of squared differences) + 1e-9), as ONNX defines it. */
    private static void meanVariance(NodeImport node) {
        Value source = node.real(0);
        List<Integer> axes = new ArrayList<>();
        for (long axis : node.wholeList("axes").orElse(new long[] {0, 2, 3})) {
            axes.add(node.axis(axis, source.rank()));
        }
        Collections.sort(axes);
        Op mean = new Op.Reduce(Op.Reduce.Kind.MEAN, axes, true);
        Value centred = node.binary(Op.Binary.Kind.SUB, source, node.emit("mean", mean, source));
        Value variance = node.emit("variance", mean, node.binary(Op.Binary.Kind.MUL, centred, centred));
        Value deviation = node.binary(Op.Binary.Kind.ADD, node.apply(Function.Kind.SQRT, variance),
                node.scalarConstant("epsilon", 1e-9f));
        node.result(new Op.Binary(Op.Binary.Kind.DIV), centred, deviation);
    }

    private static void local(NodeImport node) {
        int size = node.bounded("attribute size", node.whole("size", 0), 1);
        node.result(new Op.Lrn(size, node.real("alpha", 1e-4f), node.real("beta", 0.75f), node.real("bias", 1)),
                node.real(0));
    }
}
