package dev.upscale.runtime.cpu;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.cpu.OneDnnKernel.Argument;
import dev.upscale.runtime.cpu.OneDnnKernel.Prepared;
import dev.upscale.runtime.cpu.OneDnnKernel.Weight;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.onednn.Execution;
import dev.upscale.runtime.onednn.MemoryDescriptor;
import dev.upscale.runtime.onednn.OneDnn;
import dev.upscale.runtime.onednn.PostOp;
import dev.upscale.runtime.onednn.Primitive;
import dev.upscale.runtime.onednn.Primitive.PoolingOp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The engine {@code onednn}: {@code onednn.conv} from dense images, channels-last or in planes, to dense channels-last ones,
 * {@code onednn.matmul} for 1×1 convolutions and linear layers between slices, {@code onednn.pool}. What oneDNN would run on its reference
 * implementation is refused.
 */
final class OneDnnEngine extends LibraryEngine {
    private final Map<Step, Trial> trials = new ConcurrentHashMap<>();

    @Override
    public String name() {
        return "onednn";
    }

    /** Makes the primitive with its arguments; weights are packed if constants are given. */
    @FunctionalInterface
    private interface Maker {
        Prepared make(OneDnn oneDnn, Optional<Weights> weights);
    }

    /** What oneDNN answers for one geometry; asked once per process. */
    private record Trial(long scratchpadBytes, String implementation, boolean isOptimised) {}

    /** Where weights come from and who owns them when packed. */
    private record Weights(Constants constants, Arena owner) {}

    @Override
    Recipe recipe(String kernel, Step step) {
        Maker maker = switch (step) {
            case Step.Convolve convolve when kernel.equals("onednn.conv") -> convolution(convolve);
            case Step.Convolve convolve when kernel.equals("onednn.matmul") -> matmul(convolve);
            case Step.Compute compute when kernel.equals("onednn.pool") && compute.op() instanceof Op.Pool pool -> pooling(compute, pool);
            default -> throw new Unfit(kernel + " does not do that");
        };
        Trial trial = trials.computeIfAbsent(geometry(kernel, step), absent -> trial(maker));
        Unfit.unless(trial.isOptimised(), "only the reference implementation " + trial.implementation());
        return new Recipe(trial.scratchpadBytes(), trial.implementation(), preparation -> {
            OneDnn oneDnn = preparation.shared(OneDnn.class, OneDnn::new);
            Weights weights = new Weights(preparation.constants(), preparation.owner());
            return new OneDnnKernel(oneDnn, trial.implementation(), step.workspace(), () -> maker.make(oneDnn, Optional.of(weights)));
        });
    }

    private static Trial trial(Maker maker) {
        try (OneDnn oneDnn = new OneDnn()) {
            Primitive primitive = OpenMp.with(1, () -> maker.make(oneDnn, Optional.empty())).primitive();
            return new Trial(primitive.scratchpadBytes(), primitive.implementation(), primitive.isOptimised());
        }
    }

    /** What a primitive depends on: the step without its names, places and workspace. */
    private static Step geometry(String kernel, Step step) {
        return switch (step) {
            case Step.Convolve s -> {
                boolean sums = s.addend().filter(addend -> isDestination(s, addend)).isPresent();
                yield new Step.Convolve(sums ? "sum" : "", kernel, s.conv(), placeless(s.source()), "", s.bias().isEmpty() ? "" : "bias",
                        s.addend().map(OneDnnEngine::placeless), s.activation(), placeless(s.destination()), Optional.empty(), 0);
            }
            case Step.Compute s -> new Step.Compute("", kernel, s.op(), s.sources().stream().map(OneDnnEngine::placeless).toList(),
                    s.activation(), placeless(s.destination()), Optional.empty());
            case Step.Copy s -> s;
        };
    }

    private static Operand placeless(Operand operand) {
        return Operand.of(placeless(operand.view()));
    }

    private static View placeless(View view) {
        return new View(View.Place.ARENA, 0, view.dims(), view.strides());
    }

    private static Maker convolution(Step.Convolve step) {
        Pixels source = source(step);
        boolean inPlanes = source.isDensePlanes() && step.conv().groups() == 1;
        Pixels from = inPlanes ? source : source.requireDense("source");
        Pixels to = Pixels.of(step, step.destination()).requireDense("destination");
        ConvolutionShape shape = new ConvolutionShape(from.batch(), from.height(), from.width(), from.channels(), to.channels(),
                step.conv().window(), step.conv().groups());
        step.addend().ifPresent(addend -> Pixels.of(step, addend.view()).requireDense("addend"));
        requireFunction(step.activation());
        return inPlanes ? convolutionOfPlanes(step, shape) : (oneDnn, weights) -> {
            MemoryDescriptor read = image(oneDnn, from);
            MemoryDescriptor written = image(oneDnn, to);
            Primitive primitive = Primitive.convolution(oneDnn, step.name(), shape, read, written, !step.bias().isEmpty(),
                    postOps(step, written));
            MemoryDescriptor given = MemoryDescriptor.dense(oneDnn, Primitive.weightDims(shape));
            MemoryDescriptor biases = MemoryDescriptor.dense(oneDnn, to.channels());
            return prepared(step, primitive, read, written, written, given, biases, weights);
        };
    }

    private static Maker convolutionOfPlanes(Step.Convolve step, ConvolutionShape shape) {
        return (oneDnn, weights) -> {
            MemoryDescriptor read = MemoryDescriptor.planes(oneDnn, shape.batch(), shape.inChannels(), shape.inHeight(), shape.inWidth());
            MemoryDescriptor written = MemoryDescriptor.channelsLastVolume(oneDnn, shape.batch(), shape.outChannels(), shape.outHeight(),
                    shape.outWidth(), shape.outChannels());
            Primitive primitive = Primitive.convolutionOfPlanes(oneDnn, step.name(), shape, read, written, !step.bias().isEmpty(),
                    postOps(step, written));
            MemoryDescriptor given = MemoryDescriptor.dense(oneDnn, Primitive.planesWeightDims(shape));
            MemoryDescriptor biases = MemoryDescriptor.dense(oneDnn, shape.outChannels());
            return prepared(step, primitive, read, written, written, given, biases, weights);
        };
    }

    private static Maker matmul(Step.Convolve step) {
        Unfit.unless(step.conv().window().isPointwise() && step.conv().groups() == 1, "a window of more than one pixel, or groups");
        Pixels from = source(step).requireChannelsLast("source");
        Pixels to = Pixels.of(step, step.destination()).requireChannelsLast("destination");
        step.addend().ifPresent(addend -> Pixels.of(step, addend.view()).requireChannelsLast("addend"));
        requireFunction(step.activation());
        return (oneDnn, weights) -> {
            MemoryDescriptor source = MemoryDescriptor.matrix(oneDnn, from.count(), from.channels(), from.pixelStride());
            MemoryDescriptor destination = MemoryDescriptor.matrix(oneDnn, to.count(), to.channels(), to.pixelStride());
            MemoryDescriptor addend = step.addend().map(operand -> Pixels.of(step, operand.view()).requireChannelsLast("addend"))
                    .map(rows -> MemoryDescriptor.matrix(oneDnn, rows.count(), rows.channels(), rows.pixelStride())).orElse(null);
            Primitive primitive = Primitive.matmul(oneDnn, step.name(), source, from.channels(), to.channels(), destination,
                    !step.bias().isEmpty(), postOps(step, addend));
            MemoryDescriptor given = MemoryDescriptor.strided(oneDnn, new long[] {from.channels(), to.channels()},
                    new long[] {1, from.channels()});
            MemoryDescriptor biases = MemoryDescriptor.dense(oneDnn, 1, to.channels());
            return prepared(step, primitive, source, destination, addend, given, biases, weights);
        };
    }

    private static Pixels source(Step.Convolve step) {
        Unfit.unless(!step.source().isIndexed(), "channels by index");
        Unfit.unless(step.addend().filter(Operand::isIndexed).isEmpty(), "an addend by index");
        Pixels source = Pixels.of(step, step.source().view());
        Unfit.unless(!source.isEmpty(), "an empty image");
        return source;
    }

    private static void requireFunction(Function activation) {
        Unfit.unless(activation.isNone() || PostOp.covers(activation), "no activation " + activation.kind());
    }

    private static MemoryDescriptor image(OneDnn oneDnn, Pixels image) {
        return MemoryDescriptor.channelsLast(oneDnn, image.batch(), image.channels(), image.height(), image.width(), image.pixelStride());
    }

    /** @param addend where the addend lies, if it is not what the destination held before */
    private static List<PostOp> postOps(Step.Convolve step, MemoryDescriptor addend) {
        List<PostOp> postOps = new ArrayList<>();
        step.addend().ifPresent(operand -> postOps.add(isDestination(step, operand) ? new PostOp.Sum()
                : new PostOp.Binary(PostOp.BinaryOp.ADD, addend)));
        if (!step.activation().isNone()) {
            postOps.add(new PostOp.Eltwise(step.activation()));
        }
        return postOps;
    }

    private static boolean isDestination(Step.Convolve step, Operand addend) {
        return addend.view().equals(step.destination());
    }

    private static Prepared prepared(Step.Convolve step, Primitive primitive, MemoryDescriptor source, MemoryDescriptor destination,
            MemoryDescriptor addend, MemoryDescriptor given, MemoryDescriptor biases, Optional<Weights> weights) {
        List<Argument> arguments = new ArrayList<>(List.of(new Argument(Execution.SOURCE, source, step.source().view()),
                new Argument(Execution.DESTINATION, destination, step.destination())));
        step.addend().filter(operand -> !isDestination(step, operand)).ifPresent(operand -> arguments.add(
                new Argument(Execution.postOp(0), addend, operand.view())));
        return new Prepared(primitive, arguments, weights.map(from -> packed(step, primitive, given, biases, from)).orElse(List.of()));
    }

    private static List<Weight> packed(Step.Convolve step, Primitive primitive, MemoryDescriptor given, MemoryDescriptor biases,
            Weights from) {
        List<Weight> weights = new ArrayList<>();
        primitive.requireOptimised();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment packed = primitive.packWeights(from.owner(), given, from.constants().during(call, step.weights()));
            weights.add(new Weight(Execution.WEIGHTS, primitive.weights(), packed));
        }
        if (!step.bias().isEmpty()) {
            weights.add(new Weight(Execution.BIAS, biases, from.constants().resident(step.bias())));
        }
        return weights;
    }

    private static Maker pooling(Step.Compute step, Op.Pool pool) {
        UpscaleEngine.requireNoActivation(step);
        Operand operand = step.sources().getFirst();
        Unfit.unless(!operand.isIndexed(), "channels by index");
        Pixels from = Pixels.ofImage(operand.view()).requireChannelsLast("source");
        Pixels to = Pixels.ofImage(step.destination()).requireChannelsLast("destination");
        Unfit.unless(!from.isEmpty() && !to.isEmpty(), "an empty image");
        Window window = covering(pool.window(), from, to);
        Unfit.unless(window.equals(pool.window()) || !pool.countPadding(), "averages over windows that leave the padded image");
        PoolingOp op = switch (pool.kind()) {
            case MAX -> PoolingOp.MAX;
            case AVERAGE -> pool.countPadding() ? PoolingOp.AVERAGE_WITH_PADDING : PoolingOp.AVERAGE;
        };
        return (oneDnn, weights) -> {
            MemoryDescriptor source = image(oneDnn, from);
            MemoryDescriptor destination = image(oneDnn, to);
            Primitive primitive = Primitive.pooling(oneDnn, step.name(), op, window, source, destination);
            return new Prepared(primitive, List.of(new Argument(Execution.SOURCE, source, operand.view()),
                    new Argument(Execution.DESTINATION, destination, step.destination())), List.of());
        };
    }

    /** The window with as much padding behind the image as the last window needs: "ceil" mode adds windows that leave it. */
    private static Window covering(Window window, Pixels from, Pixels to) {
        int bottom = padding(window.outputH(from.height()), to.height(), window.strideH(), window.spanH(), window.padTop(), from.height(),
                window.padBottom());
        int right = padding(window.outputW(from.width()), to.width(), window.strideW(), window.spanW(), window.padLeft(), from.width(),
                window.padRight());
        return new Window(window.kernelH(), window.kernelW(), window.strideH(), window.strideW(), window.dilationH(), window.dilationW(),
                window.padTop(), window.padLeft(), bottom, right);
    }

    private static int padding(int floor, int wanted, int stride, int span, int before, int size, int after) {
        return floor == wanted ? after : (wanted - 1) * stride + span - before - size;
    }
}
