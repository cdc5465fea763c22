package dev.upscale.runtime.onednn;

import static dev.upscale.runtime.ConvolutionCase.dense;
import static dev.upscale.runtime.ConvolutionCase.shape;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import dev.upscale.runtime.ConvolutionCase;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OneDnnTest {
    private final OneDnn oneDnn = new OneDnn();

    @AfterEach
    void close() {
        oneDnn.close();
    }

    static Stream<ConvolutionCase> denseConvolutions() {
        Window pointwise = Window.square(1, 1, 0);
        Window three = Window.square(3, 1, 1);
        return Stream.of(
                dense("pointwise", shape(1, 7, 9, 32, 48, pointwise, 1)),
                dense("odd widths", shape(2, 6, 5, 37, 51, three, 1)),
                dense("stride", shape(1, 11, 9, 13, 21, Window.square(3, 2, 1), 1)),
                dense("asymmetric padding and dilation", shape(1, 9, 9, 8, 16, new Window(3, 3, 1, 1, 2, 2, 1, 2, 3, 0), 1)),
                dense("depthwise", shape(1, 8, 8, 51, 51, three, 51)),
                dense("ReLU", shape(1, 5, 5, 16, 24, three, 1)).withRelu(),
                dense("residual", shape(1, 5, 5, 16, 24, three, 1)).withResidual(),
                dense("residual and ReLU", shape(2, 5, 5, 20, 31, pointwise, 1)).withResidual().withRelu());
    }

    @ParameterizedTest
    @MethodSource("denseConvolutions")
    void convolvesAsThePlainLoopDoes(ConvolutionCase convolution) {
        try (Arena arena = Arena.ofConfined()) {
            ConvolutionCase.Buffers buffers = convolution.fill(arena);
            ConvolutionShape shape = convolution.shape();
            MemoryDescriptor source = images(shape.batch(), shape.inChannels(), shape.inHeight(), shape.inWidth(), convolution.wideIn());
            MemoryDescriptor destination = images(shape.batch(), shape.outChannels(), shape.outHeight(), shape.outWidth(), convolution.wideOut());
            Primitive primitive = Primitive.convolution(oneDnn, "conv1", shape, source, destination, true, postOps(convolution))
                    .requireOptimised();
            MemorySegment weights = primitive.packWeights(arena, MemoryDescriptor.dense(oneDnn, Primitive.weightDims(shape)), buffers.nativeWeights());

            primitive.execution(arena)
                    .bind(Execution.SOURCE, source, buffers.sourceSlice().address())
                    .bind(Execution.WEIGHTS, primitive.weights(), weights.address())
                    .bind(Execution.BIAS, MemoryDescriptor.dense(oneDnn, shape.outChannels()), buffers.nativeBias().address())
                    .bind(Execution.DESTINATION, destination, buffers.destinationSlice().address())
                    .bindScratchpad(arena.allocate(Math.max(1, primitive.scratchpadBytes()), 64).address())
                    .run();

            buffers.verify();
        }
    }

    static Stream<ConvolutionCase> slicedProducts() {
        Window pointwise = Window.square(1, 1, 0);
        return Stream.of(
                dense("dense", shape(1, 6, 6, 32, 48, pointwise, 1)),
                dense("odd slices", shape(2, 6, 5, 37, 51, pointwise, 1)).sliced(64, 5, 83, 7),
                dense("odd slices", shape(1, 6, 5, 37, 51, pointwise, 1)).sliced(64, 5, 83, 7).withRelu(),
                dense("odd slices", shape(1, 6, 5, 37, 51, pointwise, 1)).sliced(64, 5, 83, 7).withResidual().withRelu());
    }

    @ParameterizedTest
    @MethodSource("slicedProducts")
    void multipliesSlicesWithoutACopy(ConvolutionCase product) {
        try (Arena arena = Arena.ofConfined()) {
            ConvolutionCase.Buffers buffers = product.fill(arena);
            ConvolutionShape shape = product.shape();
            long rows = (long) shape.batch() * shape.inHeight() * shape.inWidth();
            MemoryDescriptor source = MemoryDescriptor.matrix(oneDnn, rows, shape.inChannels(), product.wideIn());
            MemoryDescriptor destination = MemoryDescriptor.matrix(oneDnn, rows, shape.outChannels(), product.wideOut());
            Primitive primitive = Primitive.matmul(oneDnn, "fc1", source, shape.inChannels(), shape.outChannels(), destination, true,
                    postOps(product)).requireOptimised();
            MemoryDescriptor onnxWeights = MemoryDescriptor.strided(oneDnn, new long[] {shape.inChannels(), shape.outChannels()},
                    new long[] {1, shape.inChannels()});
            MemorySegment weights = primitive.packWeights(arena, onnxWeights, buffers.nativeWeights());

            primitive.execution(arena)
                    .bind(Execution.SOURCE, source, buffers.sourceSlice().address())
                    .bind(Execution.WEIGHTS, primitive.weights(), weights.address())
                    .bind(Execution.BIAS, MemoryDescriptor.dense(oneDnn, 1, shape.outChannels()), buffers.nativeBias().address())
                    .bind(Execution.DESTINATION, destination, buffers.destinationSlice().address())
                    .bindScratchpad(arena.allocate(Math.max(1, primitive.scratchpadBytes()), 64).address())
                    .run();

            buffers.verify();
        }
    }

    @Test
    void aBinaryPostOpScalesEachChannel() {
        try (Arena arena = Arena.ofConfined()) {
            MemoryDescriptor source = MemoryDescriptor.matrix(oneDnn, 1, 2, 2);
            MemoryDescriptor destination = MemoryDescriptor.matrix(oneDnn, 1, 2, 2);
            MemoryDescriptor scale = MemoryDescriptor.dense(oneDnn, 1, 2);
            Primitive primitive = Primitive.matmul(oneDnn, "fc1", source, 2, 2, destination, false,
                    List.of(new PostOp.Binary(PostOp.BinaryOp.MUL, scale), new PostOp.Eltwise(new Function(Function.Kind.CLIP, 0, 50))));
            MemorySegment weights = primitive.packWeights(arena, MemoryDescriptor.dense(oneDnn, 2, 2), arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4));
            MemorySegment result = arena.allocate(8);

            primitive.execution(arena)
                    .bind(Execution.SOURCE, source, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 1).address())
                    .bind(Execution.WEIGHTS, primitive.weights(), weights.address())
                    .bind(Execution.DESTINATION, destination, result.address())
                    .bind(Execution.postOp(0), scale, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0.5f, 10).address())
                    .bindScratchpad(arena.allocate(Math.max(1, primitive.scratchpadBytes()), 64).address())
                    .run();

            assertArrayEquals(new float[] {(1 + 3) * 0.5f, 50}, result.toArray(ValueLayout.JAVA_FLOAT));
        }
    }

    @Test
    void poolsWithAndWithoutPaddingInTheMean() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4);
            assertArrayEquals(new float[] {4}, pool(arena, Primitive.PoolingOp.MAX, Window.square(2, 1, 0), 1, image));
            assertArrayEquals(new float[] {1, 2, 3, 4}, pool(arena, Primitive.PoolingOp.AVERAGE, Window.square(2, 2, 1), 2, image));
            assertArrayEquals(new float[] {0.25f, 0.5f, 0.75f, 1},
                    pool(arena, Primitive.PoolingOp.AVERAGE_WITH_PADDING, Window.square(2, 2, 1), 2, image));
        }
    }

    private float[] pool(Arena arena, Primitive.PoolingOp op, Window window, int out, MemorySegment image) {
        MemoryDescriptor source = images(1, 1, 2, 2, 1);
        MemoryDescriptor destination = images(1, 1, out, out, 1);
        MemorySegment result = arena.allocate(out * out * 4L, 64);
        Primitive primitive = Primitive.pooling(oneDnn, "pool1", op, window, source, destination);
        primitive.execution(arena).bind(Execution.SOURCE, source, image.address()).bind(Execution.DESTINATION, destination, result.address())
                .bindScratchpad(arena.allocate(Math.max(1, primitive.scratchpadBytes()), 64).address()).run();
        return result.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Test
    void anArgumentCanBePointedElsewhere() {
        try (Arena arena = Arena.ofConfined()) {
            MemoryDescriptor vector = MemoryDescriptor.dense(oneDnn, 3);
            MemorySegment result = arena.allocate(12);
            Execution copy = Primitive.reorder(oneDnn, "copy1", vector, vector).execution(arena)
                    .bind(Execution.SOURCE, vector, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3).address())
                    .bind(Execution.DESTINATION, vector, result.address());
            copy.run();
            copy.point(Execution.SOURCE, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 4, 5, 6).address());
            copy.run();

            assertArrayEquals(new float[] {4, 5, 6}, result.toArray(ValueLayout.JAVA_FLOAT));
            assertThrows(IllegalArgumentException.class, () -> copy.point(Execution.BIAS, result.address()));
        }
    }

    @Test
    void aSliceAsTheSourceOfAConvolutionFallsToTheReferenceImplementationAndIsRefused() {
        ConvolutionShape shape = shape(1, 8, 8, 16, 16, Window.square(3, 1, 1), 1);
        Primitive slow = Primitive.convolution(oneDnn, "layer1.conv2", shape, images(1, 16, 8, 8, 40), images(1, 16, 8, 8, 16), true, List.of());

        assertFalse(slow.isOptimised(), slow.implementation());
        NativeError refused = assertThrows(NativeError.class, slow::requireOptimised);
        assertTrue(refused.getMessage().startsWith("layer1.conv2 (1x8x8x16 -> 1x8x8x16, 3x3): "), refused.getMessage());
        assertTrue(refused.getMessage().contains("ref"), refused.getMessage());
    }

    @Test
    void aWrongArgumentGivesTheStatusTextTheFunctionAndTheNode() {
        ConvolutionShape shape = shape(1, 8, 8, 16, 16, Window.square(3, 1, 1), 1);

        NativeError error = assertThrows(NativeError.class, () -> Primitive.convolution(oneDnn, "conv9", shape,
                images(1, 17, 8, 8, 17), images(1, 16, 8, 8, 16), true, List.of()));

        assertEquals("dnnl_convolution_forward_primitive_desc_create", error.function());
        assertEquals("invalid_arguments", error.status());
        assertTrue(error.subject().startsWith("conv9 "), error.subject());
    }

    @Test
    void useAfterCloseIsAnExceptionThatNamesTheNode() {
        try (Arena arena = Arena.ofConfined()) {
            MemoryDescriptor vector = MemoryDescriptor.dense(oneDnn, 3);
            Primitive primitive = Primitive.reorder(oneDnn, "copy7", vector, vector);
            MemorySegment values = arena.allocate(12);
            Execution copy = primitive.execution(arena).bind(Execution.SOURCE, vector, values.address())
                    .bind(Execution.DESTINATION, vector, values.address());
            oneDnn.close();

            assertTrue(assertThrows(IllegalStateException.class, copy::run).getMessage().startsWith("copy7: "));
            assertThrows(IllegalStateException.class, () -> Primitive.reorder(oneDnn, "late", vector, vector));
            assertThrows(IllegalStateException.class, () -> MemoryDescriptor.dense(oneDnn, 3));
        }
        oneDnn.close();
    }

    @Test
    void closedArgumentsCannotBeRun() {
        MemoryDescriptor vector = MemoryDescriptor.dense(oneDnn, 3);
        Execution copy;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(12);
            copy = Primitive.reorder(oneDnn, "copy8", vector, vector).execution(arena).bind(Execution.SOURCE, vector, values.address())
                    .bind(Execution.DESTINATION, vector, values.address());
        }
        assertTrue(assertThrows(IllegalStateException.class, copy::run).getMessage().startsWith("copy8: "));
    }

    @Test
    void closingWhileAnotherThreadRunsIsRefusedOrEndsItWithAnException() throws Exception {
        try (Arena arena = Arena.ofShared(); var threads = Executors.newSingleThreadExecutor()) {
            MemoryDescriptor vector = MemoryDescriptor.dense(oneDnn, 4096);
            MemorySegment values = arena.allocate(4096 * 4);
            Execution copy = Primitive.reorder(oneDnn, "copy9", vector, vector).execution(arena)
                    .bind(Execution.SOURCE, vector, values.address()).bind(Execution.DESTINATION, vector, arena.allocate(4096 * 4).address());
            Future<?> runner = threads.submit(() -> {
                while (true) {
                    copy.run();
                }
            });
            boolean closed = false;
            while (!closed) {
                try {
                    oneDnn.close();
                    closed = true;
                } catch (IllegalStateException inUse) {
                    Thread.onSpinWait();
                }
            }
            ExecutionException ended = assertThrows(ExecutionException.class, runner::get);
            assertTrue(ended.getCause().getMessage().startsWith("copy9: "), ended.toString());
        }
    }

    @Test
    void executionsOfOnePrimitiveRunAtTheSameTime() throws Exception {
        ConvolutionCase convolution = dense("shared", shape(1, 5, 5, 16, 24, Window.square(3, 1, 1), 1));
        ConvolutionShape shape = convolution.shape();
        MemoryDescriptor source = images(1, 16, 5, 5, 16);
        MemoryDescriptor destination = images(1, 24, 5, 5, 24);
        Primitive primitive = Primitive.convolution(oneDnn, "conv1", shape, source, destination, true, List.of());
        try (Arena plan = Arena.ofShared(); var threads = Executors.newFixedThreadPool(4)) {
            MemorySegment weights = primitive.packWeights(plan, MemoryDescriptor.dense(oneDnn, Primitive.weightDims(shape)),
                    convolution.fill(plan).nativeWeights());
            Callable<Void> session = () -> {
                try (Arena arena = Arena.ofConfined()) {
                    ConvolutionCase.Buffers buffers = convolution.fill(arena);
                    Execution execution = primitive.execution(arena)
                            .bind(Execution.SOURCE, source, buffers.sourceSlice().address())
                            .bind(Execution.WEIGHTS, primitive.weights(), weights.address())
                            .bind(Execution.BIAS, MemoryDescriptor.dense(oneDnn, 24), buffers.nativeBias().address())
                            .bind(Execution.DESTINATION, destination, buffers.destinationSlice().address())
                            .bindScratchpad(arena.allocate(Math.max(1, primitive.scratchpadBytes()), 64).address());
                    for (int run = 0; run < 50; run++) {
                        buffers.destinationSlice().fill((byte) 0);
                        execution.run();
                        buffers.verify();
                    }
                    return null;
                }
            };
            for (Future<Void> done : threads.invokeAll(List.of(session, session, session, session))) {
                done.get();
            }
        }
    }

    @Test
    void saysItsVersionInstructionSetAndThreads() {
        assertTrue(OneDnn.version().matches("3\\.\\d+\\.\\d+"), OneDnn.version());
        assertFalse(OneDnn.instructionSet().isBlank());
        int before = OneDnn.threads();
        OneDnn.useThreads(1);
        assertEquals(1, OneDnn.threads());
        OneDnn.useThreads(before);
    }

    private MemoryDescriptor images(int batch, int channels, int height, int width, long pixelStride) {
        return MemoryDescriptor.channelsLast(oneDnn, batch, channels, height, width, pixelStride);
    }

    private static List<PostOp> postOps(ConvolutionCase convolution) {
        List<PostOp> postOps = new ArrayList<>();
        if (convolution.residual()) {
            postOps.add(new PostOp.Sum());
        }
        if (convolution.relu()) {
            postOps.add(new PostOp.Eltwise(Function.RELU));
        }
        return postOps;
    }
}
