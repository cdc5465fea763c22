package dev.upscale.runtime.portable;

import dev.upscale.plan.Operand;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Constants;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The shape of an operand and where its elements lie from its first, in bytes. Immutable; transformed as operations that move
 * nothing transform tensors (slice, transpose, broadcast, split of an axis).
 *
 * @param origin bytes from the operand's location to the element at position 0 of all axes
 */
record Layout(long origin, List<Axis> axes) {
    Layout {
        axes = List.copyOf(axes);
    }

    static Layout of(View view) {
        List<Axis> axes = new ArrayList<>();
        for (int axis = 0; axis < view.rank(); axis++) {
            axes.add(Axis.even(view.dim(axis), view.stride(axis) * View.ELEMENT_BYTES));
        }
        return new Layout(0, axes);
    }

    /** The operand's channels by its index list, if it has one. */
    static Layout of(Operand operand, Constants constants, int channelAxis) {
        Layout layout = of(operand.view());
        return operand.isIndexed() ? layout.take(channelAxis, constants.get(operand.index()).ints()) : layout;
    }

    int rank() {
        return axes.size();
    }

    Axis axis(int axis) {
        return axes.get(axis);
    }

    int dim(int axis) {
        return axes.get(axis).size;
    }

    List<Integer> dims() {
        return axes.stream().map(axis -> axis.size).toList();
    }

    int elements() {
        return Math.toIntExact(axes.stream().mapToLong(axis -> axis.size).reduce(1, Math::multiplyExact));
    }

    boolean isEmpty() {
        return axes.stream().anyMatch(axis -> axis.size == 0);
    }

    private Layout with(int position, Axis axis) {
        List<Axis> changed = new ArrayList<>(axes);
        changed.set(position, axis);
        return new Layout(origin, changed);
    }

    Layout take(int axis, int[] positions) {
        return with(axis, axes.get(axis).at(positions));
    }

    Layout slice(int axis, int start, int size, int step) {
        Axis sliced = axes.get(axis);
        if (!sliced.isEven() || size == 0) {
            int[] positions = new int[size];
            Arrays.setAll(positions, i -> start + i * step);
            return take(axis, positions);
        }
        return new Layout(origin + start * sliced.stride, with(axis, Axis.even(size, sliced.stride * step)).axes);
    }

    Layout transpose(List<Integer> permutation) {
        return new Layout(origin, permutation.stream().map(axes::get).toList());
    }

    /** With an axis of size 1 added. */
    Layout insert(int position) {
        List<Axis> more = new ArrayList<>(axes);
        more.add(position, Axis.even(1, 0));
        return new Layout(origin, more);
    }

    /** Repeated to the given dimensions as in numpy: aligned at the last axis. */
    Layout broadcast(List<Integer> dims) {
        List<Axis> repeated = new ArrayList<>();
        int missing = dims.size() - rank();
        for (int axis = 0; axis < dims.size(); axis++) {
            int size = dims.get(axis);
            if (axis >= missing && dim(axis - missing) == size) {
                repeated.add(axes.get(axis - missing));
            } else if (axis < missing || dim(axis - missing) == 1) {
                repeated.add(Axis.even(size, 0));
            } else {
                throw new IllegalArgumentException(dims() + " does not broadcast to " + dims);
            }
        }
        long first = 0;
        for (int axis = 0; axis < rank(); axis++) {
            if (dim(axis) == 1 && dims.get(axis + missing) != 1) {
                first += axes.get(axis).offset(0);
            }
        }
        return new Layout(origin + first, repeated);
    }

    /** A vector of channels repeated to the given dimensions: along axis 1. */
    Layout perChannel(List<Integer> dims) {
        Layout vector = this;
        for (int axis = 2; axis < dims.size(); axis++) {
            vector = vector.insert(vector.rank());
        }
        return vector.broadcast(dims);
    }

    /** Without the axes of size 1. */
    Layout squeeze() {
        long first = origin;
        List<Axis> longer = new ArrayList<>();
        for (Axis axis : axes) {
            if (axis.size == 1) {
                first += axis.offset(0);
            } else {
                longer.add(axis);
            }
        }
        return new Layout(first, longer);
    }

    /** With axes split into the given sizes, which have a boundary wherever this has one; empty if an index list is in the way. */
    Optional<Layout> split(List<Integer> sizes) {
        List<Axis> parts = new ArrayList<>();
        int next = sizes.size();
        for (Axis whole : axes.reversed()) {
            for (int inner = 1; inner < whole.size; ) {
                int size = sizes.get(--next);
                if (size != whole.size && !whole.isEven()) {
                    return Optional.empty();
                }
                parts.addFirst(size == whole.size ? whole : Axis.even(size, whole.stride * inner));
                inner *= size;
            }
        }
        return Optional.of(new Layout(origin, parts));
    }

    /**
     * Two shapes without axes of size 1, of equally many elements, cut wherever either has a boundary; empty if their boundaries do
     * not nest, as in [6, 4] and [8, 3].
     */
    static Optional<List<Integer>> commonSplit(List<Integer> a, List<Integer> b) {
        List<Integer> sizes = new ArrayList<>();
        int i = a.size();
        int j = b.size();
        int restA = 1;
        int restB = 1;
        while (i > 0 || restA > 1) {
            restA = restA == 1 ? a.get(--i) : restA;
            restB = restB == 1 ? b.get(--j) : restB;
            int part = Math.min(restA, restB);
            if (restA % part != 0 || restB % part != 0) {
                return Optional.empty();
            }
            sizes.addFirst(part);
            restA /= part;
            restB /= part;
        }
        return Optional.of(sizes);
    }
}
