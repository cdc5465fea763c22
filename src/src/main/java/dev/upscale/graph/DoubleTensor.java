package dev.upscale.graph;

import java.util.List;
import java.util.Objects;

/**
 * A tensor as the {@link Interpreter} computes it: every element a double, in row-major order of {@code type}. Integers
 * are exact up to 2^53. Immutable by agreement: nobody writes to the array.
 */
public record DoubleTensor(TensorType type, double[] values) {

    public DoubleTensor {
        Objects.requireNonNull(type);
        if (values.length != type.elements()) {
            throw new IllegalArgumentException(values.length + " elements for " + type);
        }
    }

    /** An f32 tensor of the given shape over {@code values}, which are not copied. */
    public static DoubleTensor of(double[] values, int... dims) {
        return new DoubleTensor(TensorType.f32(dims), values);
    }

    /** The same elements as doubles. */
    public static DoubleTensor of(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.type().elements())];
        if (tensor.type().element() == ElementType.F32) {
            float[] floats = tensor.floats();
            for (int i = 0; i < values.length; i++) {
                values[i] = floats[i];
            }
        } else {
            long[] longs = tensor.longs();
            for (int i = 0; i < values.length; i++) {
                values[i] = longs[i];
            }
        }
        return new DoubleTensor(tensor.type(), values);
    }

    /** The elements rounded to the element type. */
    public Tensor rounded() {
        if (type.element() == ElementType.I64) {
            long[] longs = new long[values.length];
            for (int i = 0; i < values.length; i++) {
                longs[i] = (long) values[i];
            }
            return Tensor.of(type, longs);
        }
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return Tensor.of(type, floats);
    }

    /** The same elements under another shape. */
    public DoubleTensor reshaped(List<Integer> dims) {
        return new DoubleTensor(new TensorType(type.element(), dims), values);
    }

    int dim(int axis) {
        return type.dim(axis);
    }

    int[] shape() {
        return type.shape();
    }

    @Override
    public String toString() {
        return type.toString();
    }
}
