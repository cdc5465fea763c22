package dev.upscale.compile;

import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Operations that move no data: other views of the same memory. */
final class Views {
    private Views() {}

    /** Positions {@code start}, {@code start + step}, ... of one axis; the step is positive. */
    static View slice(View view, int axis, int start, int size, int step) {
        View sliced = view.slice(axis, start, size);
        List<Long> strides = new ArrayList<>(sliced.strides());
        strides.set(axis, strides.get(axis) * step);
        return sliced.with(sliced.offset(), sliced.dims(), strides);
    }

    static View transpose(View view, List<Integer> permutation) {
        return view.with(view.offset(),
                permutation.stream().map(view.dims()::get).toList(),
                permutation.stream().map(view.strides()::get).toList());
    }

    /** The view repeated along new leading dimensions and dimensions of size 1. */
    static View expand(View view, List<Integer> dims) {
        List<Long> strides = new ArrayList<>();
        for (int axis = 0; axis < dims.size(); axis++) {
            int source = axis - dims.size() + view.rank();
            boolean repeated = source < 0 || view.dim(source) == 1 && dims.get(axis) != 1;
            strides.add(repeated ? 0L : view.stride(source));
        }
        return view.with(view.offset(), dims, strides);
    }

    /**
     * The same elements, in row-major order of the dimensions, under another shape; empty where no strides express it, since
     * two dimensions would have to be merged that do not follow each other in memory.
     */
    static Optional<View> reshape(View view, List<Integer> dims) {
        List<Integer> oldDims = new ArrayList<>();
        List<Long> oldStrides = new ArrayList<>();
        for (int axis = 0; axis < view.rank(); axis++) {
            if (view.dim(axis) != 1) {
                oldDims.add(view.dim(axis));
                oldStrides.add(view.stride(axis));
            }
        }
        Long[] strides = new Long[dims.size()];
        int old = 0;
        int axis = 0;
        while (axis < dims.size()) {
            if (dims.get(axis) == 1) {
                axis++;
                continue;
            }
            // The smallest group of old dimensions that has as many elements as a group of new ones.
            int end = axis + 1;
            int oldEnd = old + 1;
            if (old >= oldDims.size()) {
                return Optional.empty();
            }
            long elements = dims.get(axis);
            long oldElements = oldDims.get(old);
            while (elements != oldElements) {
                if (elements < oldElements) {
                    if (end >= dims.size()) {
                        return Optional.empty();
                    }
                    elements *= dims.get(end++);
                } else {
                    if (oldEnd >= oldDims.size()) {
                        return Optional.empty();
                    }
                    oldElements *= oldDims.get(oldEnd++);
                }
            }
            for (int k = old; k + 1 < oldEnd; k++) {
                if (oldStrides.get(k) != oldDims.get(k + 1) * oldStrides.get(k + 1)) {
                    return Optional.empty();
                }
            }
            long stride = oldStrides.get(oldEnd - 1);
            for (int k = end - 1; k >= axis; k--) {
                strides[k] = stride;
                stride *= dims.get(k);
            }
            axis = end;
            old = oldEnd;
        }
        // Dimensions of size 1 get the stride of a dense layout, so that views of pixels keep their pixel stride.
        long dense = 1;
        for (int k = dims.size() - 1; k >= 0; k--) {
            if (strides[k] == null) {
                strides[k] = dense;
            }
            dense = Math.max(dense, strides[k] * dims.get(k));
        }
        if (dims.size() == 4 && dims.get(2) == 1 && dims.get(3) == 1 && (dims.get(1) == 1 || strides[1] == 1)) {
            long pixel = dims.get(0) == 1 ? dims.get(1) : strides[0];
            return Optional.of(View.channelsLast(view.place(), view.offset(), dims, pixel).of(view.element()));
        }
        return Optional.of(view.with(view.offset(), dims, List.of(strides)));
    }
}
