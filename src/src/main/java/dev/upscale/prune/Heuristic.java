package dev.upscale.prune;

import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Tensor;

/** How much a channel of a weight matters: the magnitude of its elements. */
public enum Heuristic {
    /** The sum of absolute values. */
    L1 {
        @Override
        double contribution(float value) {
            return Math.abs((double) value);
        }

        @Override
        double importance(double sum) {
            return sum;
        }
    },

    /** The Euclidean norm. */
    L2 {
        @Override
        double contribution(float value) {
            return (double) value * value;
        }

        @Override
        double importance(double sum) {
            return Math.sqrt(sum);
        }
    };

    /** What one element adds to its channel. */
    abstract double contribution(float value);

    /** What the sum over a channel's elements says. */
    abstract double importance(double sum);

    /** The sum of contributions of each input channel. */
    double[] inputSums(Tensor weight, WeightAxes axes) {
        double[] sums = new double[axes.inputs()];
        float[] values = weight.floats();
        for (int output = 0; output < axes.outputs(); output++) {
            for (int input = 0; input < axes.inputs(); input++) {
                if (axes.connects(output, input)) {
                    int start = axes.at(output, input);
                    for (int tap = 0; tap < axes.taps(); tap++) {
                        sums[input] += contribution(values[start + tap]);
                    }
                }
            }
        }
        return sums;
    }
}
