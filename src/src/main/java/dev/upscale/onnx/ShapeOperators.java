package dev.upscale.onnx;

import dev.upscale.graph.Broadcast;
import dev.upscale.graph.ElementType;
import dev.upscale.graph.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Operators that give elements another shape or order: all shapes are static here. */
final class ShapeOperators {
    private ShapeOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("Reshape", ShapeOperators::reshape);
        table.put("Flatten", ShapeOperators::flatten);
        table.put("Squeeze", ShapeOperators::squeeze);
        table.put("Unsqueeze", ShapeOperators::unsqueeze);
        table.put("Transpose", ShapeOperators::transpose);
        table.put("Expand", ShapeOperators::expand);
        table.put("Tile", ShapeOperators::tile);
        table.put("Pad", ShapeOperators::pad);
        table.put("DepthToSpace", ShapeOperators::depthToSpace);
        table.put("SpaceToDepth", ShapeOperators::spaceToDepth);
    }

    private static void reshape(NodeImport node) {
        Value source = node.input(0);
        boolean zeroIsZero = node.opset() >= 14 && node.whole("allowzero", 0) != 0;
        long[] target = node.wholes(1);
        List<Integer> dims = new ArrayList<>();
        int open = -1;
        long product = 1;
        for (int axis = 0; axis < target.length; axis++) {
            long dim = target[axis];
            if (dim == -1) {
                node.require(open < 0, "its shape " + java.util.Arrays.toString(target) + " leaves two dimensions open");
                open = axis;
                dims.add(-1);
                continue;
            }
            if (dim == 0 && !zeroIsZero) {
                node.require(axis < source.rank(), "its shape copies dimension " + axis + " of " + source.type());
                dim = source.dims().get(axis);
            }
            dims.add(node.bounded("dimension " + axis + " of its shape", dim, 0));
            product *= dim;
            node.require(product <= Integer.MAX_VALUE, "its shape " + java.util.Arrays.toString(target) + " is too large");
        }
        if (open >= 0) {
            long elements = source.type().elements();
            node.require(product > 0 && elements % product == 0, "the " + elements + " elements of " + source.type()
                    + " do not fill the shape " + java.util.Arrays.toString(target));
            dims.set(open, (int) (elements / product));
        }
        node.reshaped(source, dims);
    }

    private static void flatten(NodeImport node) {
        Value source = node.input(0);
        long stated = node.whole("axis", 1);
        node.require(stated >= -source.rank() && stated <= source.rank(), "axis " + stated + " of " + source.type());
        int axis = (int) (stated < 0 ? stated + source.rank() : stated);
        node.reshaped(source, List.of(ElementwiseOperators.product(source.dims().subList(0, axis)),
                ElementwiseOperators.product(source.dims().subList(axis, source.rank()))));
    }

    private static long[] axes(NodeImport node) {
        if (node.opset() >= 13) {
            return node.has(1) ? node.wholes(1) : new long[0];
        }
        return node.wholeList("axes").orElse(new long[0]);
    }

    private static void squeeze(NodeImport node) {
        Value source = node.input(0);
        long[] named = axes(node);
        TreeSet<Integer> axes = new TreeSet<>();
        for (long axis : named) {
            axes.add(node.axis(axis, source.rank()));
        }
        List<Integer> dims = new ArrayList<>();
        for (int axis = 0; axis < source.rank(); axis++) {
            boolean single = source.dims().get(axis) == 1;
            node.require(single || !axes.contains(axis), "axis " + axis + " of " + source.type()
                    + " is not of size 1: give the input shape that the model was made for");
            if (!single || named.length > 0 && !axes.contains(axis)) {
                dims.add(source.dims().get(axis));
            }
        }
        node.reshaped(source, dims);
    }

    private static void unsqueeze(NodeImport node) {
        Value source = node.input(0);
        long[] named = axes(node);
        int rank = source.rank() + named.length;
        TreeSet<Integer> axes = new TreeSet<>();
        for (long axis : named) {
            node.require(axes.add(node.axis(axis, rank)), "axis " + axis + " is named twice");
        }
        List<Integer> dims = new ArrayList<>(source.dims());
        axes.forEach(axis -> dims.add(axis, 1));
        node.reshaped(source, dims);
    }

    private static void transpose(NodeImport node) {
        Value source = node.input(0);
        List<Integer> permutation = node.wholeList("perm")
                .map(list -> IntStream.range(0, list.length).mapToObj(i -> node.axis(list[i], source.rank())).toList())
                .orElseGet(() -> IntStream.range(0, source.rank()).mapToObj(i -> source.rank() - 1 - i).toList());
        if (permutation.equals(IntStream.range(0, source.rank()).boxed().toList())) {
            node.alias(0, source);
        } else {
            node.result(new Op.Transpose(permutation), source);
        }
    }

    private static void expand(NodeImport node) {
        Value source = node.input(0);
        List<Integer> target = dims(node, 1);
        List<Integer> dims = Broadcast.of(source.dims(), target).orElseThrow(() -> node.invalid(
                source.type() + " does not broadcast to " + target));
        if (dims.equals(source.dims())) {
            node.alias(0, source);
        } else {
            node.result(new Op.Expand(dims), source);
        }
    }

    /** A constant input as a shape. */
    static List<Integer> dims(NodeImport node, int input) {
        List<Integer> dims = new ArrayList<>();
        for (long dim : node.wholes(input)) {
            dims.add(node.bounded("a dimension", dim, 0));
        }
        return dims;
    }

    /** Every axis gets a dimension of size 1 before it, which is stretched to the number of repetitions. */
    private static void tile(NodeImport node) {
        Value source = node.input(0);
        List<Integer> repeats = dims(node, 1);
        node.require(repeats.size() == source.rank(), repeats.size() + " repetitions for " + source.type());
        List<Integer> split = new ArrayList<>();
        List<Integer> stretched = new ArrayList<>();
        List<Integer> joined = new ArrayList<>();
        for (int axis = 0; axis < source.rank(); axis++) {
            int dim = source.dims().get(axis);
            split.addAll(List.of(1, dim));
            stretched.addAll(List.of(repeats.get(axis), dim));
            joined.add(Math.multiplyExact(repeats.get(axis), dim));
        }
        if (joined.equals(source.dims())) {
            node.alias(0, source);
        } else {
            node.reshaped(node.emit("expand", new Op.Expand(stretched), node.reshape(source, split)), joined);
        }
    }

    private static void pad(NodeImport node) {
        Value source = node.input(0);
        String mode = node.text("mode", "constant");
        Op.Pad.Mode kind = switch (mode) {
            case "constant" -> Op.Pad.Mode.CONSTANT;
            case "reflect" -> Op.Pad.Mode.REFLECT;
            case "edge" -> Op.Pad.Mode.EDGE;
            default -> throw node.unsupported("mode", mode);
        };
        float value;
        long[] pads;
        if (node.opset() < 11) {
            pads = node.wholeList("pads").orElseThrow(() -> node.invalid("attribute pads is missing"));
            value = node.real("value", 0);
        } else {
            pads = node.wholes(1);
            value = !node.has(2) ? 0 : ConstantOperators.scalar(node, 2);
        }
        int[] axes = axesOf(node, 3, source.rank());
        node.require(pads.length == 2 * axes.length, pads.length + " pads for " + axes.length + " axes");
        Integer[] before = new Integer[source.rank()];
        Integer[] after = new Integer[source.rank()];
        java.util.Arrays.fill(before, 0);
        java.util.Arrays.fill(after, 0);
        for (int i = 0; i < axes.length; i++) {
            before[axes[i]] = node.bounded("a pad", pads[i], -(1 << 30));
            after[axes[i]] = node.bounded("a pad", pads[axes.length + i], -(1 << 30));
        }
        if (java.util.Arrays.stream(pads).allMatch(pad -> pad == 0)) {
            node.alias(0, source);
        } else {
            node.result(new Op.Pad(kind, List.of(before), List.of(after), value), source);
        }
    }

    /** The axes that an optional input names, or all. */
    static int[] axesOf(NodeImport node, int input, int rank) {
        if (!node.has(input)) {
            return IntStream.range(0, rank).toArray();
        }
        long[] named = node.wholes(input);
        return IntStream.range(0, named.length).map(i -> node.axis(named[i], rank)).toArray();
    }

    private static void depthToSpace(NodeImport node) {
        int block = node.bounded("attribute blocksize", node.whole("blocksize", 0), 1);
        node.result(new Op.DepthToSpace(block, node.choice("mode", "DCR", Op.DepthToSpace.Mode.class)), node.input(0));
    }

    /** [N, C, H, W] as [N, C, H/b, b, W/b, b], then both blocks before the channels. */
    private static void spaceToDepth(NodeImport node) {
        Value source = node.input(0);
        int block = node.bounded("attribute blocksize", node.whole("blocksize", 0), 1);
        node.require(source.rank() == 4 && source.dims().get(2) % block == 0 && source.dims().get(3) % block == 0,
                "blocks of " + block + "x" + block + " do not divide " + source.type());
        int images = source.dims().get(0);
        int channels = source.dims().get(1);
        int height = source.dims().get(2) / block;
        int width = source.dims().get(3) / block;
        Value split = node.reshape(source, List.of(images, channels, height, block, width, block));
        Value moved = node.emit("transpose", new Op.Transpose(List.of(0, 3, 5, 1, 2, 4)), split);
        node.reshaped(moved, List.of(images, channels * block * block, height, width));
    }
}
