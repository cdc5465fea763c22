package dev.upscale.bench;

import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import dev.upscale.runtime.upscale.CpuPool;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.KernelCalls;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.IntToDoubleFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A random half of a tensor's channels through a pass, in NHWC on one thread: the gather alone, the pass on its result, the two one
 * after the other, and the pass that reads by index, with the gather folded into it. Outputs are checked before anything is timed.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class PassBenchmark {
    /** What the pass computes. */
    public enum Pass {
        /** Scale, shift and ReLU. */
        SCALE_SHIFT_RELU,
        /** The largest of 3×3 pixels, stride 1. */
        MAX_POOL,
        /** The mean of all pixels. */
        MEAN
    }

    /** The pass. */
    @Param
    public Pass pass;

    /** Height and width of the image, and channels of the tensor. */
    @Param({"56x256", "28x512", "14x1024", "7x512"})
    public String shape;

    private final Arena memory = Arena.ofShared();
    private CpuPool pool;
    private int size;
    private int channels;
    private float[] values;
    private float[] scales;
    private int[] index;
    private KernelCall gather;
    private KernelCall dense;
    private KernelCall folded;

    /** Makes the calls and checks them. */
    @Setup
    public void prepare() {
        size = Integer.parseInt(shape.split("x")[0]);
        int width = Integer.parseInt(shape.split("x")[1]);
        channels = width / 2;
        int pixels = size * size;
        Random random = new Random(9);
        values = new float[pixels * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        scales = new float[channels];
        Arrays.fill(scales, 0.75f);
        index = random.ints(0, width).distinct().limit(channels).sorted().toArray();
        MemorySegment source = floats(values);
        MemorySegment gathered = memory.allocate(4L * pixels * channels + 64, 64);
        MemorySegment result = memory.allocate(4L * pixels * channels + 64, 64);
        MemorySegment foldedResult = memory.allocate(4L * pixels * channels + 64, 64);
        MemorySegment chosen = memory.allocateFrom(ValueLayout.JAVA_INT, index);
        Source byIndex = new Source(source, width, chosen);
        pool = new CpuPool(1);
        gather = KernelCalls.gather(memory, "gather", pixels, channels, byIndex, new Target(gathered, channels));
        dense = call(Source.of(gathered, channels), new Target(result, channels));
        folded = call(byIndex, new Target(foldedResult, channels));
        gatherThenPass();
        foldedPass();
        check("dense", result);
        check("folded", foldedResult);
    }

    private MemorySegment floats(float[] array) {
        MemorySegment segment = memory.allocate(4L * array.length + 64, 64);
        MemorySegment.copy(array, 0, segment, ValueLayout.JAVA_FLOAT, 0, array.length);
        return segment;
    }

    private KernelCall call(Source source, Target target) {
        int pixels = size * size;
        return switch (pass) {
            case SCALE_SHIFT_RELU -> KernelCalls.pointwise(memory, "pass", pixels, channels, source, floats(scales), floats(new float[channels]),
                    Function.RELU, target);
            case MAX_POOL -> KernelCalls.window(memory, "pass", KernelCalls.WindowOp.MAX, 1, channels, size, size, size, size, Window.square(3, 1, 1),
                    source, target);
            case MEAN -> KernelCalls.reduce(memory, "pass", KernelCalls.ReduceOp.MEAN, 1, pixels, channels, source, target);
        };
    }

    private void check(String name, MemorySegment result) {
        IntToDoubleFunction expected = switch (pass) {
            case SCALE_SHIFT_RELU -> at -> Math.max(0, 0.75 * value(at / channels, at % channels));
            case MAX_POOL -> at -> largest(at / channels / size, at / channels % size, at % channels);
            case MEAN -> this::mean;
        };
        int elements = pass == Pass.MEAN ? channels : size * size * channels;
        for (int at = 0; at < elements; at++) {
            double actual = result.getAtIndex(ValueLayout.JAVA_FLOAT, at);
            if (!(Math.abs(actual - expected.applyAsDouble(at)) <= 1e-5)) {
                throw new IllegalStateException(name + " " + pass + " gives " + actual + " at " + at + ", not " + expected.applyAsDouble(at));
            }
        }
    }

    private double value(int pixel, int channel) {
        return values[pixel * 2 * channels + index[channel]];
    }

    private double largest(int row, int column, int channel) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int y = Math.max(0, row - 1); y <= Math.min(size - 1, row + 1); y++) {
            for (int x = Math.max(0, column - 1); x <= Math.min(size - 1, column + 1); x++) {
                largest = Math.max(largest, value(y * size + x, channel));
            }
        }
        return largest;
    }

    private double mean(int channel) {
        double sum = 0;
        for (int pixel = 0; pixel < size * size; pixel++) {
            sum += value(pixel, channel);
        }
        return sum / (size * size);
    }

    /** The copy that is to be avoided. */
    @Benchmark
    public void gather() {
        gather.run(pool);
    }

    /** The pass on channels that lie side by side. */
    @Benchmark
    public void densePass() {
        dense.run(pool);
    }

    /** What a library makes of it. */
    @Benchmark
    public void gatherThenPass() {
        gather.run(pool);
        dense.run(pool);
    }

    /** The pass with the gather folded into it. */
    @Benchmark
    public void foldedPass() {
        folded.run(pool);
    }

    /** Frees everything. */
    @TearDown
    public void close() {
        pool.close();
        memory.close();
    }
}
