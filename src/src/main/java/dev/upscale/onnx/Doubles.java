package dev.upscale.onnx;

import java.util.Arrays;

/** A growing list of {@code double}. Not safe for use by several threads. */
final class Doubles {
    private double[] values = new double[8];
    private int size;

    void add(double value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
    }

    double[] array() {
        return Arrays.copyOf(values, size);
    }
}
