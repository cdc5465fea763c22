package dev.upscale.runtime.cpu;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.xnnpack.Xnnpack;
import dev.upscale.runtime.xnnpack.XnnpackOperator;
import dev.upscale.runtime.xnnpack.XnnpackPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The engine {@code xnnpack}: convolutions ({@code xnnpack.conv}, also linear layers) and transposed convolutions
 * ({@code xnnpack.convtranspose}) between channel slices, with a clamp. Sources lie in the arena, since XNNPACK may read past them.
 */
final class XnnpackEngine extends LibraryEngine {
    private static final String IMPLEMENTATION = "xnnpack";

    /** The library is there. */
    XnnpackEngine() {
        Xnnpack.load();
    }

    @Override
    public String name() {
        return "xnnpack";
    }

    /** The bounds that a function clamps to. */
    private record Clamp(float low, float high) {
        static Clamp of(Function function) {
            return switch (function.kind()) {
                case NONE -> new Clamp(Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);
                case RELU -> new Clamp(0, Float.POSITIVE_INFINITY);
                case CLIP -> {
                    Unfit.unless(function.a() < function.b(), "a clamp to one value");
                    yield new Clamp(function.a(), function.b());
                }
                default -> throw new Unfit("no activation " + function.kind());
            };
        }
    }

    @Override
    Recipe recipe(String kernel, Step step) {
        return switch (step) {
            case Step.Convolve convolve when kernel.equals("xnnpack.conv") -> convolution(convolve);
            case Step.Compute compute when kernel.equals("xnnpack.convtranspose") && compute.op() instanceof Op.ConvTranspose conv ->
                    transposed(compute, conv);
            default -> throw new Unfit(kernel + " does not do that");
        };
    }

    private static Pixels source(Operand operand, Pixels source) {
        Unfit.unless(!operand.isIndexed(), "channels by index");
        Unfit.unless(operand.view().place().kind() == View.Place.Kind.ARENA, "a source outside of the arena, past which it may read");
        Unfit.unless(!source.isEmpty(), "an empty image");
        return source.requireChannelsLast("source");
    }

    private static Recipe convolution(Step.Convolve step) {
        Clamp clamp = Clamp.of(step.activation());
        Unfit.unless(step.addend().isEmpty(), "no addend");
        Pixels from = source(step.source(), Pixels.of(step, step.source().view()));
        Pixels to = Pixels.of(step, step.destination()).requireChannelsLast("destination");
        ConvolutionShape shape = new ConvolutionShape(from.batch(), from.height(), from.width(), from.channels(), to.channels(),
                step.conv().window(), step.conv().groups());
        return new Recipe(0, IMPLEMENTATION, preparation -> new XnnpackKernel(step.source().view(), step.destination(), IMPLEMENTATION,
                (binding, pool) -> convolution(step, shape, clamp, from, to, binding, pool)));
    }

    private static XnnpackOperator convolution(Step.Convolve step, ConvolutionShape shape, Clamp clamp, Pixels from, Pixels to,
            Binding binding, XnnpackPool pool) {
        Constants constants = binding.constants();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment weights = constants.during(call, step.weights());
            MemorySegment bias = step.bias().isEmpty() ? MemorySegment.NULL : constants.during(call, step.bias());
            if (step.source().view().rank() != 4) {
                return XnnpackOperator.linear(binding.owner(), step.name(), from.count(), from.channels(), to.channels(), weights, bias,
                        from.pixelStride(), to.pixelStride(), clamp.low(), clamp.high(), pool);
            }
            return XnnpackOperator.convolution(binding.owner(), step.name(), shape, weights, bias, from.pixelStride(), to.pixelStride(),
                    clamp.low(), clamp.high(), pool);
        }
    }

    private static Recipe transposed(Step.Compute step, Op.ConvTranspose conv) {
        Clamp clamp = Clamp.of(step.activation());
        Pixels from = source(step.sources().getFirst(), Pixels.ofImage(step.sources().getFirst().view()));
        Pixels to = Pixels.ofImage(step.destination()).requireChannelsLast("destination");
        List<Operand> weights = step.sources().subList(1, step.sources().size());
        for (Operand weight : weights) {
            Unfit.unless(UpscaleTransposed.isWholeConstant(weight), "weights that are no whole constants");
        }
        return new Recipe(0, IMPLEMENTATION, preparation -> new XnnpackKernel(step.sources().getFirst().view(), step.destination(),
                IMPLEMENTATION, (binding, pool) -> transposed(step, conv, clamp, from, to, binding, pool)));
    }

    private static XnnpackOperator transposed(Step.Compute step, Op.ConvTranspose conv, Clamp clamp, Pixels from, Pixels to,
            Binding binding, XnnpackPool pool) {
        Constants constants = binding.constants();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment weights = constants.during(call, UpscaleEngine.view(step, 1).place().name());
            MemorySegment bias = step.sources().size() < 3 ? MemorySegment.NULL
                    : constants.during(call, UpscaleEngine.view(step, 2).place().name());
            return XnnpackOperator.transposedConvolution(binding.owner(), step.name(), from.batch(), from.height(), from.width(),
                    from.channels(), to.channels(), conv.window(), conv.groups(), conv.outputPadH(), conv.outputPadW(), weights, bias,
                    from.pixelStride(), to.pixelStride(), clamp.low(), clamp.high(), pool);
        }
    }
}
