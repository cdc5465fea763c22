package dev.upscale.graph;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The interpreter's poolings and reductions. */
final class Pooling {
    private Pooling() {}

    static double[] pool(Op.Pool pool, TensorType type, DoubleTensor source) {
        int height = type.dim(2);
        int width = type.dim(3);
        double[] result = new double[Math.toIntExact(type.elements())];
        IntStream.range(0, type.dim(0) * type.dim(1)).parallel().forEach(plane -> {
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    result[(plane * height + y) * width + x] = window(pool, source, plane, y, x);
                }
            }
        });
        return result;
    }

    private static double window(Op.Pool pool, DoubleTensor source, int plane, int y, int x) {
        Window window = pool.window();
        int height = source.dim(2);
        int width = source.dim(3);
        int inside = 0;
        int insidePadded = 0;
        double value = pool.kind() == Op.Pool.Kind.MAX ? Double.NEGATIVE_INFINITY : 0;
        for (int kernelY = 0; kernelY < window.kernelH(); kernelY++) {
            int sourceY = y * window.strideH() - window.padTop() + kernelY * window.dilationH();
            for (int kernelX = 0; kernelX < window.kernelW(); kernelX++) {
                int sourceX = x * window.strideW() - window.padLeft() + kernelX * window.dilationW();
                if (sourceY < height + window.padBottom() && sourceX < width + window.padRight()) {
                    insidePadded++;
                }
                if (sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width) {
                    inside++;
                    double pixel = source.values()[(plane * height + sourceY) * width + sourceX];
                    value = pool.kind() == Op.Pool.Kind.MAX ? Math.max(value, pixel) : value + pixel;
                }
            }
        }
        return switch (pool.kind()) {
            case MAX -> value;
            case AVERAGE -> value / (pool.countPadding() ? insidePadded : inside);
        };
    }

    static double[] reduce(Op.Reduce reduce, TensorType type, DoubleTensor source) {
        List<Integer> axes = IntStream.range(0, source.type().rank()).boxed().toList();
        List<Integer> kept = axes.stream().filter(axis -> !reduce.axes().contains(axis)).toList();
        List<Integer> order = Stream.concat(kept.stream(), reduce.axes().stream()).toList();
        double[] values = order.equals(axes) ? source.values() : Movement.transpose(order, source);
        double[] result = new double[Math.toIntExact(type.elements())];
        int size = 1;
        for (int axis : reduce.axes()) {
            size *= source.dim(axis);
        }
        for (int i = 0; i < result.length; i++) {
            result[i] = reduce(reduce.kind(), values, i * size, size);
        }
        return result;
    }

    private static double reduce(Op.Reduce.Kind kind, double[] values, int start, int size) {
        double result = switch (kind) {
            case MEAN, SUM -> 0;
            case MAX -> Double.NEGATIVE_INFINITY;
            case MIN -> Double.POSITIVE_INFINITY;
        };
        for (int i = start; i < start + size; i++) {
            result = switch (kind) {
                case MEAN, SUM -> result + values[i];
                case MAX -> Math.max(result, values[i]);
                case MIN -> Math.min(result, values[i]);
            };
        }
        return kind == Op.Reduce.Kind.MEAN ? result / size : result;
    }
}
