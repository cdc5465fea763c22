package dev.upscale.bench;

import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A convolution with random values, which all its contenders share: the source at each pixel stride that they read, weights, bias
 * and destination, so that where memory happens to lie favours none. It computes what the output must be in double precision.
 */
final class ConvolutionProblem implements AutoCloseable {
    static final long ALIGNMENT = 64;
    /** XNNPACK reads past the end. */
    private static final int PADDING_FLOATS = 64;
    /** Multiply-adds in double precision that a check may take; on larger shapes it samples. */
    private static final long CHECKED_MULTIPLY_ADDS = 8_000_000;

    private final ConvolutionShape shape;
    private final Arena arena = Arena.ofShared();
    private final Map<Integer, MemorySegment> sources = new HashMap<>();
    private final MemorySegment weights;
    private final MemorySegment bias;
    private final MemorySegment target;

    ConvolutionProblem(ConvolutionShape shape) {
        this.shape = shape;
        weights = random(shape.weights());
        bias = random(shape.outChannels());
        target = random(outputs());
    }

    ConvolutionShape shape() {
        return shape;
    }

    /** Floats [batch, inHeight, inWidth, stride]. */
    MemorySegment source(int stride) {
        return sources.computeIfAbsent(stride, floats -> random((long) shape.batch() * shape.inHeight() * shape.inWidth() * floats));
    }

    MemorySegment weights() {
        return weights;
    }

    MemorySegment bias() {
        return bias;
    }

    /** Floats [batch, outHeight, outWidth, outChannels]. */
    MemorySegment target() {
        return target;
    }

    /** Makes what the destination holds useless, so that what a kernel leaves out is seen. */
    void spoilTarget() {
        for (long i = 0; i < outputs(); i++) {
            target.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NaN);
        }
    }

    /**
     * How far the destination is from plain loops, as a relative L2 difference over all its values or, on large shapes, a random sample.
     *
     * @param stride    the pixel stride of the source that was read
     * @param positions of the input channels within a pixel
     */
    double relativeError(int stride, int[] positions) {
        MemorySegment source = source(stride);
        long sums = shape.weights() / shape.outChannels();
        long checked = Math.min(outputs(), CHECKED_MULTIPLY_ADDS / sums);
        Random random = new Random(checked);
        double difference = 0;
        double size = 0;
        for (long i = 0; i < checked; i++) {
            long at = checked == outputs() ? i : random.nextLong(outputs());
            double expected = expected(at, source, stride, positions);
            double error = expected - target.getAtIndex(ValueLayout.JAVA_FLOAT, at);
            difference += error * error;
            size += expected * expected;
        }
        return Math.sqrt(difference / size);
    }

    private double expected(long at, MemorySegment source, int stride, int[] positions) {
        Window window = shape.window();
        int channel = (int) (at % shape.outChannels());
        long pixel = at / shape.outChannels();
        int left = (int) (pixel % shape.outWidth()) * window.strideW() - window.padLeft();
        int top = (int) (pixel / shape.outWidth() % shape.outHeight()) * window.strideH() - window.padTop();
        long image = pixel / shape.outWidth() / shape.outHeight();
        int inputs = shape.groupInChannels();
        int first = channel / shape.groupOutChannels() * inputs;
        double sum = bias.getAtIndex(ValueLayout.JAVA_FLOAT, channel);
        for (int y = Math.max(0, -top); y < window.kernelH() && top + y < shape.inHeight(); y++) {
            for (int x = Math.max(0, -left); x < window.kernelW() && left + x < shape.inWidth(); x++) {
                long place = ((image * shape.inHeight() + top + y) * shape.inWidth() + left + x) * stride;
                for (int k = 0; k < inputs; k++) {
                    long weight = (((long) channel * inputs + k) * window.kernelH() + y) * window.kernelW() + x;
                    sum += (double) source.getAtIndex(ValueLayout.JAVA_FLOAT, place + positions[first + k])
                            * weights.getAtIndex(ValueLayout.JAVA_FLOAT, weight);
                }
            }
        }
        return sum;
    }

    private long outputs() {
        return (long) shape.batch() * shape.outHeight() * shape.outWidth() * shape.outChannels();
    }

    /** {@code number} of {@code 0 .. of-1}, at random, ascending. */
    static int[] subset(int number, int of) {
        return new Random(1).ints(0, of).distinct().limit(number).sorted().toArray();
    }

    /** {@code number} positions from {@code first} on. */
    static int[] slice(int first, int number) {
        return IntStream.range(first, first + number).toArray();
    }

    private MemorySegment random(long floats) {
        Random random = new Random(floats);
        MemorySegment memory = arena.allocate((floats + PADDING_FLOATS) * Float.BYTES, ALIGNMENT);
        for (long i = 0; i < floats; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
        }
        return memory;
    }

    @Override
    public void close() {
        arena.close();
    }
}
