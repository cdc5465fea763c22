package dev.upscale.graph;

import java.util.stream.IntStream;

/**
 * The interpreter's matrix products. The inner loops work on whole rows in arrays of their own from index 0 on: the form
 * that the JIT compiler turns into vector instructions.
 */
final class MatrixProduct {
    /** Columns of a product that are computed together: their rows stay in the nearest cache. */
    static final int TILE = 192;

    /** Rows of the right operand that are used together. */
    static final int DEPTH = 64;

    private MatrixProduct() {}

    /**
     * Adds {@code weights × rows} to {@code sums}: for each o and all i &lt; length, {@code sums[o][i]} grows by the sum
     * over k &lt; depth of {@code weights[start + o * stride + k] * rows[k][i]}.
     */
    static void accumulate(double[] weights, int start, int stride, double[][] rows, int depth, double[][] sums, int length) {
        int paired = sums.length & ~1;
        for (int o = 0; o < paired; o += 2) {
            int first = start + o * stride;
            int second = first + stride;
            int k = 0;
            for (; k + 3 < depth; k += 4) {
                addFour(weights, first + k, second + k, rows[k], rows[k + 1], rows[k + 2], rows[k + 3],
                        sums[o], sums[o + 1], length);
            }
            for (; k < depth; k++) {
                addOne(weights[first + k], rows[k], sums[o], length);
                addOne(weights[second + k], rows[k], sums[o + 1], length);
            }
        }
        if (paired < sums.length) {
            for (int k = 0; k < depth; k++) {
                addOne(weights[start + paired * stride + k], rows[k], sums[paired], length);
            }
        }
    }

    private static void addFour(double[] weights, int first, int second, double[] row0, double[] row1, double[] row2,
            double[] row3, double[] sum, double[] otherSum, int length) {
        double a = weights[first];
        double b = weights[first + 1];
        double c = weights[first + 2];
        double d = weights[first + 3];
        double e = weights[second];
        double f = weights[second + 1];
        double g = weights[second + 2];
        double h = weights[second + 3];
        for (int i = 0; i < length; i++) {
            double w = row0[i];
            double x = row1[i];
            double y = row2[i];
            double z = row3[i];
            sum[i] += a * w + b * x + c * y + d * z;
            otherSum[i] += e * w + f * x + g * y + h * z;
        }
    }

    private static void addOne(double weight, double[] row, double[] sum, int length) {
        for (int i = 0; i < length; i++) {
            sum[i] += weight * row[i];
        }
    }

    static double[] linear(TensorType type, DoubleTensor source, DoubleTensor weight, DoubleTensor bias) {
        int features = weight.dim(1);
        int outputs = weight.dim(0);
        int vectors = Math.toIntExact(type.elements()) / Math.max(outputs, 1);
        double[] result = new double[vectors * outputs];
        IntStream.range(0, outputs).parallel().forEach(o -> {
            for (int v = 0; v < vectors; v++) {
                result[v * outputs + o] = dot(source.values(), v * features, weight.values(), o * features, features)
                        + (bias == null ? 0 : bias.values()[o]);
            }
        });
        return result;
    }

    private static double dot(double[] a, int aStart, double[] b, int bStart, int length) {
        double sum0 = 0;
        double sum1 = 0;
        double sum2 = 0;
        double sum3 = 0;
        int i = 0;
        for (; i + 3 < length; i += 4) {
            sum0 += a[aStart + i] * b[bStart + i];
            sum1 += a[aStart + i + 1] * b[bStart + i + 1];
            sum2 += a[aStart + i + 2] * b[bStart + i + 2];
            sum3 += a[aStart + i + 3] * b[bStart + i + 3];
        }
        for (; i < length; i++) {
            sum0 += a[aStart + i] * b[bStart + i];
        }
        return sum0 + sum1 + (sum2 + sum3);
    }

    static double[] matMul(TensorType type, DoubleTensor left, DoubleTensor right) {
        int rank = type.rank();
        int rows = type.dim(-2);
        int columns = type.dim(-1);
        int depth = left.dim(-1);
        var leading = type.dims().subList(0, rank - 2);
        double[] a = Movement.expand(left, concat(leading, rows, depth));
        double[] b = Movement.expand(right, concat(leading, depth, columns));
        double[] result = new double[Math.toIntExact(type.elements())];
        int products = 1;
        for (int dim : leading) {
            products *= dim;
        }
        int tiles = Math.ceilDiv(columns, TILE);
        IntStream.range(0, products * tiles).parallel().forEach(task -> {
            int product = task / tiles;
            int from = task % tiles * TILE;
            int length = Math.min(TILE, columns - from);
            double[][] sums = new double[rows][length];
            double[][] panel = new double[Math.min(DEPTH, depth)][length];
            for (int k = 0; k < depth; k += DEPTH) {
                int block = Math.min(DEPTH, depth - k);
                for (int row = 0; row < block; row++) {
                    System.arraycopy(b, (product * depth + k + row) * columns + from, panel[row], 0, length);
                }
                accumulate(a, product * rows * depth + k, depth, panel, block, sums, length);
            }
            for (int row = 0; row < rows; row++) {
                System.arraycopy(sums[row], 0, result, (product * rows + row) * columns + from, length);
            }
        });
        return result;
    }

    private static java.util.List<Integer> concat(java.util.List<Integer> leading, int rows, int columns) {
        java.util.List<Integer> dims = new java.util.ArrayList<>(leading);
        dims.add(rows);
        dims.add(columns);
        return dims;
    }
}
