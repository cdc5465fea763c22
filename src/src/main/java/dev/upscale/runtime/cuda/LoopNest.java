package dev.upscale.runtime.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The fewest loops that run through several operands of one shape together; the first operand is the destination. Neighbouring axes are
 * one loop wherever every operand runs through them evenly.
 *
 * @param sizes outermost first
 * @param strides [loop][operand], in elements
 */
record LoopNest(List<Integer> sizes, List<long[]> strides) {

    /**
     * @param dims the common shape
     * @param last the axis that is the last loop, alone; -1: whatever is closest in the destination
     * @param strides [operand][axis]
     */
    static LoopNest over(List<Integer> dims, int last, List<long[]> strides) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, dims.size()).boxed().filter(axis -> dims.get(axis) != 1 && axis != last)
                .sorted(Comparator.comparingLong((Integer axis) -> -strides.getFirst()[axis])).toList());
        List<Integer> sizes = new ArrayList<>();
        List<long[]> loops = new ArrayList<>();
        for (int axis : order) {
            long[] loop = strides.stream().mapToLong(operand -> operand[axis]).toArray();
            int size = dims.get(axis);
            if (!loops.isEmpty() && joins(loops.getLast(), loop, size)) {
                sizes.add(Math.multiplyExact(sizes.removeLast(), size));
                loops.set(loops.size() - 1, loop);
            } else {
                sizes.add(size);
                loops.add(loop);
            }
        }
        if (last >= 0) {
            sizes.add(dims.get(last));
            loops.add(strides.stream().mapToLong(operand -> operand[last]).toArray());
        }
        return new LoopNest(sizes, loops);
    }

    private static boolean joins(long[] outer, long[] inner, long size) {
        return IntStream.range(0, outer.length).allMatch(operand -> outer[operand] == inner[operand] * size);
    }

    /** With outer loops of size 1 added, so that there are {@code count}. */
    LoopNest padded(int count) {
        Unsuited.unless(sizes.size() <= count, "runs through memory in " + sizes.size() + " loops, not " + count);
        List<Integer> allSizes = new ArrayList<>(sizes);
        List<long[]> allStrides = new ArrayList<>(strides);
        int operands = strides.isEmpty() ? MOST_OPERANDS : strides.getFirst().length;
        while (allSizes.size() < count) {
            allSizes.addFirst(1);
            allStrides.addFirst(new long[operands]);
        }
        return new LoopNest(allSizes, allStrides);
    }

    private static final int MOST_OPERANDS = 4;

    int[] sizesArray() {
        return sizes.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The strides of one operand, outermost loop first. */
    long[] of(int operand) {
        return strides.stream().mapToLong(loop -> loop[operand]).toArray();
    }

    /** All elements; they must be fewer than 2³¹. */
    long elements() {
        long all = sizes.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        Unsuited.unless(all < Integer.MAX_VALUE, "more than 2³¹ elements");
        return all;
    }

    @Override
    public String toString() {
        return sizes + " by " + strides.stream().map(Arrays::toString).toList();
    }
}
