package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Operators that select positions of axes, or join tensors along one. */
final class SelectionOperators {
    private SelectionOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("Concat", SelectionOperators::concat);
        table.put("Split", SelectionOperators::split);
        table.put("Slice", SelectionOperators::slice);
        table.put("Gather", SelectionOperators::gather);
    }

    private static void concat(NodeImport node) {
        Value first = node.input(0);
        int axis = node.axis(node.whole("axis", 1), first.rank());
        List<Value> parts = IntStream.range(0, node.inputs()).mapToObj(node::input)
                .filter(part -> part.rank() != first.rank() || part.dims().get(axis) != 0).toList();
        if (parts.size() == 1) {
            node.alias(0, parts.getFirst());
        } else {
            node.result(new Op.Concat(axis), parts.isEmpty() ? new Value[] {first} : parts.toArray(Value[]::new));
        }
    }

    private static void split(NodeImport node) {
        Value source = node.input(0);
        int axis = node.axis(node.whole("axis", 0), source.rank());
        int dim = source.dims().get(axis);
        int start = 0;
        int[] sizes = splitSizes(node, dim);
        node.require(Arrays.stream(sizes).asLongStream().sum() == dim, "parts of " + Arrays.toString(sizes) + " of axis "
                + axis + ", which has " + dim + ": give parts that add up to it");
        for (int output = 0; output < sizes.length; output++) {
            if (sizes.length == 1) {
                node.alias(0, source);
            } else if (node.isRead(output)) {
                node.result(output, new Op.Slice(axis, start, sizes[output], 1), source);
            }
            start += sizes[output];
        }
    }

    private static int[] splitSizes(NodeImport node, int dim) {
        long count = node.opset() >= 18 ? node.whole("num_outputs", node.outputs()) : node.outputs();
        long[] stated = node.opset() >= 13
                ? node.has(1) ? node.wholes(1) : null
                : node.wholeList("split").filter(list -> list.length > 0).orElse(null);
        node.require(count == node.outputs() && (stated == null || stated.length == count),
                "it makes " + node.outputs() + " parts, but states another number: the model is damaged");
        node.require(count >= 1, "it makes nothing: the model is damaged, get it again");
        if (stated != null) {
            return Arrays.stream(stated).mapToInt(size -> node.bounded("a part's size", size, 0)).toArray();
        }
        int size = Math.ceilDiv(dim, (int) count);
        int[] sizes = new int[(int) count];
        Arrays.fill(sizes, size);
        sizes[sizes.length - 1] = (int) (dim - size * (count - 1));
        node.require(sizes[sizes.length - 1] >= 0 && (node.opset() >= 18 || dim % count == 0),
                count + " equal parts of an axis of " + dim);
        return sizes;
    }

    private static void slice(NodeImport node) {
        Value source = node.input(0);
        boolean areInputs = node.opset() >= 10;
        long[] starts = areInputs ? node.wholes(1) : node.wholeList("starts").orElse(new long[0]);
        long[] ends = areInputs ? node.wholes(2) : node.wholeList("ends").orElse(new long[0]);
        long[] all = IntStream.range(0, starts.length).asLongStream().toArray();
        long[] axes = areInputs ? node.has(3) ? node.wholes(3) : all : node.wholeList("axes").orElse(all);
        long[] ones = new long[starts.length];
        Arrays.fill(ones, 1);
        long[] steps = areInputs && node.has(4) ? node.wholes(4) : ones;
        node.require(ends.length == starts.length && axes.length == starts.length && steps.length == starts.length,
                "it has " + starts.length + " starts, " + ends.length + " ends, " + axes.length + " axes and "
                        + steps.length + " steps: the model is damaged, get it again");
        List<Op.Slice> slices = new ArrayList<>();
        for (int i = 0; i < starts.length; i++) {
            int axis = node.axis(axes[i], source.rank());
            node.require(slices.stream().noneMatch(slice -> slice.axis() == axis), "axis " + axis + " is named twice");
            Op.Slice slice = slice(node, axis, source.dims().get(axis), starts[i], ends[i], steps[i]);
            if (slice.size() != source.dims().get(axis) || slice.step() != 1) {
                slices.add(slice);
            }
        }
        if (slices.isEmpty()) {
            node.alias(0, source);
            return;
        }
        Value part = source;
        for (Op.Slice slice : slices.subList(0, slices.size() - 1)) {
            part = node.emit("slice", slice, part);
        }
        node.result(slices.getLast(), part);
    }

    /** The positions that ONNX's start, end and step mean for an axis of size {@code dim}. */
    private static Op.Slice slice(NodeImport node, int axis, int dim, long start, long end, long step) {
        node.require(step != 0, "step 0 of axis " + axis + ": the model is damaged, get it again");
        long from = Math.clamp(start < 0 ? Math.max(start, -(1L << 40)) + dim : start, 0L, step > 0 ? dim : dim - 1L);
        long to = Math.clamp(end < 0 ? Math.max(end, -(1L << 40)) + dim : end, step > 0 ? 0L : -1L,
                step > 0 ? dim : dim - 1L);
        long stride = Math.clamp(step, -(1 << 30), 1 << 30);
        long size = Math.max(0, stride > 0 ? Math.ceilDiv(to - from, stride) : Math.ceilDiv(from - to, -stride));
        return new Op.Slice(axis, size == 0 ? 0 : (int) from, (int) size, (int) stride);
    }

    /** Constant indices of any shape: the axis is replaced by theirs. */
    private static void gather(NodeImport node) {
        Value source = node.input(0);
        int axis = node.axis(node.whole("axis", 0), source.rank());
        int dim = source.dims().get(axis);
        node.require(node.input(1).type().element() == ElementType.I64, "its indices are reals: cast them to int64");
        List<Integer> indices = new ArrayList<>();
        for (long index : node.wholes(1)) {
            node.require(index >= -dim && index < dim, "index " + index + " of axis " + axis + ", which has " + dim);
            indices.add((int) (index < 0 ? index + dim : index));
        }
        List<Integer> dims = new ArrayList<>(source.dims().subList(0, axis));
        dims.addAll(node.input(1).dims());
        dims.addAll(source.dims().subList(axis + 1, source.rank()));
        boolean range = !indices.isEmpty() && IntStream.range(0, indices.size())
                .allMatch(i -> indices.get(i) == indices.getFirst() + i);
        Op op = range ? new Op.Slice(axis, indices.getFirst(), indices.size(), 1) : new Op.Take(axis, indices);
        if (range && indices.size() == dim) {
            node.reshaped(source, dims);
        } else if (node.input(1).rank() == 1) {
            node.result(op, source);
        } else {
            node.reshaped(node.emit("take", op, source), dims);
        }
    }
}
