package dev.upscale.prune;

import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.graph.Node;
import java.util.HashMap;
import java.util.Map;

/**
 * Ratings by {@link Heuristic#HRANK}: the rank of a channel's feature map, as a matrix of height × width, averaged over images.
 * The rank is the number of pivots of Gaussian elimination with complete pivoting that exceed max(height, width) · 2⁻²³ times the
 * first, the tolerance that numpy takes for singular values of f32. Filled by one thread, then safe for use by any number.
 */
public final class FeatureRanks implements Ratings {
    private static final double EPSILON = 0x1p-23;

    private final Map<String, double[]> sums = new HashMap<>();

    /**
     * Adds the feature maps of one tensor.
     *
     * @param values [images, channels, height, width], row-major; a matrix product's rows have height and width 1
     */
    public void add(String tensor, float[] values, int images, int channels, int height, int width) {
        double[] ranks = sums.computeIfAbsent(tensor, name -> new double[channels]);
        double[][] matrix = new double[height][width];
        for (int image = 0; image < images; image++) {
            for (int channel = 0; channel < channels; channel++) {
                int start = (image * channels + channel) * height * width;
                for (int row = 0; row < height; row++) {
                    for (int column = 0; column < width; column++) {
                        matrix[row][column] = values[start + row * width + column];
                    }
                }
                ranks[channel] += rank(matrix);
            }
        }
    }

    /** The numerical rank of a matrix, which is overwritten. */
    static int rank(double[][] matrix) {
        int height = matrix.length;
        int width = matrix[0].length;
        double first = 0;
        for (int step = 0; step < Math.min(height, width); step++) {
            int pivotRow = step;
            int pivotColumn = step;
            for (int row = step; row < height; row++) {
                for (int column = step; column < width; column++) {
                    if (Math.abs(matrix[row][column]) > Math.abs(matrix[pivotRow][pivotColumn])) {
                        pivotRow = row;
                        pivotColumn = column;
                    }
                }
            }
            double pivot = matrix[pivotRow][pivotColumn];
            first = step == 0 ? Math.abs(pivot) : first;
            if (!(Math.abs(pivot) > Math.max(height, width) * EPSILON * first)) {
                return step;
            }
            double[] row = matrix[pivotRow];
            matrix[pivotRow] = matrix[step];
            matrix[step] = row;
            for (double[] any : matrix) {
                double moved = any[pivotColumn];
                any[pivotColumn] = any[step];
                any[step] = moved;
            }
            for (int below = step + 1; below < height; below++) {
                double factor = matrix[below][step] / pivot;
                for (int column = step; factor != 0 && column < width; column++) {
                    matrix[below][column] -= factor * row[column];
                }
            }
        }
        return Math.min(height, width);
    }

    @Override
    public double[] inputs(Consumer consumer) {
        return of(consumer.source());
    }

    @Override
    public double[] outputs(Node producer) {
        return of(producer.output());
    }

    /** The sums over images: comparisons between tensors hold where all were given the same images. */
    private double[] of(String tensor) {
        double[] ranks = sums.get(tensor);
        if (ranks == null) {
            throw new IllegalStateException("no feature maps of " + tensor + " were added");
        }
        return ranks;
    }
}
