package dev.upscale.runtime.upscale;

import dev.upscale.bindings.upscale.up_source;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * What a kernel reads ({@code up_source}): pixels of f32 channels.
 *
 * @param data        the first pixel's position 0; {@link MemorySegment#NULL} if it is pointed at later
 * @param pixelStride floats from pixel to pixel
 * @param index       i32 positions of the channels in a pixel, in any order; {@link MemorySegment#NULL}: 0, 1, 2, …
 */
public record Source(MemorySegment data, long pixelStride, MemorySegment index) {
    public Source {
        Objects.requireNonNull(data);
        Objects.requireNonNull(index);
    }

    /** Channels side by side: a whole tensor, or a slice of a wider one. */
    public static Source of(MemorySegment data, long pixelStride) {
        return new Source(data, pixelStride, MemorySegment.NULL);
    }

    void write(MemorySegment source) {
        up_source.data(source, data);
        up_source.pixel_stride(source, pixelStride);
        up_source.index(source, index);
    }
}
