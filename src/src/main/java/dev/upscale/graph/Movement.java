package dev.upscale.graph;

import java.util.Arrays;
import java.util.List;

/** The interpreter's operations that move elements: all but concatenation are {@link #gather} with other offsets. */
final class Movement {
    /** An offset that stands for the fill value. */
    private static final int FILL = -1;

    private Movement() {}

    /**
     * A tensor of {@code offsets.length} dimensions whose element (i, j, ...) is the source's at
     * {@code offsets[0][i] + offsets[1][j] + ...}, or {@code fill} where one of them is {@link #FILL}.
     */
    private static double[] gather(double[] source, int[][] offsets, double fill) {
        int elements = 1;
        for (int[] axis : offsets) {
            elements *= axis.length;
        }
        double[] target = new double[elements];
        if (elements > 0) {
            gather(source, offsets, fill, 0, 0, target, 0);
        }
        return target;
    }

    private static int gather(double[] source, int[][] offsets, double fill, int axis, int base, double[] target, int at) {
        if (axis == offsets.length) {
            target[at] = source[base];
            return at + 1;
        }
        int next = at;
        boolean last = axis == offsets.length - 1;
        for (int offset : offsets[axis]) {
            if (offset == FILL) {
                int size = 1;
                for (int inner = axis + 1; inner < offsets.length; inner++) {
                    size *= offsets[inner].length;
                }
                Arrays.fill(target, next, next + size, fill);
                next += size;
            } else if (last) {
                target[next++] = source[base + offset];
            } else {
                next = gather(source, offsets, fill, axis + 1, base + offset, target, next);
            }
        }
        return next;
    }

    /** For each axis, the offsets of all of its positions. */
    private static int[][] offsets(int[] dims) {
        int[][] offsets = new int[dims.length][];
        int stride = 1;
        for (int axis = dims.length - 1; axis >= 0; axis--) {
            offsets[axis] = new int[dims[axis]];
            for (int i = 0; i < dims[axis]; i++) {
                offsets[axis][i] = i * stride;
            }
            stride *= dims[axis];
        }
        return offsets;
    }

    static double[] slice(Op.Slice slice, TensorType type, DoubleTensor source) {
        int[][] offsets = offsets(source.shape());
        int[] whole = offsets[slice.axis()];
        offsets[slice.axis()] = new int[slice.size()];
        Arrays.setAll(offsets[slice.axis()], i -> whole[slice.start() + i * slice.step()]);
        return gather(source.values(), offsets, 0);
    }

    static double[] take(Op.Take take, TensorType type, DoubleTensor source) {
        int[][] offsets = offsets(source.shape());
        int[] whole = offsets[take.axis()];
        offsets[take.axis()] = take.indices().stream().mapToInt(index -> whole[index]).toArray();
        return gather(source.values(), offsets, 0);
    }

    static double[] transpose(List<Integer> permutation, DoubleTensor source) {
        int[][] offsets = offsets(source.shape());
        return gather(source.values(), permutation.stream().map(axis -> offsets[axis]).toArray(int[][]::new), 0);
    }

    /** The source broadcast to the given shape; the same array if nothing is to be done. */
    static double[] expand(DoubleTensor source, List<Integer> dims) {
        if (source.type().dims().equals(dims)) {
            return source.values();
        }
        int[][] own = offsets(source.shape());
        int[][] offsets = new int[dims.size()][];
        for (int axis = 0; axis < offsets.length; axis++) {
            int aligned = axis - (offsets.length - own.length);
            boolean stretched = aligned < 0 || own[aligned].length != dims.get(axis);
            offsets[axis] = stretched ? new int[dims.get(axis)] : own[aligned];
        }
        return gather(source.values(), offsets, 0);
    }

    static double[] pad(Op.Pad pad, TensorType type, DoubleTensor source) {
        int[][] offsets = offsets(source.shape());
        for (int axis = 0; axis < offsets.length; axis++) {
            int[] whole = offsets[axis];
            int before = pad.before().get(axis);
            int[] padded = new int[type.dim(axis)];
            for (int i = 0; i < padded.length; i++) {
                int position = i - before;
                padded[i] = position >= 0 && position < whole.length ? whole[position] : switch (pad.mode()) {
                    case CONSTANT -> FILL;
                    case EDGE -> whole[position < 0 ? 0 : whole.length - 1];
                    case REFLECT -> whole[position < 0 ? -position : 2 * (whole.length - 1) - position];
                };
            }
            offsets[axis] = padded;
        }
        return gather(source.values(), offsets, pad.value());
    }

    static double[] depthToSpace(Op.DepthToSpace op, DoubleTensor source) {
        int block = op.block();
        int depth = source.dim(1) / (block * block);
        int height = source.dim(2);
        int width = source.dim(3);
        return switch (op.mode()) {
            case DCR -> transpose(List.of(0, 3, 4, 1, 5, 2),
                    source.reshaped(List.of(source.dim(0), block, block, depth, height, width)));
            case CRD -> transpose(List.of(0, 1, 4, 2, 5, 3),
                    source.reshaped(List.of(source.dim(0), depth, block, block, height, width)));
        };
    }

    static double[] concat(Op.Concat concat, TensorType type, List<DoubleTensor> parts) {
        double[] result = new double[Math.toIntExact(type.elements())];
        int outer = 1;
        for (int axis = 0; axis < concat.axis(); axis++) {
            outer *= type.dim(axis);
        }
        for (int block = 0, at = 0; block < outer; block++) {
            for (DoubleTensor part : parts) {
                int size = part.values().length / outer;
                System.arraycopy(part.values(), block * size, result, at, size);
                at += size;
            }
        }
        return result;
    }
}
