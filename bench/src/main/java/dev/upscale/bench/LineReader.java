package dev.upscale.bench;

import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Reads one value of each cache line that a convolution by index must read, once and in order, by a plain loop, and computes nothing: about what
 * reading alone takes a kernel, however fast it computes.
 */
final class LineReader implements Runnable {
    private static final int LINE_INTS = 16;

    private final MemorySegment source;
    /** Of each line, its first value. */
    private final int[] values;
    private final int expected;
    private int sum;

    private LineReader(MemorySegment source, BitSet lines) {
        this.source = source;
        values = lines.stream().map(line -> line * LINE_INTS).toArray();
        expected = Arrays.stream(values).map(value -> source.getAtIndex(ValueLayout.JAVA_INT, value)).sum();
    }

    /** @param source floats [batch, height, width, stride], of which each pixel that a tap reaches is read at these positions */
    static LineReader of(MemorySegment source, ConvolutionShape shape, int stride, int[] positions) {
        BitSet lines = new BitSet();
        boolean[] rows = reached(shape.inHeight(), shape.outHeight(), shape.window().kernelH(), shape.window().strideH(), shape.window().padTop());
        boolean[] columns = reached(shape.inWidth(), shape.outWidth(), shape.window().kernelW(), shape.window().strideW(), shape.window().padLeft());
        for (int row = 0; row < shape.batch() * shape.inHeight(); row++) {
            for (int column = 0; column < shape.inWidth(); column++) {
                if (rows[row % shape.inHeight()] && columns[column]) {
                    int pixel = (row * shape.inWidth() + column) * stride;
                    for (int position : positions) {
                        lines.set((pixel + position) / LINE_INTS);
                    }
                }
            }
        }
        return new LineReader(source, lines);
    }

    /** Which inputs along an axis a tap of some output reads; see {@link Window}. */
    private static boolean[] reached(int inputs, int outputs, int taps, int step, int padding) {
        boolean[] reached = new boolean[inputs];
        for (int output = 0; output < outputs; output++) {
            for (int tap = 0; tap < taps; tap++) {
                int input = output * step - padding + tap;
                if (input >= 0 && input < inputs) {
                    reached[input] = true;
                }
            }
        }
        return reached;
    }

    int lines() {
        return values.length;
    }

    @Override
    public void run() {
        int total = 0;
        for (int value : values) {
            total += source.getAtIndex(ValueLayout.JAVA_INT, value);
        }
        sum = total;
    }

    /** @throws IllegalStateException if a run does not read each line once */
    void check() {
        run();
        if (sum != expected) {
            throw new IllegalStateException("lines whose values add up to " + sum + " were read, not those of " + expected);
        }
    }
}
