package dev.upscale.runtime.upscale;

import static dev.upscale.bindings.upscale.upscale_cpu_h.*;

import dev.upscale.bindings.upscale.up_conv_args;
import dev.upscale.bindings.upscale.up_conv_bf16_args;
import dev.upscale.bindings.upscale.up_source;
import dev.upscale.bindings.upscale.up_target;
import dev.upscale.graph.Function;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A convolution whose factors are rounded to bf16, with packed weights: what {@link PackedConvolution} computes, of sums in f32; bias,
 * addend and activation stay f32. It lives as long as the arena that it was made in. Immutable: any number of threads may run
 * {@linkplain #call calls} of it at the same time, each with a workspace of its own.
 */
public final class Bf16Convolution {
    private final String subject;
    private final ConvolutionShape shape;
    private final MemorySegment handle;

    private Bf16Convolution(String subject, ConvolutionShape shape, MemorySegment handle) {
        this.subject = subject;
        this.shape = shape;
        this.handle = handle;
    }

    /**
     * Rounds and packs the weights; the caller's arrays are not needed afterwards.
     *
     * @param owner   frees it
     * @param subject what it is, for errors: the node's name
     * @param weights f32 [outChannels, inChannels/groups, kernelH, kernelW], in native memory
     * @param bias    f32 [outChannels], or {@link MemorySegment#NULL}
     * @throws NativeError if the library refuses: no {@linkplain CpuKernels#hasBf16 bf16}, groups of one input channel, over 128 taps
     */
    public static Bf16Convolution pack(Arena owner, String subject, ConvolutionShape shape, Function activation, MemorySegment weights,
            MemorySegment bias) {
        CpuKernels.load();
        PackedConvolution.requireSize(subject, "weights", weights, shape.weights());
        PackedConvolution.requireSize(subject, "bias", bias, shape.outChannels());
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            int status = up_conv_bf16_create(PackedConvolution.descriptor(call, shape, activation), weights, bias, created);
            CpuKernels.check(status, "up_conv_bf16_create", subject + " (" + shape + ")");
            return new Bf16Convolution(subject, shape, PackedConvolution.owned(created, owner));
        }
    }

    /** The size in bytes of the workspace that runs need on 1 to {@code threads} threads. */
    public static long workspaceBytes(String subject, ConvolutionShape shape, int threads) {
        CpuKernels.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(ValueLayout.JAVA_LONG);
            MemorySegment sizes = up_conv_args.allocate(call);
            PackedConvolution.writeSizes(sizes, shape);
            int status = up_conv_bf16_workspace_bytes(PackedConvolution.descriptor(call, shape, Function.NONE), sizes, threads, bytes);
            CpuKernels.check(status, "up_conv_bf16_workspace_bytes", subject + " (" + shape + ")");
            return bytes.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /**
     * A call with its arguments, to be run any number of times by one thread at a time. Sources: 0 the source, then the addend if there is
     * one, then the workspace.
     *
     * @param owner          holds the arguments
     * @param addend         a residual of the destination's shape, without an index, which may be the destination itself; null: none
     * @param workspace      aligned to 64 bytes
     * @param workspaceBytes of {@link #workspaceBytes} for the pool's threads, or more
     */
    public KernelCall call(Arena owner, Source source, Source addend, MemorySegment workspace, long workspaceBytes, Target target) {
        MemorySegment args = up_conv_bf16_args.allocate(owner);
        MemorySegment conv = up_conv_bf16_args.conv(args);
        PackedConvolution.writeSizes(conv, shape);
        source.write(up_conv_args.src(conv));
        target.write(up_conv_args.dst(conv));
        up_conv_bf16_args.workspace(args, workspace);
        up_conv_bf16_args.workspace_bytes(args, workspaceBytes);
        long from = up_conv_bf16_args.conv$offset() + up_source.data$offset();
        long to = up_conv_bf16_args.conv$offset() + up_conv_args.dst$offset() + up_target.data$offset();
        long[] sources = {from + up_conv_args.src$offset(), up_conv_bf16_args.workspace$offset()};
        if (addend != null) {
            addend.write(up_conv_args.addend(conv));
            sources = new long[] {sources[0], from + up_conv_args.addend$offset(), sources[1]};
        }
        MemorySegment convolution = handle;
        return new KernelCall(subject, "up_conv_bf16_run", args, (block, pool) -> up_conv_bf16_run(convolution, block, pool), to, sources);
    }
}
