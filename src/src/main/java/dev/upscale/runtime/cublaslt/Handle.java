package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

import dev.upscale.runtime.natives.OwnedPointer;
import java.lang.foreign.MemorySegment;

/**
 * cuBLASLt on the device whose context is current ({@code cublasLtHandle_t}). It keeps nothing between calls, so products of any number of
 * streams share it. One thread at a time; to be closed after the products bound with it.
 */
public final class Handle implements AutoCloseable {
    private final OwnedPointer handle;

    private Handle(OwnedPointer handle) {
        this.handle = handle;
    }

    /** @throws dev.upscale.runtime.natives.NativeError if cuBLASLt cannot use the device, or there is none */
    public static Handle create() {
        CuBlasLt.require();
        return new Handle(OwnedPointer.create("the cuBLASLt handle", out -> CuBlasLt.check(cublasLtCreate(out), "cublasLtCreate", "cuBLASLt"),
                handle -> CuBlasLt.check(cublasLtDestroy(handle), "cublasLtDestroy", "cuBLASLt")));
    }

    MemorySegment pointer() {
        return handle.get();
    }

    @Override
    public void close() {
        handle.close();
    }
}
