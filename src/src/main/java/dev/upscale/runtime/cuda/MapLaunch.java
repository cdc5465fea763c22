package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.bindings.upscalecuda.up_cuda_map_args;
import dev.upscale.bindings.upscalecuda.up_cuda_transpose_args;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;

/** {@code cuda.map}: gathers, copies and elementwise operations; copies between planes and pixels go through tiles. */
final class MapLaunch {
    private static final int LOOPS = 5;
    private static final int MOST_SOURCES = 3;
    private static final int CHANNEL_AXIS = 1;
    private static final int TILE = 32;
    private static final int TILE_ROWS = 8;
    private static final int LEAST_CHANNELS = 8;

    /** {@code enum up_cuda_map}. */
    private enum Code { COPY, ADD, SUB, MUL, DIV, POW, MIN, MAX, PRELU, SCALE_SHIFT }

    private MapLaunch() {}

    static Launch of(Step step, DeviceAddresses memory) {
        return switch (step) {
            case Step.Copy copy when isTransposed(copy) -> transpose(copy, memory);
            case Step.Copy copy -> map(Code.COPY, List.of(copy.source()), List.of(strides(copy.source(), copy.destination())), Function.NONE,
                    Function.NONE, copy.destination(), memory);
            case Step.Compute compute -> switch (compute.op()) {
                case Op.Apply apply -> elementwise(Code.COPY, compute, apply.function(), memory);
                case Op.Binary binary -> elementwise(Code.valueOf(binary.kind().name()), compute, Function.NONE, memory);
                case Op.PRelu prelu -> elementwise(Code.PRELU, compute, Function.NONE, memory);
                case Op.ScaleShift scale -> scaleShift(compute, memory);
                default -> throw new Unsuited("not an elementwise operation");
            };
            case Step.Convolve convolve -> throw new Unsuited("a convolution");
        };
    }

    private static Launch elementwise(Code code, Step.Compute step, Function before, DeviceAddresses memory) {
        List<long[]> strides = step.sources().stream().map(source -> strides(source, step.destination())).toList();
        return map(code, step.sources(), strides, before, step.activation(), step.destination(), memory);
    }

    /** Scale and shift are vectors over channels. */
    private static Launch scaleShift(Step.Compute step, DeviceAddresses memory) {
        List<long[]> strides = new ArrayList<>(List.of(strides(step.sources().getFirst(), step.destination())));
        for (Operand vector : step.sources().subList(1, MOST_SOURCES)) {
            Unsuited.unless(!vector.isIndexed(), "an indexed scale");
            long[] perChannel = new long[step.destination().rank()];
            perChannel[CHANNEL_AXIS] = vector.view().stride(0);
            strides.add(perChannel);
        }
        return map(Code.SCALE_SHIFT, step.sources(), strides, Function.NONE, step.activation(), step.destination(), memory);
    }

    private static Launch map(Code code, List<Operand> sources, List<long[]> sourceStrides, Function before, Function after, View destination,
            DeviceAddresses memory) {
        List<long[]> strides = new ArrayList<>(List.of(strides(destination)));
        strides.addAll(sourceStrides);
        Element element = Elements.of(sources, destination);
        boolean isIndexed = sources.stream().anyMatch(Operand::isIndexed);
        LoopNest loops = LoopNest.over(destination.dims(), isIndexed ? CHANNEL_AXIS : -1, strides).padded(LOOPS);
        int widest = Elements.vector(destination);
        int vector = fits(widest, loops, sources, element, destination, memory) ? widest : 1;
        int[] sizes = loops.sizesArray();
        int vectors = sizes[LOOPS - 1] / vector;
        long threads = loops.elements() / vector;
        ArgumentBlock arguments = new ArgumentBlock().address(memory.of(destination, destination.element()), 0).longs(loops.of(0));
        for (int s = 0; s < MOST_SOURCES; s++) {
            if (s < sources.size()) {
                Operand source = sources.get(s);
                arguments.address(memory.of(source.view(), element), source.isIndexed() ? memory.index(source.index()) : 0).longs(loops.of(s + 1));
            } else {
                arguments.address(0, 0).longs(new long[LOOPS]);
            }
        }
        arguments.divisors(vectors, sizes[0], sizes[1], sizes[2], sizes[3])
                .ints(code.ordinal(), sources.size(), vector, (int) threads).function(before).function(after);
        return Launch.linear(Elements.kernel("up_map", element, destination), arguments, threads, up_cuda_map_args.sizeof());
    }

    private static boolean fits(int vector, LoopNest loops, List<Operand> sources, Element element, View destination, DeviceAddresses memory) {
        if (loops.sizes().getLast() % vector != 0 || loops.strides().getLast()[0] != 1 || !aligned(vector, loops, 0, memory.of(destination, destination.element()))) {
            return false;
        }
        for (int s = 0; s < sources.size(); s++) {
            boolean isVector = !sources.get(s).isIndexed() && loops.strides().getLast()[s + 1] == 1;
            if (isVector && !aligned(vector, loops, s + 1, memory.of(sources.get(s).view(), element))) {
                return false;
            }
        }
        return true;
    }

    private static boolean aligned(int vector, LoopNest loops, int operand, long address) {
        long[] strides = loops.of(operand);
        for (int loop = 0; loop < LOOPS - 1; loop++) {
            if (strides[loop] % vector != 0) {
                return false;
            }
        }
        return address % 16 == 0;
    }

    private static long[] strides(View view) {
        long[] strides = new long[view.rank()];
        for (int axis = 0; axis < view.rank(); axis++) {
            strides[axis] = view.dim(axis) == 1 ? 0 : view.stride(axis);
        }
        return strides;
    }

    /** Strides over the destination's shape, repeated as in numpy; an indexed channel axis keeps the view's. */
    private static long[] strides(Operand source, View destination) {
        View view = source.view();
        long[] strides = new long[destination.rank()];
        int missing = destination.rank() - view.rank();
        Unsuited.unless(missing >= 0, "an operand of more dimensions than the result");
        Unsuited.unless(!source.isIndexed() || missing == 0 && view.rank() >= 2, "an indexed operand of another rank");
        for (int axis = 0; axis < view.rank(); axis++) {
            boolean isIndexedAxis = source.isIndexed() && axis == CHANNEL_AXIS;
            strides[axis + missing] = view.dim(axis) == 1 && !isIndexedAxis ? 0 : view.stride(axis);
        }
        return strides;
    }

    /** Whether a copy turns planes into pixels or pixels into planes, and is worth a tile: a few planes are read as fast without. */
    private static boolean isTransposed(Step.Copy copy) {
        View from = copy.source().view();
        View to = copy.destination();
        if (to.rank() != 4 || from.rank() != 4 || to.dim(1) < LEAST_CHANNELS || to.dim(2) * to.dim(3) < TILE) {
            return false;
        }
        return isPlanes(from) && to.pixelStride() > 0 || isPlanes(to) && from.pixelStride() > 0;
    }

    private static Launch transpose(Step.Copy copy, DeviceAddresses memory) {
        View from = copy.source().view();
        View to = copy.destination();
        int area = to.dim(2) * to.dim(3);
        boolean fromPlanes = isPlanes(from) && to.pixelStride() > 0;
        int rows = fromPlanes ? to.dim(1) : area;
        int columns = fromPlanes ? area : to.dim(1);
        Element element = Elements.of(List.of(copy.source()), to);
        long index = copy.source().isIndexed() ? memory.index(copy.source().index()) : 0;
        ArgumentBlock arguments = new ArgumentBlock().address(memory.of(from, element), memory.of(to, to.element()), index)
                .longs(from.stride(0), fromPlanes ? from.stride(1) : from.pixelStride(), to.stride(0),
                        fromPlanes ? to.pixelStride() : to.stride(1))
                .ints(rows, columns, to.dim(0), fromPlanes ? 1 : 0);
        return new Launch(Elements.kernel("up_transpose", element, to), arguments.bytes(up_cuda_transpose_args.sizeof()),
                new int[] {Launch.blocks(columns, TILE), Launch.blocks(rows, TILE), to.dim(0)}, new int[] {TILE, TILE_ROWS});
    }

    private static boolean isPlanes(View view) {
        return (view.dim(3) == 1 || view.stride(3) == 1) && (view.dim(2) == 1 || view.stride(2) == view.dim(3)) && view.dim(1) > 1
                && view.stride(1) >= (long) view.dim(2) * view.dim(3);
    }
}
