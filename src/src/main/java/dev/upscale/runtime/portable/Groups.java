package dev.upscale.runtime.portable;

import dev.upscale.graph.Op;

/** What softmax and the normalisations compute along their axes, in double. */
final class Groups {
    private Groups() {}

    static AlongAxes.Group softmax() {
        return (values, rest, count) -> {
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < count; i++) {
                largest = Math.max(largest, values[i]);
            }
            double sum = 0;
            for (int i = 0; i < count; i++) {
                double power = Math.exp(values[i] - largest);
                values[i] = (float) power;
                sum += power;
            }
            for (int i = 0; i < count; i++) {
                values[i] = (float) (values[i] / sum);
            }
        };
    }

    /** Zero mean, unit variance, then scale and, where there is one, shift. */
    static AlongAxes.Group normalise(double epsilon) {
        return (values, rest, count) -> {
            double mean = 0;
            for (int i = 0; i < count; i++) {
                mean += values[i];
            }
            mean /= count;
            double variance = 0;
            for (int i = 0; i < count; i++) {
                double distance = values[i] - mean;
                variance += distance * distance;
            }
            double factor = 1 / Math.sqrt(variance / count + epsilon);
            for (int i = 0; i < count; i++) {
                double shift = rest.length > 1 ? rest[1][i] : 0;
                values[i] = (float) ((values[i] - mean) * factor * rest[0][i] + shift);
            }
        };
    }

    /** The channels of one pixel divided by a power of the squares around each; the source is given twice. */
    static AlongAxes.Group lrn(Op.Lrn lrn) {
        int before = (lrn.size() - 1) / 2;
        int after = lrn.size() - 1 - before;
        return (values, rest, count) -> {
            float[] raw = rest[0];
            for (int i = 0; i < count; i++) {
                double squares = 0;
                for (int k = Math.max(0, i - before); k <= Math.min(count - 1, i + after); k++) {
                    squares += (double) raw[k] * raw[k];
                }
                values[i] = (float) (raw[i] / power(lrn.bias() + lrn.alpha() / lrn.size() * squares, lrn.beta()));
            }
        };
    }

    /** The exponent that networks use is a product of roots. */
    private static double power(double base, float exponent) {
        double root = Math.sqrt(base);
        return exponent == 0.75f ? root * Math.sqrt(root) : Math.pow(base, exponent);
    }
}
