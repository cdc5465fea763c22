package dev.upscale.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * What lies side by side while a plan runs: views that were written with the same strides, such as the parts of a concat.
 * Tells whether a step reads all that lies there or a part of it.
 */
final class TensorParts {
    private final Plan plan;
    private final List<View> written = new ArrayList<>();

    TensorParts(Plan plan) {
        this.plan = plan;
    }

    /** A step has written a view; what it overwrote is gone. */
    void write(View view) {
        written.removeIf(known -> !ViewOverlap.areDisjoint(known, view));
        written.add(view);
    }

    /** Whether the operand is read by index, or has channels beside it that it leaves out. */
    boolean isPart(Operand operand) {
        View view = operand.view();
        if (operand.isIndexed()) {
            return true;
        }
        if (view.place().kind() == View.Place.Kind.INPUT) {
            return plan.inputs().stream()
                    .anyMatch(port -> port.name().equals(view.place().name()) && port.bytes() / plan.microBatches() > view.bytes());
        }
        return written.stream().anyMatch(known -> hasMore(known, view));
    }

    /**
     * Whether a view has the same pixels as another and channels beyond it. The strides of axes of size 1 count: they tell
     * two parts of one pixel from two vectors that happen to be neighbours in the arena.
     */
    private static boolean hasMore(View known, View view) {
        if (view.rank() < 2 || known.rank() != view.rank() || !known.place().equals(view.place()) || !known.halves().equals(view.halves())) {
            return false;
        }
        long room = Long.MAX_VALUE;
        for (int axis = 0; axis < view.rank(); axis++) {
            if (known.stride(axis) != view.stride(axis) || axis != 1 && known.dim(axis) != view.dim(axis)) {
                return false;
            }
            if (view.stride(axis) > view.stride(1)) {
                room = Math.min(room, view.stride(axis));
            }
        }
        long stride = Math.max(1, view.stride(1));
        long distance = known.offset() / known.element().bytes() - view.offset() / view.element().bytes();
        long first = distance / stride;
        long begin = Math.min(0, first);
        long end = Math.max(view.dim(1), first + known.dim(1));
        return distance % stride == 0 && (end - begin) * stride <= room && end - begin > view.dim(1);
    }
}
