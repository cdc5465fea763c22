package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.List;

/** Elements of constants, picked by position: what every operation that only moves elements comes down to. */
final class Elements {
    private Elements() {}

    /** The elements of {@code source} at {@code positions}, under a new shape. */
    static Tensor pick(Tensor source, List<Integer> dims, int[] positions) {
        TensorType type = new TensorType(source.type().element(), dims);
        if (type.element() == ElementType.F32) {
            float[] values = new float[positions.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = source.floats()[positions[i]];
            }
            return Tensor.of(type, values);
        }
        long[] values = new long[positions.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = source.longs()[positions[i]];
        }
        return Tensor.of(type, values);
    }

    /** The row-major strides of a shape, in elements. */
    static int[] strides(List<Integer> dims) {
        int[] strides = new int[dims.size()];
        int stride = 1;
        for (int axis = strides.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= dims.get(axis);
        }
        return strides;
    }

    /** The positions of a strided view of the given shape, in row-major order. */
    static int[] positions(List<Integer> dims, int[] strides, int offset) {
        int[] positions = new int[(int) new TensorType(ElementType.F32, dims).elements()];
        int[] index = new int[dims.size()];
        int position = offset;
        for (int i = 0; i < positions.length; i++) {
            positions[i] = position;
            for (int axis = index.length - 1; axis >= 0; axis--) {
                position += strides[axis];
                if (++index[axis] < dims.get(axis)) {
                    break;
                }
                position -= index[axis] * strides[axis];
                index[axis] = 0;
            }
        }
        return positions;
    }

    /** The positions of a tensor of shape {@code from} for each element of the shape {@code to} that it broadcasts to. */
    static int[] broadcast(List<Integer> from, List<Integer> to) {
        int[] own = strides(from);
        int[] strides = new int[to.size()];
        for (int axis = 0; axis < own.length; axis++) {
            strides[to.size() - own.length + axis] = from.get(axis) == 1 ? 0 : own[axis];
        }
        return positions(to, strides, 0);
    }
}
