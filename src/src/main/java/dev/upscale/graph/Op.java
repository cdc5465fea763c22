package dev.upscale.graph;

import java.util.List;

/**
 * An operation. Each has one output; inputs are listed in the order given with each record, those in brackets may be
 * missing. "Weight" means that the operand is a constant of the graph.
 *
 * <p>The set is smaller than ONNX's: the importer writes Split as slices, Gemm as {@link Linear}, global pooling as
 * {@link Reduce}, Flatten, Squeeze and Unsqueeze as {@link Reshape}, and leaves out Identity, Dropout and Cast.
 */
public sealed interface Op {

    /**
     * Convolution. Inputs: source [N, C, H, W], weight [O, C/groups, kernelH, kernelW], [bias [O]]. Output [N, O, H', W'].
     */
    record Conv(Window window, int groups) implements Op {}

    /**
     * Transposed convolution. Inputs: source [N, C, H, W], weight [C, O/groups, kernelH, kernelW], [bias [O]]. Output height
     * (H − 1) · strideH + spanH + outputPadH − padTop − padBottom, width likewise.
     */
    record ConvTranspose(Window window, int outputPadH, int outputPadW, int groups) implements Op {}

    /** Matrix product with a weight. Inputs: source [..., K], weight [O, K], [bias [O]]. Output [..., O]. */
    record Linear() implements Op {}

    /** Matrix product of two tensors as in numpy: [..., M, K] × [..., K, N], leading dimensions broadcast. */
    record MatMul() implements Op {}

    /** Inference batch normalisation. Inputs: source [N, C, ...], scale, shift, mean, variance (each a weight [C]). */
    record BatchNorm(float epsilon) implements Op {}

    /** Channel-wise scale · x + shift: what is left of a folded batch normalisation. Inputs: source [N, C, ...], scale [C], shift [C]. */
    record ScaleShift() implements Op {}

    /** Layer normalisation over the axes from {@code axis} on. Inputs: source, scale, [shift], broadcast to those axes. */
    record LayerNorm(int axis, float epsilon) implements Op {}

    /** Instance normalisation. Inputs: source [N, C, ...], scale [C], shift [C]. */
    record InstanceNorm(float epsilon) implements Op {}

    /** Local response normalisation over {@code size} neighbouring channels. Input [N, C, ...]. */
    record Lrn(int size, float alpha, float beta, float bias) implements Op {}

    /** A function applied to each element. */
    record Apply(Function function) implements Op {}

    /** x &lt; 0 ? slope · x : x. Inputs: source, slope (broadcast to the source as in numpy). */
    record PRelu() implements Op {}

    /** An operation on two tensors, broadcast against each other as in numpy. */
    record Binary(Kind kind) implements Op {
        /** What is computed of the two operands. */
        public enum Kind { ADD, SUB, MUL, DIV, POW, MIN, MAX }
    }

    /** Softmax along one axis. */
    record Softmax(int axis) implements Op {}

    /** All inputs joined along one axis. */
    record Concat(int axis) implements Op {}

    /** Positions {@code start}, {@code start + step}, ... of one axis, {@code size} of them; the step may be negative. */
    record Slice(int axis, int start, int size, int step) implements Op {}

    /** The listed positions of one axis, in the order listed; repetitions allowed. */
    record Take(int axis, List<Integer> indices) implements Op {
        public Take {
            indices = List.copyOf(indices);
        }
    }

    /**
     * Pooling over [N, C, H, W]. With {@code ceil}, a last window that only partly fits is added (if it starts inside of
     * the image or its leading padding). Averages divide by the pixels inside of the image or, with {@code countPadding},
     * of the padded image.
     */
    record Pool(Kind kind, Window window, boolean ceil, boolean countPadding) implements Op {
        /** What is computed of the pixels in a window. */
        public enum Kind { MAX, AVERAGE }
    }

    /** Reduction over some axes (ascending, not negative), which are kept with size 1 or removed. */
    record Reduce(Kind kind, List<Integer> axes, boolean keepDims) implements Op {
        /** What is computed of the elements. */
        public enum Kind { MEAN, SUM, MAX, MIN }

        public Reduce {
            axes = List.copyOf(axes);
        }
    }

    /** The same elements under another shape (all dimensions given). */
    record Reshape(List<Integer> dims) implements Op {
        public Reshape {
            dims = List.copyOf(dims);
        }
    }

    /** Output axis i is input axis {@code permutation[i]}. */
    record Transpose(List<Integer> permutation) implements Op {
        public Transpose {
            permutation = List.copyOf(permutation);
        }
    }

    /** Broadcast to the given shape. */
    record Expand(List<Integer> dims) implements Op {
        public Expand {
            dims = List.copyOf(dims);
        }
    }

    /** {@code before[i]} elements added (or, if negative, cut) before axis i, {@code after[i]} after it. */
    record Pad(Mode mode, List<Integer> before, List<Integer> after, float value) implements Op {
        /** What is added. */
        public enum Mode { CONSTANT, REFLECT, EDGE }

        public Pad {
            before = List.copyOf(before);
            after = List.copyOf(after);
        }
    }

    /**
     * Resize of [N, C, H, W] in height and width to the given sizes; {@code scaleH} and {@code scaleW} are those that
     * coordinates are computed with (ONNX takes them from the model, not from the sizes, where it gives them). Where a
     * scale is the ratio of the sizes rounded to a float, coordinates are computed with the exact ratio.
     */
    record Resize(Mode mode, Coordinates coordinates, Nearest nearest, int height, int width, float scaleH, float scaleW)
            implements Op {
        /** How pixels are interpolated. */
        public enum Mode { NEAREST, LINEAR }

        /** ONNX's coordinate_transformation_mode. */
        public enum Coordinates { HALF_PIXEL, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC }

        /** ONNX's nearest_mode. */
        public enum Nearest { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, FLOOR, CEIL }

        /**
         * Where output position {@code position} of an axis lies in the source, in pixels from the middle of its first.
         *
         * @param from the axis's size in the source
         * @param to its size in the output
         * @param scale {@link #scaleH} or {@link #scaleW}
         */
        public double sourcePosition(int position, int from, int to, float scale) {
            boolean exact = (float) ((double) to / from) == scale;
            return switch (coordinates) {
                case ASYMMETRIC -> exact ? (double) position * from / to : position / (double) scale;
                case ALIGN_CORNERS -> to == 1 ? 0 : (double) position * (from - 1) / (to - 1);
                case HALF_PIXEL -> middle(position, from, to, scale, exact);
                case PYTORCH_HALF_PIXEL -> to == 1 ? 0 : middle(position, from, to, scale, exact);
            };
        }

        private static double middle(int position, int from, int to, float scale, boolean exact) {
            return (exact ? (position + 0.5) * from / to : (position + 0.5) / scale) - 0.5;
        }

        /** The pixel of an axis of {@code from} pixels that is nearest to a source position. */
        public int nearestSource(double position, int from) {
            double pixel = switch (nearest) {
                case ROUND_PREFER_FLOOR -> Math.ceil(position - 0.5);
                case ROUND_PREFER_CEIL -> Math.floor(position + 0.5);
                case FLOOR -> Math.floor(position);
                case CEIL -> Math.ceil(position);
            };
            return (int) Math.clamp(pixel, 0.0, from - 1.0);
        }
    }

    /** Blocks of channels into blocks of pixels, [N, C, H, W] to [N, C/b², H·b, W·b]; ONNX's modes DCR and CRD. */
    record DepthToSpace(int block, Mode mode) implements Op {
        /** The order of the channels in a block: depth, column, row or column, row, depth. */
        public enum Mode { DCR, CRD }
    }
}
