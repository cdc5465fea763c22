package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.bindings.upscalecuda.up_cuda_reduce_args;
import dev.upscale.bindings.upscalecuda.up_cuda_rows_args;
import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** {@code cuda.reduce}, {@code cuda.softmax} and {@code cuda.layernorm}: blocks that work on rows together. */
final class RowLaunch {
    private static final int LOOPS = 3;
    private static final int KEPT = 32;
    private static final int PARTS = 8;
    private static final int ROW = 128;
    private static final int CHANNEL_AXIS = 1;

    private RowLaunch() {}

    static Launch reduce(Step.Compute step, Op.Reduce reduce, DeviceAddresses memory) {
        Operand operand = step.sources().getFirst();
        View from = operand.view();
        Element element = Elements.of(step.sources(), step.destination());
        View to = kept(step.destination(), reduce, from);
        List<Integer> kept = IntStream.range(0, from.rank()).boxed().filter(axis -> !reduce.axes().contains(axis)).toList();
        Unsuited.unless(!operand.isIndexed() || kept.contains(CHANNEL_AXIS), "an index over what is reduced");
        List<Integer> dims = kept.stream().map(to::dim).toList();
        int last = operand.isIndexed() ? kept.indexOf(CHANNEL_AXIS) : -1;
        LoopNest outer = LoopNest.over(dims, last, List.of(strides(to, kept), strides(from, kept))).padded(LOOPS);
        LoopNest inner = LoopNest.over(reduce.axes().stream().map(from::dim).toList(), -1, List.of(strides(from, reduce.axes()))).padded(LOOPS);
        inner.elements();
        int[] sizes = outer.sizesArray();
        ArgumentBlock arguments = new ArgumentBlock()
                .address(memory.of(from, element), memory.of(step.destination(), step.destination().element()), operand.isIndexed() ? memory.index(operand.index()) : 0)
                .longs(outer.of(1)).longs(inner.of(0)).longs(outer.of(0)).ints(sizes).ints(inner.sizesArray())
                .ints(reduce.kind().ordinal(), 0).function(step.activation());
        Unsuited.unless((long) sizes[0] * sizes[1] < Integer.MAX_VALUE, "too many rows");
        return new Launch(Elements.kernel("up_reduce", element, step.destination()), arguments.bytes(up_cuda_reduce_args.sizeof()),
                new int[] {Launch.blocks(sizes[2], KEPT), sizes[0] * sizes[1], 1}, new int[] {KEPT, PARTS});
    }

    private static View kept(View destination, Op.Reduce reduce, View from) {
        if (reduce.keepDims()) {
            return destination;
        }
        List<Integer> dims = new ArrayList<>(destination.dims());
        List<Long> strides = new ArrayList<>(destination.strides());
        for (int axis : reduce.axes()) {
            dims.add(axis, 1);
            strides.add(axis, 0L);
        }
        Unsuited.unless(dims.size() == from.rank(), "a reduction to another rank");
        return destination.with(destination.offset(), dims, strides);
    }

    static Launch softmax(Step.Compute step, Op.Softmax softmax, DeviceAddresses memory) {
        return rows("up_softmax", step, List.of(softmax.axis()), 0, memory);
    }

    static Launch layerNorm(Step.Compute step, Op.LayerNorm norm, DeviceAddresses memory) {
        return rows("up_layernorm", step, IntStream.range(norm.axis(), step.destination().rank()).boxed().toList(), norm.epsilon(), memory);
    }

    private static Launch rows(String kernel, Step.Compute step, List<Integer> axes, float epsilon, DeviceAddresses memory) {
        Unsuited.unless(step.sources().stream().noneMatch(Operand::isIndexed), "an indexed operand");
        View to = step.destination();
        View from = step.sources().getFirst().view();
        Element element = Elements.of(step.sources(), to);
        List<Integer> others = IntStream.range(0, to.rank()).boxed().filter(axis -> !axes.contains(axis)).toList();
        LoopNest outer = LoopNest.over(others.stream().map(to::dim).toList(), -1, List.of(strides(to, others), strides(from, others))).padded(LOOPS);
        List<long[]> inside = new ArrayList<>(List.of(strides(to, axes), strides(from, axes)));
        for (Operand vector : step.sources().subList(1, step.sources().size())) {
            inside.add(broadcast(vector.view(), to, axes));
        }
        LoopNest inner = LoopNest.over(axes.stream().map(to::dim).toList(), -1, inside).padded(LOOPS);
        boolean hasScale = step.sources().size() > 1;
        boolean hasShift = step.sources().size() > 2;
        ArgumentBlock arguments = new ArgumentBlock()
                .address(memory.of(from, element), memory.of(to, to.element()), hasScale ? memory.of(step.sources().get(1).view(), element) : 0,
                        hasShift ? memory.of(step.sources().get(2).view(), element) : 0)
                .longs(outer.of(1)).longs(outer.of(0)).longs(inner.of(1)).longs(inner.of(0))
                .longs(hasScale ? inner.of(2) : new long[LOOPS]).longs(hasShift ? inner.of(3) : new long[LOOPS])
                .divisors(outer.sizesArray()).divisors(inner.sizesArray()).ints((int) inner.elements()).number(epsilon)
                .function(step.activation());
        return new Launch(Elements.kernel(kernel, element, to), arguments.bytes(up_cuda_rows_args.sizeof()),
                new int[] {Math.toIntExact(outer.elements()), 1, 1}, new int[] {ROW, 1});
    }

    /** A vector's strides along axes of the result, which it is repeated to as in numpy. */
    private static long[] broadcast(View vector, View to, List<Integer> axes) {
        int missing = to.rank() - vector.rank();
        return axes.stream().mapToLong(axis -> axis < missing || vector.dim(axis - missing) == 1 ? 0 : vector.stride(axis - missing)).toArray();
    }

    private static long[] strides(View view, List<Integer> axes) {
        return axes.stream().mapToLong(axis -> view.dim(axis) == 1 ? 0 : view.stride(axis)).toArray();
    }
}
