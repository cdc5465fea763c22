package dev.upscale.runtime.cpu;

import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.upscale.Bf16Convolution;
import dev.upscale.runtime.upscale.CpuKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** {@code upscale.conv.bf16}: what {@code upscale.conv} reads, with factors rounded to bf16, where that is faster. */
final class UpscaleBf16 implements Kernel {
    /** Threads that plans have memory for: the same on all machines. A session with more takes its own. */
    private static final int PLANNED_THREADS = 4;
    private static final long ALIGNMENT = 64;

    /** Fewer input channels, or fewer products of each input, are not faster: its inputs are packed first. */
    private static final int FEWEST_CHANNELS = 8;
    private static final int FEWEST_PRODUCTS = 24;

    private final Step.Convolve step;
    private final String implementation;
    private final UpscaleConvolution.Geometry geometry;
    private final Bf16Convolution convolution;

    private UpscaleBf16(Step.Convolve step, String implementation, UpscaleConvolution.Geometry geometry, Bf16Convolution convolution) {
        this.step = step;
        this.implementation = implementation;
        this.geometry = geometry;
        this.convolution = convolution;
    }

    static Recipe recipe(Step.Convolve step, String instructionSet) {
        Unfit.unless(CpuKernels.load().hasBf16(), "this CPU has no AVX-512 BF16 (or it is not in use); compile with --precision f32");
        UpscaleConvolution.requireReadable(step);
        int taps = step.conv().window().kernelH() * step.conv().window().kernelW();
        long outputs = Pixels.of(step, step.destination()).channels() / step.conv().groups();
        long channels = step.multiplyAdds() / step.destination().elements() / taps;
        Unfit.unless(channels >= FEWEST_CHANNELS, "fewer than " + FEWEST_CHANNELS + " input channels, which are not faster in bf16");
        Unfit.unless(taps * outputs >= FEWEST_PRODUCTS, "fewer than " + FEWEST_PRODUCTS + " products of each input, which are not faster in bf16");
        ConvolutionShape shape = UpscaleConvolution.shape(step, Math.toIntExact(channels * step.conv().groups()));
        String implementation = instructionSet + ":bf16";
        return new Recipe(Bf16Convolution.workspaceBytes(step.name(), shape, PLANNED_THREADS), implementation,
                preparation -> prepare(step, implementation, preparation));
    }

    private static Kernel prepare(Step.Convolve step, String implementation, Preparation preparation) {
        Constants constants = preparation.constants();
        UpscaleConvolution.Geometry geometry = UpscaleConvolution.Geometry.of(step, preparation);
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bias = step.bias().isEmpty() ? MemorySegment.NULL : constants.during(call, step.bias());
            return new UpscaleBf16(step, implementation, geometry, Bf16Convolution.pack(preparation.owner(), step.name(), geometry.shape(),
                    step.activation(), constants.during(call, step.weights()), bias));
        }
    }

    @Override
    public String implementation() {
        return implementation;
    }

    @Override
    public Invocation bind(Binding binding) {
        long bytes = Bf16Convolution.workspaceBytes(step.name(), geometry.shape(), binding.threads());
        Optional<View> planned = step.workspace().filter(view -> view.bytes() >= bytes && view.offset() % ALIGNMENT == 0);
        MemorySegment own = planned.isPresent() ? MemorySegment.NULL : binding.workspace(bytes);
        return geometry.kernel(step, implementation, planned.stream().toList(), (owner, source, addend, target, more) ->
                convolution.call(owner, source, addend, planned.isPresent() ? more[0] : own, bytes, target)).bind(binding);
    }
}
