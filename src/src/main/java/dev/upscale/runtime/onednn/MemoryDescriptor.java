package dev.upscale.runtime.onednn;

import static dev.upscale.bindings.onednn.dnnl_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Where a f32 tensor's values lie ({@code dnnl_memory_desc_t}): dimensions in oneDNN's order (images N, C, H, W; weights O, I, H, W or
 * G, O, I, H, W; volumes have a depth before H) and strides in floats. Lives as long as the engine that made it. Immutable.
 */
public final class MemoryDescriptor {
    private final MemorySegment handle;
    private final String text;

    private MemoryDescriptor(MemorySegment handle, String text) {
        this.handle = handle;
        this.text = text;
    }

    /** Dimensions with strides, in floats. */
    public static MemoryDescriptor strided(OneDnn oneDnn, long[] dims, long[] strides) {
        if (dims.length != strides.length) {
            throw new IllegalArgumentException(dims.length + " dimensions with " + strides.length + " strides");
        }
        String text = Arrays.toString(dims) + " with strides " + Arrays.toString(strides);
        try (Arena call = Arena.ofConfined()) {
            MemorySegment nativeDims = call.allocateFrom(ValueLayout.JAVA_LONG, dims);
            MemorySegment nativeStrides = call.allocateFrom(ValueLayout.JAVA_LONG, strides);
            return new MemoryDescriptor(oneDnn.create("dnnl_memory_desc_create_with_strides", text,
                    out -> dnnl_memory_desc_create_with_strides(out, dims.length, nativeDims, dnnl_f32(), nativeStrides),
                    pointer -> dnnl_memory_desc_destroy(pointer)), text);
        }
    }

    /** Row-major, without gaps. */
    public static MemoryDescriptor dense(OneDnn oneDnn, long... dims) {
        long[] strides = new long[dims.length];
        long stride = 1;
        for (int axis = dims.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= dims[axis];
        }
        return strided(oneDnn, dims, strides);
    }

    /** An image [batch, channels, height, width] that lies channels-last, with {@code pixelStride} floats from pixel to pixel. */
    public static MemoryDescriptor channelsLast(OneDnn oneDnn, int batch, int channels, int height, int width, long pixelStride) {
        return strided(oneDnn, new long[] {batch, channels, height, width},
                new long[] {height * width * pixelStride, 1, width * pixelStride, pixelStride});
    }

    /** An image in planes (NCHW) without gaps, as a volume of one channel, as deep as the image has channels: [batch, 1, channels, height, width]. */
    public static MemoryDescriptor planes(OneDnn oneDnn, int batch, int channels, int height, int width) {
        long plane = (long) height * width;
        return strided(oneDnn, new long[] {batch, 1, channels, height, width}, new long[] {channels * plane, 1, plane, width, 1});
    }

    /** An image like {@link #channelsLast}, as a volume of depth one: [batch, channels, 1, height, width]. */
    public static MemoryDescriptor channelsLastVolume(OneDnn oneDnn, int batch, int channels, int height, int width, long pixelStride) {
        long image = height * width * pixelStride;
        return strided(oneDnn, new long[] {batch, channels, 1, height, width}, new long[] {image, 1, image, width * pixelStride, pixelStride});
    }

    /** A matrix [rows, columns] with {@code rowStride} floats from row to row. */
    public static MemoryDescriptor matrix(OneDnn oneDnn, long rows, long columns, long rowStride) {
        return strided(oneDnn, new long[] {rows, columns}, new long[] {rowStride, 1});
    }

    /** Dimensions whose place the primitive chooses. */
    public static MemoryDescriptor any(OneDnn oneDnn, long... dims) {
        String text = Arrays.toString(dims) + " anywhere";
        try (Arena call = Arena.ofConfined()) {
            MemorySegment nativeDims = call.allocateFrom(ValueLayout.JAVA_LONG, dims);
            return new MemoryDescriptor(oneDnn.create("dnnl_memory_desc_create_with_tag", text,
                    out -> dnnl_memory_desc_create_with_tag(out, dims.length, nativeDims, dnnl_f32(), dnnl_format_tag_any()),
                    pointer -> dnnl_memory_desc_destroy(pointer)), text);
        }
    }

    /** A copy of a descriptor that a primitive descriptor lends. */
    static MemoryDescriptor copyOf(OneDnn oneDnn, MemorySegment lent, String text) {
        return new MemoryDescriptor(oneDnn.create("dnnl_memory_desc_clone", text, out -> dnnl_memory_desc_clone(out, lent),
                pointer -> dnnl_memory_desc_destroy(pointer)), text);
    }

    /** Bytes from the first value to the end of the last, padding included. */
    public long bytes() {
        return dnnl_memory_desc_get_size(handle);
    }

    /** Whether values lie at the same places. */
    public boolean sameAs(MemoryDescriptor other) {
        return dnnl_memory_desc_equal(handle, other.handle) != 0;
    }

    MemorySegment handle() {
        return handle;
    }

    @Override
    public String toString() {
        return text;
    }
}
