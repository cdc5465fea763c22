package dev.upscale.runtime.portable;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.ChannelAxis;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Engine;
import dev.upscale.runtime.kernel.Interpolation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The engine {@code java}: every step, on any strides, offsets, repeated elements and index lists. Kernels run on the calling thread
 * alone and keep what scratch they need with the invocation.
 */
public final class PortableEngine implements Engine {
    static final String IMPLEMENTATION = "java";

    @Override
    public String name() {
        return "java";
    }

    @Override
    public KernelCatalog.Answer offer(String kernel, Step step) {
        if (!kernel.equals(KernelCatalog.fallback(step))) {
            return new KernelCatalog.Refusal(kernel + " does not do that; " + KernelCatalog.fallback(step) + " does");
        }
        return switch (step) {
            case Step.Convolve convolve when convolve.conv().window().isPointwise() || convolve.source().view().rank() == 4 ->
                    offered();
            case Step.Convolve convolve -> new KernelCatalog.Refusal("a window over " + convolve.source().view().rank() + " dimensions");
            case Step.Compute compute when readsWeights(compute.op())
                    && compute.sources().stream().skip(1).anyMatch(source -> !isConstant(source)) ->
                    new KernelCatalog.Refusal("weights that are computed");
            default -> offered();
        };
    }

    private static KernelCatalog.Answer offered() {
        return new KernelCatalog.Offer(0, IMPLEMENTATION);
    }

    private static boolean readsWeights(Op op) {
        return op instanceof Op.Conv || op instanceof Op.ConvTranspose;
    }

    private static boolean isConstant(Operand operand) {
        return operand.view().place().kind() == View.Place.Kind.CONSTANT;
    }

    @Override
    public Kernel prepare(Step step, Preparation preparation) {
        Constants constants = preparation.constants();
        if (offer(step.kernel(), step) instanceof KernelCatalog.Refusal(String reason)) {
            throw new IllegalArgumentException(reason);
        }
        return switch (step) {
            case Step.Convolve convolve -> convolution(convolve, constants);
            case Step.Compute compute -> new Computation(compute, constants).kernel();
            case Step.Copy copy -> Elementwise.copy(copy.source().view(), layout(copy, copy.source(), constants),
                    Function.NONE, copy.destination(), Layout.of(copy.destination()));
        };
    }

    static Layout layout(Step step, Operand operand, Constants constants) {
        return Layout.of(operand, constants, ChannelAxis.of(step, operand.view().rank()));
    }

    private static Kernel convolution(Step.Convolve step, Constants constants) {
        Op.Conv conv = step.conv();
        Window window = conv.window();
        Layout destination = image(Layout.of(step.destination()));
        TapWeights weights = TapWeights.ofConvolution(constants.get(step.weights()).floats(), conv.groups(), destination.dim(1),
                window.kernelH() * window.kernelW());
        float[] bias = step.bias().isEmpty() ? null : constants.get(step.bias()).floats();
        View addendView = step.addend().map(Operand::view).orElse(null);
        Layout addend = step.addend().map(operand -> image(layout(step, operand, constants))).orElse(null);
        return new Convolution(window, false, weights, bias, step.activation(), step.source().view(),
                image(layout(step, step.source(), constants)), addendView, addend, step.destination(), destination);
    }

    /** Rows [..., K] as an image of K channels; images as they are. */
    private static Layout image(Layout layout) {
        return switch (layout.rank()) {
            case 1 -> image(layout.insert(0));
            case 2 -> layout.insert(2).insert(3);
            case 3 -> layout.insert(3).transpose(List.of(0, 2, 1, 3));
            case 4 -> layout;
            default -> throw new IllegalArgumentException("a convolution over " + layout.rank() + " dimensions");
        };
    }

    /** One {@link Step.Compute} being prepared. */
    private record Computation(Step.Compute step, Constants constants) {

        Kernel kernel() {
            List<Integer> dims = step.destination().dims();
            return switch (step.op()) {
                case Op.Conv conv -> convolution(conv.window(), false, TapWeights.ofConvolution(weights(1), conv.groups(),
                        dims.get(1), conv.window().kernelH() * conv.window().kernelW()));
                case Op.ConvTranspose conv -> convolution(conv.window(), true, TapWeights.ofTransposed(weights(1), conv.groups(),
                        source(0).dim(1), conv.window().kernelH() * conv.window().kernelW()));
                case Op.Linear linear -> linear();
                case Op.MatMul matMul -> matMul();
                case Op.BatchNorm norm -> elementwise(RowFunctions.batchNorm(norm.epsilon()), perChannel());
                case Op.ScaleShift scaleShift -> elementwise(RowFunctions.scaleShift(), perChannel());
                case Op.LayerNorm norm -> alongAxes(axesFrom(norm.axis()), broadcast(), Groups.normalise(norm.epsilon()));
                case Op.InstanceNorm norm -> alongAxes(axesFrom(2), perChannel(), Groups.normalise(norm.epsilon()));
                case Op.Lrn lrn -> lrn(lrn);
                case Op.Apply apply -> elementwise((rows, count) -> Functions.apply(apply.function(), rows[0], count), broadcast());
                case Op.PRelu prelu -> elementwise(RowFunctions.prelu(), broadcast());
                case Op.Binary binary -> elementwise(RowFunctions.of(binary.kind()), broadcast());
                case Op.Softmax softmax -> alongAxes(List.of(softmax.axis()), broadcast(), Groups.softmax());
                case Op.Concat concat -> concat(concat.axis());
                case Op.Slice slice -> copy(source(0).slice(slice.axis(), slice.start(), slice.size(), slice.step()));
                case Op.Take take -> copy(source(0).take(take.axis(), take.indices().stream().mapToInt(Integer::intValue).toArray()));
                case Op.Pool pool -> new Pooling(pool, step.activation(), view(0), source(0), step.destination(), target());
                case Op.Reduce reduce -> new Reduction(reduce, step.activation(), view(0), source(0), step.destination(), kept(reduce));
                case Op.Reshape reshape -> reshape();
                case Op.Transpose transpose -> copy(source(0).transpose(transpose.permutation()));
                case Op.Expand expand -> copy(source(0).broadcast(dims));
                case Op.Pad pad -> new Padding(pad, step.activation(), view(0), source(0), step.destination(), target());
                case Op.Resize resize -> new Resizing(Interpolation.ofRows(resize, source(0).dim(2)),
                        Interpolation.ofColumns(resize, source(0).dim(3)), step.activation(), view(0), source(0),
                        step.destination(), target());
                case Op.DepthToSpace depthToSpace -> depthToSpace(depthToSpace);
            };
        }

        private View view(int position) {
            return step.sources().get(position).view();
        }

        private Layout source(int position) {
            return layout(step, step.sources().get(position), constants);
        }

        private List<Layout> sources() {
            return IntStream.range(0, step.sources().size()).mapToObj(this::source).toList();
        }

        private List<View> views() {
            return step.sources().stream().map(Operand::view).toList();
        }

        private Layout target() {
            return Layout.of(step.destination());
        }

        private float[] weights(int position) {
            return ConstantView.floats(constants.get(view(position).place().name()), view(position));
        }

        private List<Integer> axesFrom(int axis) {
            return IntStream.range(axis, target().rank()).boxed().toList();
        }

        private List<Layout> broadcast() {
            return sources().stream().map(layout -> layout.broadcast(step.destination().dims())).toList();
        }

        /** The first source whole, the others repeated along channels. */
        private List<Layout> perChannel() {
            List<Layout> layouts = new ArrayList<>(List.of(source(0)));
            sources().stream().skip(1).forEach(vector -> layouts.add(vector.perChannel(step.destination().dims())));
            return layouts;
        }

        private Kernel elementwise(Elementwise.RowFunction function, List<Layout> layouts) {
            return new Elementwise(views(), layouts, function, step.activation(), step.destination(), target());
        }

        private Kernel copy(Layout layout) {
            return Elementwise.copy(view(0), layout, step.activation(), step.destination(), target());
        }

        private Kernel alongAxes(List<Integer> axes, List<Layout> layouts, AlongAxes.Group group) {
            return new AlongAxes(axes, views(), layouts, group, step.activation(), step.destination(), target());
        }

        private Kernel lrn(Op.Lrn lrn) {
            return new AlongAxes(List.of(1), List.of(view(0), view(0)), List.of(source(0), source(0)), Groups.lrn(lrn),
                    step.activation(), step.destination(), target());
        }

        private Kernel convolution(Window window, boolean transposed, TapWeights weights) {
            float[] bias = step.sources().size() > 2 ? weights(2) : null;
            return new Convolution(window, transposed, weights, bias, step.activation(), view(0), source(0), null, null,
                    step.destination(), target());
        }

        private Kernel linear() {
            int rank = source(0).rank();
            Layout left = rank == 1 ? source(0).insert(0) : source(0);
            Layout target = rank == 1 ? target().insert(0) : target();
            Layout right = source(1).transpose(List.of(1, 0));
            while (right.rank() < left.rank()) {
                right = right.insert(0);
            }
            boolean hasBias = step.sources().size() > 2;
            return new MatrixProduct(view(0), left, view(1), right, hasBias ? view(2) : null, hasBias ? source(2) : null,
                    step.activation(), step.destination(), target);
        }

        private Kernel matMul() {
            Layout target = target();
            Layout left = source(0);
            Layout right = source(1);
            if (left.rank() == 1) {
                left = left.insert(0);
                target = target.insert(Math.max(0, target.rank() - (right.rank() > 1 ? 1 : 0)));
            }
            if (right.rank() == 1) {
                right = right.insert(1);
                target = target.insert(target.rank());
            }
            while (left.rank() < target.rank()) {
                left = left.insert(0);
            }
            while (right.rank() < target.rank()) {
                right = right.insert(0);
            }
            return new MatrixProduct(view(0), left, view(1), right, null, null, step.activation(), step.destination(), target);
        }

        private Kernel concat(int axis) {
            List<Kernel> parts = new ArrayList<>();
            int start = 0;
            for (int part = 0; part < step.sources().size(); part++) {
                Layout layout = source(part);
                parts.add(Elementwise.copy(view(part), layout, step.activation(), step.destination(),
                        target().slice(axis, start, layout.dim(axis), 1)));
                start += layout.dim(axis);
            }
            return new Sequence(parts);
        }

        /** The destination with reduced axes kept. */
        private Layout kept(Op.Reduce reduce) {
            Layout target = target();
            if (!reduce.keepDims()) {
                for (int axis : reduce.axes()) {
                    target = target.insert(axis);
                }
            }
            return target;
        }

        private Kernel reshape() {
            Layout from = source(0).squeeze();
            Layout to = target().squeeze();
            if (!from.isEmpty()) {
                Optional<List<Integer>> sizes = Layout.commonSplit(from.dims(), to.dims());
                Optional<Layout> splitSource = sizes.flatMap(from::split);
                Optional<Layout> splitTarget = sizes.flatMap(to::split);
                if (splitSource.isPresent() && splitTarget.isPresent()) {
                    return Elementwise.copy(view(0), splitSource.get(), step.activation(), step.destination(), splitTarget.get());
                }
            }
            return new Renumbering(step.activation(), view(0), from, step.destination(), to);
        }

        /** A copy for each pixel of a block. */
        private Kernel depthToSpace(Op.DepthToSpace op) {
            int block = op.block();
            Layout target = target();
            int channels = target.dim(1);
            List<Kernel> parts = new ArrayList<>();
            for (int y = 0; y < block; y++) {
                for (int x = 0; x < block; x++) {
                    int number = y * block + x;
                    Layout from = switch (op.mode()) {
                        case DCR -> source(0).slice(1, number * channels, channels, 1);
                        case CRD -> source(0).slice(1, number, channels, block * block);
                    };
                    Layout to = target.slice(2, y, from.dim(2), block).slice(3, x, from.dim(3), block);
                    parts.add(Elementwise.copy(view(0), from, step.activation(), step.destination(), to));
                }
            }
            return new Sequence(parts);
        }
    }
}
