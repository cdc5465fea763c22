package dev.upscale.compress;

import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import java.util.Arrays;

/**
 * A convolution or matrix product as a matrix product: for each pixel of its output, one column with what each tap of each
 * retained channel reads there, and a 1 for the bias. Made for a few images at a time, never stored. Immutable.
 */
final class Unfolding {
    private static final int USUAL_COLUMNS = 4096;

    private final WeightAxes axes;
    private final int[] channels;
    private final Window window;
    private final TensorType source;
    private final TensorType target;
    private final int images;
    private final int perImage;

    /** For a node without groups: {@link #fits}. */
    Unfolding(Graph graph, Node node, int[] channels) {
        this.axes = WeightAxes.of(graph, node).orElseThrow();
        this.channels = channels;
        this.window = node.op() instanceof Op.Conv conv ? conv.window() : null;
        this.source = graph.type(node.input(0));
        this.target = graph.type(node.output());
        this.images = source.dim(0);
        this.perImage = Math.toIntExact(target.elements() / axes.outputs() / images);
    }

    /** Whether a node's weights can be solved for: a convolution without groups or a matrix product, with images in dimension 0. */
    static boolean fits(Graph graph, Node node) {
        return (node.op() instanceof Op.Conv conv && conv.groups() == 1 || node.op() instanceof Op.Linear && graph.type(node.input(0)).rank() >= 2)
                && graph.isWeight(node.input(1));
    }

    /** Taps of all retained channels, channel by channel, and the constant. */
    int rows() {
        return channels.length * axes.taps() + 1;
    }

    int targets() {
        return axes.outputs();
    }

    /** Images whose columns are made at once. */
    int imagesAtOnce() {
        return Math.clamp(USUAL_COLUMNS / perImage, 1, images);
    }

    /** Columns that are made at once. */
    int capacity() {
        return imagesAtOnce() * perImage;
    }

    /**
     * Fills rows × {@link #capacity} with the columns of some images.
     *
     * @param values the source's values of a whole block
     * @return the number of columns
     */
    int columns(float[] values, int first, int count, float[] into) {
        int capacity = capacity();
        for (int image = 0; image < count; image++) {
            for (int k = 0; k < channels.length; k++) {
                if (window == null) {
                    features(values, first + image, channels[k], into, k * capacity + image * perImage);
                } else {
                    taps(values, first + image, channels[k], into, k * axes.taps() * capacity + image * perImage);
                }
            }
        }
        int constant = (rows() - 1) * capacity;
        Arrays.fill(into, constant, constant + count * perImage, 1);
        return count * perImage;
    }

    private void features(float[] values, int image, int feature, float[] into, int to) {
        int features = axes.inputs();
        for (int row = 0; row < perImage; row++) {
            into[to + row] = values[(image * perImage + row) * features + feature];
        }
    }

    private void taps(float[] values, int image, int channel, float[] into, int to) {
        int height = source.dim(2);
        int width = source.dim(3);
        int start = (image * source.dim(1) + channel) * height * width;
        for (int kernelY = 0; kernelY < window.kernelH(); kernelY++) {
            for (int kernelX = 0; kernelX < window.kernelW(); kernelX++) {
                int row = to + (kernelY * window.kernelW() + kernelX) * capacity();
                for (int y = 0; y < target.dim(2); y++) {
                    int sourceY = y * window.strideH() - window.padTop() + kernelY * window.dilationH();
                    int offset = kernelX * window.dilationW() - window.padLeft();
                    line(values, sourceY < 0 || sourceY >= height ? -1 : start + sourceY * width, offset, into, row + y * target.dim(3));
                }
            }
        }
    }

    /** One line of output pixels; zeros where there is no source line ({@code from} -1) or no source pixel. */
    private void line(float[] values, int from, int offset, float[] into, int to) {
        int width = source.dim(3);
        int columns = target.dim(3);
        if (from < 0) {
            Arrays.fill(into, to, to + columns, 0);
        } else if (window.strideW() == 1) {
            int begin = Math.clamp(-offset, 0, columns);
            int end = Math.clamp(width - offset, begin, columns);
            Arrays.fill(into, to, to + begin, 0);
            System.arraycopy(values, from + offset + begin, into, to + begin, end - begin);
            Arrays.fill(into, to + end, to + columns, 0);
        } else {
            for (int x = 0; x < columns; x++) {
                int sourceX = x * window.strideW() + offset;
                into[to + x] = sourceX < 0 || sourceX >= width ? 0 : values[from + sourceX];
            }
        }
    }

    /** Fills targets × {@link #capacity} with what the node is to give for these images. */
    void targets(float[] values, int first, int count, float[] into) {
        int capacity = capacity();
        for (int image = 0; image < count; image++) {
            for (int output = 0; output < axes.outputs(); output++) {
                int to = output * capacity + image * perImage;
                if (window == null) {
                    for (int row = 0; row < perImage; row++) {
                        into[to + row] = values[((first + image) * perImage + row) * axes.outputs() + output];
                    }
                } else {
                    System.arraycopy(values, ((first + image) * axes.outputs() + output) * perImage, into, to, perImage);
                }
            }
        }
    }

    /** The node's weights in the order of the rows, rows × targets; the bias, if it has one, in the last. */
    double[] weights(Graph graph, Node node) {
        float[] values = graph.weight(node.input(1)).floats();
        double[] weights = new double[rows() * targets()];
        for (int k = 0; k < channels.length; k++) {
            for (int tap = 0; tap < axes.taps(); tap++) {
                for (int output = 0; output < targets(); output++) {
                    weights[(k * axes.taps() + tap) * targets() + output] = values[axes.at(output, channels[k]) + tap];
                }
            }
        }
        if (node.inputs().size() > 2) {
            for (int output = 0; output < targets(); output++) {
                weights[(rows() - 1) * targets() + output] = graph.weight(node.input(2)).floats()[output];
            }
        }
        return weights;
    }

    /** A solution as the node's weight: zero for all other channels. */
    float[] weight(double[] solution) {
        float[] values = new float[axes.outputs() * axes.inputs() * axes.taps()];
        for (int k = 0; k < channels.length; k++) {
            for (int tap = 0; tap < axes.taps(); tap++) {
                for (int output = 0; output < targets(); output++) {
                    values[axes.at(output, channels[k]) + tap] = (float) solution[(k * axes.taps() + tap) * targets() + output];
                }
            }
        }
        return values;
    }

    /** A solution's bias. */
    float[] bias(double[] solution) {
        float[] values = new float[targets()];
        for (int output = 0; output < values.length; output++) {
            values[output] = (float) solution[(rows() - 1) * targets() + output];
        }
        return values;
    }
}
