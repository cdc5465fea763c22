package dev.upscale.bench;

import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import dev.upscale.runtime.onednn.Execution;
import dev.upscale.runtime.onednn.MemoryDescriptor;
import dev.upscale.runtime.onednn.OneDnn;
import dev.upscale.runtime.onednn.PostOp;
import dev.upscale.runtime.onednn.PostOp.BinaryOp;
import dev.upscale.runtime.onednn.Primitive;
import dev.upscale.runtime.onednn.Primitive.PoolingOp;
import dev.upscale.runtime.onednn.Primitive.Resampling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** oneDNN's primitive for a {@link PassProblem}: only optimised implementations. */
final class OneDnnPass {
    private static final PostOp RELU = new PostOp.Eltwise(Function.RELU);

    private final OneDnn oneDnn;
    private final Arena arena;
    private final PassProblem problem;
    private final PassShape shape;
    private final MemorySegment source;
    private final MemoryDescriptor from;
    private final MemoryDescriptor to;
    private Execution execution;

    OneDnnPass(OneDnn oneDnn, Arena arena, PassProblem problem, MemorySegment source, int stride) {
        this.oneDnn = oneDnn;
        this.arena = arena;
        this.problem = problem;
        this.shape = problem.shape();
        this.source = source;
        from = image(shape.size(), stride);
        to = image(shape.outSize(), shape.channels());
    }

    private MemoryDescriptor image(int size, int stride) {
        return MemoryDescriptor.channelsLast(oneDnn, shape.batch(), shape.channels(), size, size, stride);
    }

    /** A vector of channels for each of some images. */
    private MemoryDescriptor vectors(int images) {
        return MemoryDescriptor.dense(oneDnn, images, shape.channels(), 1, 1);
    }

    /** The primitive of that name; a mean is a pool as large as the image. */
    Primitive make() {
        return switch (shape.op()) {
            case MAX -> bind(Primitive.pooling(oneDnn, shape.name(), PoolingOp.MAX, shape.window(), from, to));
            case AVERAGE -> bind(Primitive.pooling(oneDnn, shape.name(), PoolingOp.AVERAGE, shape.window(), from, to));
            case MEAN -> bind(Primitive.pooling(oneDnn, shape.name(), PoolingOp.AVERAGE, Window.square(shape.size(), 1, 0), from, to));
            case NEAREST -> bind(Primitive.resampling(oneDnn, shape.name(), Resampling.NEAREST, from, to));
            case LINEAR -> bind(Primitive.resampling(oneDnn, shape.name(), Resampling.LINEAR, from, to));
            case ADD -> binary(BinaryOp.ADD, image(shape.size(), shape.channels()), problem.second(), List.of());
            case ADD_RELU -> binary(BinaryOp.ADD, image(shape.size(), shape.channels()), problem.second(), List.of(RELU));
            case MULTIPLY -> binary(BinaryOp.MUL, vectors(shape.batch()), problem.scales(), List.of());
            case SCALE_SHIFT_RELU -> {
                MemoryDescriptor shifts = vectors(1);
                Primitive primitive = binary(BinaryOp.MUL, vectors(1), problem.scales(), List.of(new PostOp.Binary(BinaryOp.ADD, shifts), RELU));
                execution.bind(Execution.postOp(0), shifts, problem.shifts().address());
                yield primitive;
            }
            case COPY -> bind(Primitive.reorder(oneDnn, shape.name(), from, to));
        };
    }

    /** Scale and shift as a batch normalisation of mean 0 and variance 1. */
    Primitive normalise() {
        Primitive primitive = bind(Primitive.normalisation(oneDnn, shape.name(), from, to, List.of(RELU)));
        MemoryDescriptor vector = MemoryDescriptor.dense(oneDnn, shape.channels());
        float[] ones = new float[shape.channels()];
        Arrays.fill(ones, 1);
        execution.bind(Execution.MEAN, vector, arena.allocate(vector.bytes(), ConvolutionProblem.ALIGNMENT).address())
                .bind(Execution.VARIANCE, vector, arena.allocateFrom(ValueLayout.JAVA_FLOAT, ones).address())
                .bind(Execution.SCALE, vector, problem.scales().address()).bind(Execution.SHIFT, vector, problem.shifts().address());
        return primitive;
    }

    private Primitive binary(BinaryOp op, MemoryDescriptor second, MemorySegment operand, List<PostOp> postOps) {
        Primitive primitive = bind(Primitive.binary(oneDnn, shape.name(), op, from, second, to, postOps));
        execution.bind(Execution.SECOND_SOURCE, second, operand.address());
        return primitive;
    }

    private Primitive bind(Primitive primitive) {
        primitive.requireOptimised();
        execution = primitive.execution(arena).bind(Execution.SOURCE, from, source.address())
                .bind(Execution.DESTINATION, to, problem.target().address())
                .bindScratchpad(arena.allocate(Math.max(1, primitive.scratchpadBytes()), ConvolutionProblem.ALIGNMENT).address());
        return primitive;
    }

    void run() {
        execution.run();
    }
}
