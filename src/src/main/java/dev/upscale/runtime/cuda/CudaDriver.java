package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.ToIntFunction;

/** Calls of the CUDA driver whose status is checked, every one. */
final class CudaDriver {
    private CudaDriver() {}

    static void check(int status, String function, String subject) {
        if (status != CUDA_SUCCESS()) {
            throw new NativeError(function, words(status), subject);
        }
    }

    /** The status's name and what the driver says it means. */
    static String words(int status) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment text = call.allocate(ValueLayout.ADDRESS);
            cuGetErrorName(status, text);
            String name = string(text);
            cuGetErrorString(status, text);
            return name + " (" + string(text) + ")";
        }
    }

    private static String string(MemorySegment pointer) {
        MemorySegment text = pointer.get(ValueLayout.ADDRESS, 0);
        return text.address() == 0 ? "unknown status" : text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** A handle that a function writes to its first argument. */
    static MemorySegment handle(String function, String subject, ToIntFunction<MemorySegment> call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            check(call.applyAsInt(out), function, subject);
            return out.get(ValueLayout.ADDRESS, 0);
        }
    }

    /** A number likewise. */
    static int number(String function, String subject, ToIntFunction<MemorySegment> call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
            check(call.applyAsInt(out), function, subject);
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** A 64-bit number, or a device address, likewise. */
    static long longNumber(String function, String subject, ToIntFunction<MemorySegment> call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
            check(call.applyAsInt(out), function, subject);
            return out.get(ValueLayout.JAVA_LONG, 0);
        }
    }
}
