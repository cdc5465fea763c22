package dev.upscale.runtime.cpu;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.upscale.KernelCalls;
import dev.upscale.runtime.upscale.KernelCalls.BinaryOp;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code upscale.pointwise}, {@code upscale.binary} and {@code upscale.softmax}: operations that run through memory in two or three
 * loops, whatever the axes are called. Operands with an index list have their channels side by side.
 */
final class UpscaleElementwise {
    private static final int CHANNEL_AXIS = 1;

    private UpscaleElementwise() {}

    static Recipe apply(Step.Compute step, Function function, String implementation) {
        Unfit.unless(function.isNone() || step.activation().isNone(), "two functions one after the other");
        Function both = function.isNone() ? step.activation() : function;
        return pointwise(step.name(), step.sources().getFirst(), step.destination(), both, implementation);
    }

    /** {@code function(source)} through two loops. */
    private static Recipe pointwise(String name, Operand operand, View destination, Function function, String implementation) {
        Loops loops = twoLoops(operand, destination);
        return new Recipe(0, implementation, preparation -> UpscaleKernel.single(List.of(operand.view()), destination, implementation,
                (owner, from, to) -> KernelCalls.pointwise(owner, name, loops.sizes()[0], (int) loops.sizes()[1],
                        new Source(from[0], stride(loops, 1), index(operand, preparation, loops)), MemorySegment.NULL,
                        MemorySegment.NULL, function, new Target(to, stride(loops, 0)))));
    }

    static Recipe scaleShift(Step.Compute step, String implementation) {
        Operand source = step.sources().getFirst();
        View scale = UpscaleEngine.view(step, 1);
        View shift = UpscaleEngine.view(step, 2);
        Unfit.unless(isVector(step.sources().get(1)) && isVector(step.sources().get(2)), "scale or shift that is no constant vector");
        View destination = step.destination();
        Unfit.unless(destination.rank() >= 2 && step.sources().getFirst().view().rank() == destination.rank(), "no channels");
        long[] perChannel = new long[destination.rank()];
        perChannel[CHANNEL_AXIS] = destination.dim(CHANNEL_AXIS) == 1 ? 0 : 1;
        Loops loops = Loops.over(destination.dims(), strides(destination), sourceStrides(source, destination.dims()), perChannel)
                .cut(destination.dim(CHANNEL_AXIS), 2).padded(2);
        requireInner(loops, source);
        Unfit.unless(loops.sizes()[1] == destination.dim(CHANNEL_AXIS) && loops.stride(0, 2) == 0, "channels that are not side by side");
        return new Recipe(0, implementation, preparation -> UpscaleKernel.single(List.of(source.view()), destination, implementation,
                (owner, from, to) -> KernelCalls.pointwise(owner, step.name(), loops.sizes()[0], (int) loops.sizes()[1],
                        new Source(from[0], stride(loops, 1), index(source, preparation, loops)), vector(scale, preparation),
                        vector(shift, preparation), step.activation(), new Target(to, stride(loops, 0)))));
    }

    private static MemorySegment vector(View constant, Preparation preparation) {
        return preparation.constants().resident(constant.place().name()).asSlice(constant.offset(), constant.bytes());
    }

    private static boolean isVector(Operand operand) {
        View view = operand.view();
        return !operand.isIndexed() && view.place().kind() == View.Place.Kind.CONSTANT && view.rank() == 1
                && (view.dim(0) == 1 || view.stride(0) == 1);
    }

    static Recipe softmax(Step.Compute step, Op.Softmax softmax, String implementation) {
        UpscaleEngine.requireNoActivation(step);
        Operand source = step.sources().getFirst();
        View destination = step.destination();
        int size = destination.dim(softmax.axis());
        Unfit.unless(size == 1 || destination.stride(softmax.axis()) == 1, "an axis whose elements are not side by side");
        Unfit.unless(!source.isIndexed() || softmax.axis() == CHANNEL_AXIS, "an axis other than that of the index");
        long[] alongAxis = new long[destination.rank()];
        alongAxis[softmax.axis()] = size == 1 ? 0 : 1;
        Loops loops = Loops.over(destination.dims(), strides(destination), sourceStrides(source, destination.dims()), alongAxis)
                .cut(size, 2).padded(2);
        requireInner(loops, source);
        Unfit.unless(loops.sizes()[1] == size && loops.stride(0, 2) == 0, "pixels at uneven distances");
        return new Recipe(0, implementation, preparation -> UpscaleKernel.single(List.of(source.view()), destination, implementation,
                (owner, from, to) -> KernelCalls.softmax(owner, step.name(), false, loops.sizes()[0], size,
                        new Source(from[0], stride(loops, 1), index(source, preparation, loops)),
                        new Target(to, stride(loops, 0)))));
    }

    static BinaryOp of(Op.Binary.Kind kind) {
        return switch (kind) {
            case ADD -> BinaryOp.ADD;
            case SUB -> BinaryOp.SUB;
            case MUL -> BinaryOp.MUL;
            case DIV -> BinaryOp.DIV;
            case POW -> BinaryOp.POW;
            case MIN -> BinaryOp.MIN;
            case MAX -> BinaryOp.MAX;
        };
    }

    static Recipe prelu(Step.Compute step, String implementation) {
        return binary(step, BinaryOp.PRELU, implementation);
    }

    static Recipe binary(Step.Compute step, BinaryOp op, String implementation) {
        Operand a = step.sources().get(0);
        Operand b = step.sources().get(1);
        View destination = step.destination();
        List<Integer> dims = destination.dims();
        List<long[]> strides = new ArrayList<>(List.of(strides(destination), sourceStrides(a, dims), sourceStrides(b, dims)));
        boolean isIndexed = a.isIndexed() || b.isIndexed();
        if (isIndexed) {
            strides.add(channelMarks(dims));
        }
        Loops loops = Loops.over(dims, strides.toArray(long[][]::new)).cut(isIndexed ? dims.get(CHANNEL_AXIS) : innermost(destination), 3).padded(3);
        requireChannels(loops, isIndexed, dims);
        Unfit.unless(loops.sizes()[0] <= 1 || loops.sizes()[1] * loops.stride(1, 0) == loops.stride(0, 0) || loops.sizes()[1] == 1,
                "a destination whose images do not follow each other");
        Unfit.unless(innerStrideFits(loops, 1) && innerStrideFits(loops, 2), "an operand whose channels are not side by side");
        Unfit.unless(Math.max(loops.sizes()[0], loops.sizes()[2]) <= Integer.MAX_VALUE, "too many channels");
        long targetStride = targetStride(loops);
        UpscaleKernel.Maker maker = constants -> UpscaleKernel.single(List.of(a.view(), b.view()), destination, implementation,
                (owner, from, to) -> KernelCalls.binary(owner, step.name(), op, (int) loops.sizes()[0], loops.sizes()[1],
                        (int) loops.sizes()[2], operand(loops, 1, from[0], a, constants), operand(loops, 2, from[1], b, constants),
                        step.activation(), new Target(to, targetStride)));
        return new Recipe(0, implementation, preparation -> {
            Step.Compute repeated = repeatSingleChannels(step, preparation.constants());
            return repeated.equals(step) ? maker.make(preparation.constants())
                    : binary(repeated, op, implementation).cook().prepare(preparation);
        });
    }

    /** An index list of one entry, for an operand that is repeated over channels, becomes a view of that channel. */
    private static Step.Compute repeatSingleChannels(Step.Compute step, Constants constants) {
        List<Operand> sources = step.sources().stream().map(operand -> {
            boolean isSingle = operand.isIndexed() && constants.get(operand.index()).elements() == 1
                    && step.destination().dim(CHANNEL_AXIS) != 1;
            return isSingle ? Operand.of(operand.view().slice(CHANNEL_AXIS, constants.get(operand.index()).ints()[0], 1)) : operand;
        }).toList();
        return new Step.Compute(step.name(), step.kernel(), step.op(), sources, step.activation(), step.destination(), step.workspace());
    }

    private static dev.upscale.runtime.upscale.Operand operand(Loops loops, int which, MemorySegment at, Operand operand,
            Constants constants) {
        return new dev.upscale.runtime.upscale.Operand(at, loops.stride(0, which), loops.stride(1, which),
                operand.isIndexed() ? 1 : loops.sizes()[2] == 1 ? 0 : loops.stride(2, which),
                UpscaleEngine.index(operand, constants, (int) loops.sizes()[2]));
    }

    private static boolean innerStrideFits(Loops loops, int operand) {
        long stride = loops.stride(2, operand);
        return stride == 0 || stride == 1 || loops.sizes()[2] == 1;
    }

    /** Channels neighbours in the destination, and a loop of their own where an index list counts them. */
    private static void requireChannels(Loops loops, boolean isIndexed, List<Integer> dims) {
        int inner = loops.sizes().length - 1;
        Unfit.unless(loops.sizes()[inner] == 1 || loops.stride(inner, 0) == 1, "a destination without neighbours");
        Unfit.unless(!isIndexed || loops.sizes()[inner] == dims.get(CHANNEL_AXIS) && outerAreUnmarked(loops),
                "indexed channels that are not side by side");
    }

    /** Whether no loop but the last runs through channels: the last operand marks them. */
    private static boolean outerAreUnmarked(Loops loops) {
        for (int outer = 0; outer < loops.sizes().length - 1; outer++) {
            if (loops.sizes()[outer] > 1 && loops.stride(outer, loops.strides()[outer].length - 1) != 0) {
                return false;
            }
        }
        return true;
    }

    private static long targetStride(Loops loops) {
        long pixel = loops.sizes()[1] > 1 ? loops.stride(1, 0) : loops.stride(0, 0);
        return Math.max(pixel, loops.sizes()[2]);
    }

    /** Two loops over a source and a destination: pixels, and their channels side by side in both. */
    static Loops twoLoops(Operand source, View destination) {
        List<Integer> dims = destination.dims();
        List<long[]> strides = new ArrayList<>(List.of(strides(destination), sourceStrides(source, dims)));
        if (source.isIndexed()) {
            strides.add(channelMarks(dims));
        }
        Loops loops = Loops.over(dims, strides.toArray(long[][]::new))
                .cut(source.isIndexed() ? dims.get(CHANNEL_AXIS) : innermost(destination), 2).padded(2);
        requireInner(loops, source);
        requireChannels(loops, source.isIndexed(), dims);
        return loops;
    }

    private static void requireInner(Loops loops, Operand source) {
        long size = loops.sizes()[1];
        Unfit.unless(size <= Integer.MAX_VALUE, "too many channels");
        Unfit.unless(size == 1 || loops.stride(1, 0) == 1 && loops.stride(1, 1) == 1, "channels that are not side by side");
        Unfit.unless(loops.sizes()[0] == 1 || source.isIndexed() && loops.stride(0, 1) >= 1 || loops.stride(0, 1) >= size,
                "pixels that are repeated");
    }

    private static MemorySegment index(Operand operand, Preparation preparation, Loops loops) {
        return UpscaleEngine.index(operand, preparation.constants(), (int) loops.sizes()[1]);
    }

    /** From pixel to pixel; for a single pixel, what the library takes for valid. */
    static long stride(Loops loops, int operand) {
        return Math.max(loops.stride(0, operand), operand == 0 || loops.sizes()[0] == 1 ? loops.sizes()[1] : 1);
    }

    /** The size of the axis whose elements are neighbours. */
    private static long innermost(View view) {
        for (int axis = 0; axis < view.rank(); axis++) {
            if (view.stride(axis) == 1 && view.dim(axis) > 1) {
                return view.dim(axis);
            }
        }
        return 1;
    }

    private static long[] channelMarks(List<Integer> dims) {
        long[] marks = new long[dims.size()];
        marks[CHANNEL_AXIS] = dims.get(CHANNEL_AXIS) == 1 ? 0 : 1;
        return marks;
    }

    private static long[] strides(View view) {
        return view.strides().stream().mapToLong(Long::longValue).toArray();
    }

    /** Strides over the destination's shape; an indexed channel axis counts as neighbours, which its list makes it. */
    private static long[] sourceStrides(Operand source, List<Integer> dims) {
        View view = source.view();
        if (!source.isIndexed()) {
            return Loops.broadcast(view, dims);
        }
        Unfit.unless(view.rank() == dims.size() && dims.size() >= 2, "an indexed operand of another rank");
        Unfit.unless(view.dim(CHANNEL_AXIS) == 1 || view.stride(CHANNEL_AXIS) == 1, "indexed channels that are not side by side");
        long[] strides = Loops.broadcast(view, dims);
        strides[CHANNEL_AXIS] = 1;
        return strides;
    }
}
