package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.plan.Constant;
import dev.upscale.plan.View;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A plan's constants in one piece of device memory, each in the elements that kernels ask for, and the tables that kernels need beside
 * them. First everything is asked for, which gives offsets; then it is uploaded, and addresses are known.
 */
final class ConstantArea {
    private static final long ALIGNMENT = 256;
    private static final int HALF_BYTES = 2;

    private final Map<String, Constant> constants;
    private final Map<Object, Piece> pieces = new LinkedHashMap<>();
    private long bytes;
    private long base;

    /** Something to upload: where, and its bytes. */
    private record Piece(long offset, Supplier<ByteBuffer> data) {}

    /** A constant in a element. */
    private record Stored(String name, Element element) {}

    /** A convolution's weights in cuDNN's order. */
    private record Filter(String name, Element element) {}

    ConstantArea(Map<String, Constant> constants) {
        this.constants = constants;
    }

    long constant(String name, Element element) {
        Constant constant = get(name);
        return address(new Stored(name, element), constant.elements() * (long) element.bytes(), () -> converted(constant, element));
    }

    long of(View view, Element element) {
        return constant(view.place().name(), element) + view.offset() / View.ELEMENT_BYTES * element.bytes();
    }

    /** A convolution's weights [O, C, H, W] as cuDNN's plans read them: [O, H, W, C]. */
    long filter(String name, Element element) {
        Constant weights = get(name);
        return address(new Filter(name, element), weights.elements() * (long) element.bytes(),
                () -> converted(Constant.f32(weights.dims(), channelsLast(weights)), element));
    }

    private static float[] channelsLast(Constant weights) {
        int outputs = weights.dims().get(0);
        int channels = weights.dims().get(1);
        int area = weights.dims().get(2) * weights.dims().get(3);
        float[] from = weights.floats();
        float[] to = new float[from.length];
        for (int o = 0; o < outputs; o++) {
            for (int c = 0; c < channels; c++) {
                for (int tap = 0; tap < area; tap++) {
                    to[(o * area + tap) * channels + c] = from[(o * channels + c) * area + tap];
                }
            }
        }
        return to;
    }

    long index(String name) {
        return address("index " + name, get(name).bytes(), () -> get(name).data());
    }

    int entries(String name) {
        return get(name).elements();
    }

    long table(int[] values) {
        ByteBuffer data = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asIntBuffer().put(values);
        return address(data, data.limit(), () -> data);
    }

    long table(float[] values) {
        ByteBuffer data = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(values);
        return address(data, data.limit(), () -> data);
    }

    private Constant get(String name) {
        Constant constant = constants.get(name);
        if (constant == null) {
            throw new IllegalArgumentException("constant " + name + " is missing");
        }
        return constant;
    }

    private synchronized long address(Object key, long size, Supplier<ByteBuffer> data) {
        Piece piece = pieces.get(key);
        if (piece == null) {
            if (base != 0) {
                throw new IllegalStateException(key + " was not asked for before the constants were uploaded");
            }
            piece = new Piece(bytes, data);
            pieces.put(key, piece);
            bytes = Math.ceilDiv(bytes + size, ALIGNMENT) * ALIGNMENT;
        }
        return base + piece.offset();
    }

    private static ByteBuffer converted(Constant constant, Element element) {
        if (element == Element.F32) {
            return constant.data();
        }
        FloatBuffer values = constant.data().asFloatBuffer();
        ByteBuffer data = ByteBuffer.allocate(values.remaining() * HALF_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            data.putShort(narrow(values.get(), element));
        }
        return data.flip();
    }

    private static short narrow(float value, Element element) {
        if (element == Element.F16) {
            return Float.floatToFloat16(value);
        }
        int bits = Float.floatToRawIntBits(value);
        return (short) (Float.isNaN(value) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }

    /** Copies everything that was asked for to the device. */
    void upload(DeviceResources resources) {
        if (pieces.isEmpty()) {
            return;
        }
        String subject = "constants of " + bytes + " bytes";
        long address = resources.memory(subject, bytes);
        for (Piece piece : pieces.values()) {
            ByteBuffer data = piece.data().get();
            if (!data.hasRemaining()) {
                continue;
            }
            try (Arena copy = Arena.ofConfined()) {
                MemorySegment from = MemorySegment.ofBuffer(data);
                MemorySegment staging = from.isNative() ? from : copy.allocate(from.byteSize(), Long.BYTES).copyFrom(from);
                CudaDriver.check(cuMemcpyHtoD_v2(address + piece.offset(), staging, staging.byteSize()), "cuMemcpyHtoD", subject);
            }
        }
        base = address;
    }

    /** What it takes on the device. */
    long bytes() {
        return bytes;
    }
}
