package dev.upscale.runtime.cpu;

import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The fewest loops that run through several operands of one shape together: neighbouring axes are one loop wherever every operand
 * runs through them evenly. The last loop is the one in which the first operand's elements are closest.
 *
 * @param sizes   of the loops, outermost first
 * @param strides [loop][operand], in elements
 */
record Loops(long[] sizes, long[][] strides) {

    /**
     * @param dims    the common shape
     * @param strides [operand][axis], in elements; 0 where an operand repeats
     */
    static Loops over(List<Integer> dims, long[]... strides) {
        List<Integer> order = IntStream.range(0, dims.size()).boxed().filter(axis -> dims.get(axis) != 1)
                .sorted(Comparator.comparingLong((Integer axis) -> -strides[0][axis])).toList();
        List<Long> sizes = new ArrayList<>();
        List<long[]> loops = new ArrayList<>();
        for (int axis : order) {
            long[] loop = Arrays.stream(strides).mapToLong(operand -> operand[axis]).toArray();
            long size = dims.get(axis);
            if (!loops.isEmpty() && joins(loops.getLast(), loop, size)) {
                sizes.add(sizes.removeLast() * size);
                loops.set(loops.size() - 1, loop);
            } else {
                sizes.add(size);
                loops.add(loop);
            }
        }
        return new Loops(sizes.stream().mapToLong(Long::longValue).toArray(), loops.toArray(long[][]::new));
    }

    private static boolean joins(long[] outer, long[] inner, long size) {
        for (int operand = 0; operand < outer.length; operand++) {
            if (outer[operand] != inner[operand] * size) {
                return false;
            }
        }
        return true;
    }

    /** A view's strides when it is repeated to the given dimensions as in numpy. */
    static long[] broadcast(View view, List<Integer> dims) {
        long[] strides = new long[dims.size()];
        int missing = dims.size() - view.rank();
        for (int axis = 0; axis < view.rank(); axis++) {
            strides[axis + missing] = view.dim(axis) == 1 ? 0 : view.stride(axis);
        }
        return strides;
    }

    /**
     * With the last loop cut so that {@code inner} remains of it, if that leaves at most {@code most} loops: threads share out the
     * outer ones.
     */
    Loops cut(long inner, int most) {
        int last = sizes.length - 1;
        if (last < 0 || sizes.length >= most || inner < 1 || sizes[last] <= inner || sizes[last] % inner != 0) {
            return this;
        }
        long[] more = Arrays.copyOf(sizes, last + 2);
        long[][] steps = Arrays.copyOf(strides, last + 2);
        more[last] = sizes[last] / inner;
        more[last + 1] = inner;
        steps[last] = Arrays.stream(strides[last]).map(stride -> stride * inner).toArray();
        steps[last + 1] = strides[last];
        return new Loops(more, steps);
    }

    /** With outer loops of size 1 added, so that there are {@code count}; refused if there are more. */
    Loops padded(int count) {
        Unfit.unless(sizes.length <= count, "runs through memory in " + sizes.length + " loops, not " + count);
        int operands = strides.length == 0 ? 0 : strides[0].length;
        long[] all = new long[count];
        long[][] steps = new long[count][operands];
        int added = count - sizes.length;
        Arrays.fill(all, 0, added, 1);
        System.arraycopy(sizes, 0, all, added, sizes.length);
        for (int loop = 0; loop < sizes.length; loop++) {
            steps[added + loop] = strides[loop];
        }
        return new Loops(all, steps);
    }

    /** The stride of an operand in a loop; 0 in loops that were added. */
    long stride(int loop, int operand) {
        return strides[loop].length == 0 ? 0 : strides[loop][operand];
    }
}
