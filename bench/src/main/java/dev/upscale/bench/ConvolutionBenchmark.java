package dev.upscale.bench;

import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.onednn.Execution;
import dev.upscale.runtime.onednn.MemoryDescriptor;
import dev.upscale.runtime.onednn.OneDnn;
import dev.upscale.runtime.onednn.Primitive;
import dev.upscale.runtime.upscale.CpuPool;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.PackedConvolution;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import dev.upscale.runtime.xnnpack.XnnpackOperator;
import dev.upscale.runtime.xnnpack.XnnpackPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
 * One convolution in NHWC on one thread: our kernel on a dense source, on a slice and on a random index list of a tensor
 * twice as wide, against oneDNN (dense) and XNNPACK (dense and slice).
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class ConvolutionBenchmark {
    private static final long ALIGNMENT = 64;
    private static final int PADDING_FLOATS = 64;

    /** Which kernel reads what. */
    @Param({"upscale-dense", "upscale-slice", "upscale-index", "onednn-dense", "xnnpack-dense", "xnnpack-slice"})
    public String kernel;

    /** Image side, input channels, output channels, kernel side. */
    @Param({"56x64x64x3", "28x128x128x3", "56x37x51x3", "28x83x83x3", "56x64x256x1", "14x417x128x1", "28x171x83x1", "7x512x512x3"})
    public String shape;

    private final Arena arena = Arena.ofShared();
    private AutoCloseable pool;
    private Runnable run;

    /** Makes the kernel and its data. */
    @Setup
    public void prepare() {
        int[] sizes = IntStream.of(0, 1, 2, 3).map(i -> Integer.parseInt(shape.split("x")[i])).toArray();
        ConvolutionShape convolution = new ConvolutionShape(1, sizes[0], sizes[0], sizes[1], sizes[2], Window.square(sizes[3], 1, sizes[3] / 2), 1);
        int channels = convolution.inChannels();
        boolean dense = kernel.endsWith("-dense");
        int stride = dense ? channels : 2 * channels + 16;
        MemorySegment source = random((long) sizes[0] * sizes[0] * stride);
        MemorySegment target = random((long) sizes[0] * sizes[0] * convolution.outChannels());
        MemorySegment weights = random((long) convolution.outChannels() * channels * sizes[3] * sizes[3]);
        MemorySegment bias = random(convolution.outChannels());
        long start = dense || kernel.endsWith("-index") ? 0 : 5L * Float.BYTES;
        MemorySegment slice = source.asSlice(start);
        switch (kernel.substring(0, kernel.indexOf('-'))) {
            case "upscale" -> upscale(convolution, slice, stride, target, weights, bias);
            case "onednn" -> onednn(convolution, slice, target, weights, bias);
            default -> xnnpack(convolution, slice, stride, target, weights, bias);
        }
    }

    private void upscale(ConvolutionShape convolution, MemorySegment source, int stride, MemorySegment target, MemorySegment weights,
            MemorySegment bias) {
        MemorySegment index = MemorySegment.NULL;
        if (kernel.endsWith("-index")) {
            int[] positions = new Random(1).ints(0, 2 * convolution.inChannels()).distinct().limit(convolution.inChannels()).sorted().toArray();
            index = arena.allocateFrom(ValueLayout.JAVA_INT, positions);
        }
        CpuPool threads = new CpuPool(1);
        PackedConvolution packed = PackedConvolution.pack(arena, kernel, convolution, Function.NONE, weights, bias);
        KernelCall call = packed.call(arena, new Source(source, stride, index), null, new Target(target, convolution.outChannels()));
        pool = threads;
        run = () -> call.run(threads);
    }

    private void onednn(ConvolutionShape convolution, MemorySegment source, MemorySegment target, MemorySegment weights, MemorySegment bias) {
        OneDnn.useThreads(1);
        OneDnn oneDnn = new OneDnn();
        MemoryDescriptor from = MemoryDescriptor.channelsLast(oneDnn, 1, convolution.inChannels(), convolution.inHeight(), convolution.inWidth(),
                convolution.inChannels());
        MemoryDescriptor to = MemoryDescriptor.channelsLast(oneDnn, 1, convolution.outChannels(), convolution.outHeight(), convolution.outWidth(),
                convolution.outChannels());
        Primitive primitive = Primitive.convolution(oneDnn, kernel, convolution, from, to, true, List.of()).requireOptimised();
        MemorySegment packed = primitive.packWeights(arena, MemoryDescriptor.dense(oneDnn, Primitive.weightDims(convolution)), weights);
        Execution execution = primitive.execution(arena)
                .bind(Execution.SOURCE, from, source.address())
                .bind(Execution.WEIGHTS, primitive.weights(), packed.address())
                .bind(Execution.BIAS, MemoryDescriptor.dense(oneDnn, convolution.outChannels()), bias.address())
                .bind(Execution.DESTINATION, to, target.address())
                .bindScratchpad(arena.allocate(Math.max(1, primitive.scratchpadBytes()), ALIGNMENT).address());
        pool = oneDnn;
        run = execution::run;
    }

    private void xnnpack(ConvolutionShape convolution, MemorySegment source, int stride, MemorySegment target, MemorySegment weights,
            MemorySegment bias) {
        XnnpackPool threads = new XnnpackPool(1);
        XnnpackOperator operator = XnnpackOperator.convolution(arena, kernel, convolution, weights, bias, stride, convolution.outChannels(),
                Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, threads);
        operator.useWorkspace(arena.allocate(Math.max(1, operator.workspaceBytes()), ALIGNMENT).address()).point(source.address(), target.address());
        pool = threads;
        run = operator::run;
    }

    private MemorySegment random(long floats) {
        Random random = new Random(floats);
        MemorySegment memory = arena.allocate((floats + PADDING_FLOATS) * Float.BYTES, ALIGNMENT);
        for (long i = 0; i < floats; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
        }
        return memory;
    }

    /** The convolution. */
    @Benchmark
    public void convolve() {
        run.run();
    }

    /** Frees the kernel before what it runs on. */
    @TearDown
    public void close() throws Exception {
        if (pool instanceof OneDnn) {
            pool.close();
            arena.close();
        } else {
            arena.close();
            pool.close();
        }
    }
}
