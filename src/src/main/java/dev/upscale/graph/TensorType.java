package dev.upscale.graph;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The element type and static shape of a tensor. A scalar has no dimension; a dimension may be 0.
 *
 * <p>Printed as {@code f32[1,3,224,224]}.
 */
public record TensorType(ElementType element, List<Integer> dims) {

    public TensorType {
        dims = List.copyOf(dims);
        for (int dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("negative dimension in " + dims);
            }
        }
    }

    /** An f32 tensor of the given shape. */
    public static TensorType f32(int... dims) {
        return new TensorType(ElementType.F32, Arrays.stream(dims).boxed().toList());
    }

    /** An f32 tensor of the given shape. */
    public static TensorType f32(List<Integer> dims) {
        return new TensorType(ElementType.F32, dims);
    }

    public int rank() {
        return dims.size();
    }

    /** The size of dimension {@code axis}; a negative axis counts from the end. */
    public int dim(int axis) {
        return dims.get(axis < 0 ? axis + rank() : axis);
    }

    /** The shape as a new array. */
    public int[] shape() {
        return dims.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The number of elements; 1 for a scalar. */
    public long elements() {
        long elements = 1;
        for (int dim : dims) {
            elements = Math.multiplyExact(elements, (long) dim);
        }
        return elements;
    }

    /** The size in bytes, without padding. */
    public long bytes() {
        return elements() * element.bytes();
    }

    /** The same type with dimension {@code axis} replaced. */
    public TensorType withDim(int axis, int size) {
        int[] shape = shape();
        shape[axis < 0 ? axis + rank() : axis] = size;
        return new TensorType(element, Arrays.stream(shape).boxed().toList());
    }

    @Override
    public String toString() {
        return element.name().toLowerCase(java.util.Locale.ROOT)
                + dims.stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]"));
    }
}
