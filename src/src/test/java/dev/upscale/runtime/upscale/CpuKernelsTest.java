package dev.upscale.runtime.upscale;

import static dev.upscale.runtime.ConvolutionCase.dense;
import static dev.upscale.runtime.ConvolutionCase.shape;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.upscale.bindings.upscale.upscale_cpu_h;
import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import dev.upscale.runtime.ConvolutionCase;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.upscale.KernelCalls.BinaryOp;
import dev.upscale.runtime.upscale.KernelCalls.ReduceOp;
import dev.upscale.runtime.upscale.KernelCalls.ResizeAxis;
import dev.upscale.runtime.upscale.KernelCalls.WindowOp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CpuKernelsTest {
    private final Arena arena = Arena.ofShared();
    private CpuPool alone;

    @BeforeAll
    static void isBuilt() {
        assumeTrue(NativeLibraries.isAvailable(NativeLibrary.UPSCALE_CPU), () -> NativeLibraries.find(NativeLibrary.UPSCALE_CPU).toString());
    }

    @BeforeEach
    void open() {
        alone = new CpuPool(1);
    }

    @AfterEach
    void close() {
        alone.close();
        arena.close();
    }

    static Stream<ConvolutionCase> convolutions() {
        Window pointwise = Window.square(1, 1, 0);
        Window three = Window.square(3, 1, 1);
        return Stream.of(
                dense("pointwise", shape(1, 7, 9, 32, 48, pointwise, 1)),
                dense("odd widths", shape(2, 6, 5, 37, 51, three, 1)),
                dense("slices", shape(2, 6, 5, 37, 51, three, 1)).sliced(64, 5, 83, 7).withRelu(),
                dense("by index", shape(1, 6, 5, 5, 51, three, 1)).byIndex(16, 9, 2, 3, 15, 0),
                dense("by index with repetition, residual", shape(2, 3, 5, 4, 9, pointwise, 1)).byIndex(8, 7, 1, 1, 4).withResidual().withRelu(),
                dense("stride", shape(1, 11, 9, 13, 21, Window.square(3, 2, 1), 1)).sliced(20, 3, 32, 8),
                dense("asymmetric padding and dilation", shape(1, 9, 9, 8, 16, new Window(3, 3, 1, 1, 2, 2, 1, 2, 3, 0), 1)),
                dense("groups", shape(1, 8, 8, 12, 18, three, 3)).sliced(15, 2, 21, 1),
                dense("depthwise", shape(1, 8, 8, 51, 51, three, 51)).sliced(60, 4, 55, 3).withRelu(),
                dense("depthwise with multiplier", shape(1, 8, 8, 7, 14, three, 7)));
    }

    @ParameterizedTest
    @MethodSource("convolutions")
    void convolvesAsThePlainLoopDoes(ConvolutionCase convolution) {
        for (int threads : new int[] {1, 2}) {
            ConvolutionCase.Buffers buffers = convolution.fill(arena);
            Function activation = convolution.relu() ? Function.RELU : Function.NONE;
            PackedConvolution packed = PackedConvolution.pack(arena, "conv1", convolution.shape(), activation, buffers.nativeWeights(), buffers.nativeBias());
            try (CpuPool pool = new CpuPool(threads)) {
                call(packed, convolution, buffers).run(pool);
            }
            buffers.verify();
        }
    }

    @Test
    void weightsPackedIntoTheCallersMemoryServeTheSame() {
        ConvolutionCase convolution = dense("odd widths", shape(2, 6, 5, 37, 51, Window.square(3, 1, 1), 1)).withRelu();
        ConvolutionCase.Buffers buffers = convolution.fill(arena);
        MemorySegment memory = arena.allocate(PackedConvolution.packedBytes("conv1", convolution.shape()), 64);
        PackedConvolution.packInto("conv1", convolution.shape(), buffers.nativeWeights(), buffers.nativeBias(), memory);

        call(PackedConvolution.ofPacked(arena, "conv1", convolution.shape(), Function.RELU, memory), convolution, buffers).run(alone);

        buffers.verify();
    }

    @Test
    void weightsPackedForAnotherConvolutionAreRefused() {
        ConvolutionShape small = shape(1, 4, 4, 8, 8, Window.square(1, 1, 0), 1);
        ConvolutionShape large = shape(1, 4, 4, 8, 16, Window.square(1, 1, 0), 1);
        MemorySegment memory = arena.allocate(PackedConvolution.packedBytes("conv1", large), 64);
        PackedConvolution.packInto("conv1", large, floats(new float[128]), MemorySegment.NULL, memory);

        NativeError error = assertThrows(NativeError.class, () -> PackedConvolution.ofPacked(arena, "conv1", small, Function.NONE, memory));
        assertEquals("up_conv_create_packed", error.function());
        assertTrue(error.getMessage().startsWith("conv1 (1x4x4x8 -> 1x4x4x8, 1x1): "), error.getMessage());
    }

    @Test
    void scalesShiftsAndActivates() {
        MemorySegment result = arena.allocate(16);
        Source chosen = new Source(floats(1, 2, 3, 4, 5, 6), 3, ints(2, 0));
        KernelCalls.pointwise(arena, "bn1", 2, 2, chosen, floats(1, -1), floats(0, 0.5f), Function.RELU, new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {3, 0, 6, 0}, result.toArray(ValueLayout.JAVA_FLOAT));
    }

    @Test
    void everyFunctionOfTheGraphHasAKernel() {
        for (Function.Kind kind : Function.Kind.values()) {
            MemorySegment result = arena.allocate(4);
            KernelCalls.pointwise(arena, kind.name(), 1, 1, Source.of(floats(0.5f), 1), MemorySegment.NULL, MemorySegment.NULL,
                    new Function(kind, 0.25f, 0.375f), new Target(result, 1)).run(alone);
            assertEquals(expected(kind, 0.5), result.get(ValueLayout.JAVA_FLOAT, 0), 1e-5, kind.name());
        }
    }

    private static double expected(Function.Kind kind, double x) {
        double erf = 0.5204998778130465; // of 0.5
        return switch (kind) {
            case NONE, RELU, LEAKY_RELU, ABS -> x;
            case CLIP -> 0.375;
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case SILU -> x / (1 + Math.exp(-x));
            case HARD_SIGMOID -> 0.25 * x + 0.375;
            case HARD_SWISH -> x * (x / 6 + 0.5);
            case TANH -> Math.tanh(x);
            case GELU -> x * (1 + 0.3829249225480262) / 2; // erf(0.5 / sqrt 2)
            case GELU_TANH -> x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;
            case ELU -> x;
            case SELU -> 0.375 * x;
            case MISH -> x * Math.tanh(Math.log1p(Math.exp(x)));
            case SOFTPLUS -> Math.log1p(Math.exp(x));
            case ERF -> erf;
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case SQRT -> Math.sqrt(x);
            case NEG -> -x;
            case RECIPROCAL -> 1 / x;
            case FLOOR, ROUND -> 0;
            case CEIL, SIGN -> 1;
        };
    }

    @Test
    void combinesTwoTensorsWithBroadcasting() {
        MemorySegment result = arena.allocate(16);
        Operand image = Operand.full(floats(1, 2, 3, 4), 2, 2);
        KernelCalls.binary(arena, "add1", BinaryOp.ADD, 1, 2, 2, image, Operand.perChannel(floats(10, 20)), Function.NONE, new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {11, 22, 13, 24}, result.toArray(ValueLayout.JAVA_FLOAT));
        KernelCalls.binary(arena, "sub1", BinaryOp.SUB, 1, 2, 2, image, Operand.perPixel(floats(1, 5), 2, 1), Function.RELU, new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {0, 1, 0, 0}, result.toArray(ValueLayout.JAVA_FLOAT));
        KernelCalls.binary(arena, "div1", BinaryOp.DIV, 1, 2, 2, image, Operand.scalar(floats(2)), Function.NONE, new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {0.5f, 1, 1.5f, 2}, result.toArray(ValueLayout.JAVA_FLOAT));
        KernelCalls.binary(arena, "prelu1", BinaryOp.PRELU, 2, 1, 2, Operand.full(floats(-1, 2, -3, 4), 1, 2),
                Operand.perImage(floats(0.5f, 9, 2, 9), 2), Function.NONE, new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {-0.5f, 2, -6, 4}, result.toArray(ValueLayout.JAVA_FLOAT));
    }

    @Test
    void poolsReducesAndNormalises() {
        MemorySegment image = floats(1, 2, 3, 4);
        assertArrayEquals(new float[] {4}, window(WindowOp.MAX, 1, Window.square(2, 1, 0), image));
        assertArrayEquals(new float[] {1, 2, 3, 4}, window(WindowOp.AVERAGE, 2, Window.square(2, 2, 1), image));
        assertArrayEquals(new float[] {0.25f, 0.5f, 0.75f, 1}, window(WindowOp.AVERAGE_WITH_PADDING, 2, Window.square(2, 2, 1), image));

        MemorySegment result = arena.allocate(8);
        KernelCalls.reduce(arena, "mean1", ReduceOp.MEAN, 1, 2, 2, Source.of(image, 2), new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {2, 3}, result.toArray(ValueLayout.JAVA_FLOAT));

        KernelCalls.softmax(arena, "softmax1", false, 1, 2, Source.of(floats(0, (float) Math.log(3)), 2), new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {0.25f, 0.75f}, result.toArray(ValueLayout.JAVA_FLOAT), 1e-6f);
    }

    private float[] window(WindowOp op, int out, Window window, MemorySegment image) {
        MemorySegment result = arena.allocate(out * out * 4L);
        KernelCalls.window(arena, "pool1", op, 1, 1, 2, 2, out, out, window, Source.of(image, 1), new Target(result, 1)).run(alone);
        return result.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Test
    void movesChannelsAndPixels() {
        MemorySegment result = arena.allocate(16);
        KernelCalls.gather(arena, "gather1", 2, 2, new Source(floats(1, 2, 3, 4, 5, 6), 3, ints(2, 1)), new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {3, 2, 6, 5}, result.toArray(ValueLayout.JAVA_FLOAT));

        KernelCalls.pad(arena, "pad1", 1, 1, 1, 2, 2, 2, 0, 1, 1, 1, 9, Source.of(floats(1, 2), 1), new Target(result, 1)).run(alone);
        assertArrayEquals(new float[] {9, 1, 9, 9}, result.toArray(ValueLayout.JAVA_FLOAT));

        KernelCalls.resize(arena, "resize1", 1, 1, 1, 2, 1, 4, ResizeAxis.nearest(new int[] {0}), ResizeAxis.nearest(new int[] {0, 0, 1, 1}),
                Source.of(floats(1, 2), 1), new Target(result, 1)).run(alone);
        assertArrayEquals(new float[] {1, 1, 2, 2}, result.toArray(ValueLayout.JAVA_FLOAT));

        KernelCalls.resize(arena, "resize2", 1, 1, 1, 2, 1, 4, new ResizeAxis(new int[] {0}, new int[] {0}, new float[] {0}),
                new ResizeAxis(new int[] {0, 0, 0, 0}, new int[] {1, 1, 1, 1}, new float[] {0, 0.25f, 0.5f, 1}),
                Source.of(floats(1, 2), 1), new Target(result, 1)).run(alone);
        assertArrayEquals(new float[] {1, 1.25f, 1.5f, 2}, result.toArray(ValueLayout.JAVA_FLOAT));

        KernelCalls.fromPlanes(arena, "input", 1, 2, 2, floats(1, 2, 3, 4), 2, 4, new Target(result, 2)).run(alone);
        assertArrayEquals(new float[] {1, 3, 2, 4}, result.toArray(ValueLayout.JAVA_FLOAT));

        KernelCalls.toPlanes(arena, "output", 1, 2, 2, Source.of(floats(1, 3, 2, 4), 2), result, 2, 4).run(alone);
        assertArrayEquals(new float[] {1, 2, 3, 4}, result.toArray(ValueLayout.JAVA_FLOAT));
    }

    @Test
    void aCallCanBePointedElsewhere() {
        MemorySegment first = arena.allocate(8);
        MemorySegment second = arena.allocate(8);
        KernelCall copy = KernelCalls.gather(arena, "copy1", 1, 2, Source.of(floats(1, 2), 2), new Target(first, 2));
        copy.run(alone);
        copy.pointSource(0, floats(3, 4).address());
        copy.pointTarget(second.address());
        copy.run(alone);

        assertArrayEquals(new float[] {1, 2}, first.toArray(ValueLayout.JAVA_FLOAT));
        assertArrayEquals(new float[] {3, 4}, second.toArray(ValueLayout.JAVA_FLOAT));
    }

    @Test
    void aWrongArgumentGivesTheLibrarysWordsTheFunctionAndTheNode() {
        ConvolutionCase convolution = dense("conv9", shape(1, 4, 4, 8, 8, Window.square(1, 1, 0), 1));
        ConvolutionCase.Buffers buffers = convolution.fill(arena);
        PackedConvolution packed = PackedConvolution.pack(arena, "conv9", convolution.shape(), Function.NONE, buffers.nativeWeights(), MemorySegment.NULL);

        NativeError error = assertThrows(NativeError.class, () -> packed.call(arena, Source.of(MemorySegment.NULL, 8), null,
                new Target(buffers.nativeDestination(), 8)).run(alone));

        assertEquals("up_conv_run", error.function());
        assertEquals("conv9", error.subject());
        assertTrue(error.status().startsWith("invalid argument (up_conv_run: "), error.status());
    }

    @Test
    void useAfterCloseIsAnExceptionThatNamesTheNode() {
        ConvolutionCase convolution = dense("conv3", shape(1, 4, 4, 8, 8, Window.square(1, 1, 0), 1));
        ConvolutionCase.Buffers buffers = convolution.fill(arena);
        Arena owner = Arena.ofShared();
        KernelCall call = call(PackedConvolution.pack(owner, "conv3", convolution.shape(), Function.NONE, buffers.nativeWeights(),
                buffers.nativeBias()), convolution, buffers);
        call.run(alone);
        owner.close();
        assertTrue(assertThrows(IllegalStateException.class, () -> call.run(alone)).getMessage().startsWith("conv3: "));

        for (int threads : new int[] {1, 2}) {
            CpuPool closed = new CpuPool(threads);
            closed.close();
            KernelCall copy = KernelCalls.gather(arena, "copy4", 1, 1, Source.of(floats(1), 1), new Target(floats(2), 1));
            assertTrue(assertThrows(IllegalStateException.class, () -> copy.run(closed)).getMessage().startsWith("copy4: "));
        }
    }

    @Test
    void closingWhileAnotherThreadRunsIsRefusedOrEndsItWithAnException() throws Exception {
        ConvolutionCase convolution = dense("conv5", shape(1, 8, 8, 16, 16, Window.square(3, 1, 1), 1));
        ConvolutionCase.Buffers buffers = convolution.fill(arena);
        Arena owner = Arena.ofShared();
        KernelCall call = call(PackedConvolution.pack(owner, "conv5", convolution.shape(), Function.NONE, buffers.nativeWeights(),
                buffers.nativeBias()), convolution, buffers);
        try (var threads = Executors.newSingleThreadExecutor()) {
            Future<?> runner = threads.submit(() -> {
                while (true) {
                    call.run(alone);
                }
            });
            boolean closed = false;
            while (!closed) {
                try {
                    owner.close();
                    closed = true;
                } catch (IllegalStateException inUse) {
                    Thread.onSpinWait();
                }
            }
            ExecutionException ended = assertThrows(ExecutionException.class, runner::get);
            assertTrue(ended.getCause().getMessage().startsWith("conv5: "), ended.toString());
        }
    }

    @Test
    void aRunAllocatesNothing() {
        KernelCall copy = KernelCalls.gather(arena, "copy1", 1, 2, Source.of(floats(1, 2), 2), new Target(floats(0, 0), 2));
        long target = floats(0, 0).address();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] allocated = new long[20];
        for (int round = 0; round < allocated.length; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int run = 0; run < 10_000; run++) {
                copy.pointTarget(target);
                copy.run(alone);
            }
            allocated[round] = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertTrue(allocated[allocated.length - 1] < 1000, Arrays.toString(allocated));
    }

    @Test
    void theBindingsAreMadeForTheInterfaceVersionThatTheLocatorAsksFor() {
        assertEquals(upscale_cpu_h.UP_ABI_VERSION(), upscale_cpu_h.up_abi_version());
    }

    @Test
    void saysItsInstructionSet() {
        CpuKernels kernels = CpuKernels.load();
        assertTrue(kernels.instructionSet().matches("generic|avx2|avx512"), kernels.instructionSet());
        assertThrows(IllegalArgumentException.class, () -> kernels.useInstructionSet("mmx"));
    }

    private KernelCall call(PackedConvolution packed, ConvolutionCase convolution, ConvolutionCase.Buffers buffers) {
        MemorySegment index = convolution.index() == null ? MemorySegment.NULL : ints(convolution.index());
        Source addend = convolution.residual() ? Source.of(buffers.destinationSlice(), convolution.wideOut()) : null;
        return packed.call(arena, new Source(buffers.sourceSlice(), convolution.wideIn(), index), addend,
                new Target(buffers.destinationSlice(), convolution.wideOut()));
    }

    private MemorySegment floats(float... values) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    private MemorySegment ints(int... values) {
        return arena.allocateFrom(ValueLayout.JAVA_INT, values);
    }
}
