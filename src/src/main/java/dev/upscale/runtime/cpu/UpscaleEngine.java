package dev.upscale.runtime.cpu;

import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.upscale.CpuKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/** The engine {@code upscale}: our own kernels, which read channels where they lie and write into slices. */
final class UpscaleEngine extends LibraryEngine {
    private final String implementation;

    /** The library is there. */
    UpscaleEngine() {
        implementation = "upscale:" + CpuKernels.load().instructionSet();
    }

    @Override
    public String name() {
        return "upscale";
    }

    @Override
    Recipe recipe(String kernel, Step step) {
        return switch (step) {
            case Step.Convolve convolve when kernel.equals("upscale.conv") -> UpscaleConvolution.recipe(convolve, implementation);
            case Step.Convolve convolve when kernel.equals("upscale.conv.bf16") -> UpscaleBf16.recipe(convolve, implementation);
            case Step.Convolve convolve when kernel.equals("upscale.winograd") -> UpscaleWinograd.recipe(convolve, implementation);
            case Step.Copy copy when kernel.equals("upscale.gather") -> UpscaleMoves.gather(copy, implementation);
            case Step.Copy copy when kernel.equals("upscale.planes") -> UpscaleMoves.planes(copy, implementation);
            case Step.Compute compute -> compute(kernel, compute);
            default -> throw new Unfit(kernel + " does not do that");
        };
    }

    private Recipe compute(String kernel, Step.Compute step) {
        return switch (step.op()) {
            case Op.ConvTranspose conv when kernel.equals("upscale.convtranspose") ->
                    UpscaleTransposed.recipe(step, conv, implementation);
            case Op.Apply apply when kernel.equals("upscale.pointwise") -> UpscaleElementwise.apply(step, apply.function(), implementation);
            case Op.ScaleShift scaleShift when kernel.equals("upscale.pointwise") -> UpscaleElementwise.scaleShift(step, implementation);
            case Op.Binary binary when kernel.equals("upscale.binary") ->
                    UpscaleElementwise.binary(step, UpscaleElementwise.of(binary.kind()), implementation);
            case Op.PRelu prelu when kernel.equals("upscale.binary") -> UpscaleElementwise.prelu(step, implementation);
            case Op.Pool pool when kernel.equals("upscale.window") -> UpscaleImages.window(step, pool, implementation);
            case Op.Reduce reduce when kernel.equals("upscale.reduce") -> UpscaleImages.reduce(step, reduce, implementation);
            case Op.Softmax softmax when kernel.equals("upscale.softmax") -> UpscaleElementwise.softmax(step, softmax, implementation);
            case Op.Resize resize when kernel.equals("upscale.resize") -> UpscaleImages.resize(step, resize, implementation);
            case Op.Pad pad when kernel.equals("upscale.pad") -> UpscaleImages.pad(step, pad, implementation);
            default -> throw new Unfit(kernel + " does not do " + step.op().getClass().getSimpleName());
        };
    }

    /** The index list of an operand, which has so many channels, or the null pointer. */
    static MemorySegment index(Operand operand, Constants constants, int channels) {
        if (!operand.isIndexed()) {
            return MemorySegment.NULL;
        }
        if (constants.get(operand.index()).elements() != channels) {
            throw new IllegalArgumentException("index " + operand.index() + " has " + constants.get(operand.index()).elements()
                    + " entries for " + channels + " channels");
        }
        return constants.resident(operand.index());
    }

    /** Requires that nothing is left to be done after the kernel, which has no activation. */
    static void requireNoActivation(Step.Compute step) {
        Unfit.unless(step.activation().isNone(), "an activation after it");
    }

    static View view(Step.Compute step, int source) {
        return step.sources().get(source).view();
    }

    /** The positions of channels that lie {@code stride} elements apart: those of an index list, or all. */
    static int[] positions(int[] index, int channels, long stride) {
        return IntStream.range(0, channels)
                .map(channel -> Math.toIntExact((index == null ? channel : index[channel]) * stride))
                .toArray();
    }

    static MemorySegment ints(Arena owner, int[] values) {
        return owner.allocateFrom(ValueLayout.JAVA_INT, values);
    }
}
