package dev.upscale.graph;

import java.util.Arrays;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

/**
 * The interpreter's convolutions: for a tile of output pixels, the pixels that each weight meets are laid out as rows, and
 * the weights multiply these rows.
 */
final class Convolution {
    private Convolution() {}

    static double[] conv(Op.Conv conv, TensorType type, DoubleTensor source, DoubleTensor weight, DoubleTensor bias) {
        int groups = conv.groups();
        int outputs = type.dim(1) / groups;
        int pixels = type.dim(2) * type.dim(3);
        int tiles = Math.ceilDiv(pixels, MatrixProduct.TILE);
        int jobs = type.dim(0) * groups * tiles;
        // Few tiles: split the output channels too, so that no core is idle.
        int parts = Math.clamp(2L * ForkJoinPool.getCommonPoolParallelism() / Math.max(jobs, 1) + 1, 1, Math.ceilDiv(outputs, 16) + 1);
        double[] result = new double[Math.toIntExact(type.elements())];
        IntStream.range(0, jobs * parts).parallel().forEach(task -> {
            int part = task % parts;
            int tile = task / parts % tiles;
            int group = task / parts / tiles % groups;
            int image = task / parts / tiles / groups;
            new Tile(conv.window(), source, weight, type, image, group, groups)
                    .compute(bias, outputs * part / parts, outputs * (part + 1) / parts,
                            tile * MatrixProduct.TILE, Math.min(pixels, (tile + 1) * MatrixProduct.TILE), result);
        });
        return result;
    }

    /** One group of one image. */
    private record Tile(Window window, DoubleTensor source, DoubleTensor weight, TensorType type, int image, int group,
            int groups) {

        /** Computes output channels {@code first} to {@code end} of the group for pixels {@code from} to {@code to}. */
        void compute(DoubleTensor bias, int first, int end, int from, int to, double[] result) {
            int taps = window.kernelH() * window.kernelW();
            int depth = weight.dim(1) * taps;
            int outputs = type.dim(1) / groups;
            double[][] sums = new double[end - first][to - from];
            if (bias != null) {
                for (int o = first; o < end; o++) {
                    Arrays.fill(sums[o - first], bias.values()[group * outputs + o]);
                }
            }
            double[][] rows = new double[Math.min(depth, MatrixProduct.DEPTH)][to - from];
            for (int k = 0; k < depth; k += MatrixProduct.DEPTH) {
                int block = Math.min(MatrixProduct.DEPTH, depth - k);
                for (int row = 0; row < block; row++) {
                    int tap = (k + row) % taps;
                    fill(rows[row], (k + row) / taps, tap / window.kernelW(), tap % window.kernelW(), from, to);
                }
                MatrixProduct.accumulate(weight.values(), (group * outputs + first) * depth + k, depth, rows, block, sums,
                        to - from);
            }
            int pixels = type.dim(2) * type.dim(3);
            for (int o = first; o < end; o++) {
                System.arraycopy(sums[o - first], 0, result,
                        ((image * groups + group) * outputs + o) * pixels + from, to - from);
            }
        }

        /** The source pixels that one tap of the kernel meets at output pixels {@code from} to {@code to}. */
        private void fill(double[] row, int channel, int kernelY, int kernelX, int from, int to) {
            int height = source.dim(2);
            int width = source.dim(3);
            int outputWidth = type.dim(3);
            int plane = (image * source.dim(1) + group * weight.dim(1) + channel) * height;
            int left = kernelX * window.dilationW() - window.padLeft();
            for (int pixel = from; pixel < to; ) {
                int y = pixel / outputWidth;
                int x = pixel % outputWidth;
                int next = Math.min(to, pixel - x + outputWidth);
                int sourceY = y * window.strideH() + kernelY * window.dilationH() - window.padTop();
                if (sourceY < 0 || sourceY >= height) {
                    Arrays.fill(row, pixel - from, next - from, 0);
                } else {
                    fillLine(row, pixel - from, next - from, (plane + sourceY) * width, width,
                            x * window.strideW() + left);
                }
                pixel = next;
            }
        }

        /** Every {@code strideW}-th pixel of a line from column {@code column} on, zero beyond its ends. */
        private void fillLine(double[] row, int from, int to, int line, int width, int column) {
            int stride = window.strideW();
            int begin = Math.clamp(from + (long) Math.ceilDiv(-column, stride), from, to);
            int end = Math.clamp(from + (long) Math.ceilDiv(width - column, stride), begin, to);
            Arrays.fill(row, from, begin, 0);
            if (stride == 1 && begin < end) {
                System.arraycopy(source.values(), line + column + begin - from, row, begin, end - begin);
            } else {
                for (int i = begin; i < end; i++) {
                    row[i] = source.values()[line + column + (i - from) * stride];
                }
            }
            Arrays.fill(row, end, to, 0);
        }
    }

    /** Every source pixel adds its value times the kernel to the pixels of the output that the kernel covers. */
    static double[] transposed(Op.ConvTranspose conv, TensorType type, DoubleTensor source, DoubleTensor weight,
            DoubleTensor bias) {
        int pixels = type.dim(2) * type.dim(3);
        double[] result = new double[Math.toIntExact(type.elements())];
        int outputs = type.dim(1);
        int groupOutputs = outputs / conv.groups();
        int groupChannels = source.dim(1) / conv.groups();
        IntStream.range(0, type.dim(0) * outputs).parallel().forEach(plane -> {
            int image = plane / outputs;
            int output = plane % outputs;
            int group = output / groupOutputs;
            if (bias != null) {
                Arrays.fill(result, plane * pixels, (plane + 1) * pixels, bias.values()[output]);
            }
            for (int channel = group * groupChannels; channel < (group + 1) * groupChannels; channel++) {
                scatter(conv.window(), type, source, image * source.dim(1) + channel, weight.values(),
                        (channel * groupOutputs + output % groupOutputs) * conv.window().kernelH() * conv.window().kernelW(),
                        result, plane);
            }
        });
        return result;
    }

    private static void scatter(Window window, TensorType type, DoubleTensor source, int sourcePlane, double[] weights,
            int kernel, double[] result, int plane) {
        int height = source.dim(2);
        int width = source.dim(3);
        for (int kernelY = 0; kernelY < window.kernelH(); kernelY++) {
            for (int kernelX = 0; kernelX < window.kernelW(); kernelX++) {
                double weight = weights[kernel + kernelY * window.kernelW() + kernelX];
                for (int y = 0; y < height; y++) {
                    int targetY = y * window.strideH() - window.padTop() + kernelY * window.dilationH();
                    if (targetY < 0 || targetY >= type.dim(2)) {
                        continue;
                    }
                    int line = (sourcePlane * height + y) * width;
                    int target = (plane * type.dim(2) + targetY) * type.dim(3);
                    for (int x = 0; x < width; x++) {
                        int targetX = x * window.strideW() - window.padLeft() + kernelX * window.dilationW();
                        if (targetX >= 0 && targetX < type.dim(3)) {
                            result[target + targetX] += weight * source.values()[line + x];
                        }
                    }
                }
            }
        }
    }
}
