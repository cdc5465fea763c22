package dev.upscale.runtime.cpu;

import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Interpolation;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.KernelCalls;
import dev.upscale.runtime.upscale.KernelCalls.ReduceOp;
import dev.upscale.runtime.upscale.KernelCalls.ResizeAxis;
import dev.upscale.runtime.upscale.KernelCalls.WindowOp;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@code upscale.window}, {@code upscale.reduce}, {@code upscale.resize} and {@code upscale.pad}: operations on channels-last images. */
final class UpscaleImages {
    private UpscaleImages() {}

    /** Makes a call on a source and a target. */
    @FunctionalInterface
    private interface ImageCall {
        KernelCall call(Arena owner, Source source, Target target);
    }

    /** The source's image; its channels are those of the destination, side by side or by index. */
    private static Pixels source(Step.Compute step, Pixels destination) {
        Operand operand = step.sources().getFirst();
        Pixels source = Pixels.ofImage(operand.view());
        Unfit.unless(!source.isEmpty() && !destination.isEmpty(), "an empty image");
        if (!operand.isIndexed()) {
            return source.requireChannelsLast("source");
        }
        Unfit.unless(source.channelsAreNeighbours() && source.imagesFollow() && source.pixelStride() >= 1,
                "the source's channels are not side by side");
        return source;
    }

    private static Recipe recipe(Step.Compute step, Pixels source, Pixels destination, String implementation, ImageCall call) {
        UpscaleEngine.requireNoActivation(step);
        Operand operand = step.sources().getFirst();
        return new Recipe(0, implementation, preparation -> {
            MemorySegment index = index(operand, preparation, destination);
            return UpscaleKernel.single(List.of(operand.view()), step.destination(), implementation, (owner, from, to) ->
                    call.call(owner, new Source(from[0], source.pixelStride(), index), new Target(to, destination.pixelStride())));
        });
    }

    private static MemorySegment index(Operand operand, Preparation preparation, Pixels destination) {
        return UpscaleEngine.index(operand, preparation.constants(), destination.channels());
    }

    static Recipe window(Step.Compute step, Op.Pool pool, String implementation) {
        Pixels to = Pixels.ofImage(step.destination()).requireChannelsLast("destination");
        Pixels from = source(step, to);
        WindowOp op = switch (pool.kind()) {
            case MAX -> WindowOp.MAX;
            case AVERAGE -> pool.countPadding() ? WindowOp.AVERAGE_WITH_PADDING : WindowOp.AVERAGE;
        };
        return recipe(step, from, to, implementation, (owner, source, target) -> KernelCalls.window(owner, step.name(), op, from.batch(),
                to.channels(), from.height(), from.width(), to.height(), to.width(), pool.window(), source, target));
    }

    static Recipe reduce(Step.Compute step, Op.Reduce reduce, String implementation) {
        Unfit.unless(reduce.axes().equals(List.of(2, 3)), "a reduction that is not over height and width");
        ReduceOp op = switch (reduce.kind()) {
            case MEAN -> ReduceOp.MEAN;
            case SUM -> ReduceOp.SUM;
            case MAX -> ReduceOp.MAX;
            case MIN -> throw new Unfit("no minimum");
        };
        View view = step.destination();
        Pixels to = (view.rank() == 4 ? Pixels.ofImage(view) : Pixels.ofRows(view)).requireChannelsLast("destination");
        Pixels from = source(step, to);
        return recipe(step, from, to, implementation, (owner, source, target) -> KernelCalls.reduce(owner, step.name(), op, from.batch(),
                (long) from.height() * from.width(), to.channels(), source, target));
    }

    static Recipe resize(Step.Compute step, Op.Resize resize, String implementation) {
        Pixels to = Pixels.ofImage(step.destination()).requireChannelsLast("destination");
        Pixels from = source(step, to);
        ResizeAxis rows = axis(Interpolation.ofRows(resize, from.height()));
        ResizeAxis columns = axis(Interpolation.ofColumns(resize, from.width()));
        return recipe(step, from, to, implementation, (owner, source, target) -> KernelCalls.resize(owner, step.name(), from.batch(),
                to.channels(), from.height(), from.width(), to.height(), to.width(), rows, columns, source, target));
    }

    private static ResizeAxis axis(Interpolation interpolation) {
        return new ResizeAxis(interpolation.firsts(), interpolation.seconds().orElse(null), interpolation.weights().orElse(null));
    }

    static Recipe pad(Step.Compute step, Op.Pad pad, String implementation) {
        Unfit.unless(pad.mode() == Op.Pad.Mode.CONSTANT, "a padding with " + pad.mode());
        Unfit.unless(pad.before().size() == 4 && pad.before().subList(0, 2).equals(List.of(0, 0))
                && pad.after().subList(0, 2).equals(List.of(0, 0)), "a padding of images or channels");
        Pixels to = Pixels.ofImage(step.destination()).requireChannelsLast("destination");
        Pixels from = source(step, to);
        return recipe(step, from, to, implementation, (owner, source, target) -> KernelCalls.pad(owner, step.name(), from.batch(),
                to.channels(), from.height(), from.width(), to.height(), to.width(), pad.before().get(2), pad.before().get(3), 1, 1,
                pad.value(), source, target));
    }
}
