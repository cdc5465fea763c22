package dev.upscale.onnx;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A growing list of {@code long}. Not safe for use by several threads. */
final class Longs {
    private long[] values = new long[8];
    private int size;

    void add(long value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
    }

    long[] array() {
        return Arrays.copyOf(values, size);
    }

    List<Long> boxed() {
        return IntStream.range(0, size).mapToObj(i -> values[i]).toList();
    }
}
