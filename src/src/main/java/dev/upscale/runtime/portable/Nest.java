package dev.upscale.runtime.portable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A loop nest over operands of one shape: which axis is the row (the innermost), and the loops around it, with neighbouring axes
 * made one wherever all operands run through them evenly. Immutable; runs have a {@link Cursor} each.
 */
final class Nest {
    /** Rows are worked on in pieces of at most this many elements, so that arrays for them stay in the cache. */
    static final int PIECE = 2048;

    private static final int SHORT_ROW = 16;

    private final boolean empty;
    private final long[] origins;
    /** Per loop, outermost first, the axis of each operand; the last is the row. */
    private final Axis[][] loops;

    private Nest(boolean empty, long[] origins, List<Axis[]> loops) {
        this.empty = empty;
        this.origins = origins;
        this.loops = loops.toArray(Axis[][]::new);
    }

    /** Axes in the order in which they lie in the first operand's memory, unless that makes short rows. */
    static Nest over(Layout... operands) {
        Layout first = operands[0];
        List<Integer> order = IntStream.range(0, first.rank()).boxed()
                .sorted(Comparator.comparingLong((Integer axis) -> -first.axis(axis).spread()))
                .toList();
        List<Axis[]> loops = loops(order, operands);
        lengthenRow(loops);
        return of(loops, operands);
    }

    /** A row of a few elements costs more to reach than to run through: then the longest loop is the row. */
    private static void lengthenRow(List<Axis[]> loops) {
        int row = loops.size() - 1;
        int longest = row;
        for (int loop = 0; loop < row; loop++) {
            longest = loops.get(loop)[0].size > loops.get(longest)[0].size ? loop : longest;
        }
        if (row >= 0 && loops.get(row)[0].size < SHORT_ROW && loops.get(longest)[0].size >= 2 * loops.get(row)[0].size) {
            loops.add(loops.remove(longest));
        }
    }

    /** Axes in the given order, the last being the row; those not listed are not run through. */
    static Nest inOrder(List<Integer> order, Layout... operands) {
        return of(loops(order, operands), operands);
    }

    /** Like {@link #inOrder}, but every element is a row of its own. */
    static Nest points(List<Integer> order, Layout... operands) {
        List<Axis[]> loops = loops(order, operands);
        loops.add(single(operands.length));
        return of(loops, operands);
    }

    private static List<Axis[]> loops(List<Integer> order, Layout[] operands) {
        List<Axis[]> loops = new ArrayList<>();
        for (int axis : order) {
            if (operands[0].dim(axis) == 1 && evenEverywhere(axis, operands)) {
                continue;
            }
            Axis[] loop = new Axis[operands.length];
            for (int operand = 0; operand < operands.length; operand++) {
                loop[operand] = operands[operand].axis(axis);
            }
            if (!loops.isEmpty() && canJoin(loops.getLast(), loop)) {
                loops.add(join(loops.removeLast(), loop));
            } else {
                loops.add(loop);
            }
        }
        return loops;
    }

    private static Nest of(List<Axis[]> loops, Layout[] operands) {
        if (loops.isEmpty()) {
            loops.add(single(operands.length));
        }
        long[] origins = new long[operands.length];
        for (int operand = 0; operand < operands.length; operand++) {
            origins[operand] = operands[operand].origin();
        }
        return new Nest(loops.stream().anyMatch(loop -> loop[0].size == 0), origins, loops);
    }

    private static Axis[] single(int operands) {
        return IntStream.range(0, operands).mapToObj(operand -> Axis.even(1, 0)).toArray(Axis[]::new);
    }

    private static boolean evenEverywhere(int axis, Layout[] operands) {
        for (Layout operand : operands) {
            if (!operand.axis(axis).isEven()) {
                return false;
            }
        }
        return true;
    }

    private static boolean canJoin(Axis[] outer, Axis[] inner) {
        for (int operand = 0; operand < outer.length; operand++) {
            if (!inner[operand].continues(outer[operand])) {
                return false;
            }
        }
        return (long) outer[0].size * inner[0].size <= Integer.MAX_VALUE;
    }

    private static Axis[] join(Axis[] outer, Axis[] inner) {
        Axis[] joined = new Axis[outer.length];
        for (int operand = 0; operand < outer.length; operand++) {
            joined[operand] = Axis.even(outer[operand].size * inner[operand].size, inner[operand].stride);
        }
        return joined;
    }

    /** The elements of a row. */
    int rowLength() {
        return loops[loops.length - 1][0].size;
    }

    /** The elements of the longest piece of a row. */
    int pieceLength() {
        return Math.min(rowLength(), PIECE);
    }

    /** The row's axis of an operand. */
    Axis row(int operand) {
        return loops[loops.length - 1][operand];
    }

    Cursor cursor() {
        return new Cursor();
    }

    /** Where a run of the nest is: allocates nothing once made. */
    final class Cursor {
        private final int[] position = new int[loops.length - 1];
        private final long[] at = new long[origins.length];

        /**
         * Goes to the first row; false if there is none. Every operand must have been {@linkplain #start(int, long) placed} before.
         */
        boolean begin() {
            Arrays.fill(position, 0);
            for (int loop = 0; loop < position.length && !empty; loop++) {
                for (int operand = 0; operand < at.length; operand++) {
                    at[operand] += loops[loop][operand].offset(0);
                }
            }
            return !empty;
        }

        /** Places an operand for the next {@link #begin}. */
        void start(int operand, long address) {
            at[operand] = address + origins[operand];
        }

        /** Where the row of an operand starts. */
        long at(int operand) {
            return at[operand];
        }

        /** Goes to the next row; false if that was the last. */
        boolean next() {
            for (int loop = position.length - 1; loop >= 0; loop--) {
                Axis[] axes = loops[loop];
                int reached = position[loop];
                if (reached + 1 < axes[0].size) {
                    for (int operand = 0; operand < at.length; operand++) {
                        at[operand] += axes[operand].step(reached);
                    }
                    position[loop] = reached + 1;
                    return true;
                }
                for (int operand = 0; operand < at.length; operand++) {
                    at[operand] -= axes[operand].offset(reached) - axes[operand].offset(0);
                }
                position[loop] = 0;
            }
            return false;
        }
    }
}
