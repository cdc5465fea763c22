package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.plan.Constant;
import dev.upscale.plan.View;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A plan's constants in one piece of device memory, each in the storages that kernels ask for, and the tables that kernels need beside
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

    /** A constant in a storage. */
    private record Stored(String name, Storage storage) {}

    ConstantArea(Map<String, Constant> constants) {
        this.constants = constants;
    }

    long constant(String name, Storage storage) {
        Constant constant = get(name);
        return address(new Stored(name, storage), constant.elements() * (long) storage.bytes(), () -> converted(constant, storage));
    }

    long of(View view, Storage storage) {
        return constant(view.place().name(), storage) + view.offset() / View.ELEMENT_BYTES * storage.bytes();
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

    private static ByteBuffer converted(Constant constant, Storage storage) {
        if (storage == Storage.F32) {
            return constant.data();
        }
        FloatBuffer values = constant.data().asFloatBuffer();
        ByteBuffer data = ByteBuffer.allocate(values.remaining() * HALF_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            data.putShort(narrow(values.get(), storage));
        }
        return data.flip();
    }

    private static short narrow(float value, Storage storage) {
        if (storage == Storage.F16) {
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
        MemorySegment staging = MemorySegment.NULL;
        for (Piece piece : pieces.values()) {
            ByteBuffer data = piece.data().get();
            if (!data.hasRemaining()) {
                continue;
            }
            try (java.lang.foreign.Arena copy = java.lang.foreign.Arena.ofConfined()) {
                MemorySegment from = MemorySegment.ofBuffer(data);
                staging = from.isNative() ? from : copy.allocate(from.byteSize(), Long.BYTES).copyFrom(from);
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
