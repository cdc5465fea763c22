package dev.upscale.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Numpy's broadcasting of shapes: aligned at their last dimensions, where a missing one or one of size 1 stretches. */
public final class Broadcast {
    private Broadcast() {}

    /** The shape that both shapes stretch to; none if they do not fit each other. */
    public static Optional<List<Integer>> of(List<Integer> left, List<Integer> right) {
        int rank = Math.max(left.size(), right.size());
        List<Integer> dims = new ArrayList<>(rank);
        for (int axis = 0; axis < rank; axis++) {
            int a = aligned(left, axis, rank);
            int b = aligned(right, axis, rank);
            if (a != b && a != 1 && b != 1) {
                return Optional.empty();
            }
            dims.add(a == 1 ? b : a);
        }
        return Optional.of(List.copyOf(dims));
    }

    /** Whether {@code source} stretches to exactly {@code target}. */
    public static boolean fits(List<Integer> source, List<Integer> target) {
        return of(source, target).filter(target::equals).isPresent();
    }

    /** The size of {@code dims} in dimension {@code axis} of a shape of rank {@code rank} that it is aligned with. */
    static int aligned(List<Integer> dims, int axis, int rank) {
        int own = axis - (rank - dims.size());
        return own < 0 ? 1 : dims.get(own);
    }
}
