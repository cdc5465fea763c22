package dev.upscale.bench;

import dev.upscale.graph.Function;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.KernelCalls;
import dev.upscale.runtime.upscale.KernelCalls.BinaryOp;
import dev.upscale.runtime.upscale.KernelCalls.ReduceOp;
import dev.upscale.runtime.upscale.KernelCalls.ResizeAxis;
import dev.upscale.runtime.upscale.KernelCalls.WindowOp;
import dev.upscale.runtime.upscale.Operand;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;

/** Our kernel for a {@link PassProblem}. */
final class UpscalePass {
    private UpscalePass() {}

    static KernelCall call(Arena owner, PassProblem problem, Source source) {
        PassShape shape = problem.shape();
        String name = shape.name();
        int size = shape.size();
        int out = shape.outSize();
        int channels = shape.channels();
        long pixels = shape.batch() * shape.pixels();
        Target target = new Target(problem.target(), channels);
        return switch (shape.op()) {
            case MAX, AVERAGE -> KernelCalls.window(owner, name, shape.op() == PassShape.Op.MAX ? WindowOp.MAX : WindowOp.AVERAGE, shape.batch(), channels,
                    size, size, out, out, shape.window(), source, target);
            case MEAN -> KernelCalls.reduce(owner, name, ReduceOp.MEAN, shape.batch(), shape.pixels(), channels, source, target);
            case NEAREST, LINEAR -> KernelCalls.resize(owner, name, shape.batch(), channels, size, size, out, out, axis(problem), axis(problem), source,
                    target);
            case ADD, ADD_RELU -> KernelCalls.binary(owner, name, BinaryOp.ADD, shape.batch(), shape.pixels(), channels, first(shape, source),
                    Operand.full(problem.second(), shape.pixels(), channels), shape.op() == PassShape.Op.ADD ? Function.NONE : Function.RELU, target);
            case MULTIPLY -> KernelCalls.binary(owner, name, BinaryOp.MUL, shape.batch(), shape.pixels(), channels, first(shape, source),
                    Operand.perImage(problem.scales(), channels), Function.NONE, target);
            case SCALE_SHIFT_RELU -> KernelCalls.pointwise(owner, name, pixels, channels, source, problem.scales(), problem.shifts(), Function.RELU, target);
            case COPY -> KernelCalls.gather(owner, name, pixels, channels, source, target);
        };
    }

    private static Operand first(PassShape shape, Source source) {
        return new Operand(source.data(), shape.pixels() * source.pixelStride(), source.pixelStride(), 1, source.index());
    }

    private static ResizeAxis axis(PassProblem problem) {
        PassShape shape = problem.shape();
        int[] outputs = IntStream.range(0, shape.outSize()).toArray();
        if (shape.op() == PassShape.Op.NEAREST) {
            return ResizeAxis.nearest(IntStream.of(outputs).map(at -> at / shape.factor()).toArray());
        }
        int[] first = IntStream.of(outputs).map(at -> (int) problem.place(at)).toArray();
        int[] second = IntStream.of(first).map(at -> Math.min(at + 1, shape.size() - 1)).toArray();
        float[] weight = new float[outputs.length];
        for (int at : outputs) {
            weight[at] = (float) (problem.place(at) - first[at]);
        }
        return new ResizeAxis(first, second, weight);
    }
}
