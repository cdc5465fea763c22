package dev.upscale.onnx;

import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Resize and its predecessor Upsample, over the spatial axes of [N, C, L] and [N, C, H, W]. */
final class ResizeOperators {
    private ResizeOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("Resize", ResizeOperators::resize);
        table.put("Upsample", ResizeOperators::upsample);
    }

    /**
     * Upsample, and Resize of opset 10: coordinates are scaled without an offset, and rounded down where the axis grows, up
     * where it shrinks (as ONNX Runtime does; ONNX says nothing of it).
     */
    private static void upsample(NodeImport node) {
        float[] scales = node.opset() >= 9
                ? floats(node, 1)
                : toArray(node.realList("scales").orElseThrow(() -> node.invalid("attribute scales is missing")));
        Op.Resize.Mode mode = mode(node);
        node.require(scales.length == node.real(0).rank(), scales.length + " scales for " + node.real(0).type());
        int[] sizes = scaled(node, scales);
        int rank = scales.length;
        boolean shrinks = scales[rank - 1] < 1;
        if (rank == 4 && mode == Op.Resize.Mode.NEAREST && shrinks != scales[2] < 1) {
            Value rows = node.emit("rows", new Op.Resize(mode, Op.Resize.Coordinates.ASYMMETRIC, nearest(!shrinks), sizes[2],
                    node.real(0).dims().get(3), scales[2], 1), node.real(0));
            node.result(new Op.Resize(mode, Op.Resize.Coordinates.ASYMMETRIC, nearest(shrinks), sizes[2], sizes[3], 1,
                    scales[3]), rows);
            return;
        }
        write(node, mode, Op.Resize.Coordinates.ASYMMETRIC, nearest(shrinks), sizes, scales);
    }

    private static Op.Resize.Nearest nearest(boolean shrinks) {
        return shrinks ? Op.Resize.Nearest.CEIL : Op.Resize.Nearest.FLOOR;
    }

    private static void resize(NodeImport node) {
        if (node.opset() < 11) {
            upsample(node);
            return;
        }
        node.ignore("cubic_coeff_a", "extrapolation_value");
        Op.Resize.Mode mode = mode(node);
        node.require(mode == Op.Resize.Mode.LINEAR || node.whole("antialias", 0) == 0, "attribute antialias needs linear");
        String policy = node.text("keep_aspect_ratio_policy", "stretch");
        if (!policy.equals("stretch")) {
            throw node.unsupported("keep_aspect_ratio_policy", policy);
        }
        node.ignore("exclude_outside");
        Value source = node.real(0);
        int rank = source.rank();
        int[] axes = node.wholeList("axes")
                .map(list -> Arrays.stream(list).mapToInt(axis -> node.axis(axis, rank)).toArray())
                .orElseGet(() -> IntStream.range(0, rank).toArray());
        int[] sizes = source.type().shape();
        float[] scales = new float[rank];
        Arrays.fill(scales, 1);
        if (node.has(3) && node.input(3).type().elements() > 0) {
            long[] stated = node.wholes(3);
            node.require(stated.length == axes.length, stated.length + " sizes for " + axes.length + " axes");
            for (int i = 0; i < axes.length; i++) {
                sizes[axes[i]] = node.bounded("a size", stated[i], 0);
                scales[axes[i]] = (float) sizes[axes[i]] / source.dims().get(axes[i]);
            }
        } else {
            float[] stated = floats(node, 2);
            node.require(stated.length == axes.length, stated.length + " scales for " + axes.length + " axes");
            for (int i = 0; i < axes.length; i++) {
                scales[axes[i]] = stated[i];
            }
            sizes = scaled(node, scales);
        }
        boolean shrinks = IntStream.range(0, rank).anyMatch(axis -> scales[axis] < 1);
        node.require(node.whole("antialias", 0) == 0 || !shrinks,
                "it shrinks with antialias, which is not supported: export the model without antialias");
        Op.Resize.Nearest nearest = node.choice("nearest_mode", "round_prefer_floor", Op.Resize.Nearest.class);
        write(node, mode, coordinates(node, source.dims(), sizes, scales), nearest, sizes, scales);
    }

    private static Op.Resize.Mode mode(NodeImport node) {
        String mode = node.text("mode", "nearest");
        return switch (mode) {
            case "nearest" -> Op.Resize.Mode.NEAREST;
            case "linear", "bilinear" -> Op.Resize.Mode.LINEAR;
            default -> throw node.unsupported("mode", mode);
        };
    }

    /** Symmetric half pixels are half pixels where the sizes are exactly what the scales make. */
    private static Op.Resize.Coordinates coordinates(NodeImport node, List<Integer> dims, int[] sizes, float[] scales) {
        boolean exact = IntStream.range(0, sizes.length).allMatch(axis -> dims.get(axis) * scales[axis] == sizes[axis]);
        return exact && node.text("coordinate_transformation_mode", "").equals("half_pixel_symmetric")
                ? Op.Resize.Coordinates.HALF_PIXEL
                : node.choice("coordinate_transformation_mode", "half_pixel", Op.Resize.Coordinates.class);
    }

    private static int[] scaled(NodeImport node, float[] scales) {
        int[] dims = node.real(0).type().shape();
        for (int axis = 0; axis < dims.length; axis++) {
            node.require(scales[axis] > 0 && scales[axis] <= 1 << 16, "its scale " + scales[axis] + " is no scale");
            dims[axis] = node.bounded("a size", (long) Math.floor(dims[axis] * scales[axis]), 0);
        }
        return dims;
    }

    private static void write(NodeImport node, Op.Resize.Mode mode, Op.Resize.Coordinates coordinates,
            Op.Resize.Nearest nearest, int[] sizes, float[] scales) {
        Value source = node.real(0);
        int rank = source.rank();
        node.require(rank == 3 || rank == 4, "source is " + source.type() + "; [N, C, L] and [N, C, H, W] are supported");
        node.require(sizes[0] == source.dims().get(0) && sizes[1] == source.dims().get(1),
                "it resizes images or channels of " + source.type() + ", which is not supported: resize height and width");
        List<Integer> dims = Arrays.stream(sizes).boxed().toList();
        if (dims.equals(source.dims()) && scales[rank - 1] == 1 && scales[rank - 2] == 1) {
            node.alias(0, source);
        } else if (rank == 4) {
            node.result(new Op.Resize(mode, coordinates, nearest, sizes[2], sizes[3], scales[2], scales[3]), source);
        } else {
            Value image = node.reshape(source, WindowAttributes.asImage(source.dims()));
            node.reshaped(node.emit("image",
                    new Op.Resize(mode, coordinates, nearest, 1, sizes[2], 1, scales[2]), image), dims);
        }
    }

    private static float[] floats(NodeImport node, int input) {
        node.constant(input);
        node.real(input);
        return node.constant(input).floats();
    }

    private static float[] toArray(List<Float> values) {
        float[] array = new float[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i);
        }
        return array;
    }
}
