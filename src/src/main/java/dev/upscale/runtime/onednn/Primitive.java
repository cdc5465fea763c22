package dev.upscale.runtime.onednn;

import static dev.upscale.bindings.onednn.dnnl_h.*;

import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/**
 * A kernel that oneDNN has chosen and compiled for one set of descriptors and post-ops ({@code dnnl_primitive_t}). Lives as long as
 * its engine. Immutable: any number of {@linkplain Execution executions} of it may run at the same time. The scratchpad is the
 * user's, {@link #scratchpadBytes()} large.
 */
public final class Primitive {
    private final OneDnn oneDnn;
    private final String subject;
    private final String implementation;
    private final MemorySegment handle;
    private final MemorySegment descriptor;
    private final List<PostOp> postOps;

    private Primitive(OneDnn oneDnn, String subject, List<PostOp> postOps, String function, DescriptorMaker maker) {
        this.oneDnn = oneDnn;
        this.subject = subject;
        this.postOps = List.copyOf(postOps);
        try (Arena call = Arena.ofConfined()) {
            MemorySegment attributes = PostOp.attributes(call, subject, postOps);
            descriptor = oneDnn.create(function, subject, out -> maker.make(out, call, attributes),
                    pointer -> dnnl_primitive_desc_destroy(pointer));
            implementation = queryImplementation(call);
        }
        handle = oneDnn.create("dnnl_primitive_create", subject, out -> dnnl_primitive_create(out, descriptor),
                pointer -> dnnl_primitive_destroy(pointer));
    }

    /**
     * A convolution, forward inference.
     *
     * @param subject     what it is, for errors: the node's name
     * @param source      [batch, inChannels, inHeight, inWidth]
     * @param destination [batch, outChannels, outHeight, outWidth]
     * @param bias        whether there is one
     * @throws NativeError if oneDNN has no implementation for it
     */
    public static Primitive convolution(OneDnn oneDnn, String subject, ConvolutionShape shape, MemoryDescriptor source,
            MemoryDescriptor destination, boolean bias, List<PostOp> postOps) {
        Window window = shape.window();
        // ONNX counts a dilation of 1 as none, oneDNN one of 0
        return convolution(oneDnn, subject, shape, weightDims(shape), source, destination, bias, postOps,
                new long[] {window.strideH(), window.strideW()}, new long[] {window.dilationH() - 1, window.dilationW() - 1},
                new long[] {window.padTop(), window.padLeft()}, new long[] {window.padBottom(), window.padRight()});
    }

    /**
     * A convolution, without groups, of an image in planes: oneDNN sees its channels as the depth of a volume with one channel, and a
     * window as deep as the volume.
     *
     * @param source      [batch, 1, inChannels, inHeight, inWidth], see {@link MemoryDescriptor#planes}
     * @param destination [batch, outChannels, 1, outHeight, outWidth], see {@link MemoryDescriptor#channelsLastVolume}
     * @throws NativeError if oneDNN has no implementation for it
     */
    public static Primitive convolutionOfPlanes(OneDnn oneDnn, String subject, ConvolutionShape shape, MemoryDescriptor source,
            MemoryDescriptor destination, boolean bias, List<PostOp> postOps) {
        Window window = shape.window();
        return convolution(oneDnn, subject, shape, planesWeightDims(shape), source, destination, bias, postOps,
                new long[] {1, window.strideH(), window.strideW()}, new long[] {0, window.dilationH() - 1, window.dilationW() - 1},
                new long[] {0, window.padTop(), window.padLeft()}, new long[] {0, window.padBottom(), window.padRight()});
    }

    private static Primitive convolution(OneDnn oneDnn, String subject, ConvolutionShape shape, long[] weightDims, MemoryDescriptor source,
            MemoryDescriptor destination, boolean bias, List<PostOp> postOps, long[] strides, long[] dilations, long[] before, long[] after) {
        MemoryDescriptor weights = MemoryDescriptor.any(oneDnn, weightDims);
        MemorySegment biases = bias ? MemoryDescriptor.dense(oneDnn, shape.outChannels()).handle() : MemorySegment.NULL;
        return new Primitive(oneDnn, subject + " (" + shape + ")", postOps, "dnnl_convolution_forward_primitive_desc_create",
                (out, call, attributes) -> dnnl_convolution_forward_primitive_desc_create(out, oneDnn.engine(), dnnl_forward_inference(),
                        dnnl_convolution_direct(), source.handle(), weights.handle(), biases, destination.handle(),
                        longs(call, strides), longs(call, dilations), longs(call, before), longs(call, after), attributes));
    }

    /** The dimensions of a convolution's weights: O, I, H, W, or with groups G, O/G, I/G, H, W; row-major they are ONNX's. */
    public static long[] weightDims(ConvolutionShape shape) {
        Window window = shape.window();
        return shape.groups() == 1
                ? new long[] {shape.outChannels(), shape.inChannels(), window.kernelH(), window.kernelW()}
                : new long[] {shape.groups(), shape.groupOutChannels(), shape.groupInChannels(), window.kernelH(), window.kernelW()};
    }

    /** The dimensions of the weights of a {@linkplain #convolutionOfPlanes convolution of planes}: O, 1, I, H, W; row-major they are ONNX's. */
    public static long[] planesWeightDims(ConvolutionShape shape) {
        return new long[] {shape.outChannels(), 1, shape.inChannels(), shape.window().kernelH(), shape.window().kernelW()};
    }

    /**
     * A matrix product: source [M, K] by weights [K, N] to destination [M, N], which rows' strides make slices of wider matrices.
     * ONNX's 1×1 weights [N, K] are packed from {@code strided([K, N], [1, K])}.
     *
     * @param inner K
     * @param outer N
     */
    public static Primitive matmul(OneDnn oneDnn, String subject, MemoryDescriptor source, long inner, long outer,
            MemoryDescriptor destination, boolean bias, List<PostOp> postOps) {
        MemoryDescriptor weights = MemoryDescriptor.any(oneDnn, inner, outer);
        MemorySegment biases = bias ? MemoryDescriptor.dense(oneDnn, 1, outer).handle() : MemorySegment.NULL;
        return new Primitive(oneDnn, subject + " (" + inner + " to " + outer + ")", postOps, "dnnl_matmul_primitive_desc_create",
                (out, call, attributes) -> dnnl_matmul_primitive_desc_create(out, oneDnn.engine(), source.handle(), weights.handle(),
                        biases, destination.handle(), attributes));
    }

    /** What a pooling window computes. */
    public enum PoolingOp { MAX, AVERAGE, AVERAGE_WITH_PADDING }

    /** Pooling over [N, C, H, W]. */
    public static Primitive pooling(OneDnn oneDnn, String subject, PoolingOp op, Window window, MemoryDescriptor source,
            MemoryDescriptor destination) {
        int algorithm = switch (op) {
            case MAX -> dnnl_pooling_max();
            case AVERAGE -> dnnl_pooling_avg_exclude_padding();
            case AVERAGE_WITH_PADDING -> dnnl_pooling_avg_include_padding();
        };
        return new Primitive(oneDnn, subject, List.of(), "dnnl_pooling_forward_primitive_desc_create",
                (out, call, attributes) -> dnnl_pooling_forward_primitive_desc_create(out, oneDnn.engine(), dnnl_forward_inference(),
                        algorithm, source.handle(), destination.handle(), longs(call, window.strideH(), window.strideW()),
                        longs(call, window.kernelH(), window.kernelW()), longs(call, window.dilationH() - 1, window.dilationW() - 1),
                        longs(call, window.padTop(), window.padLeft()), longs(call, window.padBottom(), window.padRight()), attributes));
    }

    /** How pixels between pixels are made. */
    public enum Resampling { NEAREST, LINEAR }

    /** Resizing of [N, C, H, W] between pixels' centres. */
    public static Primitive resampling(OneDnn oneDnn, String subject, Resampling method, MemoryDescriptor source, MemoryDescriptor destination) {
        int algorithm = method == Resampling.NEAREST ? dnnl_resampling_nearest() : dnnl_resampling_linear();
        return new Primitive(oneDnn, subject, List.of(), "dnnl_resampling_forward_primitive_desc_create",
                (out, call, attributes) -> dnnl_resampling_forward_primitive_desc_create(out, oneDnn.engine(), dnnl_forward_inference(), algorithm,
                        MemorySegment.NULL, source.handle(), destination.handle(), attributes));
    }

    /** Combines two tensors; dimensions of 1 of the second are broadcast. */
    public static Primitive binary(OneDnn oneDnn, String subject, PostOp.BinaryOp op, MemoryDescriptor first, MemoryDescriptor second,
            MemoryDescriptor destination, List<PostOp> postOps) {
        return new Primitive(oneDnn, subject, postOps, "dnnl_binary_primitive_desc_create",
                (out, call, attributes) -> dnnl_binary_primitive_desc_create(out, oneDnn.engine(), PostOp.code(op), first.handle(), second.handle(),
                        destination.handle(), attributes));
    }

    /** {@code scale * (source - mean) / sqrt(variance) + shift} over [N, C, H, W], with four vectors of channels. */
    public static Primitive normalisation(OneDnn oneDnn, String subject, MemoryDescriptor source, MemoryDescriptor destination, List<PostOp> postOps) {
        int flags = dnnl_use_global_stats() | dnnl_use_scale() | dnnl_use_shift();
        return new Primitive(oneDnn, subject, postOps, "dnnl_batch_normalization_forward_primitive_desc_create",
                (out, call, attributes) -> dnnl_batch_normalization_forward_primitive_desc_create(out, oneDnn.engine(), dnnl_forward_inference(),
                        source.handle(), destination.handle(), 0, flags, attributes));
    }

    /** A copy from one layout to another. */
    public static Primitive reorder(OneDnn oneDnn, String subject, MemoryDescriptor source, MemoryDescriptor destination) {
        return new Primitive(oneDnn, subject, List.of(), "dnnl_reorder_primitive_desc_create",
                (out, call, attributes) -> dnnl_reorder_primitive_desc_create(out, source.handle(), oneDnn.engine(),
                        destination.handle(), oneDnn.engine(), attributes));
    }

    /** The name of the implementation, e.g. {@code brgconv:avx2}. */
    public String implementation() {
        return implementation;
    }

    /** Whether the implementation is an optimised one: no part of its name is {@code ref}, also not inside of a composite. */
    public boolean isOptimised() {
        return !implementation.contains("ref");
    }

    /**
     * This, if it is optimised.
     *
     * @throws NativeError if oneDNN has fallen back to its reference implementation, which is up to 300 times slower
     */
    public Primitive requireOptimised() {
        if (!isOptimised()) {
            throw new NativeError("dnnl_primitive_create", "only the unoptimised implementation " + implementation
                    + "; choose another layout or engine", subject);
        }
        return this;
    }

    /** Where the primitive wants its weights. */
    public MemoryDescriptor weights() {
        return query(dnnl_query_weights_md(), "weights");
    }

    /** Size of the scratchpad that an execution needs, in bytes; 0 if none. */
    public long scratchpadBytes() {
        MemorySegment lent = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md(), 0);
        return lent.address() == 0 ? 0 : dnnl_memory_desc_get_size(lent);
    }

    /**
     * Weights from the caller's layout to the primitive's, once, into memory that lives as long as {@code owner}.
     *
     * @param layout where the values lie now
     */
    public MemorySegment packWeights(Arena owner, MemoryDescriptor layout, MemorySegment values) {
        MemoryDescriptor wanted = weights();
        if (values.byteSize() < layout.bytes()) {
            throw new IllegalArgumentException(subject + ": weights hold " + values.byteSize() + " bytes, not " + layout.bytes());
        }
        MemorySegment packed = owner.allocate(Math.max(1, wanted.bytes()), 64);
        Primitive reorder = reorder(oneDnn, subject + ": weights", layout, wanted);
        try (Arena call = Arena.ofConfined()) {
            Execution execution = reorder.execution(call).bind(Execution.SOURCE, layout, values.address())
                    .bind(Execution.DESTINATION, wanted, packed.address());
            if (reorder.scratchpadBytes() > 0) {
                execution.bindScratchpad(call.allocate(reorder.scratchpadBytes(), 64).address());
            }
            execution.run();
        }
        return packed;
    }

    /** A set of arguments for running this; {@code owner} holds them. */
    public Execution execution(Arena owner) {
        return new Execution(oneDnn, this, owner);
    }

    MemorySegment handle() {
        return handle;
    }

    /** The scratchpad's descriptor, if there is one. */
    Optional<MemoryDescriptor> scratchpad() {
        return scratchpadBytes() == 0 ? Optional.empty() : Optional.of(query(dnnl_query_scratchpad_md(), "scratchpad"));
    }

    /** The descriptor of a binary post-op's operand. */
    Optional<MemoryDescriptor> operandOfPostOp(int place) {
        return place < postOps.size() && postOps.get(place) instanceof PostOp.Binary binary ? Optional.of(binary.operand()) : Optional.empty();
    }

    /** What it computes, for messages. */
    public String subject() {
        return subject;
    }

    private MemoryDescriptor query(int what, String name) {
        return MemoryDescriptor.copyOf(oneDnn, dnnl_primitive_desc_query_md(descriptor, what, 0), subject + ": " + name);
    }

    private String queryImplementation(Arena call) {
        MemorySegment text = call.allocate(ValueLayout.ADDRESS);
        OneDnn.check(dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str(), 0, text), "dnnl_primitive_desc_query", subject);
        return OneDnn.text(text.get(ValueLayout.ADDRESS, 0));
    }

    private static MemorySegment longs(Arena call, long... values) {
        return call.allocateFrom(ValueLayout.JAVA_LONG, values);
    }

    /** Makes a primitive descriptor: puts it into {@code out}, may allocate in {@code call}, returns a status. */
    @FunctionalInterface
    private interface DescriptorMaker {
        int make(MemorySegment out, Arena call, MemorySegment attributes);
    }
}
