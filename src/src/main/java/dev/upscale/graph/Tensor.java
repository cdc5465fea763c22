package dev.upscale.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A constant tensor: a weight, or an input or output of the {@link Interpreter}. Elements are in row-major order of
 * {@link #type()}. Immutable by agreement: whoever holds the array does not write to it.
 */
public final class Tensor {
    private final TensorType type;
    private final float[] floats;
    private final long[] longs;

    private Tensor(TensorType type, float[] floats, long[] longs) {
        this.type = Objects.requireNonNull(type);
        this.floats = floats;
        this.longs = longs;
        long length = floats != null ? floats.length : longs.length;
        if (length != type.elements()) {
            throw new IllegalArgumentException(length + " elements for " + type);
        }
    }

    /** An f32 tensor over {@code values}, which are not copied. */
    public static Tensor of(TensorType type, float[] values) {
        if (type.element() != ElementType.F32) {
            throw new IllegalArgumentException("floats for " + type);
        }
        return new Tensor(type, values, null);
    }

    /** An i64 tensor over {@code values}, which are not copied. */
    public static Tensor of(TensorType type, long[] values) {
        if (type.element() != ElementType.I64) {
            throw new IllegalArgumentException("longs for " + type);
        }
        return new Tensor(type, null, values);
    }

    /** An f32 tensor of the given shape over {@code values}, which are not copied. */
    public static Tensor f32(float[] values, int... dims) {
        return of(TensorType.f32(dims), values);
    }

    /** An f32 tensor of values spread evenly over [−0.5, 0.5), the same for the same seed: {@code random(seed)} in text. */
    public static Tensor random(TensorType type, int seed) {
        return GeneratedTensor.random(type, seed, 0);
    }

    public TensorType type() {
        return type;
    }

    /** The elements of an f32 tensor; not a copy, not to be written to. */
    public float[] floats() {
        if (floats == null) {
            throw new IllegalStateException(type + " holds no floats");
        }
        return floats;
    }

    /** The elements of an i64 tensor; not a copy, not to be written to. */
    public long[] longs() {
        if (longs == null) {
            throw new IllegalStateException(type + " holds no integers");
        }
        return longs;
    }

    /** The same elements under another shape. */
    public Tensor reshaped(int... dims) {
        TensorType reshaped = new TensorType(type.element(), Arrays.stream(dims).boxed().toList());
        return new Tensor(reshaped, floats, longs);
    }

    /** Ascending neighbours as one copy: first position and number of each. */
    private static int[][] runs(List<Integer> positions) {
        List<int[]> runs = new ArrayList<>();
        for (int position : positions) {
            int[] last = runs.isEmpty() ? null : runs.getLast();
            if (last != null && last[0] + last[1] == position) {
                last[1]++;
            } else {
                runs.add(new int[] {position, 1});
            }
        }
        return runs.toArray(int[][]::new);
    }

    /**
     * The listed positions of one axis, in the order listed; a copy.
     *
     * @throws IndexOutOfBoundsException if there is no such axis or position
     */
    public Tensor take(int axis, List<Integer> positions) {
        int size = type.dims().get(axis);
        positions.forEach(position -> Objects.checkIndex(position, size));
        int outer = 1;
        int inner = 1;
        for (int other = 0; other < type.rank(); other++) {
            outer *= other < axis ? type.dim(other) : 1;
            inner *= other > axis ? type.dim(other) : 1;
        }
        TensorType taken = type.withDim(axis, positions.size());
        Object source = floats != null ? floats : longs;
        Object target = floats != null ? new float[Math.toIntExact(taken.elements())] : new long[Math.toIntExact(taken.elements())];
        int[][] runs = runs(positions);
        for (int block = 0, to = 0; block < outer; block++) {
            for (int[] run : runs) {
                System.arraycopy(source, (block * size + run[0]) * inner, target, to, run[1] * inner);
                to += run[1] * inner;
            }
        }
        return target instanceof float[] values ? of(taken, values) : of(taken, (long[]) target);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tensor that
                && type.equals(that.type)
                && Arrays.equals(floats, that.floats)
                && Arrays.equals(longs, that.longs);
    }

    @Override
    public int hashCode() {
        return 31 * type.hashCode() + (floats != null ? Arrays.hashCode(floats) : Arrays.hashCode(longs));
    }

    @Override
    public String toString() {
        return type.toString();
    }
}
