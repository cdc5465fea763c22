package dev.upscale.runtime.cpu;

import dev.upscale.compile.Winograd;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import dev.upscale.runtime.upscale.WinogradConvolution;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code upscale.winograd}: 3×3 convolutions of stride 1, any channels of the source, by slice or index list. */
final class UpscaleWinograd implements Kernel {
    /** Threads that plans have memory for: the same on all machines. A session with more takes its own. */
    private static final int PLANNED_THREADS = 4;
    private static final long ALIGNMENT = 64;

    private final Step.Convolve step;
    private final String implementation;
    private final int tile;
    private final ConvolutionShape shape;
    private final WinogradConvolution convolution;
    private final Source source;

    private UpscaleWinograd(Step.Convolve step, String implementation, int tile, ConvolutionShape shape, WinogradConvolution convolution,
            Source source) {
        this.step = step;
        this.implementation = implementation;
        this.tile = tile;
        this.shape = shape;
        this.convolution = convolution;
        this.source = source;
    }

    static Recipe recipe(Step.Convolve step, String instructionSet) {
        Unfit.unless(Winograd.fits(step), "not 3x3, or strides, dilations or groups");
        Pixels from = Pixels.of(step, step.source().view());
        Pixels to = Pixels.of(step, step.destination()).requireChannelsLast("destination");
        Unfit.unless(!from.isEmpty() && !to.isEmpty(), "an empty image");
        Unfit.unless(from.channelsAreNeighbours() && from.imagesFollow(), "the source's channels are not side by side");
        Unfit.unless(!step.source().isIndexed() || from.pixelStride() >= 1, "a source that is repeated");
        pixelStride(step);
        step.addend().ifPresent(addend -> UpscaleConvolution.requireAddend(step, addend));
        int tile = Winograd.tile(step);
        String implementation = instructionSet + ":" + tile + "x" + tile;
        long workspace = WinogradConvolution.workspaceBytes(step.name(), shape(step, Winograd.channels(step)), tile, PLANNED_THREADS);
        return new Recipe(workspace, implementation, preparation -> prepare(step, implementation, tile, preparation));
    }

    private static long pixelStride(Step.Convolve step) {
        Pixels from = Pixels.of(step, step.source().view());
        return step.source().isIndexed() ? from.pixelStride() : from.requireChannelsLast("source").pixelStride();
    }

    private static ConvolutionShape shape(Step.Convolve step, int channels) {
        Pixels from = Pixels.of(step, step.source().view());
        return new ConvolutionShape(from.batch(), from.height(), from.width(), channels, step.destination().dim(1), step.conv().window(), 1);
    }

    private static Kernel prepare(Step.Convolve step, String implementation, int tile, Preparation preparation) {
        Constants constants = preparation.constants();
        int channels = step.source().isIndexed() ? constants.get(step.source().index()).elements() : step.source().view().dim(1);
        ConvolutionShape shape = shape(step, channels);
        Source source = new Source(MemorySegment.NULL, pixelStride(step), UpscaleEngine.index(step.source(), constants, channels));
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bias = step.bias().isEmpty() ? MemorySegment.NULL : constants.during(call, step.bias());
            WinogradConvolution convolution = WinogradConvolution.pack(preparation.owner(), step.name(), shape, tile, step.activation(),
                    constants.during(call, step.weights()), bias);
            return new UpscaleWinograd(step, implementation, tile, shape, convolution, source);
        }
    }

    @Override
    public String implementation() {
        return implementation;
    }

    @Override
    public Invocation bind(Binding binding) {
        long bytes = WinogradConvolution.workspaceBytes(step.name(), shape, tile, binding.threads());
        Optional<View> planned = step.workspace().filter(view -> view.bytes() >= bytes && view.offset() % ALIGNMENT == 0);
        MemorySegment own = planned.isPresent() ? MemorySegment.NULL : binding.workspace(bytes);
        List<View> sources = new ArrayList<>(List.of(step.source().view()));
        step.addend().map(Operand::view).ifPresent(sources::add);
        planned.ifPresent(sources::add);
        Optional<Pixels> addend = step.addend().map(operand -> Pixels.of(step, operand.view()).requireChannelsLast("addend"));
        long stride = Pixels.of(step, step.destination()).requireChannelsLast("destination").pixelStride();
        UpscaleKernel.Caller caller = (owner, from, to) -> convolution.call(owner,
                new Source(from[0], source.pixelStride(), source.index()),
                addend.map(pixels -> Source.of(from[1], pixels.pixelStride())).orElse(null),
                planned.isPresent() ? from[from.length - 1] : own, bytes, new Target(to, stride));
        return UpscaleKernel.single(sources, step.destination(), implementation, caller).bind(binding);
    }
}
