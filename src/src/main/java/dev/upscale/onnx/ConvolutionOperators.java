package dev.upscale.onnx;

import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Conv and ConvTranspose over one or two spatial axes; over one axis as an image of height 1. */
final class ConvolutionOperators {
    private ConvolutionOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("Conv", ConvolutionOperators::conv);
        table.put("ConvTranspose", ConvolutionOperators::convTranspose);
    }

    private static void conv(NodeImport node) {
        Value source = source(node);
        Value.Constant weight = node.weight(1);
        int groups = node.bounded("attribute group", node.whole("group", 1), 1);
        WindowAttributes window = WindowAttributes
                .read(node, source.rank() - 2, WindowAttributes.weightKernel(node, weight.tensor()))
                .padded(source.dims().subList(2, source.rank()));
        write(node, source, weight, new Op.Conv(window.window(), groups));
    }

    private static void convTranspose(NodeImport node) {
        Value source = source(node);
        Value.Constant weight = node.weight(1);
        int axes = source.rank() - 2;
        int groups = node.bounded("attribute group", node.whole("group", 1), 1);
        int[] outputPads = WindowAttributes.list(node, "output_padding", axes, 0, 0);
        int[] outputShape = WindowAttributes.list(node, "output_shape", axes, 0, 1);
        WindowAttributes window =
                WindowAttributes.read(node, axes, WindowAttributes.weightKernel(node, weight.tensor()));
        boolean same = window.autoPad() == WindowAttributes.AutoPad.SAME_UPPER
                || window.autoPad() == WindowAttributes.AutoPad.SAME_LOWER;
        if (same || outputShape[0] != 0) {
            int[] total = new int[axes];
            for (int axis = 0; axis < axes; axis++) {
                int image = source.dims().get(2 + axis);
                long wanted = outputShape[0] != 0 ? outputShape[axis] : (long) image * window.strides()[axis];
                long pads = (image - 1L) * window.strides()[axis] + outputPads[axis] + window.span(axis) - wanted;
                total[axis] = node.bounded("the padding", Math.max(pads, 0), 0);
                if (outputShape[0] != 0) {
                    // What is missing to a shape that is stated is added at the end.
                    outputPads[axis] = node.bounded("the output padding", outputPads[axis] + Math.max(-pads, 0), 0);
                }
            }
            window = window.withTotalPads(total, window.autoPad() == WindowAttributes.AutoPad.SAME_UPPER);
        }
        Op op = axes == 1
                ? new Op.ConvTranspose(window.window(), 0, outputPads[0], groups)
                : new Op.ConvTranspose(window.window(), outputPads[0], outputPads[1], groups);
        write(node, source, weight, op);
    }

    private static Value source(NodeImport node) {
        Value source = node.real(0);
        int rank = source.rank();
        node.require(rank == 3 || rank == 4, "source " + source.name() + " is " + source.type()
                + "; convolutions over 1 or 2 spatial axes are supported: [N, C, L] or [N, C, H, W]");
        Tensor weight = node.weight(1).tensor();
        node.require(weight.type().rank() == rank, "weight " + node.input(1).name() + " is " + weight.type()
                + ", the source " + source.type() + ": give both the same rank");
        return source;
    }

    private static void write(NodeImport node, Value source, Value.Constant weight, Op op) {
        boolean line = source.rank() == 3;
        int[] kernel = WindowAttributes.asImage(weight.dims()).stream().mapToInt(Integer::intValue).toArray();
        Value image = node.reshape(source, WindowAttributes.asImage(source.dims()));
        List<Value> operands = new ArrayList<>(Arrays.asList(image,
                line ? new Value.Constant(weight.name(), weight.tensor().reshaped(kernel)) : weight));
        if (node.has(2)) {
            operands.add(node.weight(2));
        }
        if (line) {
            Value result = node.emit("image", op, operands.toArray(Value[]::new));
            node.reshaped(result, WindowAttributes.asLine(result.dims()));
        } else {
            node.result(op, operands.toArray(Value[]::new));
        }
    }
}
