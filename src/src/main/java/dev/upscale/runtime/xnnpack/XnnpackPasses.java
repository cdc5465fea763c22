package dev.upscale.runtime.xnnpack;

import static dev.upscale.bindings.xnnpack.xnnpack_h.*;

import dev.upscale.bindings.xnnpack.xnn_unary_params;
import dev.upscale.bindings.xnnpack.xnnpack_addresses_h;
import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Makes XNNPACK's operators without weights, over channels-last f32: pools, resizing, binary operations, clamps, copies.
 * Where pixel strides are arguments, source and destination may be slices of wider tensors; the others are dense.
 * Parameters as in {@link XnnpackOperator}: {@code owner} frees the operator and is closed before the pool; {@code subject} names it in errors.
 * Each throws a {@link NativeError} if XNNPACK refuses.
 */
public final class XnnpackPasses {
    private XnnpackPasses() {}

    /** The largest of each window; padding counts for nothing. */
    public static XnnpackOperator maxPool(Arena owner, String subject, int batch, int height, int width, int channels, Window window,
            long sourceStride, long destinationStride, XnnpackPool pool) {
        Xnnpack.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            Xnnpack.check(xnn_create_max_pooling2d_nhwc_f32(window.padTop(), window.padRight(), window.padBottom(), window.padLeft(),
                    window.kernelH(), window.kernelW(), window.strideH(), window.strideW(), window.dilationH(), window.dilationW(),
                    Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 0, created), "xnn_create_max_pooling2d_nhwc_f32", subject);
            MemorySegment handle = XnnpackOperator.owned(owner, created);
            MemorySegment sizes = call.allocate(ValueLayout.JAVA_LONG, 2);
            Xnnpack.check(xnn_reshape_max_pooling2d_nhwc_f32(handle, batch, height, width, channels, sourceStride, destinationStride, sizes,
                    sizes.asSlice(8), pool.handle()), "xnn_reshape_max_pooling2d_nhwc_f32", subject);
            return new XnnpackOperator(subject, handle, pool, (operator, workspace, source, destination) ->
                    xnnpack_addresses_h.xnn_setup_max_pooling2d_nhwc_f32(operator, source, destination), 0);
        }
    }

    /** The mean of each window, of its pixels inside the image. */
    public static XnnpackOperator averagePool(Arena owner, String subject, int batch, int height, int width, int channels, Window window,
            long sourceStride, long destinationStride, XnnpackPool pool) {
        Xnnpack.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            Xnnpack.check(xnn_create_average_pooling2d_nhwc_f32(window.padTop(), window.padRight(), window.padBottom(), window.padLeft(),
                    window.kernelH(), window.kernelW(), window.strideH(), window.strideW(), Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 0,
                    created), "xnn_create_average_pooling2d_nhwc_f32", subject);
            MemorySegment handle = XnnpackOperator.owned(owner, created);
            MemorySegment sizes = call.allocate(ValueLayout.JAVA_LONG, 2);
            Xnnpack.check(xnn_reshape_average_pooling2d_nhwc_f32(handle, batch, height, width, channels, sourceStride, destinationStride, sizes,
                    sizes.asSlice(8), pool.handle()), "xnn_reshape_average_pooling2d_nhwc_f32", subject);
            return new XnnpackOperator(subject, handle, pool, (operator, workspace, source, destination) ->
                    xnnpack_addresses_h.xnn_setup_average_pooling2d_nhwc_f32(operator, source, destination), 0);
        }
    }

    /** Bilinear resizing between pixels' centres. */
    public static XnnpackOperator resizeBilinear(Arena owner, String subject, int batch, int height, int width, int channels, int outHeight,
            int outWidth, long sourceStride, long destinationStride, XnnpackPool pool) {
        Xnnpack.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            Xnnpack.check(xnn_create_resize_bilinear2d_nhwc(xnn_datatype_fp32(), outHeight, outWidth, 0, created),
                    "xnn_create_resize_bilinear2d_nhwc", subject);
            MemorySegment handle = XnnpackOperator.owned(owner, created);
            MemorySegment size = call.allocate(ValueLayout.JAVA_LONG);
            Xnnpack.check(xnn_reshape_resize_bilinear2d_nhwc(handle, batch, height, width, channels, sourceStride, destinationStride, size,
                    pool.handle()), "xnn_reshape_resize_bilinear2d_nhwc", subject);
            return new XnnpackOperator(subject, handle, pool, xnnpack_addresses_h::xnn_setup_resize_bilinear2d_nhwc,
                    size.get(ValueLayout.JAVA_LONG, 0));
        }
    }

    /** What a binary operator computes. */
    public enum BinaryOp { ADD, MULTIPLY }

    /**
     * Combines dense tensors [batch, pixels, channels]; the second may have one pixel for all of an image.
     *
     * @param secondPixels {@code pixels} or 1
     * @param second       where the second operand lies, for good
     */
    public static XnnpackOperator binary(Arena owner, String subject, BinaryOp op, int batch, long pixels, int channels, long secondPixels,
            MemorySegment second, XnnpackPool pool) {
        Xnnpack.load();
        int type = op == BinaryOp.ADD ? xnn_binary_add() : xnn_binary_multiply();
        long secondAddress = second.address();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            Xnnpack.check(xnn_create_binary_elementwise_nd(type, xnn_datatype_fp32(), MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL, 0,
                    created), "xnn_create_binary_elementwise_nd", subject);
            MemorySegment handle = XnnpackOperator.owned(owner, created);
            Xnnpack.check(xnn_reshape_binary_elementwise_nd(handle, 3, call.allocateFrom(ValueLayout.JAVA_LONG, batch, pixels, channels), 3,
                    call.allocateFrom(ValueLayout.JAVA_LONG, batch, secondPixels, channels), pool.handle()), "xnn_reshape_binary_elementwise_nd",
                    subject);
            return new XnnpackOperator(subject, handle, pool, (operator, workspace, source, destination) ->
                    xnnpack_addresses_h.xnn_setup_binary_elementwise_nd(operator, source, secondAddress, destination), 0);
        }
    }

    /** Each value, at least {@code low} and at most {@code high}. */
    public static XnnpackOperator clamp(Arena owner, String subject, long pixels, int channels, float low, float high, long sourceStride,
            long destinationStride, XnnpackPool pool) {
        Xnnpack.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bounds = xnn_unary_params.allocate(call);
            xnn_unary_params.clamp.min(xnn_unary_params.clamp(bounds), low);
            xnn_unary_params.clamp.max(xnn_unary_params.clamp(bounds), high);
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            Xnnpack.check(xnn_create_unary_elementwise_nc(xnn_unary_clamp(), xnn_datatype_fp32(), xnn_datatype_fp32(), bounds, MemorySegment.NULL,
                    MemorySegment.NULL, MemorySegment.NULL, 0, created), "xnn_create_unary_elementwise_nc", subject);
            MemorySegment handle = XnnpackOperator.owned(owner, created);
            Xnnpack.check(xnn_reshape_unary_elementwise_nc(handle, pixels, channels, sourceStride, destinationStride, pool.handle()),
                    "xnn_reshape_unary_elementwise_nc", subject);
            return new XnnpackOperator(subject, handle, pool, (operator, workspace, source, destination) ->
                    xnnpack_addresses_h.xnn_setup_unary_elementwise_nc(operator, source, destination), 0);
        }
    }

    /** The same values elsewhere. */
    public static XnnpackOperator copy(Arena owner, String subject, long pixels, int channels, long sourceStride, long destinationStride,
            XnnpackPool pool) {
        Xnnpack.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            Xnnpack.check(xnn_create_copy_nc_x32(0, created), "xnn_create_copy_nc_x32", subject);
            MemorySegment handle = XnnpackOperator.owned(owner, created);
            Xnnpack.check(xnn_reshape_copy_nc_x32(handle, pixels, channels, sourceStride, destinationStride, pool.handle()),
                    "xnn_reshape_copy_nc_x32", subject);
            return new XnnpackOperator(subject, handle, pool, (operator, workspace, source, destination) ->
                    xnnpack_addresses_h.xnn_setup_copy_nc_x32(operator, source, destination), 0);
        }
    }
}
