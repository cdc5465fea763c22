package dev.upscale.graph;

import java.util.stream.IntStream;

/** The interpreter's resize: for each row and column, the two source positions and the weight of the second. */
final class Interpolation {
    private Interpolation() {}

    /** Sources of the positions along one axis: {@code (1 - weight) * first + weight * second}. */
    private record Taps(int[] first, int[] second, double[] weight) {}

    static double[] resize(Op.Resize resize, TensorType type, DoubleTensor source) {
        Taps rows = taps(resize, source.dim(2), resize.height(), resize.scaleH());
        Taps columns = taps(resize, source.dim(3), resize.width(), resize.scaleW());
        double[] result = new double[Math.toIntExact(type.elements())];
        IntStream.range(0, type.dim(0) * type.dim(1)).parallel()
                .forEach(plane -> resize(source, plane, rows, columns, result));
        return result;
    }

    private static void resize(DoubleTensor source, int plane, Taps rows, Taps columns, double[] result) {
        int width = source.dim(3);
        int start = plane * source.dim(2) * width;
        int at = plane * rows.weight().length * columns.weight().length;
        for (int y = 0; y < rows.weight().length; y++) {
            int above = start + rows.first()[y] * width;
            int below = start + rows.second()[y] * width;
            for (int x = 0; x < columns.weight().length; x++) {
                double upper = between(source.values(), above, columns, x);
                double weight = rows.weight()[y];
                result[at++] = weight == 0 ? upper
                        : (1 - weight) * upper + weight * between(source.values(), below, columns, x);
            }
        }
    }

    private static double between(double[] values, int row, Taps columns, int x) {
        double weight = columns.weight()[x];
        double left = values[row + columns.first()[x]];
        return weight == 0 ? left : (1 - weight) * left + weight * values[row + columns.second()[x]];
    }

    private static Taps taps(Op.Resize resize, int from, int to, float scale) {
        Taps taps = new Taps(new int[to], new int[to], new double[to]);
        for (int i = 0; i < to; i++) {
            double position = resize.sourcePosition(i, from, to, scale);
            switch (resize.mode()) {
                case NEAREST -> {
                    taps.first()[i] = resize.nearestSource(position, from);
                    taps.second()[i] = taps.first()[i];
                }
                case LINEAR -> {
                    double inside = Math.clamp(position, 0.0, from - 1.0);
                    taps.first()[i] = (int) Math.floor(inside);
                    taps.second()[i] = Math.min(taps.first()[i] + 1, from - 1);
                    taps.weight()[i] = inside - taps.first()[i];
                }
            }
        }
        return taps;
    }
}
