package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import dev.upscale.runtime.natives.OwnedPointer;
import java.lang.foreign.MemorySegment;

/** cuDNN on the device whose context is current ({@code cudnnHandle_t}). One thread at a time; to be closed after the plans loaded with it. */
public final class Handle implements AutoCloseable {
    private final OwnedPointer handle;

    private Handle(OwnedPointer handle) {
        this.handle = handle;
    }

    /** @throws dev.upscale.runtime.natives.NativeError if cuDNN cannot use the device */
    public static Handle create() {
        CuDnn.require();
        return new Handle(OwnedPointer.create("the cuDNN handle", out -> CuDnn.check(cudnnCreate(out), "cudnnCreate", "cuDNN"),
                handle -> CuDnn.check(cudnnDestroy(handle), "cudnnDestroy", "cuDNN")));
    }

    /** What is executed from now on runs on that stream. */
    public void onStream(MemorySegment stream) {
        CuDnn.check(cudnnSetStream(pointer(), stream), "cudnnSetStream", "cuDNN");
    }

    MemorySegment pointer() {
        return handle.get();
    }

    @Override
    public void close() {
        handle.close();
    }
}
