package dev.upscale.runtime.xnnpack;

import static dev.upscale.runtime.ConvolutionCase.dense;
import static dev.upscale.runtime.ConvolutionCase.shape;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Window;
import dev.upscale.runtime.ConvolutionCase;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class XnnpackTest {
    private static final float NONE = Float.POSITIVE_INFINITY;

    static Stream<ConvolutionCase> convolutions() {
        Window pointwise = Window.square(1, 1, 0);
        Window three = Window.square(3, 1, 1);
        return Stream.of(
                dense("pointwise", shape(1, 7, 9, 32, 48, pointwise, 1)),
                dense("odd widths", shape(2, 6, 5, 37, 51, three, 1)),
                dense("slices", shape(2, 6, 5, 37, 51, three, 1)).sliced(64, 5, 83, 7),
                dense("slices, ReLU", shape(1, 6, 5, 37, 51, pointwise, 1)).sliced(64, 5, 83, 7).withRelu(),
                dense("stride", shape(1, 11, 9, 13, 21, Window.square(3, 2, 1), 1)).sliced(20, 3, 32, 8),
                dense("asymmetric padding and dilation", shape(1, 9, 9, 8, 16, new Window(3, 3, 1, 1, 2, 2, 1, 2, 3, 0), 1)),
                dense("groups", shape(1, 8, 8, 12, 18, three, 3)).sliced(15, 2, 21, 1),
                dense("depthwise", shape(1, 8, 8, 51, 51, three, 51)).sliced(60, 4, 55, 3),
                dense("depthwise with multiplier", shape(1, 8, 8, 7, 14, three, 7)));
    }

    @ParameterizedTest
    @MethodSource("convolutions")
    void convolvesAsThePlainLoopDoes(ConvolutionCase convolution) {
        for (int threads : new int[] {1, 2}) {
            try (XnnpackPool pool = new XnnpackPool(threads); Arena arena = Arena.ofConfined()) {
                ConvolutionCase.Buffers buffers = convolution.fill(arena);
                XnnpackOperator operator = operator(arena, convolution, buffers, pool);

                operator.useWorkspace(arena.allocate(Math.max(1, operator.workspaceBytes()), 64).address())
                        .point(buffers.sourceSlice().address(), buffers.destinationSlice().address()).run();

                buffers.verify();
            }
        }
    }

    @Test
    void multipliesSlices() {
        ConvolutionCase product = dense("linear", shape(1, 1, 5, 37, 51, Window.square(1, 1, 0), 1)).sliced(64, 5, 83, 7).withRelu();
        try (XnnpackPool pool = new XnnpackPool(1); Arena arena = Arena.ofConfined()) {
            ConvolutionCase.Buffers buffers = product.fill(arena);
            XnnpackOperator.linear(arena, "fc", 5, 37, 51, buffers.nativeWeights(), buffers.nativeBias(), 64, 83, 0, NONE, pool)
                    .point(buffers.sourceSlice().address(), buffers.destinationSlice().address()).run();
            buffers.verify();
        }
    }

    /** An image of one pixel shows the weights, in every group and channel. */
    @Test
    void transposesConvolutionsOfGroups() {
        int in = 4;
        int out = 6;
        try (XnnpackPool pool = new XnnpackPool(1); Arena arena = Arena.ofConfined()) {
            float[] weights = new float[in * out / 2 * 4];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = i;
            }
            MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 10, 100, 1000, 0, 0, 0, 0);
            MemorySegment destination = arena.allocate(2 * 2 * out * 4L, 64);
            XnnpackOperator.transposedConvolution(arena, "up1", 1, 1, 1, in, out, Window.square(2, 2, 0), 2, 0, 0,
                    arena.allocateFrom(ValueLayout.JAVA_FLOAT, weights), MemorySegment.NULL, in, out, -NONE, NONE, pool)
                    .point(source.address(), destination.address()).run();

            for (int tap = 0; tap < 4; tap++) {
                for (int o = 0; o < out; o++) {
                    int first = o / 3 * 2;
                    float expected = 0;
                    for (int i = first; i < first + 2; i++) {
                        expected += source.getAtIndex(ValueLayout.JAVA_FLOAT, i) * weights[(i * 3 + o % 3) * 4 + tap];
                    }
                    assertEquals(expected, destination.getAtIndex(ValueLayout.JAVA_FLOAT, (long) tap * out + o), "tap " + tap + ", channel " + o);
                }
            }
        }
    }

    @Test
    void aWrongArgumentGivesTheStatusTextTheFunctionAndTheNode() {
        ConvolutionCase convolution = dense("narrow", shape(1, 4, 4, 8, 8, Window.square(1, 1, 0), 1));
        try (XnnpackPool pool = new XnnpackPool(1); Arena arena = Arena.ofConfined()) {
            ConvolutionCase.Buffers buffers = convolution.fill(arena);

            NativeError error = assertThrows(NativeError.class, () -> XnnpackOperator.convolution(arena, "conv9", convolution.shape(),
                    buffers.nativeWeights(), buffers.nativeBias(), 7, 8, -NONE, NONE, pool));

            assertEquals("xnn_create_convolution2d_nhwc_f32", error.function());
            assertEquals("invalid_parameter", error.status());
            assertTrue(error.getMessage().startsWith("conv9 (1x4x4x8 -> 1x4x4x8, 1x1): "), error.getMessage());
        }
    }

    @Test
    void anOperatorThatPointsNowhereIsAnErrorAndNoCrash() {
        ConvolutionCase convolution = dense("lost", shape(1, 4, 4, 8, 8, Window.square(1, 1, 0), 1));
        try (XnnpackPool pool = new XnnpackPool(1); Arena arena = Arena.ofConfined()) {
            XnnpackOperator operator = operator(arena, convolution, convolution.fill(arena), pool);

            assertThrows(NativeError.class, operator::run);
        }
    }

    @Test
    void weightsThatAreTooFewAreAnErrorAndNoCrash() {
        ConvolutionCase convolution = dense("few", shape(1, 4, 4, 8, 8, Window.square(1, 1, 0), 1));
        try (XnnpackPool pool = new XnnpackPool(1); Arena arena = Arena.ofConfined()) {
            assertThrows(IllegalArgumentException.class, () -> XnnpackOperator.convolution(arena, "conv9", convolution.shape(),
                    arena.allocate(63 * 4), MemorySegment.NULL, 8, 8, -NONE, NONE, pool));
        }
    }

    @Test
    void useAfterCloseIsAnExceptionThatNamesTheNode() {
        ConvolutionCase convolution = dense("conv3", shape(1, 4, 4, 8, 8, Window.square(1, 1, 0), 1));
        XnnpackPool pool = new XnnpackPool(2);
        try (Arena memory = Arena.ofConfined()) {
            ConvolutionCase.Buffers buffers = convolution.fill(memory);
            Arena owner = Arena.ofShared();
            XnnpackOperator closed = operator(owner, convolution, buffers, pool)
                    .point(buffers.sourceSlice().address(), buffers.destinationSlice().address());
            XnnpackOperator poolless = operator(memory, convolution, buffers, pool)
                    .point(buffers.sourceSlice().address(), buffers.destinationSlice().address());
            owner.close();
            assertTrue(assertThrows(IllegalStateException.class, closed::run).getMessage().startsWith("conv3 "));
            pool.close();
            assertTrue(assertThrows(IllegalStateException.class, poolless::run).getMessage().startsWith("conv3 "));
        }
    }

    private static XnnpackOperator operator(Arena owner, ConvolutionCase convolution, ConvolutionCase.Buffers buffers, XnnpackPool pool) {
        return XnnpackOperator.convolution(owner, convolution.name(), convolution.shape(), buffers.nativeWeights(), buffers.nativeBias(),
                convolution.wideIn(), convolution.wideOut(), convolution.relu() ? 0 : -NONE, NONE, pool);
    }
}
