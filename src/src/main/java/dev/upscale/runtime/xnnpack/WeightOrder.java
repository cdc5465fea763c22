package dev.upscale.runtime.xnnpack;

import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Weights from ONNX's order [O, I, H, W] to the orders that XNNPACK reads. */
final class WeightOrder {
    private WeightOrder() {}

    /** [O, H, W, I], or for depthwise convolutions [H, W, O]. */
    static MemorySegment channelsLast(Arena owner, String subject, ConvolutionShape shape, MemorySegment weights) {
        requireSize(subject, weights, shape.weights());
        int taps = shape.window().kernelH() * shape.window().kernelW();
        int inner = shape.groupInChannels();
        int outer = shape.outChannels();
        MemorySegment ordered = owner.allocate(ValueLayout.JAVA_FLOAT, shape.weights());
        for (int o = 0; o < outer; o++) {
            for (int i = 0; i < inner; i++) {
                for (int tap = 0; tap < taps; tap++) {
                    long from = ((long) o * inner + i) * taps + tap;
                    long to = shape.isDepthwise() ? (long) tap * outer + o : ((long) o * taps + tap) * inner + i;
                    ordered.setAtIndex(ValueLayout.JAVA_FLOAT, to, weights.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, from));
                }
            }
        }
        return ordered;
    }

    /** Weights of a transposed convolution, from ONNX's [I, O/groups, H, W] to [O, H, W, I/groups]. */
    static MemorySegment transposed(Arena owner, String subject, int in, int out, int groups, Window window, MemorySegment weights) {
        int taps = window.kernelH() * window.kernelW();
        int inner = in / groups;
        int outer = out / groups;
        long number = (long) in * outer * taps;
        requireSize(subject, weights, number);
        MemorySegment ordered = owner.allocate(ValueLayout.JAVA_FLOAT, number);
        for (int i = 0; i < in; i++) {
            for (int o = 0; o < outer; o++) {
                for (int tap = 0; tap < taps; tap++) {
                    long from = ((long) i * outer + o) * taps + tap;
                    long to = ((long) (i / inner * outer + o) * taps + tap) * inner + i % inner;
                    ordered.setAtIndex(ValueLayout.JAVA_FLOAT, to, weights.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, from));
                }
            }
        }
        return ordered;
    }

    static void requireSize(String subject, MemorySegment weights, long number) {
        if (weights.byteSize() < number * Float.BYTES) {
            throw new IllegalArgumentException(subject + ": weights hold " + weights.byteSize() + " bytes, not " + number * Float.BYTES);
        }
    }
}
