package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A convolution over channels-last slices with random values, its result by a plain double loop, and memory around the slices that
 * must neither be read (source: NaN) nor written (destination: 7).
 *
 * @param wideIn  channels of the tensor that the source is a slice of
 * @param firstIn the slice's first channel in it
 * @param index   the source's channels as positions in the slice's pixel; null: side by side
 */
public record ConvolutionCase(
        String name, ConvolutionShape shape, int wideIn, int firstIn, int[] index, int wideOut, int firstOut, boolean relu,
        boolean residual) {
    private static final float UNTOUCHED = 7;

    /** Whole tensors, no activation. */
    public static ConvolutionCase dense(String name, ConvolutionShape shape) {
        return new ConvolutionCase(name, shape, shape.inChannels(), 0, null, shape.outChannels(), 0, false, false);
    }

    public static ConvolutionShape shape(int batch, int height, int width, int in, int out, Window window, int groups) {
        return new ConvolutionShape(batch, height, width, in, out, window, groups);
    }

    public ConvolutionCase sliced(int wideInChannels, int firstInChannel, int wideOutChannels, int firstOutChannel) {
        return new ConvolutionCase(name, shape, wideInChannels, firstInChannel, null, wideOutChannels, firstOutChannel, relu, residual);
    }

    public ConvolutionCase byIndex(int wideInChannels, int... positions) {
        return new ConvolutionCase(name, shape, wideInChannels, 0, positions, wideOut, firstOut, relu, residual);
    }

    public ConvolutionCase withRelu() {
        return new ConvolutionCase(name, shape, wideIn, firstIn, index, wideOut, firstOut, true, residual);
    }

    public ConvolutionCase withResidual() {
        return new ConvolutionCase(name, shape, wideIn, firstIn, index, wideOut, firstOut, relu, true);
    }

    @Override
    public String toString() {
        return name + ": " + shape + (wideIn > shape.inChannels() ? ", channels " + firstIn + " on of " + wideIn : "")
                + (index != null ? " by index" : "") + (wideOut > shape.outChannels() ? ", into channel " + firstOut + " on of " + wideOut : "")
                + (relu ? ", ReLU" : "") + (residual ? ", residual" : "");
    }

    /** The case in native memory. */
    public Buffers fill(Arena arena) {
        Random random = new Random(17);
        long pixelsIn = (long) shape.batch() * shape.inHeight() * shape.inWidth();
        long pixelsOut = (long) shape.batch() * shape.outHeight() * shape.outWidth();
        // a vector more at the end: XNNPACK may read there
        float[] source = new float[(int) (pixelsIn * wideIn) + 16];
        java.util.Arrays.fill(source, Float.NaN);
        for (int pixel = 0; pixel < pixelsIn; pixel++) {
            for (int c = 0; c < shape.inChannels(); c++) {
                source[pixel * wideIn + position(c)] = (float) random.nextGaussian();
            }
        }
        float[] residuals = gaussians(random, (int) (pixelsOut * shape.outChannels()));
        float[] destination = new float[(int) (pixelsOut * wideOut)];
        java.util.Arrays.fill(destination, UNTOUCHED);
        for (int pixel = 0; pixel < pixelsOut; pixel++) {
            for (int o = 0; o < shape.outChannels() && residual; o++) {
                destination[pixel * wideOut + firstOut + o] = residuals[pixel * shape.outChannels() + o];
            }
        }
        float[] weights = gaussians(random, (int) shape.weights());
        float[] bias = gaussians(random, shape.outChannels());
        return new Buffers(this, source, residuals, weights, bias, allocate(arena, source), allocate(arena, destination),
                allocate(arena, weights), allocate(arena, bias));
    }

    private int position(int channel) {
        return firstIn + (index == null ? channel : index[channel]);
    }

    private static float[] gaussians(Random random, int number) {
        float[] values = new float[number];
        IntStream.range(0, number).forEach(i -> values[i] = (float) random.nextGaussian());
        return values;
    }

    private static MemorySegment allocate(Arena arena, float[] values) {
        MemorySegment segment = arena.allocate(values.length * 4L, 64);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, values.length);
        return segment;
    }

    /** Native memory of a case; the destination holds the residual, if there is one. */
    public record Buffers(
            ConvolutionCase of, float[] source, float[] residuals, float[] weights, float[] bias, MemorySegment nativeSource,
            MemorySegment nativeDestination, MemorySegment nativeWeights, MemorySegment nativeBias) {

        /** Where the source slice begins. */
        public MemorySegment sourceSlice() {
            return nativeSource.asSlice(of.firstIn * 4L);
        }

        /** Where the destination slice begins. */
        public MemorySegment destinationSlice() {
            return nativeDestination.asSlice(of.firstOut * 4L);
        }

        /** Compares the destination with a double loop, and its surroundings with what they were. */
        public void verify() {
            ConvolutionShape shape = of.shape;
            int pixel = 0;
            for (int n = 0; n < shape.batch(); n++) {
                for (int y = 0; y < shape.outHeight(); y++) {
                    for (int x = 0; x < shape.outWidth(); x++, pixel++) {
                        for (int k = 0; k < of.wideOut; k++) {
                            int o = k - of.firstOut;
                            float actual = nativeDestination.getAtIndex(ValueLayout.JAVA_FLOAT, (long) pixel * of.wideOut + k);
                            String where = of + " at image " + n + ", row " + y + ", column " + x + ", channel " + o;
                            if (o < 0 || o >= shape.outChannels()) {
                                assertEquals(UNTOUCHED, actual, "neighbour overwritten: " + where);
                            } else {
                                double expected = expected(n, y, x, o, pixel);
                                if (!(Math.abs(expected - actual) <= 2e-5 * (1 + Math.sqrt(shape.weights() / (double) shape.outChannels())))) {
                                    fail(where + ": expected " + expected + ", got " + actual);
                                }
                            }
                        }
                    }
                }
            }
        }

        private double expected(int n, int y, int x, int o, int pixel) {
            ConvolutionShape shape = of.shape;
            Window window = shape.window();
            double sum = bias[o];
            int firstOfGroup = o / shape.groupOutChannels() * shape.groupInChannels();
            for (int ky = 0; ky < window.kernelH(); ky++) {
                for (int kx = 0; kx < window.kernelW(); kx++) {
                    int row = y * window.strideH() - window.padTop() + ky * window.dilationH();
                    int column = x * window.strideW() - window.padLeft() + kx * window.dilationW();
                    if (row < 0 || row >= shape.inHeight() || column < 0 || column >= shape.inWidth()) {
                        continue;
                    }
                    int at = (n * shape.inHeight() + row) * shape.inWidth() + column;
                    for (int c = 0; c < shape.groupInChannels(); c++) {
                        double weight = weights[((o * shape.groupInChannels() + c) * window.kernelH() + ky) * window.kernelW() + kx];
                        sum += weight * source[at * of.wideIn + of.position(firstOfGroup + c)];
                    }
                }
            }
            sum += of.residual ? residuals[pixel * shape.outChannels() + o] : 0;
            return of.relu ? Math.max(sum, 0) : sum;
        }
    }
}
