package dev.upscale.onnx;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** The reductions; those that the graph does not have are written with those that it has. */
final class ReductionOperators {
    private ReductionOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("ReduceMean", node -> reduce(node, 18, Op.Reduce.Kind.MEAN));
        table.put("ReduceSum", node -> reduce(node, 13, Op.Reduce.Kind.SUM));
        table.put("ReduceMax", node -> reduce(node, 18, Op.Reduce.Kind.MAX));
        table.put("ReduceMin", node -> reduce(node, 18, Op.Reduce.Kind.MIN));
        table.put("ReduceSumSquare", node -> write(node, Op.Reduce.Kind.SUM, square(node), 18));
        table.put("ReduceL1", node -> write(node, Op.Reduce.Kind.SUM, node.apply(Function.Kind.ABS, node.real(0)), 18));
        table.put("ReduceL2", node -> then(node, square(node), Function.Kind.SQRT));
        table.put("ReduceLogSum", node -> then(node, node.real(0), Function.Kind.LOG));
        table.put("ReduceLogSumExp", ReductionOperators::logSumExp);
    }

    private static void reduce(NodeImport node, int axesAreInputSince, Op.Reduce.Kind kind) {
        write(node, kind, node.input(0), axesAreInputSince);
    }

    private static Value square(NodeImport node) {
        return node.binary(Op.Binary.Kind.MUL, node.real(0), node.real(0));
    }

    private static void write(NodeImport node, Op.Reduce.Kind kind, Value source, int axesAreInputSince) {
        boolean keep = node.whole("keepdims", 1) != 0;
        Optional<List<Integer>> axes = axes(node, source.rank(), axesAreInputSince);
        if (axes.isEmpty()) {
            node.alias(0, source);
        } else {
            node.result(new Op.Reduce(kind, axes.get(), keep), source);
        }
    }

    private static void then(NodeImport node, Value source, Function.Kind kind) {
        boolean keep = node.whole("keepdims", 1) != 0;
        Value sum = axes(node, source.rank(), 18)
                .map(axes -> node.emit("sum", new Op.Reduce(Op.Reduce.Kind.SUM, axes, keep), source))
                .orElse(source);
        node.result(new Op.Apply(Function.of(kind)), sum);
    }

    /** max + log(sum(exp(x − max))). */
    private static void logSumExp(NodeImport node) {
        Value source = node.real(0);
        boolean keep = node.whole("keepdims", 1) != 0;
        Optional<List<Integer>> axes = axes(node, source.rank(), 18);
        if (axes.isEmpty()) {
            node.alias(0, source);
            return;
        }
        Value most = node.emit("max", new Op.Reduce(Op.Reduce.Kind.MAX, axes.get(), true), source);
        Value exp = node.apply(Function.Kind.EXP, node.binary(Op.Binary.Kind.SUB, source, most));
        Value log = node.apply(Function.Kind.LOG,
                node.emit("sum", new Op.Reduce(Op.Reduce.Kind.SUM, axes.get(), keep), exp));
        Value offset = keep ? most : node.reshape(most, log.dims());
        node.result(new Op.Binary(Op.Binary.Kind.ADD), log, offset);
    }

    /** The axes to reduce, ascending: all if none are named; none at all if the node is to pass its operand on. */
    private static Optional<List<Integer>> axes(NodeImport node, int rank, int areInputSince) {
        boolean areInput = node.opset() >= areInputSince;
        boolean passesOn = areInput && node.whole("noop_with_empty_axes", 0) != 0;
        long[] named = areInput
                ? node.has(1) ? node.wholes(1) : new long[0]
                : node.wholeList("axes").orElse(new long[0]);
        if (named.length == 0) {
            return passesOn || rank == 0 ? Optional.empty() : Optional.of(IntStream.range(0, rank).boxed().toList());
        }
        TreeSet<Integer> axes = new TreeSet<>();
        for (long axis : named) {
            axes.add(node.axis(axis, rank));
        }
        return Optional.of(List.copyOf(axes));
    }
}
