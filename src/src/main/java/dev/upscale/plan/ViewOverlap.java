package dev.upscale.plan;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Whether views share elements. */
final class ViewOverlap {
    private ViewOverlap() {}

    /** Whether no two positions of the view are the same element; said only where strides nest, as in every tensor's slice. */
    static boolean isInjective(View view) {
        if (view.elements() == 0) {
            return true;
        }
        long span = 1;
        for (int axis : axesByStride(view).reversed()) {
            if (view.stride(axis) < span) {
                return false;
            }
            span = Math.addExact(span, Math.multiplyExact(view.dim(axis) - 1L, view.stride(axis)));
        }
        return true;
    }

    /** Whether both views have the same elements at the same positions, axes of size 1 apart. */
    static boolean sameElements(View a, View b) {
        List<Integer> axesOfA = axes(a);
        List<Integer> axesOfB = axes(b);
        return a.place().equals(b.place()) && a.offset() == b.offset() && a.halves().equals(b.halves())
                && axesOfA.stream().map(a::dim).toList().equals(axesOfB.stream().map(b::dim).toList())
                && axesOfA.stream().map(a::stride).toList().equals(axesOfB.stream().map(b::stride).toList());
    }

    /**
     * Whether two views certainly share no element: because they lie apart, or because they are slices side by side of one
     * tensor.
     */
    static boolean areDisjoint(View a, View b) {
        if (!a.place().equals(b.place()) || a.elements() == 0 || b.elements() == 0
                || a.offset() + a.extentBytes() <= b.offset() || b.offset() + b.extentBytes() <= a.offset()) {
            return true;
        }
        return a.offset() <= b.offset() ? areSideBySide(a, b) : areSideBySide(b, a);
    }

    /**
     * Whether high's elements, as positions along the strides that it shares with low, lie beyond low's along some axis, or
     * between them. Such positions are unique only as long as no axis runs into the next longer stride.
     */
    private static boolean areSideBySide(View low, View high) {
        if (low.rank() != high.rank() || low.element().bytes() != high.element().bytes()) {
            return false;
        }
        long distance = (high.offset() - low.offset()) / low.element().bytes();
        boolean apart = false;
        long room = Long.MAX_VALUE;
        for (int axis : sharedAxesByStride(low, high)) {
            long stride = low.stride(axis);
            if (stride != high.stride(axis) || stride == 0) {
                return false;
            }
            long position = distance / stride;
            long extent = Math.max(low.dim(axis), position + high.dim(axis));
            if (room != Long.MAX_VALUE && extent > room / stride) {
                return false;
            }
            apart |= position >= low.dim(axis);
            distance %= stride;
            room = stride;
        }
        return apart || distance > 0;
    }

    private static List<Integer> sharedAxesByStride(View a, View b) {
        return IntStream.range(0, a.rank())
                .filter(axis -> a.dim(axis) != 1 || b.dim(axis) != 1)
                .boxed()
                .sorted(Comparator.comparingLong((Integer axis) -> -a.stride(axis)))
                .toList();
    }

    /** The axes longer than 1, those with the longest strides first. */
    private static List<Integer> axesByStride(View view) {
        return axes(view).stream().sorted(Comparator.comparingLong((Integer axis) -> -view.stride(axis))).toList();
    }

    private static List<Integer> axes(View view) {
        return IntStream.range(0, view.rank()).filter(axis -> view.dim(axis) != 1).boxed().toList();
    }
}
