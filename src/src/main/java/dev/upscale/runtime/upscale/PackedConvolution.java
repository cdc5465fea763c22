package dev.upscale.runtime.upscale;

import static dev.upscale.bindings.upscale.upscale_cpu_h.*;

import dev.upscale.bindings.upscale.up_conv_args;
import dev.upscale.bindings.upscale.up_conv_desc;
import dev.upscale.bindings.upscale.up_range;
import dev.upscale.bindings.upscale.up_source;
import dev.upscale.bindings.upscale.up_target;
import dev.upscale.graph.Function;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A convolution with packed weights ({@code up_conv}): {@code activation(conv(source) + bias + addend)}, the source's channels read
 * where they lie. Linear layers are 1×1 convolutions over rows, depthwise convolutions have as many groups as channels. It lives as
 * long as the arena that it was made in. Immutable: any number of threads may run {@linkplain #call calls} of it at the same time.
 */
public final class PackedConvolution {
    /** Fewer channels may be run by packed rows, and fewer pixels are no more tiles than fetch the weights themselves. */
    private static final int FEWEST_CHANNELS = 17;
    private static final int FEWEST_PIXELS = 43;

    private final String subject;
    private final ConvolutionShape shape;
    private final MemorySegment handle;

    private PackedConvolution(String subject, ConvolutionShape shape, MemorySegment handle) {
        this.subject = subject;
        this.shape = shape;
        this.handle = handle;
    }

    /**
     * Packs the weights for the instruction set in use; the caller's arrays are not needed afterwards.
     *
     * @param owner   frees it
     * @param subject what it is, for errors: the node's name
     * @param weights f32 [outChannels, inChannels/groups, kernelH, kernelW], in native memory
     * @param bias    f32 [outChannels], or {@link MemorySegment#NULL}
     * @throws NativeError if the library refuses
     */
    public static PackedConvolution pack(Arena owner, String subject, ConvolutionShape shape, Function activation, MemorySegment weights,
            MemorySegment bias) {
        CpuKernels.load();
        requireSize(subject, "weights", weights, shape.weights());
        requireSize(subject, "bias", bias, shape.outChannels());
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            int status = up_conv_create(descriptor(call, shape, activation), weights, bias, created);
            CpuKernels.check(status, "up_conv_create", subject + " (" + shape + ")");
            return new PackedConvolution(subject, shape, owned(created, owner));
        }
    }

    /** The size in bytes of the packed weights, for the instruction set in use. */
    public static long packedBytes(String subject, ConvolutionShape shape) {
        CpuKernels.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(ValueLayout.JAVA_LONG);
            int status = up_conv_packed_bytes(descriptor(call, shape, Function.NONE), bytes);
            CpuKernels.check(status, "up_conv_packed_bytes", subject + " (" + shape + ")");
            return bytes.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** Packs weights into the caller's memory, aligned to 64 bytes, of {@link #packedBytes} or more. */
    public static void packInto(String subject, ConvolutionShape shape, MemorySegment weights, MemorySegment bias, MemorySegment packed) {
        CpuKernels.load();
        requireSize(subject, "weights", weights, shape.weights());
        requireSize(subject, "bias", bias, shape.outChannels());
        try (Arena call = Arena.ofConfined()) {
            int status = up_conv_pack(descriptor(call, shape, Function.NONE), weights, bias, packed, packed.byteSize());
            CpuKernels.check(status, "up_conv_pack", subject + " (" + shape + ")");
        }
    }

    /**
     * A convolution over weights that {@link #packInto} made; the memory stays the caller's and must outlive the owner.
     *
     * @throws NativeError if they were packed for another convolution, instruction set or library version
     */
    public static PackedConvolution ofPacked(Arena owner, String subject, ConvolutionShape shape, Function activation, MemorySegment packed) {
        CpuKernels.load();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment created = call.allocate(ValueLayout.ADDRESS);
            int status = up_conv_create_packed(descriptor(call, shape, activation), packed, packed.byteSize(), created);
            CpuKernels.check(status, "up_conv_create_packed", subject + " (" + shape + ")");
            return new PackedConvolution(subject, shape, owned(created, owner));
        }
    }

    /**
     * A call with its arguments, to be run any number of times by one thread at a time. Sources: 0 the source, 1 the addend.
     *
     * @param owner  holds the arguments
     * @param addend a residual of the destination's shape, without an index, which may be the destination itself; null: none
     */
    public KernelCall call(Arena owner, Source source, Source addend, Target target) {
        MemorySegment args = up_conv_args.allocate(owner);
        writeSizes(args, shape);
        source.write(up_conv_args.src(args));
        if (addend != null) {
            addend.write(up_conv_args.addend(args));
        }
        target.write(up_conv_args.dst(args));
        MemorySegment convolution = handle;
        return new KernelCall(subject, "up_conv_run", args, (block, pool) -> up_conv_run(convolution, block, pool),
                up_conv_args.dst$offset() + up_target.data$offset(),
                up_conv_args.src$offset() + up_source.data$offset(), up_conv_args.addend$offset() + up_source.data$offset())
                .over(weights(owner), fetches() ? ranges -> writeFetches(owner, args, ranges) : null);
    }

    /** The packed weights and bias. */
    private MemorySegment weights(Arena call) {
        MemorySegment range = up_range.allocate(call);
        CpuKernels.check(up_conv_packed_range(handle, range), "up_conv_packed_range", subject);
        return up_range.data(range).reinterpret(up_range.bytes(range));
    }

    /** Whether runs are made of many tiles that have room for fetches. */
    private boolean fetches() {
        long pixels = (long) shape.batch() * shape.outHeight() * shape.outWidth();
        return shape.groups() == 1 && shape.inChannels() >= FEWEST_CHANNELS && pixels >= FEWEST_PIXELS;
    }

    private static void writeFetches(Arena owner, MemorySegment args, List<MemorySegment> ranges) {
        MemorySegment array = up_range.allocateArray(ranges.size(), owner);
        for (int i = 0; i < ranges.size(); i++) {
            MemorySegment range = up_range.asSlice(array, i);
            up_range.data(range, ranges.get(i));
            up_range.bytes(range, ranges.get(i).byteSize());
        }
        up_conv_args.fetches(args, array);
        up_conv_args.fetch_count(args, ranges.size());
    }

    /** The convolution's sizes. */
    public ConvolutionShape shape() {
        return shape;
    }

    static void writeSizes(MemorySegment args, ConvolutionShape shape) {
        up_conv_args.batch(args, shape.batch());
        up_conv_args.in_h(args, shape.inHeight());
        up_conv_args.in_w(args, shape.inWidth());
        up_conv_args.out_h(args, shape.outHeight());
        up_conv_args.out_w(args, shape.outWidth());
    }

    static MemorySegment descriptor(Arena call, ConvolutionShape shape, Function activation) {
        MemorySegment desc = up_conv_desc.allocate(call);
        up_conv_desc.in_channels(desc, shape.inChannels());
        up_conv_desc.out_channels(desc, shape.outChannels());
        up_conv_desc.groups(desc, shape.groups());
        up_conv_desc.kernel_h(desc, shape.window().kernelH());
        up_conv_desc.kernel_w(desc, shape.window().kernelW());
        up_conv_desc.stride_h(desc, shape.window().strideH());
        up_conv_desc.stride_w(desc, shape.window().strideW());
        up_conv_desc.dilation_h(desc, shape.window().dilationH());
        up_conv_desc.dilation_w(desc, shape.window().dilationW());
        up_conv_desc.pad_top(desc, shape.window().padTop());
        up_conv_desc.pad_left(desc, shape.window().padLeft());
        Activations.write(up_conv_desc.act(desc), activation);
        return desc;
    }

    static MemorySegment owned(MemorySegment created, Arena owner) {
        return created.get(ValueLayout.ADDRESS, 0).reinterpret(owner, handle -> up_conv_destroy(handle));
    }

    static void requireSize(String subject, String what, MemorySegment floats, long number) {
        if (floats.address() != 0 && floats.byteSize() < number * Float.BYTES) {
            throw new IllegalArgumentException(subject + ": " + what + " hold " + floats.byteSize() + " bytes, not " + number * Float.BYTES);
        }
    }
}
