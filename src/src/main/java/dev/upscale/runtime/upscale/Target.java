package dev.upscale.runtime.upscale;

import dev.upscale.bindings.upscale.up_target;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * What a kernel writes ({@code up_target}): pixels of f32 channels side by side.
 *
 * @param data        the first pixel's first channel; {@link MemorySegment#NULL} if it is pointed at later
 * @param pixelStride floats from pixel to pixel
 */
public record Target(MemorySegment data, long pixelStride) {
    public Target {
        Objects.requireNonNull(data);
    }

    void write(MemorySegment target) {
        up_target.data(target, data);
        up_target.pixel_stride(target, pixelStride);
    }
}
