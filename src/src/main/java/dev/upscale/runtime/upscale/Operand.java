package dev.upscale.runtime.upscale;

import dev.upscale.bindings.upscale.up_operand;
import java.lang.foreign.MemorySegment;

/**
 * One operand of a binary kernel ({@code up_operand}), read at {@code data[n * imageStride + p * pixelStride + channel]}. Strides
 * of 0 broadcast.
 *
 * @param imageStride   floats from image to image
 * @param pixelStride   floats from pixel to pixel
 * @param channelStride 1, or 0 for one value for all channels
 * @param index         i32 positions of the channels; {@link MemorySegment#NULL}: 0, 1, 2, …
 */
public record Operand(MemorySegment data, long imageStride, long pixelStride, long channelStride, MemorySegment index) {
    /** A tensor of the destination's shape. */
    public static Operand full(MemorySegment data, long pixels, long pixelStride) {
        return new Operand(data, pixels * pixelStride, pixelStride, 1, MemorySegment.NULL);
    }

    /** One vector of channels for each image: a squeeze-and-excitation scale. */
    public static Operand perImage(MemorySegment data, long imageStride) {
        return new Operand(data, imageStride, 0, 1, MemorySegment.NULL);
    }

    /** One vector of channels for all pixels: a constant per channel. */
    public static Operand perChannel(MemorySegment data) {
        return new Operand(data, 0, 0, 1, MemorySegment.NULL);
    }

    /** One value for each pixel. */
    public static Operand perPixel(MemorySegment data, long pixels, long pixelStride) {
        return new Operand(data, pixels * pixelStride, pixelStride, 0, MemorySegment.NULL);
    }

    /** One value for all. */
    public static Operand scalar(MemorySegment data) {
        return new Operand(data, 0, 0, 0, MemorySegment.NULL);
    }

    void write(MemorySegment operand) {
        up_operand.data(operand, data);
        up_operand.image_stride(operand, imageStride);
        up_operand.pixel_stride(operand, pixelStride);
        up_operand.channel_stride(operand, channelStride);
        up_operand.index(operand, index);
    }
}
