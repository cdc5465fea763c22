package dev.upscale.graph;

import java.util.List;

/** The interpreter's normalisations and softmax. */
final class Normalization {
    private Normalization() {}

    static double[] batch(Op.BatchNorm norm, List<DoubleTensor> in) {
        int channels = in.getFirst().dim(1);
        double[] scale = new double[channels];
        double[] shift = new double[channels];
        for (int c = 0; c < channels; c++) {
            scale[c] = in.get(1).values()[c] / Math.sqrt(in.get(4).values()[c] + norm.epsilon());
            shift[c] = in.get(2).values()[c] - in.get(3).values()[c] * scale[c];
        }
        return scaleShift(in.getFirst(), scale, shift);
    }

    static double[] scaleShift(DoubleTensor source, double[] scale, double[] shift) {
        double[] values = source.values();
        double[] result = new double[values.length];
        int plane = plane(source);
        for (int start = 0, c = 0; start < values.length; start += plane, c = c + 1 == scale.length ? 0 : c + 1) {
            for (int i = start; i < start + plane; i++) {
                result[i] = scale[c] * values[i] + shift[c];
            }
        }
        return result;
    }

    static double[] instance(Op.InstanceNorm norm, DoubleTensor source, DoubleTensor scale, DoubleTensor shift) {
        double[] result = source.values().clone();
        int plane = plane(source);
        for (int start = 0, c = 0; start < result.length; start += plane, c = c + 1 == source.dim(1) ? 0 : c + 1) {
            standardize(result, start, plane, norm.epsilon());
            for (int i = start; i < start + plane; i++) {
                result[i] = scale.values()[c] * result[i] + shift.values()[c];
            }
        }
        return result;
    }

    static double[] layer(Op.LayerNorm norm, DoubleTensor source, DoubleTensor scale, DoubleTensor shift) {
        List<Integer> normal = source.type().dims().subList(norm.axis(), source.type().rank());
        double[] scales = Movement.expand(scale, normal);
        double[] shifts = shift == null ? new double[scales.length] : Movement.expand(shift, normal);
        double[] result = source.values().clone();
        for (int start = 0; start < result.length; start += scales.length) {
            standardize(result, start, scales.length, norm.epsilon());
            for (int i = 0; i < scales.length; i++) {
                result[start + i] = result[start + i] * scales[i] + shifts[i];
            }
        }
        return result;
    }

    /** Takes the mean from {@code size} values and divides them by their standard deviation. */
    private static void standardize(double[] values, int start, int size, double epsilon) {
        double mean = 0;
        for (int i = start; i < start + size; i++) {
            mean += values[i];
        }
        mean /= size;
        double variance = 0;
        for (int i = start; i < start + size; i++) {
            variance += (values[i] - mean) * (values[i] - mean);
        }
        double factor = 1 / Math.sqrt(variance / size + epsilon);
        for (int i = start; i < start + size; i++) {
            values[i] = (values[i] - mean) * factor;
        }
    }

    static double[] localResponse(Op.Lrn lrn, DoubleTensor source) {
        double[] values = source.values();
        double[] result = new double[values.length];
        int channels = source.dim(1);
        int plane = plane(source);
        Elementwise.parallel(values.length, (from, to) -> {
            for (int i = from; i < to; i++) {
                int c = i / plane % channels;
                int first = Math.max(0, c - (lrn.size() - 1) / 2);
                int last = Math.min(channels - 1, c + lrn.size() / 2);
                double squares = 0;
                for (int other = first; other <= last; other++) {
                    double value = values[i + (other - c) * plane];
                    squares += value * value;
                }
                result[i] = values[i] / Math.pow(lrn.bias() + (double) lrn.alpha() / lrn.size() * squares, lrn.beta());
            }
        });
        return result;
    }

    static double[] softmax(Op.Softmax softmax, DoubleTensor source) {
        double[] result = source.values().clone();
        int size = source.dim(softmax.axis());
        int inner = 1;
        for (int axis = softmax.axis() + 1; axis < source.type().rank(); axis++) {
            inner *= source.dim(axis);
        }
        for (int block = 0; block < result.length; block += size * inner) {
            for (int i = block; i < block + inner; i++) {
                softmax(result, i, size, inner);
            }
        }
        return result;
    }

    private static void softmax(double[] values, int start, int size, int stride) {
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            most = Math.max(most, values[start + i * stride]);
        }
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += values[start + i * stride] = Math.exp(values[start + i * stride] - most);
        }
        for (int i = 0; i < size; i++) {
            values[start + i * stride] /= sum;
        }
    }

    /** The number of elements of one channel of one image of [N, C, ...]. */
    private static int plane(DoubleTensor source) {
        int plane = 1;
        for (int axis = 2; axis < source.type().rank(); axis++) {
            plane *= source.dim(axis);
        }
        return plane;
    }
}
