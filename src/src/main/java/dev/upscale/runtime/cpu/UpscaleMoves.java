package dev.upscale.runtime.cpu;

import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.upscale.KernelCalls;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.util.List;

/** {@code upscale.gather}: channels side by side. {@code upscale.planes}: between planes (NCHW) and pixels (NHWC). */
final class UpscaleMoves {
    private UpscaleMoves() {}

    static Recipe gather(Step.Copy step, String implementation) {
        Operand source = step.source();
        Loops loops = UpscaleElementwise.twoLoops(source, step.destination());
        long sourceStride = UpscaleElementwise.stride(loops, 1);
        long targetStride = UpscaleElementwise.stride(loops, 0);
        return new Recipe(0, implementation, preparation -> UpscaleKernel.single(List.of(source.view()), step.destination(),
                implementation, (owner, from, to) -> KernelCalls.gather(owner, step.name(), loops.sizes()[0], (int) loops.sizes()[1],
                        new Source(from[0], sourceStride,
                                UpscaleEngine.index(source, preparation.constants(), (int) loops.sizes()[1])),
                        new Target(to, targetStride))));
    }

    static Recipe planes(Step.Copy step, String implementation) {
        Pixels from = Pixels.ofImage(step.source().view());
        Pixels to = Pixels.ofImage(step.destination());
        Unfit.unless(!from.isEmpty(), "an empty image");
        if (isPlanes(from) && !step.source().isIndexed()) {
            return fromPlanes(step, from, to.requireChannelsLast("destination"), implementation);
        }
        Unfit.unless(isPlanes(to), "neither side is in planes");
        return toPlanes(step, from, to, implementation);
    }

    private static boolean isPlanes(Pixels image) {
        return image.pixelStride() == 1 && image.channelStride() >= (long) image.height() * image.width() && image.channels() > 1;
    }

    private static Recipe fromPlanes(Step.Copy step, Pixels from, Pixels to, String implementation) {
        return new Recipe(0, implementation, preparation -> UpscaleKernel.single(List.of(step.source().view()), step.destination(),
                implementation, (owner, sources, target) -> KernelCalls.fromPlanes(owner, step.name(), from.batch(), from.channels(),
                        pixels(from), sources[0], from.channelStride(), from.imageStride(), new Target(target, to.pixelStride()))));
    }

    private static Recipe toPlanes(Step.Copy step, Pixels from, Pixels to, String implementation) {
        Operand source = step.source();
        View view = source.view();
        Unfit.unless(from.channelsAreNeighbours() && from.imagesFollow() && (source.isIndexed() || from.pixelStride() >= view.dim(1)),
                "the source's channels are not side by side");
        Unfit.unless(from.pixelStride() >= 1, "pixels that are repeated");
        return new Recipe(0, implementation, preparation -> UpscaleKernel.single(List.of(view), step.destination(), implementation,
                (owner, sources, target) -> KernelCalls.toPlanes(owner, step.name(), to.batch(), to.channels(), pixels(to),
                        new Source(sources[0], from.pixelStride(), UpscaleEngine.index(source, preparation.constants(), to.channels())),
                        target, to.channelStride(), to.imageStride())));
    }

    private static long pixels(Pixels image) {
        return (long) image.height() * image.width();
    }
}
