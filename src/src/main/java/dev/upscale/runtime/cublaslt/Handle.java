package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * cuBLASLt on the device whose context is current ({@code cublasLtHandle_t}). It keeps nothing between calls, so products of any number of
 * streams share it. One thread at a time; to be closed after the products bound with it.
 */
public final class Handle implements AutoCloseable {
    private MemorySegment handle;

    private Handle(MemorySegment handle) {
        this.handle = handle;
    }

    /** @throws dev.upscale.runtime.natives.NativeError if cuBLASLt cannot use the device, or there is none */
    public static Handle create() {
        CuBlasLt.require();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            CuBlasLt.check(cublasLtCreate(out), "cublasLtCreate", "cuBLASLt");
            return new Handle(out.get(ValueLayout.ADDRESS, 0));
        }
    }

    MemorySegment pointer() {
        if (handle == null) {
            throw new IllegalStateException("the cuBLASLt handle is closed");
        }
        return handle;
    }

    @Override
    public void close() {
        if (handle != null) {
            MemorySegment closed = handle;
            handle = null;
            CuBlasLt.check(cublasLtDestroy(closed), "cublasLtDestroy", "cuBLASLt");
        }
    }
}
