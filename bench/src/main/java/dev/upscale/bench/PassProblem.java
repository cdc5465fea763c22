package dev.upscale.bench;

import dev.upscale.graph.Window;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * A pass with random values, which all its contenders share: the source at each pixel stride that they read, what is added or multiplied, and
 * the destination. It computes what the output must be in double precision.
 */
final class PassProblem implements AutoCloseable {
    /** XNNPACK reads past the end. */
    private static final int PADDING_FLOATS = 64;

    private final PassShape shape;
    private final Arena arena = Arena.ofShared();
    private final Map<Integer, MemorySegment> sources = new HashMap<>();
    private final MemorySegment second;
    private final MemorySegment scales;
    private final MemorySegment shifts;
    private final MemorySegment gathered;
    private final MemorySegment target;

    PassProblem(PassShape shape) {
        this.shape = shape;
        long floats = shape.batch() * shape.pixels() * shape.channels();
        second = random(floats);
        scales = random((long) shape.batch() * shape.channels());
        shifts = random(shape.channels());
        gathered = random(floats);
        target = random(shape.outputs());
    }

    PassShape shape() {
        return shape;
    }

    /** Floats [batch, size, size, stride]. */
    MemorySegment source(int stride) {
        return sources.computeIfAbsent(stride, floats -> random(shape.batch() * shape.pixels() * floats));
    }

    /** What is added: floats [batch, size, size, channels]. */
    MemorySegment second() {
        return second;
    }

    /** What is multiplied with: floats [batch, channels]; of {@code scale+shift+relu} the first image's. */
    MemorySegment scales() {
        return scales;
    }

    /** Floats [channels]. */
    MemorySegment shifts() {
        return shifts;
    }

    /** Room for the source's channels side by side: floats [batch, size, size, channels]. */
    MemorySegment gathered() {
        return gathered;
    }

    /** Floats [batch, outSize, outSize, channels]. */
    MemorySegment target() {
        return target;
    }

    /** Makes what the destination and the gathered channels hold useless, so that what a kernel leaves out is seen. */
    void spoil() {
        for (MemorySegment memory : new MemorySegment[] {target, gathered}) {
            for (long i = 0; i < memory.byteSize() / Float.BYTES; i++) {
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NaN);
            }
        }
    }

    /**
     * How far the destination is from plain loops, as a relative L2 difference.
     *
     * @param stride    the pixel stride of the source that was read
     * @param positions of the channels within a pixel
     */
    double relativeError(int stride, int[] positions) {
        Reader reader = new Reader(source(stride), stride, positions);
        int out = shape.outSize();
        double difference = 0;
        double size = 0;
        long at = 0;
        for (int image = 0; image < shape.batch(); image++) {
            for (int y = 0; y < out; y++) {
                for (int x = 0; x < out; x++) {
                    for (int channel = 0; channel < shape.channels(); channel++, at++) {
                        double expected = expected(reader, image, y, x, channel);
                        double error = expected - target.getAtIndex(ValueLayout.JAVA_FLOAT, at);
                        difference += error * error;
                        size += expected * expected;
                    }
                }
            }
        }
        return Math.sqrt(difference / size);
    }

    /** Reads values of the source by image, row, column and channel. */
    private final class Reader {
        private final MemorySegment source;
        private final int stride;
        private final int[] positions;

        Reader(MemorySegment source, int stride, int[] positions) {
            this.source = source;
            this.stride = stride;
            this.positions = positions;
        }

        double at(int image, int y, int x, int channel) {
            return source.getAtIndex(ValueLayout.JAVA_FLOAT, ((image * shape.pixels() + (long) y * shape.size() + x) * stride) + positions[channel]);
        }
    }

    private double expected(Reader source, int image, int y, int x, int channel) {
        return switch (shape.op()) {
            case MAX -> window(source, image, y, x, channel)[0];
            case AVERAGE -> window(source, image, y, x, channel)[1];
            case MEAN -> mean(source, image, channel);
            case NEAREST -> source.at(image, y / shape.factor(), x / shape.factor(), channel);
            case LINEAR -> linear(source, image, y, x, channel);
            case ADD -> source.at(image, y, x, channel) + addend(image, y, x, channel);
            case ADD_RELU -> Math.max(0, source.at(image, y, x, channel) + addend(image, y, x, channel));
            case MULTIPLY -> source.at(image, y, x, channel) * scales.getAtIndex(ValueLayout.JAVA_FLOAT, (long) image * shape.channels() + channel);
            case SCALE_SHIFT_RELU -> Math.max(0, source.at(image, y, x, channel) * scales.getAtIndex(ValueLayout.JAVA_FLOAT, channel)
                    + shifts.getAtIndex(ValueLayout.JAVA_FLOAT, channel));
            case COPY -> source.at(image, y, x, channel);
        };
    }

    private double addend(int image, int y, int x, int channel) {
        return second.getAtIndex(ValueLayout.JAVA_FLOAT, (image * shape.pixels() + (long) y * shape.size() + x) * shape.channels() + channel);
    }

    /** The largest value inside of the image, and the mean. */
    private double[] window(Reader source, int image, int y, int x, int channel) {
        Window window = shape.window();
        double largest = Double.NEGATIVE_INFINITY;
        double sum = 0;
        int number = 0;
        int top = y * window.strideH() - window.padTop();
        int left = x * window.strideW() - window.padLeft();
        for (int row = Math.max(0, top); row < Math.min(shape.size(), top + window.kernelH()); row++) {
            for (int column = Math.max(0, left); column < Math.min(shape.size(), left + window.kernelW()); column++) {
                double value = source.at(image, row, column, channel);
                largest = Math.max(largest, value);
                sum += value;
                number++;
            }
        }
        return new double[] {largest, sum / number};
    }

    private double mean(Reader source, int image, int channel) {
        double sum = 0;
        for (int y = 0; y < shape.size(); y++) {
            for (int x = 0; x < shape.size(); x++) {
                sum += source.at(image, y, x, channel);
            }
        }
        return sum / shape.pixels();
    }

    /** Between the centres of the four pixels around. */
    private double linear(Reader source, int image, int y, int x, int channel) {
        double row = place(y);
        double column = place(x);
        int top = (int) row;
        int left = (int) column;
        int bottom = Math.min(top + 1, shape.size() - 1);
        int right = Math.min(left + 1, shape.size() - 1);
        double above = source.at(image, top, left, channel) * (left + 1 - column) + source.at(image, top, right, channel) * (column - left);
        double below = source.at(image, bottom, left, channel) * (left + 1 - column) + source.at(image, bottom, right, channel) * (column - left);
        return above * (top + 1 - row) + below * (row - top);
    }

    /** Where a row or column of the result lies in the source. */
    double place(int position) {
        return Math.clamp((position + 0.5) / shape.factor() - 0.5, 0, shape.size() - 1.0);
    }

    private MemorySegment random(long floats) {
        Random random = new Random(floats);
        MemorySegment memory = arena.allocate((floats + PADDING_FLOATS) * Float.BYTES, ConvolutionProblem.ALIGNMENT);
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
