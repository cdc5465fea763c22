package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.bindings.upscalecuda.up_cuda_convolve_args;
import dev.upscale.bindings.upscalecuda.up_cuda_matmul_args;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code cuda.convolve}: direct convolutions that read channels by index. {@code cuda.matmul}: matrix products on any strides. */
final class ProductLaunch {
    private static final int SIDE = 16;

    private ProductLaunch() {}

    static Launch convolve(Step.Convolve step, DeviceAddresses memory) {
        return convolve(step.source(), step.destination(), step.addend(), step.weights(), step.bias(), step.conv().window(),
                step.conv().groups(), false, step.activation(), memory);
    }

    /** A convolution that is a step like any other: plain or transposed. */
    static Launch convolve(Step.Compute step, Window window, int groups, boolean isTransposed, DeviceAddresses memory) {
        Unsuited.unless(step.sources().stream().skip(1).allMatch(ProductLaunch::isWholeConstant), "weights that are computed");
        String bias = step.sources().size() > 2 ? step.sources().get(2).view().place().name() : "";
        return convolve(step.sources().getFirst(), step.destination(), Optional.empty(), step.sources().get(1).view().place().name(), bias,
                window, groups, isTransposed, step.activation(), memory);
    }

    private static boolean isWholeConstant(Operand operand) {
        return operand.view().place().kind() == View.Place.Kind.CONSTANT && !operand.isIndexed() && operand.view().isRowMajor()
                && operand.view().offset() == 0;
    }

    private static Launch convolve(Operand source, View destination, Optional<Operand> addend, String weights, String bias, Window window,
            int groups, boolean isTransposed, Function activation, DeviceAddresses memory) {
        Element element = Elements.of(List.of(source), destination);
        Element result = destination.element();
        Unsuited.unless(addend.stream().allMatch(operand -> operand.view().element() == result), "an addend of another type");
        DeviceImage from = DeviceImage.of(source, element, memory);
        DeviceImage to = DeviceImage.of(destination, result, memory);
        Unsuited.unless(to.pixels() * to.channels() < Integer.MAX_VALUE, "more than 2³¹ elements");
        ArgumentBlock arguments = new ArgumentBlock().image(from).image(to);
        addend.map(operand -> DeviceImage.of(operand, result, memory)).ifPresentOrElse(arguments::image, arguments::noImage);
        int threads = (int) (to.pixels() * to.channels());
        arguments.address(memory.constant(weights, element), bias.isEmpty() ? 0 : memory.constant(bias, Element.F32)).window(window)
                .divisors(to.channels(), to.width(), to.height()).ints(from.channels(), groups, isTransposed ? 1 : 0, threads)
                .function(activation);
        return Launch.linear(Elements.kernel("up_convolve", element, destination), arguments, threads, up_cuda_convolve_args.sizeof());
    }

    /** A linear layer over rows as a matrix product; weights [O, K] are its right side, transposed. */
    static Launch linear(Step.Convolve step, DeviceAddresses memory) {
        Unsuited.unless(step.conv().window().isPointwise() && step.conv().groups() == 1, "a window, or groups");
        Unsuited.unless(step.addend().isEmpty(), "an addend");
        View from = step.source().view();
        View to = step.destination();
        Element element = Elements.of(List.of(step.source()), to);
        DeviceImage left = DeviceImage.of(step.source(), element, memory);
        DeviceImage result = DeviceImage.of(to, to.element(), memory);
        boolean hasRows = left.batch() == 1 || left.imageStride() == left.pixelStride() * left.height() * left.width();
        boolean hasResultRows = result.batch() == 1 || result.imageStride() == result.pixelStride() * result.height() * result.width();
        Unsuited.unless(hasRows && hasResultRows && left.height() <= 1 && result.height() <= 1 || from.pixelStride() > 0 && to.pixelStride() > 0,
                "rows at uneven distances");
        int rows = Math.toIntExact(result.pixels());
        long leftRow = from.rank() == 4 ? from.pixelStride() : left.pixelStride();
        long resultRow = to.rank() == 4 ? to.pixelStride() : result.pixelStride();
        return product(Elements.kernel("up_matmul", element, to), new long[] {left.address(), memory.constant(step.weights(), element), result.address(),
                step.bias().isEmpty() ? 0 : memory.constant(step.bias(), Element.F32), left.index()},
                new long[] {0, 0, leftRow, left.channelStride()}, new long[] {0, 0, 1, left.channels()},
                new long[] {0, 0, resultRow, result.channelStride()}, 1, 1, rows, result.channels(), left.channels(), step.activation());
    }

    /** Matrix products as numpy does them; up to two batch dimensions. */
    static Launch matMul(Step.Compute step, DeviceAddresses memory) {
        Unsuited.unless(step.sources().stream().noneMatch(Operand::isIndexed), "an indexed operand");
        View left = step.sources().get(0).view();
        View right = step.sources().get(1).view();
        View to = step.destination();
        int rank = to.rank();
        Unsuited.unless(left.rank() >= 2 && right.rank() >= 2 && rank <= 4 && rank >= 2, "a matrix product of " + left.dims() + " and " + right.dims());
        int outer = rank > 3 ? to.dim(0) : 1;
        int inner = rank > 2 ? to.dim(rank - 3) : 1;
        Element element = Elements.of(step.sources(), to);
        return product(Elements.kernel("up_matmul", element, to),
                new long[] {memory.of(left, element), memory.of(right, element), memory.of(to, to.element()), 0, 0}, four(left), four(right), four(to), outer, inner,
                to.dim(rank - 2), to.dim(rank - 1), left.dim(left.rank() - 1), step.activation());
    }

    /** Strides of two batch dimensions, rows and columns; 0 where sizes are 1 or missing. */
    private static long[] four(View view) {
        List<Long> strides = new ArrayList<>();
        for (int axis = view.rank() - 4; axis < view.rank(); axis++) {
            strides.add(axis < 0 || view.dim(axis) == 1 ? 0 : view.stride(axis));
        }
        return strides.stream().mapToLong(Long::longValue).toArray();
    }

    private static Launch product(String kernel, long[] addresses, long[] left, long[] right, long[] to, int outer, int inner, int rows,
            int columns, int depth, Function activation) {
        ArgumentBlock arguments = new ArgumentBlock().address(addresses).longs(left).longs(right).longs(to).divisors(inner)
                .ints(rows, columns, depth, 0).function(activation);
        return new Launch(kernel, arguments.bytes(up_cuda_matmul_args.sizeof()),
                new int[] {Launch.blocks(columns, SIDE), Launch.blocks(rows, SIDE), Math.multiplyExact(outer, inner)}, new int[] {SIDE, SIDE});
    }
}
