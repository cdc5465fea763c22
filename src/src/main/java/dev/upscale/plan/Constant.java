package dev.upscale.plan;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;

/**
 * Data that a plan brings with it: weights in f32, index lists in i32, compiled code in bytes; row-major, little-endian. Not to be written to. The
 * bytes lie on the heap in a plan that was just compiled, and in the mapped file in one that was loaded: loading reads no
 * weights.
 *
 * <p>Constants are equal if type, dimensions and bytes are (so a NaN equals itself, and 0 does not equal −0).
 *
 * @param dims sizes, row-major
 * @param data the elements, from position 0 to the limit
 */
public record Constant(Type type, List<Integer> dims, ByteBuffer data) {

    /** What the elements are. */
    public enum Type {
        /** Weights, biases, scales. */
        F32(Float.BYTES),
        /** Positions of channels. */
        I32(Integer.BYTES),
        /** Code for a device, in the format of its driver. */
        I8(Byte.BYTES);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }

        /** The size of one element, in bytes. */
        public int bytes() {
            return bytes;
        }
    }

    public Constant {
        dims = List.copyOf(dims);
        data = data.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
        if (dims.stream().anyMatch(dim -> dim < 0)) {
            throw new IllegalArgumentException("negative size in " + dims);
        }
        if (dims.stream().mapToLong(Integer::longValue).reduce(type.bytes(), Math::multiplyExact) != data.limit()) {
            throw new IllegalArgumentException(data.limit() + " bytes for " + type + " " + dims);
        }
    }

    /** Weights of the given dimensions; the values are copied. */
    public static Constant f32(List<Integer> dims, float... values) {
        ByteBuffer data = allocate(values.length);
        data.asFloatBuffer().put(values);
        return new Constant(Type.F32, dims, data);
    }

    /** A list of positions; the values are copied. */
    public static Constant i32(int... values) {
        ByteBuffer data = allocate(values.length);
        data.asIntBuffer().put(values);
        return new Constant(Type.I32, List.of(values.length), data);
    }

    /** Code; the bytes are copied. */
    public static Constant i8(byte[] code) {
        return new Constant(Type.I8, List.of(code.length), ByteBuffer.wrap(code.clone()));
    }

    /** The elements as read-only little-endian bytes; the caller's own position and limit. */
    @Override
    public ByteBuffer data() {
        return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The size of the data, in bytes. */
    public long bytes() {
        return data.limit();
    }

    /** The number of elements. */
    public int elements() {
        return data.limit() / type.bytes();
    }

    /** A copy of the elements of an f32 constant. */
    public float[] floats() {
        require(Type.F32);
        float[] values = new float[elements()];
        data.asFloatBuffer().get(values);
        return values;
    }

    /** A copy of the elements of an i32 constant. */
    public int[] ints() {
        require(Type.I32);
        int[] values = new int[elements()];
        data.asIntBuffer().get(values);
        return values;
    }

    private void require(Type wanted) {
        if (type != wanted) {
            throw new IllegalStateException("a constant of " + type + " " + dims + " read as " + wanted);
        }
    }

    private static ByteBuffer allocate(int elements) {
        return ByteBuffer.allocate(Math.multiplyExact(elements, Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Constant that
                && type == that.type && dims.equals(that.dims) && data.equals(that.data);
    }

    /** From type and dimensions alone: weights are large. */
    @Override
    public int hashCode() {
        return 31 * type.hashCode() + dims.hashCode();
    }

    @Override
    public String toString() {
        return type.name().toLowerCase(Locale.ROOT) + dims;
    }
}
