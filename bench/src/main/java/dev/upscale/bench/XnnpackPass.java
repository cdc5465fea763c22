package dev.upscale.bench;

import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.xnnpack.XnnpackOperator;
import dev.upscale.runtime.xnnpack.XnnpackPasses;
import dev.upscale.runtime.xnnpack.XnnpackPasses.BinaryOp;
import dev.upscale.runtime.xnnpack.XnnpackPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** XNNPACK's operators for a {@link PassProblem}. */
final class XnnpackPass {
    private static final float NONE = Float.POSITIVE_INFINITY;

    private XnnpackPass() {}

    /** @throws NativeError if it has no operator for it */
    static Runnable prepare(Arena owner, PassProblem problem, MemorySegment source, int stride, XnnpackPool pool) {
        PassShape shape = problem.shape();
        int channels = shape.channels();
        long pixels = shape.batch() * shape.pixels();
        XnnpackOperator operator = switch (shape.op()) {
            case MAX -> XnnpackPasses.maxPool(owner, shape.name(), shape.batch(), shape.size(), shape.size(), channels, shape.window(), stride, channels, pool);
            case AVERAGE -> XnnpackPasses.averagePool(owner, shape.name(), shape.batch(), shape.size(), shape.size(), channels, shape.window(), stride,
                    channels, pool);
            // its reduction (xnn_create_reduce_nd), as TensorFlow Lite's library has it, crashes in the middle dimension
            case MEAN -> XnnpackPasses.averagePool(owner, shape.name(), shape.batch(), shape.size(), shape.size(), channels,
                    Window.square(shape.size(), 1, 0), stride, channels, pool);
            case NEAREST -> throw new NativeError("XNNPACK", "no nearest neighbours", shape.name());
            case LINEAR -> XnnpackPasses.resizeBilinear(owner, shape.name(), shape.batch(), shape.size(), shape.size(), channels, shape.outSize(),
                    shape.outSize(), stride, channels, pool);
            case ADD, ADD_RELU -> XnnpackPasses.binary(owner, dense(shape, stride), BinaryOp.ADD, shape.batch(), shape.pixels(), channels, shape.pixels(),
                    problem.second(), pool);
            case MULTIPLY -> XnnpackPasses.binary(owner, dense(shape, stride), BinaryOp.MULTIPLY, shape.batch(), shape.pixels(), channels, 1,
                    problem.scales(), pool);
            // for this XNNPACK has a kernel of its own, which it takes for depthwise convolutions of 1×1
            case SCALE_SHIFT_RELU -> XnnpackOperator.convolution(owner, shape.name(), new ConvolutionShape(shape.batch(), shape.size(), shape.size(), channels,
                    channels, Window.square(1, 1, 0), channels), problem.scales(), problem.shifts(), stride, channels, 0, NONE, pool);
            case COPY -> XnnpackPasses.copy(owner, shape.name(), pixels, channels, stride, channels, pool);
        };
        operator.useWorkspace(owner.allocate(Math.max(1, operator.workspaceBytes()), ConvolutionProblem.ALIGNMENT).address())
                .point(source.address(), problem.target().address());
        if (shape.op() != PassShape.Op.ADD_RELU) {
            return operator::run;
        }
        XnnpackOperator clamp = XnnpackPasses.clamp(owner, shape.name(), pixels, channels, 0, NONE, channels, channels, pool)
                .point(problem.target().address(), problem.target().address());
        return () -> {
            operator.run();
            clamp.run();
        };
    }

    /** The pass's name, where pixels lie side by side. */
    private static String dense(PassShape shape, int stride) {
        if (stride != shape.channels()) {
            throw new NativeError("XNNPACK", "reads no slices", shape.name());
        }
        return shape.name();
    }
}
