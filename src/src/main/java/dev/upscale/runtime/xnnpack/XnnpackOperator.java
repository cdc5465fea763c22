package dev.upscale.runtime.xnnpack;

import static dev.upscale.bindings.xnnpack.xnnpack_h.*;

import dev.upscale.bindings.xnnpack.xnnpack_addresses_h;
import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A convolution, a linear layer or one of {@link XnnpackPasses} over channels-last f32, with weights packed and shape fixed. Source and destination may be
 * slices of wider tensors: a pixel stride in floats, and the address of the first channel. It clobbers no neighbour and may read
 * {@link Xnnpack#EXTRA_BYTES} past the source's end. Lives as long as the arena that it was made in. It holds the addresses it works
 * on, so each session has its own, and one thread at a time.
 */
public final class XnnpackOperator {
    private final String subject;
    private final MemorySegment handle;
    private final XnnpackPool pool;
    private final Setup setup;
    private final long workspaceBytes;
    private long workspace;
    private long source;
    private long destination;
    private boolean ready;

    /** Points the native operator at its buffers. */
    @FunctionalInterface
    interface Setup {
        int setUp(MemorySegment operator, long workspace, long source, long destination);
    }

    XnnpackOperator(String subject, MemorySegment handle, XnnpackPool pool, Setup setup, long workspaceBytes) {
        this.subject = subject;
        this.handle = handle;
        this.pool = pool;
        this.setup = setup;
        this.workspaceBytes = workspaceBytes;
    }

    /**
     * A convolution, followed by a clamp to [{@code low}, {@code high}] (infinite: none).
     *
     * @param owner             frees it; to be closed before the pool
     * @param subject           what it is, for errors: the node's name
     * @param weights           f32 [outChannels, inChannels/groups, kernelH, kernelW] as in ONNX; not needed afterwards
     * @param bias              f32 [outChannels], or {@link MemorySegment#NULL}; not needed afterwards
     * @param sourceStride      floats from pixel to pixel of the source
     * @param destinationStride floats from pixel to pixel of the destination
     * @throws NativeError if XNNPACK refuses
     */
    public static XnnpackOperator convolution(Arena owner, String subject, ConvolutionShape shape, MemorySegment weights,
            MemorySegment bias, long sourceStride, long destinationStride, float low, float high, XnnpackPool pool) {
        Xnnpack.load();
        String what = subject + " (" + shape + ")";
        requireBias(what, bias, shape.outChannels());
        Window window = shape.window();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            int flags = shape.isDepthwise() ? XNN_FLAG_DEPTHWISE_CONVOLUTION() : 0;
            Xnnpack.check(xnn_create_convolution2d_nhwc_f32(window.padTop(), window.padRight(), window.padBottom(), window.padLeft(),
                    window.kernelH(), window.kernelW(), window.strideH(), window.strideW(), window.dilationH(), window.dilationW(),
                    shape.groups(), shape.groupInChannels(), shape.groupOutChannels(), sourceStride, destinationStride,
                    WeightOrder.channelsLast(call, what, shape, weights), bias, low, high, flags, MemorySegment.NULL, created),
                    "xnn_create_convolution2d_nhwc_f32", what);
            MemorySegment handle = owned(owner, created);
            MemorySegment sizes = call.allocate(ValueLayout.JAVA_LONG, 3);
            Xnnpack.check(xnn_reshape_convolution2d_nhwc_f32(handle, shape.batch(), shape.inHeight(), shape.inWidth(), sizes,
                    sizes.asSlice(8), sizes.asSlice(16), pool.handle()), "xnn_reshape_convolution2d_nhwc_f32", what);
            long workspaceBytes = sizes.getAtIndex(ValueLayout.JAVA_LONG, 0);
            return new XnnpackOperator(what, handle, pool, xnnpack_addresses_h::xnn_setup_convolution2d_nhwc_f32, workspaceBytes);
        }
    }

    /**
     * A transposed convolution, clamped. Source [batch, inHeight, inWidth, inChannels]; its window's padding is cut from the result,
     * which is {@code (inHeight - 1) * strideH + spanH + adjustHeight - padTop - padBottom} high, and wide likewise.
     *
     * @param weights      f32 [inChannels, outChannels/groups, kernelH, kernelW] as in ONNX; not needed afterwards
     * @param adjustHeight rows added at the bottom (ONNX: output_padding), less than the stride
     * @param adjustWidth  columns added on the right
     */
    public static XnnpackOperator transposedConvolution(Arena owner, String subject, int batch, int inHeight, int inWidth, int inChannels,
            int outChannels, Window window, int groups, int adjustHeight, int adjustWidth, MemorySegment weights, MemorySegment bias,
            long sourceStride, long destinationStride, float low, float high, XnnpackPool pool) {
        Xnnpack.load();
        String what = subject + " (" + batch + "x" + inHeight + "x" + inWidth + "x" + inChannels + " -> " + outChannels + " channels, transposed "
                + window.kernelH() + "x" + window.kernelW() + ")";
        requireBias(what, bias, outChannels);
        if (groups < 1 || inChannels % groups != 0 || outChannels % groups != 0) {
            throw new IllegalArgumentException(what + ": " + groups + " groups do not divide the channels");
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            MemorySegment ordered = WeightOrder.transposed(call, what, inChannels, outChannels, groups, window, weights);
            Xnnpack.check(xnn_create_deconvolution2d_nhwc_f32(window.padTop(), window.padRight(), window.padBottom(), window.padLeft(),
                    window.kernelH(), window.kernelW(), window.strideH(), window.strideW(), window.dilationH(), window.dilationW(), groups,
                    inChannels / groups, outChannels / groups, sourceStride, destinationStride, ordered, bias, low, high, 0,
                    MemorySegment.NULL, created), "xnn_create_deconvolution2d_nhwc_f32", what);
            MemorySegment handle = owned(owner, created);
            MemorySegment sizes = call.allocate(ValueLayout.JAVA_LONG, 2);
            Xnnpack.check(xnn_reshape_deconvolution2d_nhwc_f32(handle, batch, inHeight, inWidth, adjustHeight, adjustWidth, sizes,
                    sizes.asSlice(8), pool.handle()), "xnn_reshape_deconvolution2d_nhwc_f32", what);
            return new XnnpackOperator(what, handle, pool,
                    (operator, workspace, source, destination) ->
                            xnnpack_addresses_h.xnn_setup_deconvolution2d_nhwc_f32(operator, source, destination), 0);
        }
    }

    /**
     * A linear layer: [rows, inChannels] to [rows, outChannels], clamped.
     *
     * @param weights           f32 [outChannels, inChannels]; not needed afterwards
     * @param sourceStride      floats from row to row
     * @param destinationStride floats from row to row
     */
    public static XnnpackOperator linear(Arena owner, String subject, long rows, int inChannels, int outChannels, MemorySegment weights,
            MemorySegment bias, long sourceStride, long destinationStride, float low, float high, XnnpackPool pool) {
        Xnnpack.load();
        String what = subject + " (" + rows + "x" + inChannels + " -> " + rows + "x" + outChannels + ")";
        WeightOrder.requireSize(what, weights, (long) inChannels * outChannels);
        requireBias(what, bias, outChannels);
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            Xnnpack.check(xnn_create_fully_connected_nc_f32(inChannels, outChannels, sourceStride, destinationStride, weights, bias, low,
                    high, 0, MemorySegment.NULL, created), "xnn_create_fully_connected_nc_f32", what);
            MemorySegment handle = owned(owner, created);
            Xnnpack.check(xnn_reshape_fully_connected_nc_f32(handle, rows, pool.handle()), "xnn_reshape_fully_connected_nc_f32", what);
            return new XnnpackOperator(what, handle, pool,
                    (operator, workspace, source, destination) ->
                            xnnpack_addresses_h.xnn_setup_fully_connected_nc_f32(operator, source, destination), 0);
        }
    }

    /** Size of the workspace that it needs, in bytes; 0 if none. */
    public long workspaceBytes() {
        return workspaceBytes;
    }

    /** Says where the workspace lies, aligned to 64 bytes. */
    public XnnpackOperator useWorkspace(long address) {
        ready &= workspace == address;
        workspace = address;
        return this;
    }

    /** Points it at source and destination; costs nothing if they are where they were. */
    public XnnpackOperator point(long sourceAddress, long destinationAddress) {
        ready &= source == sourceAddress && destination == destinationAddress;
        source = sourceAddress;
        destination = destinationAddress;
        return this;
    }

    /**
     * Runs it to its end, on the pool's threads; allocates nothing.
     *
     * @throws NativeError           if XNNPACK refuses
     * @throws IllegalStateException if it or its pool is closed
     */
    public void run() {
        int status;
        try {
            if (!ready) {
                setUp();
            }
            status = xnn_run_operator(handle, pool.handle());
        } catch (IllegalStateException e) {
            throw new IllegalStateException(subject + ": the operator or its pool is closed", e);
        }
        if (status != 0) {
            Xnnpack.check(status, "xnn_run_operator", subject);
        }
    }

    /** What it computes, for messages. */
    public String subject() {
        return subject;
    }

    /** XNNPACK would take null for an address and crash on it later. */
    private void setUp() {
        if (source == 0 || destination == 0 || (workspaceBytes > 0 && workspace == 0)) {
            throw new NativeError("xnn_run_operator", "no address for the source, the destination or the workspace", subject);
        }
        Xnnpack.check(setup.setUp(handle, workspace, source, destination), "xnn_setup", subject);
        ready = true;
    }

    private static void requireBias(String subject, MemorySegment bias, int channels) {
        if (bias.address() != 0 && bias.byteSize() < channels * (long) Float.BYTES) {
            throw new IllegalArgumentException(subject + ": bias holds " + bias.byteSize() + " bytes, not " + channels * (long) Float.BYTES);
        }
    }

    static MemorySegment owned(Arena owner, MemorySegment created) {
        return created.get(ValueLayout.ADDRESS, 0).reinterpret(owner, operator -> xnn_delete_operator(operator));
    }
}
