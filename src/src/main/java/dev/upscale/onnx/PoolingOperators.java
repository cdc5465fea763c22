package dev.upscale.onnx;

import dev.upscale.graph.Op;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** MaxPool and AveragePool over one or two spatial axes, and their global forms. */
final class PoolingOperators {
    private PoolingOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("MaxPool", node -> pool(node, Op.Pool.Kind.MAX));
        table.put("AveragePool", node -> pool(node, Op.Pool.Kind.AVERAGE));
        table.put("GlobalMaxPool", node -> global(node, Op.Reduce.Kind.MAX));
        table.put("GlobalAveragePool", node -> global(node, Op.Reduce.Kind.MEAN));
    }

    private static void pool(NodeImport node, Op.Pool.Kind kind) {
        node.requireOutputs(1);
        node.ignore("storage_order");
        Value source = node.real(0);
        node.require(source.rank() == 3 || source.rank() == 4, "source " + source.name() + " is " + source.type()
                + "; pooling over 1 or 2 spatial axes is supported: [N, C, L] or [N, C, H, W]");
        boolean ceil = node.whole("ceil_mode", 0) != 0;
        boolean countPadding = node.whole("count_include_pad", 0) != 0 && kind == Op.Pool.Kind.AVERAGE;
        int axes = source.rank() - 2;
        WindowAttributes window = WindowAttributes.read(node, axes, WindowAttributes.requiredKernel(node, axes))
                .padded(source.dims().subList(2, source.rank()));
        Op pool = new Op.Pool(kind, window.window(), ceil, countPadding);
        if (axes == 2) {
            node.result(pool, source);
        } else {
            Value image = node.reshape(source, WindowAttributes.asImage(source.dims()));
            Value pooled = node.emit("image", pool, image);
            node.reshaped(pooled, WindowAttributes.asLine(pooled.dims()));
        }
    }

    private static void global(NodeImport node, Op.Reduce.Kind kind) {
        Value source = node.real(0);
        node.require(source.rank() >= 2, "source " + source.name() + " is " + source.type()
                + "; global pooling needs [N, C, ...]");
        List<Integer> axes = IntStream.range(2, source.rank()).boxed().toList();
        if (axes.isEmpty()) {
            node.alias(0, source);
        } else {
            node.result(new Op.Reduce(kind, axes, true), source);
        }
    }
}
