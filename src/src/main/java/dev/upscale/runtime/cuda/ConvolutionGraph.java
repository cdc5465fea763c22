package dev.upscale.runtime.cuda;

import dev.upscale.graph.Window;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.cudnn.Mode;
import dev.upscale.runtime.cudnn.Operation;
import dev.upscale.runtime.cudnn.OperationGraph;
import dev.upscale.runtime.cudnn.TensorDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A convolution step as cuDNN's operation graph, {@code y = activation(conv(x, w) + z + bias)}. Images are [N, C, H, W]; the rows of a
 * linear layer are images of one pixel. Weights and bias have the type of the tensors; weights lie [O, kernelH, kernelW, C/groups],
 * without gaps; the bias is [1, O, 1, 1].
 */
public final class ConvolutionGraph {
    /** What plans call the tensors by. */
    public static final long X = 1;
    public static final long W = 2;
    public static final long Y = 3;
    public static final long BIAS = 4;
    public static final long ADDEND = 5;

    private static final long FIRST_INTERMEDIATE = 10;
    private static final int ALIGNMENT = 16;

    private ConvolutionGraph() {}

    /** A step that cuDNN's graphs do not express. */
    static final class Inexpressible extends RuntimeException {
        private static final long serialVersionUID = 1;

        Inexpressible(String reason) {
            super(reason, null, false, false);
        }
    }

    /**
     * @param outputs channels of the weights
     * @param generic whether to keep cuDNN from seeing one of the patterns that it has special engines for
     * @throws Inexpressible with the reason
     */
    static OperationGraph of(Step.Convolve step, boolean generic) {
        if (step.sources().stream().anyMatch(Operand::isIndexed)) {
            throw new Inexpressible("reads no channels by index");
        }
        Element element = step.destination().element();
        if (step.sources().stream().anyMatch(source -> source.view().element() != element)) {
            throw new Inexpressible("reads and writes tensors of one type");
        }
        if (step.addend().filter(addend -> overlaps(addend.view(), step.destination())).isPresent()) {
            throw new Inexpressible("is not known to add in place");
        }
        TensorDescription x = image(X, step.source().view());
        TensorDescription y = image(Y, step.destination());
        List<Operation> operations = new ArrayList<>();
        List<Link> links = new ArrayList<>();
        if (generic) {
            links.add(new Link(new Mode.Identity(), Optional.empty()));
        }
        step.addend().ifPresent(addend -> links.add(new Link(new Mode.Add(), Optional.of(image(ADDEND, addend.view())))));
        if (!step.bias().isEmpty()) {
            long o = y.dims().get(1);
            links.add(new Link(new Mode.Add(), Optional.of(
                    TensorDescription.of(BIAS, y.type(), List.of(1L, o, 1L, 1L), List.of(o, 1L, o, o), ALIGNMENT))));
        }
        if (!step.activation().isNone()) {
            links.add(new Link(Mode.of(step.activation()).orElseThrow(() -> new Inexpressible("has no function " + step.activation().kind())),
                    Optional.empty()));
        }
        long next = FIRST_INTERMEDIATE;
        TensorDescription result = links.isEmpty() ? y : y.intermediate(next++);
        operations.add(convolution(step, x, result));
        for (int k = 0; k < links.size(); k++) {
            TensorDescription made = k == links.size() - 1 ? y : y.intermediate(next++);
            operations.add(new Operation.Pointwise(links.get(k).mode(), result, links.get(k).operand(), made));
            result = made;
        }
        return new OperationGraph(operations);
    }

    private static boolean overlaps(View one, View other) {
        return one.place().equals(other.place()) && one.offset() < other.offset() + other.extentBytes()
                && other.offset() < one.offset() + one.extentBytes();
    }

    /** One operation of the epilogue. */
    private record Link(Mode mode, Optional<TensorDescription> operand) {}

    private static Operation convolution(Step.Convolve step, TensorDescription x, TensorDescription y) {
        Window window = step.conv().window();
        long channels = x.dims().get(1) / step.conv().groups();
        long h = window.kernelH();
        long w = window.kernelW();
        TensorDescription weights = TensorDescription.of(W, x.type(), List.of(y.dims().get(1), channels, h, w),
                List.of(h * w * channels, 1L, w * channels, channels), ALIGNMENT);
        return new Operation.ConvolutionForward(x, weights, y, pair(window.strideH(), window.strideW()),
                pair(window.dilationH(), window.dilationW()), pair(window.padTop(), window.padLeft()),
                pair(window.padBottom(), window.padRight()));
    }

    private static List<Long> pair(long height, long width) {
        return List.of(height, width);
    }

    private static TensorDescription image(long id, View view) {
        boolean rows = view.rank() == 2;
        if (!rows && view.rank() != 4) {
            throw new Inexpressible("reads and writes images and matrices, not " + view.dims());
        }
        if (view.elements() == 0 || view.strides().stream().anyMatch(stride -> stride <= 0)) {
            throw new Inexpressible("reads no repeated elements");
        }
        List<Long> dims = new ArrayList<>(view.dims().stream().map(Integer::longValue).toList());
        List<Long> strides = new ArrayList<>(view.strides());
        if (rows) {
            dims.addAll(List.of(1L, 1L));
            strides.addAll(List.of(view.stride(0), view.stride(0)));
        }
        return TensorDescription.of(id, view.element(), dims, strides, alignment(view));
    }

    /** Memory begins at multiples of 64 bytes at least; an offset into it may spoil that. */
    private static int alignment(View view) {
        return view.offset() == 0 ? ALIGNMENT : (int) Math.min(ALIGNMENT, Long.lowestOneBit(view.offset()));
    }
}
