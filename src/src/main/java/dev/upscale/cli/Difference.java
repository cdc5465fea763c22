package dev.upscale.cli;

import dev.upscale.graph.DoubleTensor;
import java.util.List;

/**
 * How far outputs are from the truth, over all elements of all outputs.
 *
 * @param maxAbs the largest absolute difference
 * @param relL2 the Euclidean norm of the difference over that of the truth
 */
record Difference(double maxAbs, double relL2) {

    static Difference of(List<float[]> outputs, List<DoubleTensor> truth) {
        double largest = 0;
        double difference = 0;
        double norm = 0;
        for (int output = 0; output < outputs.size(); output++) {
            float[] actual = outputs.get(output);
            double[] expected = truth.get(output).values();
            if (actual.length != expected.length) {
                throw new IllegalArgumentException("output " + output + " has " + actual.length + " elements, not " + expected.length);
            }
            for (int i = 0; i < expected.length; i++) {
                double apart = Math.abs(actual[i] - expected[i]);
                largest = apart <= largest ? largest : apart;
                difference += apart * apart;
                norm += expected[i] * expected[i];
            }
        }
        double relative = difference == 0 ? 0 : norm == 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
        return new Difference(largest, relative);
    }

    /** Whether the difference is a number and within the tolerance. */
    boolean isWithin(double tolerance) {
        return relL2 <= tolerance && !Double.isNaN(maxAbs);
    }
}
