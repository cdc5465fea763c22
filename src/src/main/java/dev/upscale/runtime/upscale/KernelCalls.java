package dev.upscale.runtime.upscale;

import static dev.upscale.bindings.upscale.upscale_cpu_h.*;

import dev.upscale.bindings.upscale.up_binary_args;
import dev.upscale.bindings.upscale.up_from_planes_args;
import dev.upscale.bindings.upscale.up_gather_args;
import dev.upscale.bindings.upscale.up_operand;
import dev.upscale.bindings.upscale.up_pad_args;
import dev.upscale.bindings.upscale.up_pointwise_args;
import dev.upscale.bindings.upscale.up_reduce_args;
import dev.upscale.bindings.upscale.up_resize_args;
import dev.upscale.bindings.upscale.up_softmax_args;
import dev.upscale.bindings.upscale.up_source;
import dev.upscale.bindings.upscale.up_target;
import dev.upscale.bindings.upscale.up_to_planes_args;
import dev.upscale.bindings.upscale.up_window_args;
import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Calls of the kernels that have no packed weights. Each is made once, in the arena that holds its arguments, and named by its
 * subject (the node) in errors. Sizes are in pixels and channels, strides in floats. The sources of a call are numbered in the order
 * of its parameters.
 */
public final class KernelCalls {
    private KernelCalls() {}

    /**
     * {@code activation(scale[k] * source[p, k] + shift[k])} over [pixels, channels] ({@code up_pointwise}).
     *
     * @param scale f32 [channels] in the destination's order; {@link MemorySegment#NULL}: 1
     * @param shift f32 [channels] in the destination's order; {@link MemorySegment#NULL}: 0
     */
    public static KernelCall pointwise(Arena owner, String subject, long pixels, int channels, Source source, MemorySegment scale,
            MemorySegment shift, Function activation, Target target) {
        CpuKernels.load();
        MemorySegment args = up_pointwise_args.allocate(owner);
        up_pointwise_args.pixels(args, pixels);
        up_pointwise_args.channels(args, channels);
        source.write(up_pointwise_args.src(args));
        target.write(up_pointwise_args.dst(args));
        up_pointwise_args.scale(args, scale);
        up_pointwise_args.shift(args, shift);
        Activations.write(up_pointwise_args.act(args), activation);
        return new KernelCall(subject, "up_pointwise", args, (block, pool) -> up_pointwise(block, pool),
                targetAt(up_pointwise_args.dst$offset()), sourceAt(up_pointwise_args.src$offset()));
    }

    /** What a binary kernel computes of its operands. */
    public enum BinaryOp {
        ADD(UP_ADD()),
        SUB(UP_SUB()),
        MUL(UP_MUL()),
        DIV(UP_DIV()),
        MIN(UP_MIN()),
        MAX(UP_MAX()),
        /** {@code a} to the power of {@code b}. */
        POW(UP_POW()),
        /** {@code a < 0 ? a * b : a}. */
        PRELU(UP_PRELU());

        private final int code;

        BinaryOp(int code) {
            this.code = code;
        }
    }

    /** {@code activation(op(a, b))} over [batch, pixels, channels] ({@code up_binary}). */
    public static KernelCall binary(Arena owner, String subject, BinaryOp op, int batch, long pixels, int channels, Operand a, Operand b,
            Function activation, Target target) {
        CpuKernels.load();
        MemorySegment args = up_binary_args.allocate(owner);
        up_binary_args.batch(args, batch);
        up_binary_args.pixels(args, pixels);
        up_binary_args.channels(args, channels);
        up_binary_args.op(args, op.code);
        Activations.write(up_binary_args.act(args), activation);
        a.write(up_binary_args.a(args));
        b.write(up_binary_args.b(args));
        target.write(up_binary_args.dst(args));
        return new KernelCall(subject, "up_binary", args, (block, pool) -> up_binary(block, pool), targetAt(up_binary_args.dst$offset()),
                up_binary_args.a$offset() + up_operand.data$offset(), up_binary_args.b$offset() + up_operand.data$offset());
    }

    /** What a pooling window computes. */
    public enum WindowOp {
        MAX,
        /** The mean of the taps inside of the image. */
        AVERAGE,
        /** The mean of the taps inside of the padded image. */
        AVERAGE_WITH_PADDING
    }

    /** Pooling of [batch, inHeight, inWidth, channels] to [batch, outHeight, outWidth, channels] ({@code up_window}). */
    public static KernelCall window(Arena owner, String subject, WindowOp op, int batch, int channels, int inHeight, int inWidth,
            int outHeight, int outWidth, Window window, Source source, Target target) {
        CpuKernels.load();
        MemorySegment args = up_window_args.allocate(owner);
        up_window_args.op(args, op == WindowOp.MAX ? UP_POOL_MAX() : UP_POOL_AVERAGE());
        up_window_args.batch(args, batch);
        up_window_args.channels(args, channels);
        up_window_args.in_h(args, inHeight);
        up_window_args.in_w(args, inWidth);
        up_window_args.out_h(args, outHeight);
        up_window_args.out_w(args, outWidth);
        up_window_args.kernel_h(args, window.kernelH());
        up_window_args.kernel_w(args, window.kernelW());
        up_window_args.stride_h(args, window.strideH());
        up_window_args.stride_w(args, window.strideW());
        up_window_args.dilation_h(args, window.dilationH());
        up_window_args.dilation_w(args, window.dilationW());
        up_window_args.pad_top(args, window.padTop());
        up_window_args.pad_left(args, window.padLeft());
        up_window_args.pad_bottom(args, window.padBottom());
        up_window_args.pad_right(args, window.padRight());
        up_window_args.count_include_pad(args, op == WindowOp.AVERAGE_WITH_PADDING ? 1 : 0);
        source.write(up_window_args.src(args));
        target.write(up_window_args.dst(args));
        return new KernelCall(subject, "up_window", args, (block, pool) -> up_window(block, pool), targetAt(up_window_args.dst$offset()),
                sourceAt(up_window_args.src$offset()));
    }

    /** What is computed of all pixels of an image. */
    public enum ReduceOp {
        MEAN(UP_REDUCE_MEAN()),
        SUM(UP_REDUCE_SUM()),
        MAX(UP_REDUCE_MAX());

        private final int code;

        ReduceOp(int code) {
            this.code = code;
        }
    }

    /** [batch, pixels, channels] to [batch, channels] ({@code up_reduce}); the target's stride goes from image to image. */
    public static KernelCall reduce(Arena owner, String subject, ReduceOp op, int batch, long pixels, int channels, Source source,
            Target target) {
        CpuKernels.load();
        MemorySegment args = up_reduce_args.allocate(owner);
        up_reduce_args.op(args, op.code);
        up_reduce_args.batch(args, batch);
        up_reduce_args.channels(args, channels);
        up_reduce_args.pixels(args, pixels);
        source.write(up_reduce_args.src(args));
        target.write(up_reduce_args.dst(args));
        return new KernelCall(subject, "up_reduce", args, (block, pool) -> up_reduce(block, pool), targetAt(up_reduce_args.dst$offset()),
                sourceAt(up_reduce_args.src$offset()));
    }

    /** Softmax, or its logarithm, over the channels of each pixel ({@code up_softmax}). */
    public static KernelCall softmax(Arena owner, String subject, boolean logarithm, long pixels, int channels, Source source,
            Target target) {
        CpuKernels.load();
        MemorySegment args = up_softmax_args.allocate(owner);
        up_softmax_args.pixels(args, pixels);
        up_softmax_args.channels(args, channels);
        up_softmax_args.logarithm(args, logarithm ? 1 : 0);
        source.write(up_softmax_args.src(args));
        target.write(up_softmax_args.dst(args));
        return new KernelCall(subject, "up_softmax", args, (block, pool) -> up_softmax(block, pool), targetAt(up_softmax_args.dst$offset()),
                sourceAt(up_softmax_args.src$offset()));
    }

    /**
     * For each output row or column of a resize, where it reads: positions {@code first} and {@code second} and the weight of the
     * second. Nearest needs only {@code first}; the others are then null.
     */
    public record ResizeAxis(int[] first, int[] second, float[] weight) {
        /** Nearest neighbour. */
        public static ResizeAxis nearest(int[] positions) {
            return new ResizeAxis(positions, null, null);
        }

        private void require(String subject, int inSize, int outSize) {
            boolean fits = first.length == outSize && isInside(first, inSize)
                    && (second == null) == (weight == null)
                    && (second == null || (second.length == outSize && weight.length == outSize && isInside(second, inSize)));
            if (!fits) {
                throw new IllegalArgumentException(subject + ": resize table does not fit " + inSize + " to " + outSize);
            }
        }

        private static boolean isInside(int[] positions, int size) {
            for (int position : positions) {
                if (position < 0 || position >= size) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Resize of [batch, inHeight, inWidth, channels] by tables, nearest or bilinear on both axes ({@code up_resize}). */
    public static KernelCall resize(Arena owner, String subject, int batch, int channels, int inHeight, int inWidth, int outHeight,
            int outWidth, ResizeAxis rows, ResizeAxis columns, Source source, Target target) {
        CpuKernels.load();
        rows.require(subject, inHeight, outHeight);
        columns.require(subject, inWidth, outWidth);
        MemorySegment args = up_resize_args.allocate(owner);
        up_resize_args.batch(args, batch);
        up_resize_args.channels(args, channels);
        up_resize_args.in_h(args, inHeight);
        up_resize_args.in_w(args, inWidth);
        up_resize_args.out_h(args, outHeight);
        up_resize_args.out_w(args, outWidth);
        source.write(up_resize_args.src(args));
        target.write(up_resize_args.dst(args));
        up_resize_args.row0(args, ints(owner, rows.first()));
        up_resize_args.row1(args, ints(owner, rows.second()));
        up_resize_args.row_weight(args, floats(owner, rows.weight()));
        up_resize_args.col0(args, ints(owner, columns.first()));
        up_resize_args.col1(args, ints(owner, columns.second()));
        up_resize_args.col_weight(args, floats(owner, columns.weight()));
        return new KernelCall(subject, "up_resize", args, (block, pool) -> up_resize(block, pool), targetAt(up_resize_args.dst$offset()),
                sourceAt(up_resize_args.src$offset()));
    }

    /** Copies channels of [pixels, channels], by index if the source has one ({@code up_gather}). */
    public static KernelCall gather(Arena owner, String subject, long pixels, int channels, Source source, Target target) {
        CpuKernels.load();
        MemorySegment args = up_gather_args.allocate(owner);
        up_gather_args.pixels(args, pixels);
        up_gather_args.channels(args, channels);
        source.write(up_gather_args.src(args));
        target.write(up_gather_args.dst(args));
        return new KernelCall(subject, "up_gather", args, (block, pool) -> up_gather(block, pool), targetAt(up_gather_args.dst$offset()),
                sourceAt(up_gather_args.src$offset()));
    }

    /**
     * Pads, crops and strides ({@code up_pad}): output pixel (y, x) is input pixel (y·stepHeight − top, x·stepWidth − left), or
     * {@code value} outside of the image.
     *
     * @param top  rows added before the first, or cut if negative
     * @param left columns added before the first, or cut if negative
     */
    public static KernelCall pad(Arena owner, String subject, int batch, int channels, int inHeight, int inWidth, int outHeight,
            int outWidth, int top, int left, int stepHeight, int stepWidth, float value, Source source, Target target) {
        CpuKernels.load();
        MemorySegment args = up_pad_args.allocate(owner);
        up_pad_args.batch(args, batch);
        up_pad_args.channels(args, channels);
        up_pad_args.in_h(args, inHeight);
        up_pad_args.in_w(args, inWidth);
        up_pad_args.out_h(args, outHeight);
        up_pad_args.out_w(args, outWidth);
        up_pad_args.top(args, top);
        up_pad_args.left(args, left);
        up_pad_args.step_h(args, stepHeight);
        up_pad_args.step_w(args, stepWidth);
        up_pad_args.value(args, value);
        source.write(up_pad_args.src(args));
        target.write(up_pad_args.dst(args));
        return new KernelCall(subject, "up_pad", args, (block, pool) -> up_pad(block, pool), targetAt(up_pad_args.dst$offset()),
                sourceAt(up_pad_args.src$offset()));
    }

    /**
     * Planes [batch, channels, pixels] (NCHW) to pixels [batch, pixels, channels] (NHWC) ({@code up_from_planes}).
     *
     * @param planes      the first value; {@link MemorySegment#NULL} if it is pointed at later
     * @param planeStride floats from channel to channel
     * @param imageStride floats from image to image
     */
    public static KernelCall fromPlanes(Arena owner, String subject, int batch, int channels, long pixels, MemorySegment planes,
            long planeStride, long imageStride, Target target) {
        CpuKernels.load();
        MemorySegment args = up_from_planes_args.allocate(owner);
        up_from_planes_args.batch(args, batch);
        up_from_planes_args.channels(args, channels);
        up_from_planes_args.pixels(args, pixels);
        up_from_planes_args.src(args, planes);
        up_from_planes_args.plane_stride(args, planeStride);
        up_from_planes_args.image_stride(args, imageStride);
        target.write(up_from_planes_args.dst(args));
        return new KernelCall(subject, "up_from_planes", args, (block, pool) -> up_from_planes(block, pool),
                targetAt(up_from_planes_args.dst$offset()), up_from_planes_args.src$offset());
    }

    /**
     * Pixels [batch, pixels, channels] (NHWC) to planes [batch, channels, pixels] (NCHW) ({@code up_to_planes}).
     *
     * @param planes      where the first value goes; {@link MemorySegment#NULL} if it is pointed at later
     * @param planeStride floats from channel to channel
     * @param imageStride floats from image to image
     */
    public static KernelCall toPlanes(Arena owner, String subject, int batch, int channels, long pixels, Source source,
            MemorySegment planes, long planeStride, long imageStride) {
        CpuKernels.load();
        MemorySegment args = up_to_planes_args.allocate(owner);
        up_to_planes_args.batch(args, batch);
        up_to_planes_args.channels(args, channels);
        up_to_planes_args.pixels(args, pixels);
        source.write(up_to_planes_args.src(args));
        up_to_planes_args.dst(args, planes);
        up_to_planes_args.plane_stride(args, planeStride);
        up_to_planes_args.image_stride(args, imageStride);
        return new KernelCall(subject, "up_to_planes", args, (block, pool) -> up_to_planes(block, pool), up_to_planes_args.dst$offset(),
                sourceAt(up_to_planes_args.src$offset()));
    }

    private static long sourceAt(long offset) {
        return offset + up_source.data$offset();
    }

    private static long targetAt(long offset) {
        return offset + up_target.data$offset();
    }

    private static MemorySegment ints(Arena owner, int[] values) {
        return values == null ? MemorySegment.NULL : owner.allocateFrom(ValueLayout.JAVA_INT, values);
    }

    private static MemorySegment floats(Arena owner, float[] values) {
        return values == null ? MemorySegment.NULL : owner.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }
}
