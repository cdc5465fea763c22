package dev.upscale.onnx;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A growing list of {@code float}. Not safe for use by several threads. */
final class Floats {
    private float[] values = new float[8];
    private int size;

    void add(float value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
    }

    float[] array() {
        return Arrays.copyOf(values, size);
    }

    List<Float> boxed() {
        return IntStream.range(0, size).mapToObj(i -> values[i]).toList();
    }
}
