package dev.upscale.runtime.cuda;

import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Fills a kernel's argument structure (native/cuda/include/upscale_cuda.h) field by field, in the order of the header. */
final class ArgumentBlock {
    private static final int ROOM = 1024;

    private final ByteBuffer data = ByteBuffer.allocate(ROOM).order(ByteOrder.LITTLE_ENDIAN);

    ArgumentBlock address(long... addresses) {
        return longs(addresses);
    }

    ArgumentBlock longs(long... values) {
        align(Long.BYTES);
        Arrays.stream(values).forEach(data::putLong);
        return this;
    }

    ArgumentBlock ints(int... values) {
        Arrays.stream(values).forEach(data::putInt);
        return this;
    }

    ArgumentBlock number(float value) {
        data.putFloat(value);
        return this;
    }

    /** {@code struct up_cuda_fn}. */
    ArgumentBlock function(Function function) {
        data.putInt(function.kind().ordinal()).putFloat(function.a()).putFloat(function.b()).putInt(0);
        return this;
    }

    /** {@code struct up_cuda_div} for each divisor. */
    ArgumentBlock divisors(int... divisors) {
        for (int divisor : divisors) {
            Unsuited.unless(divisor > 0, "an empty tensor");
            int shift = divisor <= 1 ? 0 : Integer.SIZE - Integer.numberOfLeadingZeros(divisor - 1);
            long multiplier = (((1L << shift) - divisor) << Integer.SIZE) / divisor + 1;
            ints(divisor, (int) multiplier, shift, 0);
        }
        return this;
    }

    /** {@code struct up_cuda_window}. */
    ArgumentBlock window(Window window) {
        return ints(window.kernelH(), window.kernelW(), window.strideH(), window.strideW(), window.dilationH(), window.dilationW(),
                window.padTop(), window.padLeft(), window.padBottom(), window.padRight());
    }

    /** {@code struct up_cuda_image}. */
    ArgumentBlock image(DeviceImage image) {
        return address(image.address(), image.index()).longs(image.imageStride(), image.rowStride(), image.pixelStride(), image.channelStride())
                .ints(image.height(), image.width());
    }

    /** No image. */
    ArgumentBlock noImage() {
        return longs(0, 0, 0, 0, 0, 0).ints(0, 0);
    }

    private void align(int bytes) {
        while (data.position() % bytes != 0) {
            data.put((byte) 0);
        }
    }

    /** The structure, which has that size. */
    byte[] bytes(long size) {
        align(Long.BYTES);
        if (data.position() != size) {
            throw new IllegalStateException("an argument structure of " + size + " bytes was filled with " + data.position());
        }
        return Arrays.copyOf(data.array(), data.position());
    }
}
