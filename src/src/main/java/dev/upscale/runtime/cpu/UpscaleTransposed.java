package dev.upscale.runtime.cpu;

import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.upscale.PackedConvolution;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code upscale.convtranspose}: transposed convolutions whose windows lie side by side (stride = kernel, no padding). Each tap is a
 * 1×1 convolution whose outputs lie a stride apart, run row by row.
 */
final class UpscaleTransposed {
    private UpscaleTransposed() {}

    static Recipe recipe(Step.Compute step, Op.ConvTranspose conv, String implementation) {
        Window window = conv.window();
        Unfit.unless(window.kernelH() == window.strideH() && window.kernelW() == window.strideW() && window.dilationH() == 1
                && window.dilationW() == 1 && !window.hasPadding() && conv.outputPadH() == 0 && conv.outputPadW() == 0,
                "windows that overlap, leave gaps or are cut");
        Operand operand = step.sources().getFirst();
        Pixels from = Pixels.ofImage(operand.view());
        Pixels to = Pixels.ofImage(step.destination()).requireChannelsLast("destination");
        Unfit.unless(!from.isEmpty() && !to.isEmpty(), "an empty image");
        Unfit.unless(from.channelsAreNeighbours() && from.imagesFollow() && from.pixelStride() >= 1
                && (operand.isIndexed() || from.pixelStride() >= from.channels()), "the source's channels are not side by side");
        for (Operand weight : step.sources().subList(1, step.sources().size())) {
            Unfit.unless(isWholeConstant(weight), "weights that are no whole constants");
        }
        return new Recipe(0, implementation, preparation -> prepare(step, conv, from, to, implementation, preparation));
    }

    static boolean isWholeConstant(Operand operand) {
        View view = operand.view();
        return view.place().kind() == View.Place.Kind.CONSTANT && view.offset() == 0 && view.isRowMajor() && !operand.isIndexed();
    }

    private static Kernel prepare(Step.Compute step, Op.ConvTranspose conv, Pixels from, Pixels to, String implementation,
            Preparation preparation) {
        Operand operand = step.sources().getFirst();
        int channels = UpscaleEngine.view(step, 1).dim(0);
        ConvolutionShape row = new ConvolutionShape(1, 1, from.width(), channels, to.channels(), Window.square(1, 1, 0), conv.groups());
        MemorySegment index = UpscaleEngine.index(operand, preparation.constants(), channels);
        int tapsW = conv.window().kernelW();
        int tapsH = conv.window().kernelH();
        List<UpscaleKernel.Part> parts = new ArrayList<>();
        for (int tap = 0; tap < tapsH * tapsW; tap++) {
            PackedConvolution packed = pack(step, row, tap, tapsH * tapsW, preparation);
            UpscaleKernel.Caller caller = (owner, sources, target) -> packed.call(owner,
                    new Source(sources[0], from.pixelStride(), index), null, new Target(target, tapsW * to.pixelStride()));
            for (int y = 0; y < from.batch() * from.height(); y++) {
                long pixel = ((long) y * tapsH + tap / tapsW) * to.width() + tap % tapsW;
                parts.add(new UpscaleKernel.Part(caller, new long[] {y * from.pixelStride() * from.width() * View.ELEMENT_BYTES},
                        pixel * to.pixelStride() * View.ELEMENT_BYTES));
            }
        }
        return new UpscaleKernel(List.of(operand.view()), step.destination(), parts, implementation);
    }

    /** The weights of one tap, [C, O/groups, taps] in the graph, as [O, C/groups]. */
    private static PackedConvolution pack(Step.Compute step, ConvolutionShape shape, int tap, int taps, Preparation preparation) {
        Constants constants = preparation.constants();
        float[] all = constants.get(UpscaleEngine.view(step, 1).place().name()).floats();
        int inputs = shape.groupInChannels();
        int outputs = shape.groupOutChannels();
        float[] ordered = new float[shape.outChannels() * inputs];
        for (int o = 0; o < shape.outChannels(); o++) {
            for (int c = 0; c < inputs; c++) {
                ordered[o * inputs + c] = all[((o / outputs * inputs + c) * outputs + o % outputs) * taps + tap];
            }
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bias = step.sources().size() < 3 ? MemorySegment.NULL
                    : constants.during(call, UpscaleEngine.view(step, 2).place().name());
            return PackedConvolution.pack(preparation.owner(), step.name(), shape, step.activation(),
                    call.allocateFrom(ValueLayout.JAVA_FLOAT, ordered), bias);
        }
    }
}
